"""Blocks of a born-digital page: headings, paragraphs, list items, code and quotes from the lines of a column."""

from dataclasses import dataclass, field
from typing import Literal

from ..documents.styled_text import TextPiece
from ..layout.geometry import Rect

BlockKind = Literal[
    "heading", "paragraph", "list_item", "code", "quote", "table", "figure", "formula", "caption", "footnote"
]


@dataclass
class DigitalBlock:
    """A block of a page.

    `lines`: pieces of each line that stays a line; a paragraph of prose is one. `level`: a heading's from 1,
    a list item's depth from 0, or the depth of the items that a paragraph belongs to. `marker`: of a list item,
    as printed; "-" for each bullet. `markdown`: finished Markdown of a table, a formula or code.
    `is_open`: the last line is full, so that a paragraph may go on in the next column.
    """

    kind: BlockKind
    rect: Rect
    lines: list[list[TextPiece]] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    markdown: str = ""
    is_open: bool = False
