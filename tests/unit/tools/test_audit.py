"""Audit of the locked dependencies: its output with and without a database of vulnerabilities."""

from __future__ import annotations

import sys
import tomllib

import pytest

from tools import audit

# The first versions without the known holes of their time.
MIN_VERSIONS = {"pillow": (12, 2), "pyjwt": (2, 13)}


def program(output: str, code: int) -> list[str]:
    return [sys.executable, "-c", f"print({output!r}); raise SystemExit({code})"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (program("", 0), "npm: no known vulnerabilities."),
        (program("Found 2 known vulnerabilities in 1 package", 1), "npm: findings.\nFound 2 known vuln"),
        (
            program("ERROR: no connection to the service with vulnerabilities", 1),
            "npm: not audited (ERROR: no",
        ),
        (program("", 1), "npm: not audited (exit code 1)."),
        (["/no/such/program"], "npm: not audited ("),
    ],
)
def test_s37_report_of_an_audit_has_its_result(
    command: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    audit.report("npm", [command])
    assert capsys.readouterr().out.startswith(expected)


def test_s37_report_ends_at_the_first_command_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    audit.report("npm", [program("no network", 2), program("", 0)])
    assert capsys.readouterr().out == "npm: not audited (no network).\n"


def test_s37_locked_packages_have_no_version_with_a_known_hole() -> None:
    packages = tomllib.loads((audit.ROOT / "uv.lock").read_text())["package"]
    locked = {package["name"]: package.get("version", "") for package in packages}
    for name, least in MIN_VERSIONS.items():
        major, minor = locked[name].split(".")[:2]
        assert (int(major), int(minor)) >= least, name
