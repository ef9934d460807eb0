"""Step 10 - a file read in this process: pages, engine, Markdown, put together."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from . import layout
from .arrange import Arranged
from .engines import check, load_engine
from .engines.base import Engine
from .errors import NoSuchPage, UnreadableFile
from .helpers import Helpers
from .markdown import Writer
from .pages import Document, PageImage
from .selection import Selection, beyond_the_end, none_of_them
from .shelf import Shelf
from .textlayer import TextLayer
from .transcript import Transcript
from .types import Line, Options, PageDone, PageStarted, ReadEvent
from .writing import laid_out

_DEFAULT_OPTIONS = Options()


def read(
    path: Path | str, options: Options = _DEFAULT_OPTIONS, engine: Engine | None = None
) -> Iterator[ReadEvent]:
    """Yield every page's start, lines and end. An engine given stays open; one loaded here is closed.

    Raises UnreadableFile, NoSuchPage, EngineUnknown, EngineMissing, NotReadable, EngineFailed.
    """
    shelf, helpers = Shelf(), Helpers(options.threads)
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
    document: Document, options: Options, engine: Engine, helpers: Helpers
) -> Iterator[ReadEvent]:
    """The same for an open document. A page that cannot be decoded does not cost the others their text."""
    check(engine, options)
    engine.prepare(options)
    numbers = document.numbers(options)
    if not numbers:
        asked = options.pages or str(options.first_page)
        raise NoSuchPage(none_of_them(asked, document.page_count))
    wanted = Selection(options.pages)
    last, beyond = wanted.last(document.page_count), wanted.beyond(document.page_count)
    for number in numbers:
        events = _page_events(document, number, options, engine, helpers)
        if beyond and number == last:
            yield from _warned(events, beyond_the_end(beyond, document.page_count))
        else:
            yield from events


def _warned(events: Iterator[ReadEvent], sentence: str) -> Iterator[ReadEvent]:
    """A page whose warnings say one thing more."""
    for event in events:
        if isinstance(event, PageDone):
            event = msgspec.structs.replace(event, warnings=[*event.warnings, sentence])
        yield event


def _page_events(
    document: Document, number: int, options: Options, engine: Engine, helpers: Helpers
) -> Iterator[ReadEvent]:
    if layer := document.text_layer(number):
        yield from _take_text(layer, number, document, options.threads)
        return
    try:
        page = document.page(number)
    except UnreadableFile as error:
        if document.page_count == 1:
            raise
        yield from _unreadable_page(number, document.page_count, str(error))
    else:
        yield from _read_page(Transcript(engine, page, options, helpers), page, document.page_count)


def _take_text(layer: TextLayer, number: int, document: Document, threads: int) -> Iterator[ReadEvent]:
    """A page that brings its own text: only its order and its Markdown are ours."""
    started = PageStarted(number, document.page_count, layer.width, layer.height)
    yield started
    writer, lines = Writer(), []
    for place in layout.order([piece.box for piece in layer.pieces]):
        piece = layer.pieces[place.index]
        lines.append(Line(number, piece.text, writer.write(place.lead, piece.text), piece.box))
        yield lines[-1]
    written, warnings = laid_out(number, lambda: document.page(number).pixels, lines, threads)
    yield _done(started, written, lines, warnings)


def _read_page(transcript: Transcript, page: PageImage, page_count: int) -> Iterator[ReadEvent]:
    started = PageStarted(page.number, page_count, page.width, page.height)
    yield started
    yield from transcript.stream()
    yield _done(started, transcript.written, transcript.lines, transcript.warnings)


def _unreadable_page(number: int, page_count: int, sentence: str) -> Iterator[ReadEvent]:
    started = PageStarted(number, page_count, 0, 0)
    yield started
    yield _done(started, Arranged("", ""), [], [sentence])


def _done(page: PageStarted, written: Arranged, lines: list[Line], warnings: Iterable[str] = ()) -> PageDone:
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
