"""Command `engines`: a list of the OCR engines, with their abilities or how to install them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from backend_main.reading.engines.info import EngineInfo


def engines(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the OCR engines with their languages, profiles and abilities."""
    from backend_main.reading.engines import known_engines
    from backend_main.reading.engines.info import engine_info

    known = [engine_info(name) for name in known_engines()]
    if as_json:
        print(json.dumps(msgspec.to_builtins(known), indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("engine", "languages", "profiles", "abilities", box=None, pad_edge=False)
    for engine in known:
        if engine.is_test_engine:
            continue
        if engine.installed:
            languages = " ".join(engine.languages) or "any"
            table.add_row(engine.name, languages, " ".join(engine.profiles), _abilities(engine))
        else:
            table.add_row(engine.name, "", "", f"not installed: {engine.unavailable_reason}")
    Console(width=None if sys.stdout.isatty() else 240, markup=False).print(table)


def _abilities(engine: EngineInfo) -> str:
    text = "streams tokens" if engine.streams_tokens else "streams lines"
    boxes = "with boxes and confidences" if engine.provides_boxes else "without boxes"
    return f"{text}, {boxes}" + ("; sends pages to another machine" if engine.is_remote else "")
