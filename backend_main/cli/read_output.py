"""What `scanrill read` prints: Markdown as it is read, reading text, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from backend_main import reading
from backend_main.reading import Options
from backend_main.reading.engines import (
    Engine,
    engine_class,
    load_engine,
    validate_options,
)

from .live_preview import LivePreview


def write_files(files: list[Path], *, form: str, options: Options) -> bool:
    """Reads the files in turn, a blank line between them; False when one of them could not be read."""
    reader = LoadedEngine(_load_engine(options), options)
    all_read = True
    # Where the text is shown as it comes, that says how far it is.
    shown = form == "md" and sys.stdout.isatty()
    quiet = shown or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as progress:
        for number, file in enumerate(files):
            if number:
                _write("\n")
            try:
                _WRITERS[form](file, reader, progress)
            except reading.ReadingError as error:
                print(f"scanrill: {file}: {error}", file=sys.stderr)
                all_read = False
    return all_read


class LoadedEngine(NamedTuple):
    """A loaded engine, and what is asked of it."""

    engine: Engine
    options: Options

    def read(self, file: Path) -> Iterator[reading.ReadEvent]:
        return reading.read(file, self.options, self.engine)


def _load_engine(options: Options) -> Engine:
    """What does not go with the engine is said before anything is loaded, or read."""
    try:
        validate_options(engine_class(options.engine), options)
        return load_engine(options.engine, threads=0)
    except reading.UnsupportedOption as error:
        raise typer.BadParameter(str(error), param_hint=f"--{error.option}") from None
    except reading.ReadingError as error:
        raise typer.BadParameter(str(error), param_hint="--engine") from None


def _write_markdown(file: Path, reader: LoadedEngine, progress: Progress) -> None:
    """What is printed is each page as it is in the end; a terminal shows its lines as they are read."""
    gap = ""
    with LivePreview(file.name, Console(file=sys.stdout), enabled=sys.stdout.isatty()) as screen:
        for event in _events_with_progress(file, reader, progress):
            match event:
                case reading.PageStarted():
                    screen.begin_page(event)
                case reading.Line():
                    screen.append(event.markdown)
                case reading.PageDone():
                    screen.clear()
                    _write(gap + event.markdown + "\n")
                    gap = "\n"


def _write_text(file: Path, reader: LoadedEngine, progress: Progress) -> None:
    for index, page in enumerate(_pages(file, reader, progress)):
        _write(("\n" if index else "") + page.text + "\n")


def _write_json(file: Path, reader: LoadedEngine, progress: Progress) -> None:
    pages = list(_pages(file, reader, progress))
    document = {"file": str(file), "pages": pages}
    _write(msgspec.json.format(msgspec.json.encode(document).decode()) + "\n")


def _pages(file: Path, reader: LoadedEngine, progress: Progress) -> Iterator[reading.PageDone]:
    return (
        event
        for event in _events_with_progress(file, reader, progress)
        if isinstance(event, reading.PageDone)
    )


def _events_with_progress(
    file: Path, reader: LoadedEngine, progress: Progress
) -> Iterator[reading.ReadEvent]:
    """The events of a file; how far it is, and what is to be known of it, go to standard error."""
    task = progress.add_task(file.name, total=None)
    for event in reader.read(file):
        if isinstance(event, reading.PageDone):
            progress.update(task, total=event.page_count, completed=event.number)
        yield event
        if isinstance(event, reading.PageDone):
            for warning in event.warnings:
                print(f"scanrill: {file}: {warning}", file=sys.stderr)
    progress.remove_task(task)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


_WRITERS = {"md": _write_markdown, "txt": _write_text, "json": _write_json}
