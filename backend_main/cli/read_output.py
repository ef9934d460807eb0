"""Output of `scanrill read`: Markdown, plain text or JSON as it is read, or an export at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
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
from backend_main.core.exports.formats import FORMATS, format_of_name
from backend_main.reading import Options
from backend_main.reading.document_text import text_parts
from backend_main.reading.engines import LazyEngine

from .live_preview import LivePreview
from .messages import print_message
from .output_file import write_output
from .read_document import read_document
from .read_inputs import Input


def write_inputs(
    inputs: Sequence[Input],
    *,
    output_format: str | None,
    output: Path | None,
    options: Options,
    is_batch: bool,
) -> bool:
    """Read the inputs one after the other, and print or write their text.

    Args:
        inputs: The files.
        output_format: Name of the format, or "json-lines"; None: by the name of `output`, else Markdown.
        output: File or folder to write; None: standard output.
        options: Options of the reading.
        is_batch: Whether the user named several files or a folder. JSON is then an array, and `output`
            a folder.

    Returns:
        False if a file could not be read; its error is on standard error.
    """
    if output is None and output_format in (None, *_WRITERS):
        return _print_inputs(inputs, output_format or "md", options, is_batch=is_batch)
    name = output_format or (format_of_name(output.name) if output and not output.is_dir() else None) or "md"
    return _write_exports(inputs, name, output, options, is_batch=is_batch)


def _write_exports(
    inputs: Sequence[Input], format_name: str, output: Path | None, options: Options, *, is_batch: bool
) -> bool:
    if is_batch:
        _create_folder(output)
    reader = FileReader(configured_engine(options), options)
    all_read = True
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        for item in inputs:
            target = output
            if output is not None and output.is_dir():
                target = output / result_path(item, format_name)
                target.parent.mkdir(parents=True, exist_ok=True)
            all_read &= _write_export(item, format_name, target, reader, progress)
    return all_read


def result_path(item: Input, format_name: str) -> Path:
    """Return the place of a result in the output folder: `a/scan.png` becomes `a/scan.png.md`.

    The whole name of the file stays, so that `scan.png` and `scan.pdf` have two results.
    """
    extension = FORMATS[format_name].extension
    return item.relative_path.with_name(item.relative_path.name + extension)


def _create_folder(output: Path | None) -> None:
    if output is None:
        raise typer.BadParameter("Several files need a folder in this format.", param_hint="--output")
    if not output.is_dir() and (output.exists() or format_of_name(output.name) is not None):
        raise typer.BadParameter("Several files need a folder. Name one.", param_hint="--output")
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise CommandError(f"Cannot create {output}: {error.strerror}.") from None


def _write_export(
    item: Input, format_name: str, target: Path | None, reader: FileReader, progress: Progress
) -> bool:
    try:
        pages = list(_pages(item, reader, progress))
    except reading.ReadingError as error:
        print_message(f"{item.label}: {error}")
        return False
    try:
        chunks = FORMATS[format_name].write(read_document(item.path, pages, reader.options))
        write_output(chunks, target, is_text=FORMATS[format_name].is_text)
    except (RequestError, PageImageError) as error:
        raise CommandError(" ".join(error.fields.values())) from None
    return True


def _print_inputs(inputs: Sequence[Input], output_format: str, options: Options, *, is_batch: bool) -> bool:
    reader = FileReader(configured_engine(options), options)
    array = _JsonArray() if output_format == "json" and is_batch else None
    write = array.write if array else _WRITERS[output_format]
    all_read = True
    # The preview has a caption with the progress of its own.
    has_preview = output_format == "md" and sys.stdout.isatty()
    is_hidden = has_preview or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=is_hidden) as progress:
        for number, item in enumerate(inputs):
            if number and output_format in ("md", "txt"):
                _write("\n")
            try:
                write(item, reader, progress)
            except reading.ReadingError as error:
                print_message(f"{item.label}: {error}")
                all_read = False
    if array:
        array.close()
    return all_read


class FileReader(NamedTuple):
    """Engine of all files, and the options of this run."""

    engine: LazyEngine
    options: Options

    def read(self, file: Path) -> Iterator[reading.ReadEvent]:
        return reading.read(file, self.options, self.engine)


def configured_engine(options: Options) -> LazyEngine:
    """Return the engine. An unknown or unavailable one, and unsupported options, are wrong usage."""
    try:
        engine = LazyEngine(options.engine)
        engine.configure(options)
        return engine
    except reading.UnsupportedOption as error:
        raise typer.BadParameter(str(error), param_hint=f"--{error.option}") from None
    except reading.ReadingError as error:
        raise typer.BadParameter(str(error), param_hint="--engine") from None


def _write_markdown(item: Input, reader: FileReader, progress: Progress) -> None:
    """Print the final Markdown of each page; a terminal shows its lines before."""
    gap = ""
    with LivePreview(
        mark_controls(item.path.name), Console(file=sys.stdout), enabled=sys.stdout.isatty()
    ) as preview:
        for event in _events_with_progress(item, reader, progress):
            match event:
                case reading.PageStarted():
                    preview.begin_page(event)
                case reading.Line():
                    preview.append(event.markdown)
                case reading.PageDone():
                    preview.clear()
                    _write(gap + event.markdown + "\n")
                    gap = "\n"


def _write_text(item: Input, reader: FileReader, progress: Progress) -> None:
    for part in text_parts(_pages(item, reader, progress)):
        _write(part)
    _write("\n")


def _write_json(item: Input, reader: FileReader, progress: Progress) -> None:
    _write(_indented(_json(item, reader, progress)) + "\n")


def _write_json_line(item: Input, reader: FileReader, progress: Progress) -> None:
    _write(_json(item, reader, progress).decode() + "\n")


class _JsonArray:
    """Array of the documents of several files, written file by file."""

    def __init__(self) -> None:
        self._start = "[\n"

    def write(self, item: Input, reader: FileReader, progress: Progress) -> None:
        document = _indented(_json(item, reader, progress))
        _write(self._start + document)
        self._start = ",\n"

    def close(self) -> None:
        _write("[]\n" if self._start == "[\n" else "\n]\n")


def _json(item: Input, reader: FileReader, progress: Progress) -> bytes:
    version = {"schema_version": reading.SCHEMA_VERSION}
    pages = [version | msgspec.to_builtins(page) for page in _pages(item, reader, progress)]
    return msgspec.json.encode({"file": mark_controls(item.label), "pages": pages})


def _indented(document: bytes) -> str:
    return msgspec.json.format(document).decode()


def _pages(item: Input, reader: FileReader, progress: Progress) -> Iterator[reading.PageDone]:
    return (
        event
        for event in _events_with_progress(item, reader, progress)
        if isinstance(event, reading.PageDone)
    )


def _events_with_progress(item: Input, reader: FileReader, progress: Progress) -> Iterator[reading.ReadEvent]:
    """Yield the events of a file; progress and warnings go to standard error."""
    task = progress.add_task(escape(mark_controls(item.path.name)), total=None)
    for event in reader.read(item.path):
        if isinstance(event, reading.PageDone):
            progress.update(task, total=event.page_count, completed=event.number)
        yield event
        if isinstance(event, reading.PageDone):
            for warning in event.warnings:
                print_message(f"{item.label}: {warning}")
    progress.remove_task(task)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


_WRITERS = {
    "md": _write_markdown,
    "txt": _write_text,
    "json": _write_json,
    "json-lines": _write_json_line,
}
