"""Runner of the mutants; see the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from . import Mutant, decoder, frames, gate, jobs, keys, outgoing, owners, quotas, sign_in, text, turns

GROUPS = (decoder, frames, gate, jobs, keys, outgoing, owners, quotas, sign_in, text, turns)
MUTANTS = [mutant for group in GROUPS for mutant in group.MUTANTS]
ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 300
PYTEST_TESTS_FAILED = 1  # exit code; others mean that pytest itself failed, or that no test was selected
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".uv", "node_modules", "site", "__pycache__", ".*_cache", ".hypothesis"
)


def main(findings: list[str]) -> int:
    """Run mutants, print one line each, and return the number of those that no test noticed."""
    survivors = 0
    with TemporaryDirectory(prefix="scanrill-mutants-") as directory:
        copy = Path(directory) / "checkout"
        shutil.copytree(ROOT, copy, ignore=NOT_COPIED, symlinks=True)
        (copy / "web/node_modules").symlink_to(ROOT / "web/node_modules")
        for mutant in MUTANTS:
            if not findings or mutant.finding in findings:
                is_noticed = _is_noticed(mutant, copy)
                survivors += not is_noticed
                print("red" if is_noticed else "NOT NOTICED", mutant.finding, mutant.tests, flush=True)
    return survivors


def _is_noticed(mutant: Mutant, copy: Path) -> bool:
    """Apply a mutant to the copy, run its tests there, and undo it."""
    file = copy / mutant.file
    original = file.read_text()
    if mutant.old not in original:
        sys.exit(f"mutants: {mutant.file} does not have: {mutant.old}")
    file.write_text(original.replace(mutant.old, mutant.new, 1))
    try:
        pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        # The copy comes first, so that neither pytest nor the servers import the installed checkout.
        environment = os.environ | {"PYTHONPATH": str(copy)}
        run = subprocess.run(
            [*pytest, *_words(mutant.tests)],
            cwd=copy,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return run.returncode == PYTEST_TESTS_FAILED
    finally:
        file.write_text(original)


def _words(tests: str) -> list[str]:
    """Split `FILE -k EXPRESSION`; the expression may have spaces."""
    file, _, expression = tests.partition(" -k ")
    return [f"tests/security/{file}", *(["-k", expression] if expression else [])]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
