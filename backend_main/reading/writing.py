"""Step 10 - the lines that an engine read → the page's final Markdown, whoever of the engines it was."""

import logging
from collections.abc import Callable, Sequence

from .arrange import FormattedPage, assemble_page
from .engines import Engine
from .pages import PageImage
from .pixels import Pixels
from .plain import to_plain_text
from .types import Line

LAYOUT_FAILED_WARNING = (
    "Page {number} could not be laid out; its lines stand in plain order, without tables and headings."
)

_log = logging.getLogger("scanrill.reading")


def finalize_page(
    engine: Engine, page: PageImage, lines: Sequence[Line], threads: int
) -> tuple[FormattedPage, list[str]]:
    """Of lines with text; and what is to be warned of. `threads` are those of the layout model."""
    if engine.uses_layout_analysis:
        return assemble_or_fall_back(page.number, lambda: page.pixels, lines, threads)
    if engine.has_final_markdown:
        markdown = engine.final_markdown(page, lines)
        return FormattedPage(markdown, to_plain_text(markdown)), []
    return from_streamed_lines(lines), []


def assemble_or_fall_back(
    number: int, pixels: Callable[[], Pixels], lines: Sequence[Line], threads: int
) -> tuple[FormattedPage, list[str]]:
    """A page's text is there whatever is wrong with its picture or its layout: then as it was shown."""
    try:
        return assemble_page(pixels(), lines, threads), []
    except Exception:
        _log.exception("page %d could not be laid out", number)
        return from_streamed_lines(lines), [LAYOUT_FAILED_WARNING.format(number=number)]


def from_streamed_lines(lines: Sequence[Line]) -> FormattedPage:
    """The lines one after the other, as they were shown while the page was read."""
    markdown = "".join(line.markdown for line in lines)
    return FormattedPage(markdown, to_plain_text(markdown))
