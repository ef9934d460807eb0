"""Reading of a file in this process: its pages, an engine, and the final Markdown."""

import time
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import msgspec

from .barcodes import with_barcodes
from .born_digital.notes import append_notes, note_lines
from .documents.document import Document
from .documents.open_document import OpenDocumentCache
from .engines import Engine, LazyEngine
from .errors import NoSuchPage, UnreadableFile
from .fallback import FallbackEngines
from .formula_pages import FormulaPage, reread_formulas
from .layout.furniture_history import FurnitureHistory
from .output.formatted_page import FormattedPage
from .page_assembly import AssemblySettings
from .page_ranges import PageRanges, no_such_pages_message, pages_beyond_end
from .page_reader import PageReader
from .page_structure.structured_page import structured_page
from .text_layer_reader import TextLayerReader
from .types import (
    Line,
    Options,
    PageDone,
    PageStarted,
    PageWarning,
    ReadEvent,
)
from .warning_boxes import with_limited_boxes
from .warning_codes import WarningCode
from .warning_texts import text_layer_not_read

MIN_LAYER_LETTERS, MIN_READ_SHARE = 10, 0.4
"""Letters of an unused text layer, and the share of them from which the recognized text has them. A share of
0.5 is a text layer that has each letter twice."""
_DEFAULT_OPTIONS = Options()
_HISTORIES: WeakKeyDictionary[Document, FurnitureHistory] = WeakKeyDictionary()


def read(
    path: Path | str, options: Options = _DEFAULT_OPTIONS, engine: Engine | LazyEngine | None = None
) -> Generator[ReadEvent]:
    """Yield the start, the lines and the end of each selected page.

    Args:
        path: file to read.
        options: options of the read.
        engine: engine that stays open; None: load `options.engine` if a page needs it, and close it at the
            end.

    Raises:
        ReadingError: UnreadableFile, NoSuchPage, UnknownEngine, EngineUnavailable, UnsupportedOption or
            EngineFailed.
    """
    documents = OpenDocumentCache()
    fallback = FallbackEngines(options.threads)
    own: LazyEngine | None = None
    try:
        document = documents.open(path, options)
        if not isinstance(engine, LazyEngine):
            engine = own = LazyEngine(engine or options.engine, options.threads)
        yield from read_document(document, options, engine, fallback)
    finally:
        documents.clear()
        fallback.close()
        if own is not None:
            own.close()


def read_document(
    document: Document, options: Options, engine: LazyEngine, fallback: FallbackEngines
) -> Iterator[ReadEvent]:
    """Yield the events of an open document. A page that cannot be decoded does not end the read.

    Raises:
        ReadingError: NoSuchPage, UnsupportedOption or EngineFailed; UnreadableFile if the only page of the
            document cannot be decoded.
    """
    engine.configure(options)
    numbers = document.selected_pages(options)
    if not numbers:
        pages = options.pages or str(options.first_page)
        raise NoSuchPage(no_such_pages_message(pages, document.page_count))
    ranges = PageRanges(options.pages)
    last_page = ranges.last_page(document.page_count)
    missing = ranges.missing_pages(document.page_count)
    for number in numbers:
        for event in _page_events(document, number, options, engine, fallback):
            if isinstance(event, PageDone):
                warnings = [*document.page_warnings(number), *event.warnings]
                if missing and number == last_page:
                    warnings.append(pages_beyond_end(missing, document.page_count))
                warnings = [with_limited_boxes(warning) for warning in warnings]
                event = msgspec.structs.replace(event, warnings=warnings)
                event = _with_barcodes(event, document) if options.barcodes else event
            yield event


def _page_events(
    document: Document, number: int, options: Options, engine: LazyEngine, fallback: FallbackEngines
) -> Iterator[ReadEvent]:
    started_at = time.monotonic()
    settings = AssemblySettings.of(options, _history_of(document))
    if layer := document.text_layer(number):
        text_reader = TextLayerReader(layer, number, document, engine, options, fallback, settings)
        if text_reader.is_trusted():
            started = PageStarted(number, document.page_count, layer.width, layer.height)
            yield started
            yield from text_reader.stream()
            image = partial(document.page, number)
            done = _page_done(started, text_reader.formatted, text_reader.lines, text_reader.warnings)
            formulas = FormulaPage(done, text_reader.formula_share, image, layer.notes, started_at)
            yield reread_formulas(formulas, options, fallback)
            return
    try:
        page = document.page(number)
    except UnreadableFile as error:
        if document.page_count == 1:
            raise
        started = PageStarted(number, document.page_count, 0, 0)
        yield started
        yield _page_done(
            started, FormattedPage("", ""), [], [PageWarning(WarningCode.UNREADABLE_PAGE, str(error))]
        )
    else:
        reader = PageReader(engine.get(), page, options, fallback, settings)
        started = PageStarted(number, document.page_count, page.width, page.height)
        yield started
        yield from reader.stream()
        notes = document.notes(number)
        lines = note_lines(notes, number, is_first=not reader.lines)
        yield from lines
        formatted = append_notes(reader.formatted, notes)
        lost = [] if engine.kind.is_test_engine else _lost_text_layer(document, number, reader.lines)
        warnings = [*reader.warnings, *lost]
        done = _page_done(started, formatted, [*reader.lines, *lines], warnings)
        formulas = FormulaPage(done, reader.formula_share, lambda: page, notes, started_at)
        yield reread_formulas(formulas, options, fallback)


def _with_barcodes(done: PageDone, document: Document) -> PageDone:
    try:
        return with_barcodes(done, document.page(done.number))
    except UnreadableFile:  # the page has a warning
        return done


def _lost_text_layer(document: Document, number: int, lines: Sequence[Line]) -> Iterator[PageWarning]:
    """Yield a warning if a text layer that was not used has far more letters than were recognized."""
    letters = document.layer_letters(number)
    read = sum(len("".join(line.text.split())) for line in lines)
    if letters >= MIN_LAYER_LETTERS and read < MIN_READ_SHARE * letters:
        yield text_layer_not_read(number)


def _history_of(document: Document) -> FurnitureHistory:
    """Return the pages read so far of an open document; they live as long as the document."""
    return _HISTORIES.setdefault(document, FurnitureHistory())


def _page_done(
    started: PageStarted, formatted: FormattedPage, lines: Sequence[Line], warnings: list[PageWarning]
) -> PageDone:
    with_roles = [
        msgspec.structs.replace(line, role=formatted.roles[place]) if place in formatted.roles else line
        for place, line in enumerate(lines)
    ]
    blocks, located = structured_page(formatted, with_roles, started.height)
    return PageDone(
        number=started.number,
        page_count=started.page_count,
        width=started.width,
        height=started.height,
        markdown=formatted.markdown,
        text=formatted.text,
        lines=located,
        warnings=warnings,
        blocks=blocks,
    )
