"""Blocks of a born-digital page: headings, paragraphs and list items from the rows of a column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Literal

from ..documents.styled_text import TextPiece
from ..layout.geometry import LayoutBox, Rect, bounding_rect
from ..layout.headings import MAX_HEADING_CHARACTERS, MAX_HEADING_ROWS
from ..layout.rows import Row, gap, group_rows, has_wide_gap, height
from ..layout.sequences import group_runs
from ..layout.text_joining import list_marker
from .document_context import DocumentProfile
from .inline import join_rows
from .page import DigitalPage, main_style, style_key

PARAGRAPH_GAP = 0.25
"""In heights of a row: a gap that exceeds the usual one by more separates paragraphs."""
MIN_INDENT = 0.8
RIGHT_EDGE_SLACK = 0.5

BlockKind = Literal[
    "heading", "paragraph", "list_item", "code", "quote", "table", "figure", "formula", "caption"
]


@dataclass
class DigitalBlock:
    """A block of a page.

    `lines`: pieces of each line that stays a line; a paragraph of prose is one. `level`: a heading's from 1,
    or a list item's depth from 0. `markdown`: finished Markdown of a table, a formula or code.
    """

    kind: BlockKind
    rect: Rect
    lines: list[list[TextPiece]] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    markdown: str = ""


def column_blocks(
    page: DigitalPage, boxes: Sequence[LayoutBox], profile: DocumentProfile
) -> list[DigitalBlock]:
    """Return the blocks of a column, from top to bottom."""
    rows = group_rows(boxes)
    if not rows:
        return []
    column = _Column(page, rows, profile)
    return [column.block(run) for run in group_runs(rows, column.continues)]


class _Column:
    def __init__(self, page: DigitalPage, rows: Sequence[Row], profile: DocumentProfile) -> None:
        self._page = page
        self._profile = profile
        self._left = min(row[0].left for row in rows)
        self._right = max(row[-1].right for row in rows)
        gaps = [gap(above, row) for above, row in pairwise(rows)]
        self._usual_gap = median(gaps) if gaps else 0.0

    def continues(self, run: Sequence[Row], row: Row) -> bool:
        """Return whether the row belongs to the block of the run above it."""
        above = run[-1]
        if self._level([above]) != self._level([row]):
            return False
        if gap(above, row) > self._usual_gap + PARAGRAPH_GAP * height(row):
            return False
        if list_marker(self._text(row)):
            return False
        indent = MIN_INDENT * height(row)
        if list_marker(self._text(run[0])):
            return row[0].left > run[0][0].left - indent
        return not (row[0].left > above[0].left + indent and above[0].left < self._left + indent)

    def _text(self, row: Row) -> str:
        return " ".join(map(self._page.text, row))

    def _level(self, run: Sequence[Row]) -> int:
        pieces = [piece for row in run for piece in self._page.row_pieces(row)]
        return self._profile.level(style_key(main_style(pieces)))

    def block(self, run: Sequence[Row]) -> DigitalBlock:
        block = DigitalBlock("paragraph", bounding_rect([box for row in run for box in row]))
        text = " ".join(map(self._text, run))
        level = self._level(run)
        block.lines = self._lines(run)
        if level and len(run) <= MAX_HEADING_ROWS and len(text) <= MAX_HEADING_CHARACTERS:
            return DigitalBlock(
                "heading", block.rect, [[piece for line in block.lines for piece in line]], level
            )
        if marker := list_marker(text):
            block.kind, block.marker = "list_item", marker.strip()
        return block

    def _lines(self, run: Sequence[Row]) -> list[list[TextPiece]]:
        rows = [self._page.row_pieces(row) for row in run]
        wraps = [self._wraps(above, row) for above, row in pairwise(run)]
        if 2 * sum(wraps) < len(wraps):
            wraps = [False] * len(wraps)
        lines = [[rows[0]]]
        for row, is_continuation in zip(rows[1:], wraps, strict=True):
            if is_continuation:
                lines[-1].append(row)
            else:
                lines.append([row])
        return [join_rows(line) for line in lines]

    def _wraps(self, above: Row, row: Row) -> bool:
        """Return whether the first word of the row would not have fitted into the row above."""
        if has_wide_gap(above):
            return False
        first = self._page.pieces(row[0])[0]
        return above[-1].right + first.right - first.left > self._right - RIGHT_EDGE_SLACK * height(row)
