"""Command `doctor`: checks of everything that a server needs, one line each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from .data_dir import DataDir, ensure_data_dir, set_up_django

if TYPE_CHECKING:
    from .doctor_checks import Finding

STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Check everything that a server needs, and print how to fix problems.

    The server may run meanwhile. The exit code is 1 if a check fails.
    """
    conf = ensure_data_dir(data_dir)
    set_up_django(strict=False)
    from . import doctor_checks

    findings: list[Finding] = []
    for name, check in doctor_checks.CHECKS.items():
        new = doctor_checks.run_check(name, check, conf)
        findings += new
        if not as_json:
            _print(new)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(findings).decode()))
    if any(finding.status == "FAIL" for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 240)
    for finding in findings:
        line = Text(f"{finding.status:<5}", style=STYLES[finding.status])
        line.append(f"{finding.check}: {finding.message}", style="default")
        console.print(line, soft_wrap=True)
        if finding.action:
            console.print(Text(f"     → {finding.action}"), soft_wrap=True)
