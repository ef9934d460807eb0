"""Step 10 - a file read in this process: pages, engine, Markdown, put together."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from . import layout
from .arrange import Arranged, arrange
from .engines import load_engine
from .engines.base import Engine
from .errors import EngineFailed, ReadingError, UnreadableFile
from .markdown import Writer
from .pages import Document, PageImage
from .plain import reading_text
from .shelf import Shelf
from .textlayer import TextLayer
from .types import Line, Options, PageDone, PageStarted, ReadEvent

_log = logging.getLogger(__name__)
_DEFAULT_OPTIONS = Options()


def read(
    path: Path | str, options: Options = _DEFAULT_OPTIONS, engine: Engine | None = None
) -> Iterator[ReadEvent]:
    """Yield every page's start, lines and end. An engine given stays open; one loaded here is closed.

    Raises UnreadableFile, EngineUnknown, EngineFailed.
    """
    shelf = Shelf()
    reader: Engine | None = engine
    try:
        document = shelf.open(path, options)
        reader = engine or load_engine(options.engine, options.threads)
        yield from read_document(document, options, reader)
    finally:
        shelf.clear()
        if engine is None and reader is not None:
            reader.close()


def read_document(document: Document, options: Options, engine: Engine) -> Iterator[ReadEvent]:
    """The same for an open document. A page that cannot be decoded does not cost the others their text."""
    for number in document.numbers(options):
        if layer := document.text_layer(number):
            yield from _take_text(layer, number, document, options.threads)
            continue
        try:
            page = document.page(number)
        except UnreadableFile as error:
            if document.page_count == 1:
                raise
            yield from _unreadable_page(number, document.page_count, str(error))
        else:
            yield from _read_page(engine, page, document.page_count, options.threads)


def _take_text(layer: TextLayer, number: int, document: Document, threads: int) -> Iterator[ReadEvent]:
    """A page that brings its own text: only its order and its Markdown are ours."""
    started = PageStarted(number, document.page_count, layer.width, layer.height)
    yield started
    writer, lines = Writer(), []
    for place in layout.order([piece.box for piece in layer.pieces]):
        piece = layer.pieces[place.index]
        lines.append(Line(number, piece.text, writer.write(place.lead, piece.text), piece.box))
        yield lines[-1]
    try:
        written = arrange(document.page(number).pixels, lines, threads)
    except Exception:  # whatever is wrong with its picture: its text is there
        _log.exception("Page %d brings its text, and could not be laid out.", number)
        written = _as_streamed(lines)
    yield _done(started, written, lines)


def _read_page(engine: Engine, page: PageImage, page_count: int, threads: int) -> Iterator[ReadEvent]:
    started = PageStarted(page.number, page_count, page.width, page.height)
    yield started
    lines: list[Line] = []
    for line in _engine_lines(engine, page):
        lines.append(line)
        yield line
    if engine.wants_layout:
        written = arrange(page.pixels, lines, threads)
    elif engine.rewrites_page:
        markdown = engine.final_markdown(page, lines)
        written = Arranged(markdown, reading_text(markdown))
    else:
        written = _as_streamed(lines)
    yield _done(started, written, lines, page.warnings)


def _as_streamed(lines: Sequence[Line]) -> Arranged:
    markdown = "".join(line.markdown for line in lines)
    return Arranged(markdown, reading_text(markdown))


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


def _engine_lines(engine: Engine, page: PageImage) -> Iterator[Line]:
    try:
        yield from engine.read_page(page)
    except ReadingError:
        raise
    except Exception as error:
        raise EngineFailed(f"The reading engine failed on page {page.number}.") from error
