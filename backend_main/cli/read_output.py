"""Output of `scanrill read`: Markdown, plain text or JSON as it is read, or an export at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from backend_main import reading
from backend_main.control_characters import mark_controls
from backend_main.core.errors import CommandError, PageImageError, RequestError
from backend_main.reading import Options
from backend_main.reading.document_text import text_parts
from backend_main.reading.engines import LazyEngine

from .live_preview import LivePreview
from .messages import print_message
from .output_file import write_output
from .read_document import read_document


def write_files(
    files: list[Path], *, output_format: str | None, output: Path | None, options: Options
) -> bool:
    """Read the files one after the other, and print their text with a blank line between files.

    Args:
        files: The files.
        output_format: Name of the format; None: by the name of `output`, else Markdown.
        output: File to write; None: standard output.
        options: Options of the reading.

    Returns:
        False if a file could not be read; its error is on standard error.
    """
    if output is not None or output_format not in (None, *_WRITERS):
        return _write_export(files, output_format, output, options)
    return _print_files(files, output_format or "md", options)


def _write_export(
    files: list[Path], output_format: str | None, output: Path | None, options: Options
) -> bool:
    from backend_main.core.exports.formats import FORMATS, format_of_name

    if len(files) > 1:
        raise typer.BadParameter("One file can be exported at once. Name one.", param_hint="FILES")
    name = output_format or (format_of_name(output.name) if output else None) or "md"
    reader = FileReader(_engine(options), options)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        try:
            pages = list(_pages(files[0], reader, progress))
        except reading.ReadingError as error:
            print_message(f"{files[0]}: {error}")
            return False
    try:
        chunks = FORMATS[name].write(read_document(files[0], pages, options))
        write_output(chunks, output, is_text=FORMATS[name].is_text)
    except (RequestError, PageImageError) as error:
        raise CommandError(" ".join(error.fields.values())) from None
    return True


def _print_files(files: list[Path], output_format: str, options: Options) -> bool:
    reader = FileReader(_engine(options), options)
    all_read = True
    # The preview has a caption with the progress of its own.
    has_preview = output_format == "md" and sys.stdout.isatty()
    is_hidden = has_preview or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=is_hidden) as progress:
        for number, file in enumerate(files):
            if number:
                _write("\n")
            try:
                _WRITERS[output_format](file, reader, progress)
            except reading.ReadingError as error:
                print_message(f"{file}: {error}")
                all_read = False
    return all_read


class FileReader(NamedTuple):
    """Engine of all files, and the options of this run."""

    engine: LazyEngine
    options: Options

    def read(self, file: Path) -> Iterator[reading.ReadEvent]:
        return reading.read(file, self.options, self.engine)


def _engine(options: Options) -> LazyEngine:
    """Return the engine. An unknown or unavailable one, and unsupported options, are wrong usage."""
    try:
        engine = LazyEngine(options.engine)
        engine.configure(options)
        return engine
    except reading.UnsupportedOption as error:
        raise typer.BadParameter(str(error), param_hint=f"--{error.option}") from None
    except reading.ReadingError as error:
        raise typer.BadParameter(str(error), param_hint="--engine") from None


def _write_markdown(file: Path, reader: FileReader, progress: Progress) -> None:
    """Print the final Markdown of each page; a terminal shows its lines before."""
    gap = ""
    with LivePreview(
        mark_controls(file.name), Console(file=sys.stdout), enabled=sys.stdout.isatty()
    ) as preview:
        for event in _events_with_progress(file, reader, progress):
            match event:
                case reading.PageStarted():
                    preview.begin_page(event)
                case reading.Line():
                    preview.append(event.markdown)
                case reading.PageDone():
                    preview.clear()
                    _write(gap + event.markdown + "\n")
                    gap = "\n"


def _write_text(file: Path, reader: FileReader, progress: Progress) -> None:
    for part in text_parts(_pages(file, reader, progress)):
        _write(part)
    _write("\n")


def _write_json(file: Path, reader: FileReader, progress: Progress) -> None:
    version = {"schema_version": reading.SCHEMA_VERSION}
    pages = [version | msgspec.to_builtins(page) for page in _pages(file, reader, progress)]
    document = {"file": mark_controls(str(file)), "pages": pages}
    _write(msgspec.json.format(msgspec.json.encode(document).decode()) + "\n")


def _pages(file: Path, reader: FileReader, progress: Progress) -> Iterator[reading.PageDone]:
    return (
        event
        for event in _events_with_progress(file, reader, progress)
        if isinstance(event, reading.PageDone)
    )


def _events_with_progress(file: Path, reader: FileReader, progress: Progress) -> Iterator[reading.ReadEvent]:
    """Yield the events of a file; progress and warnings go to standard error."""
    task = progress.add_task(escape(mark_controls(file.name)), total=None)
    for event in reader.read(file):
        if isinstance(event, reading.PageDone):
            progress.update(task, total=event.page_count, completed=event.number)
        yield event
        if isinstance(event, reading.PageDone):
            for warning in event.warnings:
                print_message(f"{file}: {warning}")
    progress.remove_task(task)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


_WRITERS = {"md": _write_markdown, "txt": _write_text, "json": _write_json}
