"""Reading of a document in one call."""

import logging
from collections.abc import Generator, Iterator, Sequence
from typing import TypedDict, Unpack

import msgspec

from backend_main import reading
from backend_main.reading import Engine, EngineProcess, Options, PageDone, ReadEvent
from backend_main.reading.output.markdown import join_pages
from backend_main.reading.types import FormulaOption, FurnitureOption

from ._sources import Source, check_source, local_path

_log = logging.getLogger("scanrill")


class OptionFields(TypedDict, total=False):
    """Keyword arguments of `read` and `read_markdown`: the fields of `Options` without `engine`."""

    first_page: int
    last_page: int | None
    threads: int
    max_pixels: int
    max_pages: int
    page_seconds: float
    languages: Sequence[str]
    profile: str
    pages: str
    furniture: FurnitureOption
    formulas: FormulaOption
    barcodes: bool


def read(
    source: Source,
    options: Options | None = None,
    *,
    engine: str | Engine | EngineProcess | None = None,
    **fields: Unpack[OptionFields],
) -> Generator[ReadEvent, None, None]:
    """Read a document; yield the start, the lines and the end of each page as they are recognized.

    Closing the generator, or leaving it to the garbage collector, stops the read and releases its resources.

    Args:
        source: path, bytes, or file object in binary mode. A file object is read from its position; it
            stays open.
        options: options of the read. None: the defaults of `Options`.
        engine: name of an engine; or an engine of `load_engine`, which stays loaded; or an `EngineProcess`,
            which reads in a child process with limits of time and memory. None: `options.engine`.
        fields: fields of `Options`, such as `pages="1-3"`. They take precedence over `options`.

    Raises:
        TypeError: an argument has the wrong type.
        ReadingError: the document cannot be read; see its subclasses. Pages before the error are complete.
        OSError: a file object cannot be read, or the temporary directory is full.
    """
    check_source(source)
    if not isinstance(engine, str | Engine | EngineProcess | None):
        raise TypeError(f"engine is {engine!r}. Pass the name of an engine, an Engine or an EngineProcess.")
    if not isinstance(options, Options | None):
        raise TypeError(f"options is of type {type(options).__name__}. Pass scanrill.Options.")
    merged = msgspec.structs.replace(options or Options(), **fields)
    try:
        merged = msgspec.convert(msgspec.structs.asdict(merged), Options)
    except msgspec.ValidationError as error:
        raise TypeError(f"Invalid option: {error}") from None

    if isinstance(engine, str):
        return _events(source, None, msgspec.structs.replace(merged, engine=engine))
    return _events(source, engine, merged)


def read_markdown(
    source: Source,
    options: Options | None = None,
    *,
    engine: str | Engine | EngineProcess | None = None,
    **fields: Unpack[OptionFields],
) -> str:
    """Read a document; return the Markdown of its pages, separated by blank lines.

    The logger `scanrill` reports the warnings of the pages. `read` returns them in `PageDone.warnings`.

    Args:
        source: as in `read`.
        options: as in `read`.
        engine: as in `read`.
        fields: as in `read`.

    Raises:
        TypeError: an argument has the wrong type.
        ReadingError: the document cannot be read; see its subclasses.
        OSError: a file object cannot be read, or the temporary directory is full.
    """
    pages = []
    for event in read(source, options, engine=engine, **fields):
        if isinstance(event, PageDone):
            pages.append(event.markdown)
            for warning in event.warnings:
                _log.warning("%s", warning)
    return join_pages(pages)


def _events(
    source: Source, engine: Engine | EngineProcess | None, options: Options
) -> Generator[ReadEvent, None, None]:
    with local_path(source) as path:
        events: Iterator[ReadEvent] = (
            engine.read(path, options)
            if isinstance(engine, EngineProcess)
            else reading.read(path, options, engine)
        )
        yield from events
