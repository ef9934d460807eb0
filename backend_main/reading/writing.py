"""Step 10 - the lines that an engine read → the page's final Markdown, whoever of the engines it was."""

from collections.abc import Sequence

from .arrange import Arranged, arrange
from .engines import Engine
from .pages import PageImage
from .plain import reading_text
from .types import Line


def written(engine: Engine, page: PageImage, lines: Sequence[Line], threads: int) -> Arranged:
    """Of lines with text. `threads` are those of the layout model."""
    if engine.wants_layout:
        return arrange(page.pixels, lines, threads)
    if engine.rewrites_page:
        markdown = engine.final_markdown(page, lines)
        return Arranged(markdown, reading_text(markdown))
    return as_streamed(lines)


def as_streamed(lines: Sequence[Line]) -> Arranged:
    """The lines one after the other, as they were shown while the page was read."""
    markdown = "".join(line.markdown for line in lines)
    return Arranged(markdown, reading_text(markdown))
