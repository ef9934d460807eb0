"""What `scanrill read` prints: Markdown as it is read, reading text, or JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from backend_main import reading
from backend_main.reading.engines import Engine, load_engine


def write_files(files: list[Path], *, form: str, engine_name: str) -> bool:
    """Reads the files in turn, a blank line between them; False when one of them could not be read."""
    engine = _load(engine_name)
    all_read = True
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        for number, file in enumerate(files):
            if number:
                _out("\n")
            try:
                _WRITERS[form](file, engine, progress)
            except reading.ReadingError as error:
                print(f"scanrill: {file}: {error}", file=sys.stderr)
                all_read = False
    return all_read


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


_WRITERS = {"md": _write_markdown, "txt": _write_text, "json": _write_json}
