"""`scanrill doctor`: looks at all that a server needs, a line each; works beside a running server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .data_dir import DataDir, ensure_data_dir, set_up_django

if TYPE_CHECKING:
    from .doctor_checks import Finding

STYLES = {"ok": "green", "warn": "yellow", "FAIL": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Check all that a server needs: a line each, with what to do. Ends with 1 where something fails."""
    conf = ensure_data_dir(data_dir)
    set_up_django(strict=False)
    from . import doctor_checks

    found: list[Finding] = []
    for name, check in doctor_checks.CHECKS.items():
        new = doctor_checks.run_check(name, check, conf)
        found += new
        if not as_json:
            _print(new)
    if as_json:
        _print_json(found)
    if any(finding.status == "FAIL" for finding in found):
        raise typer.Exit(1)


def _print(found: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 240)
    for finding in found:
        line = Text(f"{finding.status:<5}", style=STYLES[finding.status])
        line.append(f"{finding.check}: {finding.message}", style="default")
        console.print(line, soft_wrap=True)
        if finding.action:
            console.print(Text(f"     → {finding.action}"), soft_wrap=True)


def _print_json(found: list[Finding]) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found).decode()))
