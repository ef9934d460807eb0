"""`scanrill engines`: what can read here, what it can, and what the others lack."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer


def engines(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List the engines: what each reads and can, or how to get it."""
    from backend_main.reading.engines import known_engines

    rows = [_row(name) for name in known_engines()]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _print_table([row for row in rows if not row["for_tests"]])


def _row(name: str) -> dict[str, Any]:
    from backend_main.reading import ReadingError
    from backend_main.reading.engines import engine_class, lacking

    try:
        kind = engine_class(name)
    except ReadingError as error:
        return {"name": name, "installed": False, "lacking": str(error), "for_tests": False}
    missing = lacking(name)
    return {
        "name": name,
        "installed": not missing,
        "lacking": missing,
        "languages": sorted(kind.readable()) if not missing else [],
        "profiles": list(kind.profiles),
        "streams_tokens": kind.streams_tokens,
        "gives_boxes": kind.gives_boxes,
        "sends_pages_away": kind.sends_pages_away,
        "for_tests": kind.for_tests,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("engine", "languages", "profiles", "what it does", box=None, pad_edge=False)
    for row in rows:
        if row["installed"]:
            languages = " ".join(row["languages"]) or "any"
            table.add_row(row["name"], languages, " ".join(row["profiles"]), _abilities(row))
        else:
            table.add_row(row["name"], "", "", f"not installed: {row['lacking']}")
    Console(width=None if sys.stdout.isatty() else 240, markup=False).print(table)


def _abilities(row: dict[str, Any]) -> str:
    text = "streams tokens" if row["streams_tokens"] else "streams lines"
    boxes = "with boxes and confidences" if row["gives_boxes"] else "without boxes"
    return f"{text}, {boxes}" + ("; pages leave this machine" if row["sends_pages_away"] else "")
