"""Audit of the locked dependencies for known vulnerabilities, with pip-audit and npm audit.

    python tools/audit.py

A machine without access to a database of vulnerabilities prints "not audited". Nothing fails then, nor
because of a finding: an advisory that appears overnight must not stop an unrelated change.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP_AUDIT = "pip-audit==2.9.0"
NPM_PROJECTS = ("web", "clients/typescript")
TIMEOUT_SECONDS = 300
# Exit code of pip-audit and npm audit: 0 without findings, 1 with findings or after an error.
FINDING_MARKS = ("Found", "known vulnerabilit", "vulnerabilities", "severity")


def main(uv: str) -> None:
    """Print the result of each audit."""
    with tempfile.TemporaryDirectory() as directory:
        locked = Path(directory) / "requirements.txt"
        export = [uv, "export", "--quiet", "--frozen", "--all-extras", "--no-emit-local", "-o", str(locked)]
        audit = [uv, "tool", "run", "--quiet", PIP_AUDIT, "--disable-pip", "--strict", "-r", str(locked)]
        report("Python packages", [export, audit])
    for project in NPM_PROJECTS:
        report(f"npm packages of {project}", [["npm", "--prefix", str(ROOT / project), "audit"]])


def report(name: str, commands: Sequence[Sequence[str]]) -> None:
    """Run commands until one fails, and print whether the packages were audited."""
    for command in commands:
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"{name}: not audited ({error}).")
            return
        if done.returncode:
            output = (done.stdout + done.stderr).strip()
            if is_report(output):
                print(f"{name}: findings.\n{output}")
            else:
                reason = output.splitlines()[0] if output else f"exit code {done.returncode}"
                print(f"{name}: not audited ({reason[:200]}).")
            return
    print(f"{name}: no known vulnerabilities.")


def is_report(output: str) -> bool:
    """Return whether the output of a failed audit names vulnerabilities, and not an error."""
    return any(mark in output for mark in FINDING_MARKS) and "ERROR" not in output


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "uv")
