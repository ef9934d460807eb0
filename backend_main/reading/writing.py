"""Step 10 - the lines that an engine read → the page's final Markdown, whoever of the engines it was."""

import logging
from collections.abc import Callable, Sequence

from .arrange import Arranged, arrange
from .engines import Engine
from .pages import PageImage
from .pixels import Pixels
from .plain import reading_text
from .types import Line

NOT_LAID_OUT = (
    "Page {number} could not be laid out; its lines stand in plain order, without tables and headings."
)

_log = logging.getLogger("scanrill.reading")


def written(
    engine: Engine, page: PageImage, lines: Sequence[Line], threads: int
) -> tuple[Arranged, list[str]]:
    """Of lines with text; and what is to be warned of. `threads` are those of the layout model."""
    if engine.wants_layout:
        return laid_out(page.number, lambda: page.pixels, lines, threads)
    if engine.rewrites_page:
        markdown = engine.final_markdown(page, lines)
        return Arranged(markdown, reading_text(markdown)), []
    return as_streamed(lines), []


def laid_out(
    number: int, pixels: Callable[[], Pixels], lines: Sequence[Line], threads: int
) -> tuple[Arranged, list[str]]:
    """A page's text is there whatever is wrong with its picture or its layout: then as it was shown."""
    try:
        return arrange(pixels(), lines, threads), []
    except Exception:
        _log.exception("page %d could not be laid out", number)
        return as_streamed(lines), [NOT_LAID_OUT.format(number=number)]


def as_streamed(lines: Sequence[Line]) -> Arranged:
    """The lines one after the other, as they were shown while the page was read."""
    markdown = "".join(line.markdown for line in lines)
    return Arranged(markdown, reading_text(markdown))
