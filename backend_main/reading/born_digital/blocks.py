"""Blocks of a born-digital page: headings, paragraphs, list items, code, quotes, tables and figures."""

from dataclasses import dataclass, field
from typing import Literal

from ..documents.styled_text import TextPiece
from ..layout.geometry import Rect
from ..output.formatted_page import CellLines

BlockKind = Literal[
    "heading",
    "paragraph",
    "list_item",
    "code",
    "quote",
    "table",
    "figure",
    "formula",
    "caption",
    "footnote",
    "labels",
]


@dataclass
class DigitalBlock:
    """A block of a page.

    `lines`: pieces of each line that stays a line; a paragraph of prose is one. `level`: a heading's from 1,
    a list item's depth from 0, or the number of list items that a paragraph is nested in. `marker`: a list
    item's number as printed, or "-". `markdown`: finished Markdown of a table, a formula or code.
    `space_left`: pixels that the last line leaves empty, if it ends inside of a sentence near the edge of the
    column, so that the paragraph may go on in the next column; else None. `boxes`: indices of the boxes in
    it, in their order. `cells`: those of each cell of a table, by row and column.
    """

    kind: BlockKind
    rect: Rect
    lines: list[list[TextPiece]] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    markdown: str = ""
    space_left: float | None = None
    boxes: tuple[int, ...] = ()
    cells: CellLines = field(default_factory=dict)
