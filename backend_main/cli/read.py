"""`scanrill read`: files in, text out, in this process; needs no data directory and no server."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from backend_main import reading
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine


class Format(enum.StrEnum):
    MD = "md"
    TXT = "txt"
    JSON = "json"


def read(
    files: Annotated[list[Path], typer.Argument(help="Images and PDFs.", exists=True, dir_okay=False)],
    format: Annotated[Format, typer.Option(help="Markdown, reading text, or pages with lines and boxes.")] = Format.MD,
    engine: Annotated[str, typer.Option(help="The engine that reads.")] = "rapid",
) -> None:
    """Print the text of images and PDFs, as it is read."""
    reader = _load(engine)
    failed = False
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        for number, file in enumerate(files):
            if number:
                print()
            try:
                _WRITERS[format](file, reader, progress)
            except reading.ReadingError as error:
                print(f"scanrill: {file}: {error}", file=sys.stderr)
                failed = True
    if failed:
        raise typer.Exit(1)


def _load(engine: str) -> Engine:
    try:
        return load_engine(engine, threads=0)
    except reading.ReadingError as error:
        raise typer.BadParameter(str(error), param_hint="--engine") from None


def _write_markdown(file: Path, engine: Engine, progress: Progress) -> None:
    """Line by line where the engine lets what it has said stand, else page by page."""
    line_by_line = not engine.rewrites_page
    task = progress.add_task(file.name, total=None)
    for event in reading.read(file, engine=engine):
        match event:
            case reading.PageStarted(number=number, page_count=count):
                progress.update(task, total=count, completed=number - 1)
                if number > 1:
                    _out("\n")
            case reading.Line() if line_by_line:
                _out(event.markdown)
            case reading.PageDone():
                _out("\n" if line_by_line else event.markdown + "\n")
    progress.remove_task(task)


def _write_text(file: Path, engine: Engine, progress: Progress) -> None:
    for page in _pages(file, engine, progress):
        _out(("\n" if page.number > 1 else "") + page.text + "\n")


def _write_json(file: Path, engine: Engine, progress: Progress) -> None:
    pages = list(_pages(file, engine, progress))
    document = {"file": str(file), "pages": pages}
    _out(msgspec.json.format(msgspec.json.encode(document).decode()) + "\n")


def _pages(file: Path, engine: Engine, progress: Progress) -> list[reading.PageDone]:
    pages = []
    task = progress.add_task(file.name, total=None)
    for event in reading.read(file, engine=engine):
        if isinstance(event, reading.PageDone):
            progress.update(task, total=event.page_count, completed=event.number)
            pages.append(event)
    progress.remove_task(task)
    return pages


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


_WRITERS = {Format.MD: _write_markdown, Format.TXT: _write_text, Format.JSON: _write_json}
