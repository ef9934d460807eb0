"""Step 10 - a file read in this process: pages, engine, Markdown, put together."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from .documents.document import Document, PageImage
from .documents.open_document import OpenDocumentCache
from .documents.pdf_text_layer import TextLayer
from .engines import load_engine, validate_options
from .engines.base import Engine
from .errors import NoSuchPage, UnreadableFile
from .fallback import FallbackEngines
from .layout import reading_order
from .output.markdown import MarkdownWriter
from .page_assembly import FormattedPage, assemble_or_fall_back
from .page_ranges import PageRanges, no_such_pages_message, pages_beyond_end_message
from .page_reader import PageReader
from .types import (
    Line,
    Options,
    PageDone,
    PageStarted,
    ReadEvent,
)

_DEFAULT_OPTIONS = Options()


def read(
    path: Path | str, options: Options = _DEFAULT_OPTIONS, engine: Engine | None = None
) -> Iterator[ReadEvent]:
    """Yield every page's start, lines and end. An engine given stays open; one loaded here is closed.

    Raises UnreadableFile, NoSuchPage, UnknownEngine, EngineUnavailable, UnsupportedOption, EngineFailed.
    """
    shelf, helpers = OpenDocumentCache(), FallbackEngines(options.threads)
    reader: Engine | None = engine
    try:
        document = shelf.open(path, options)
        reader = engine or load_engine(options.engine, options.threads)
        yield from read_document(document, options, reader, helpers)
    finally:
        shelf.clear()
        helpers.close()
        if engine is None and reader is not None:
            reader.close()


def read_document(
    document: Document, options: Options, engine: Engine, helpers: FallbackEngines
) -> Iterator[ReadEvent]:
    """The same for an open document. A page that cannot be decoded does not cost the others their text."""
    validate_options(engine, options)
    engine.configure(options)
    numbers = document.selected_pages(options)
    if not numbers:
        asked = options.pages or str(options.first_page)
        raise NoSuchPage(no_such_pages_message(asked, document.page_count))
    wanted = PageRanges(options.pages)
    last, beyond = wanted.last_page(document.page_count), wanted.missing_pages(document.page_count)
    for number in numbers:
        events = _page_events(document, number, options, engine, helpers)
        if beyond and number == last:
            yield from _with_warning(events, pages_beyond_end_message(beyond, document.page_count))
        else:
            yield from events


def _with_warning(events: Iterator[ReadEvent], sentence: str) -> Iterator[ReadEvent]:
    """A page whose warnings say one thing more."""
    for event in events:
        if isinstance(event, PageDone):
            event = msgspec.structs.replace(event, warnings=[*event.warnings, sentence])
        yield event


def _page_events(
    document: Document, number: int, options: Options, engine: Engine, helpers: FallbackEngines
) -> Iterator[ReadEvent]:
    if layer := document.text_layer(number):
        yield from _read_text_layer(layer, number, document, options.threads)
        return
    try:
        page = document.page(number)
    except UnreadableFile as error:
        if document.page_count == 1:
            raise
        yield from _unreadable_page(number, document.page_count, str(error))
    else:
        yield from _read_page(PageReader(engine, page, options, helpers), page, document.page_count)


def _read_text_layer(layer: TextLayer, number: int, document: Document, threads: int) -> Iterator[ReadEvent]:
    """A page that brings its own text: only its order and its Markdown are ours."""
    started = PageStarted(number, document.page_count, layer.width, layer.height)
    yield started
    writer, lines = MarkdownWriter(), []
    for place in reading_order.reading_order([piece.box for piece in layer.runs]):
        piece = layer.runs[place.index]
        lines.append(Line(number, piece.text, writer.write(place.prefix, piece.text), piece.box))
        yield lines[-1]
    written, warnings = assemble_or_fall_back(number, lambda: document.page(number).pixels, lines, threads)
    yield _page_done(started, written, lines, warnings)


def _read_page(transcript: PageReader, page: PageImage, page_count: int) -> Iterator[ReadEvent]:
    started = PageStarted(page.number, page_count, page.width, page.height)
    yield started
    yield from transcript.stream()
    yield _page_done(started, transcript.formatted, transcript.lines, transcript.warnings)


def _unreadable_page(number: int, page_count: int, sentence: str) -> Iterator[ReadEvent]:
    started = PageStarted(number, page_count, 0, 0)
    yield started
    yield _page_done(started, FormattedPage("", ""), [], [sentence])


def _page_done(
    page: PageStarted, written: FormattedPage, lines: list[Line], warnings: Iterable[str] = ()
) -> PageDone:
    return PageDone(
        number=page.number,
        page_count=page.page_count,
        width=page.width,
        height=page.height,
        markdown=written.markdown,
        text=written.text,
        lines=lines,
        warnings=list(warnings),
    )
