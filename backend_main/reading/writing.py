"""Step 10 - the lines that an engine read → the page's final Markdown, whoever of the engines it was."""

from collections.abc import Sequence

from .engines import Engine
from .pages import PageImage
from .types import Line


def written(engine: Engine, page: PageImage, lines: Sequence[Line]) -> str:
    """Of lines with text."""
    if engine.rewrites_page:
        return engine.final_markdown(page, lines)
    return "".join(line.markdown for line in lines)
