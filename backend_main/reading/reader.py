"""Step 10 - a file read in this process: pages, engine, Markdown, put together."""

from collections.abc import Iterator
from pathlib import Path

from .engines import load_engine
from .engines.base import Engine
from .errors import EngineFailed, ReadingError
from .pages import PageImage, open_document
from .plain import reading_text
from .types import Line, Options, PageDone, PageStarted, ReadEvent

_DEFAULT_OPTIONS = Options()


def read(
    path: Path | str, options: Options = _DEFAULT_OPTIONS, engine: Engine | None = None
) -> Iterator[ReadEvent]:
    """Yield every page's start, lines and end. An engine given stays open; one loaded here is closed.

    Raises UnreadableFile, EngineUnknown, EngineFailed.
    """
    with open_document(Path(path), options) as document:
        reader = engine or load_engine(options.engine, options.threads)
        try:
            for page in document:
                yield from _read_page(reader, page, document.page_count)
        finally:
            if engine is None:
                reader.close()


def _read_page(engine: Engine, page: PageImage, page_count: int) -> Iterator[ReadEvent]:
    yield PageStarted(page.number, page_count, page.width, page.height)
    lines: list[Line] = []
    for line in _engine_lines(engine, page):
        lines.append(line)
        yield line
    markdown = "".join(line.markdown for line in lines)
    if engine.rewrites_page:
        markdown = engine.final_markdown(page, lines)
    yield PageDone(
        number=page.number,
        page_count=page_count,
        width=page.width,
        height=page.height,
        markdown=markdown,
        text=reading_text(markdown),
        lines=lines,
        warnings=list(page.warnings),
    )


def _engine_lines(engine: Engine, page: PageImage) -> Iterator[Line]:
    try:
        yield from engine.read_page(page)
    except ReadingError:
        raise
    except Exception as error:
        raise EngineFailed(f"The reading engine failed on page {page.number}.") from error
