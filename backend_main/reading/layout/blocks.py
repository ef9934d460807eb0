"""Blocks of a page's final text: headings, paragraphs and list items, built from the rows of a column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Literal

from .cells import Cell
from .geometry import Rect, bounding_rect
from .headings import (
    BODY_SIZED_HEADING_LEVEL,
    FINAL_HEADING_THRESHOLDS,
    MAX_HEADING_CHARACTERS,
    MAX_HEADING_ROWS,
    heading_level,
    is_after_wide_gap,
    is_indented,
)
from .rows import (
    Row,
    gap,
    has_wide_gap,
    height,
    median_gap,
)
from .sequences import group_runs
from .short_lines import LineSpan, are_aligned_at_end, are_label_lines
from .text_joining import (
    estimated_width,
    is_bullet,
    is_cjk_section,
    join_lines,
    list_marker,
    starts_list_item,
    starts_lower,
)

MAX_HEIGHT_RATIO = 1.3
"""Adjacent rows of one block differ less in height."""
FONT_SIZE = 0.67
"""Font size in heights of detected boxes, which extend beyond their text."""
# In body heights.
MAX_OUTDENT = 0.5
"""A row that begins further left than this ends a list item."""
MAX_WRAP_INDENT = 5.0
"""A line that continues another begins this near to it, on either side."""
RIGHT_EDGE_SLACK = 0.5
"""A line ends early if the next word would have fitted and left more space than this."""
NESTING_INDENT = 0.8
"""Items of a nested list begin this much further right."""
MIN_PROSE_WIDTH = 15.0
"""Narrower runs are not prose, and end where their column does."""
RIGHT_EDGE_TOLERANCE = 4.0
MIN_ALIGNED_SHARE, MIN_LINE_ENDS = 0.6, 3
"""Prose ends where this share of its lines does, within the tolerance, if it has this many lines."""

MIN_GAP_ROWS, MAX_FEW_ROWS_GAP = 4, 0.0
"""Gap in body heights that is usual between lines, if the column has fewer rows."""

MIN_HEADING_SIZE = FINAL_HEADING_THRESHOLDS[-1][0]
MAX_HEADING_GAP = 0.7
"""In heights of its rows: between two rows of one heading."""
MAX_DIGITS_TO_LETTERS = 2.0
MIN_HEADING_LETTERS = 2
"""A heading in bold print has more letters than the mark of a column or of an answer."""
MAX_HEIGHT_TO_WIDTH = 1.5
"""A box that is higher is vertical text, mostly in a margin."""

# The end of a sentence, but not of “Fig.” or “Nr.”.
_SENTENCE_END = re.compile(r"(?:(?<!\w)\w{4,}[.!?:;,]|[。！？：；)\]”\"])$")
# A heading in the size of running text does not end with one of these.
_SENTENCE_MARKS = tuple(".,;:!?。，；：！？、")
_SECTION_NUMBER = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*)\.?\s+\S")


@dataclass
class Block:
    """A part of a page's final text.

    `boxes`: indices of the boxes in it. `lines`: the lines that stay lines; a paragraph of prose is one line.
    `level`: a heading's from 1, or a list item's depth from 0. `marker`: a list item's bullet or number.
    `cells`: texts of a table by rows, all equally long. `spans`: its cells larger than one row or column;
    their text is in `cells` at their first row and column. `is_furniture`: header, footer or page number.
    `order`: the boxes in the order of the text; empty: by rows.
    """

    kind: Literal["heading", "paragraph", "list_item", "table", "figure"]
    boxes: frozenset[int]
    rect: Rect
    lines: list[str] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    cells: tuple[tuple[str, ...], ...] = ()
    spans: tuple[Cell, ...] = ()
    is_furniture: bool = False
    order: tuple[int, ...] = ()


@dataclass(frozen=True)
class FontMetrics:
    """Print of running text: its height, and the width of a lower-case letter, in pixels."""

    height: float
    letter_width: float


@dataclass(frozen=True)
class LayoutHints:
    """Indices of boxes in titles, by the layout model; in page furniture; in bold or colored print."""

    titles: frozenset[int] = frozenset()
    furniture: frozenset[int] = frozenset()
    emphasized: frozenset[int] = frozenset()

    def is_title(self, row: Row) -> bool:
        return all(box.index in self.titles for box in row)

    def is_furniture(self, row: Row) -> bool:
        return all(box.index in self.furniture for box in row)

    def is_emphasized(self, row: Row) -> bool:
        return all(box.index in self.emphasized for box in row)

    def differ(self, above: Row, row: Row) -> bool:
        """Return whether two rows cannot belong to one block."""
        return self.is_title(above) != self.is_title(row) or self.is_furniture(above) != self.is_furniture(
            row
        )


class ColumnBlocks:
    """Rows of a column, from top to bottom, that are divided into blocks."""

    def __init__(
        self, rows: Sequence[Row], texts: Sequence[str], body: FontMetrics, hints: LayoutHints
    ) -> None:
        """Args: `texts` by the index of the box; `body`: print of the page's running text."""
        self._rows = rows
        self._texts = texts
        self._body = body
        self._hints = hints
        self._left = median(row[0].left for row in rows)
        self._right = max(row[-1].right for row in rows)
        self._usual_gap = self._gap_between_lines(rows)

    def blocks(self) -> list[Block]:
        """Return the blocks, from top to bottom."""
        runs = group_runs(self._rows, lambda run, row: not self._starts_new_block(run, row))
        blocks = [self._block(run) for run in runs]
        _set_list_depths(blocks, self._body.height)
        return blocks

    def _text(self, row: Row) -> str:
        return " ".join(self._texts[box.index] for box in row)

    # --- paragraphs ---

    def _starts_new_block(self, run: Sequence[Row], row: Row) -> bool:
        """Return whether a gap, another print, a list marker or an indent separates the row from the run."""
        above, hints, body_height = run[-1], self._hints, self._body.height
        smaller, larger = sorted((height(above), height(row)))
        if is_after_wide_gap(above, row, self._usual_gap, body_height) or larger > MAX_HEIGHT_RATIO * smaller:
            return True
        if smaller > MIN_HEADING_SIZE * body_height and gap(above, row) > MAX_HEADING_GAP * smaller:
            return True
        if hints.differ(above, row) or self._changes_emphasis(above, row):
            return True
        if is_cjk_section(self._text(above)) or is_cjk_section(self._text(row)):
            return True
        if self._starts_list_item(run, row):
            return True
        if starts_list_item(self._text(run[0])):  # indented lines below a marker belong to its item
            return row[0].left < run[0][0].left - MAX_OUTDENT * body_height
        return is_indented(above, row, self._left, body_height)

    def _changes_emphasis(self, above: Row, row: Row) -> bool:
        """Return whether bold print begins or ends, other than in the middle of a sentence."""
        was_emphasized = self._hints.is_emphasized(above)
        if was_emphasized == self._hints.is_emphasized(row):
            return False
        return not was_emphasized or not self._wraps(above, row, self._right)

    def _starts_list_item(self, run: Sequence[Row], row: Row) -> bool:
        """Return whether the row begins with a list marker that is not the rest of a full line.

        Such a rest is “2. In …” below “as in Fig.”.
        """
        above = self._text(run[-1])
        if not starts_list_item(self._text(row)):
            return False
        wrapped = self._wraps(run[-1], row, self._right_edge([*run, row]))
        return not wrapped or bool(_SENTENCE_END.search(above)) or starts_list_item(self._text(run[0]))

    def _block(self, run: Sequence[Row]) -> Block:
        boxes = [box for row in run for box in row]
        block = Block("paragraph", frozenset(box.index for box in boxes), bounding_rect(boxes))
        block.lines = self._lines(run)
        block.is_furniture = self._hints.is_furniture(run[0])
        if not block.is_furniture and (level := self._heading_level(run)):
            block.kind, block.level, block.lines = "heading", level, [" ".join(block.lines)]
        elif (marker := list_marker(block.lines[0])) and len(block.lines) == 1:
            block.kind, block.marker = "list_item", marker.strip()
            block.lines = [block.lines[0][len(marker) :]]
        return block

    def _lines(self, run: Sequence[Row]) -> list[str]:
        """Return one line for prose, whose lines fill the column; else each line that ends early."""
        right_edge = self._right_edge(run)
        wraps = [self._wraps(above, row, right_edge) for above, row in pairwise(run)]
        # A row of cells does not show how the lines above and below it end.
        plain = [
            wrap for wrap, pair in zip(wraps, pairwise(run), strict=True) if not any(map(has_wide_gap, pair))
        ]
        # A few long lines among short ones are not prose either.
        if 2 * sum(wraps) < len(plain) or self._has_short_lines(run):
            wraps = [False] * len(wraps)
        lines = [self._text(run[0])]
        for row, is_continuation in zip(run[1:], wraps, strict=True):
            if is_continuation:
                lines[-1] = join_lines(lines[-1], self._text(row))
            else:
                lines.append(self._text(row))
        return lines

    def _has_short_lines(self, run: Sequence[Row]) -> bool:
        """Return whether lines stay lines by their own form: an address, or sums at the right edge."""
        size = FONT_SIZE * self._body.height
        spans = [LineSpan(self._text(row), row[0].left / size, row[-1].right / size) for row in run]
        return are_label_lines(spans, (self._right - self._left) / size) or are_aligned_at_end(spans)

    def _gap_between_lines(self, rows: Sequence[Row]) -> float:
        """Return the median gap between rows.

        A few rows may all be blocks of their own. One that begins with a small letter is not.
        """
        usual = median_gap(rows)
        if len(rows) >= MIN_GAP_ROWS or any(starts_lower(self._text(row)) for row in rows[1:]):
            return usual
        return min(usual, MAX_FEW_ROWS_GAP * self._body.height)

    def _right_edge(self, run: Sequence[Row]) -> float:
        """Return where most of the run's lines end, or else where the column ends."""
        ends = [row[-1].right for row in run[:-1]]
        if len(ends) < MIN_LINE_ENDS or max(ends) - run[-1][0].left < MIN_PROSE_WIDTH * self._body.height:
            return self._right
        aligned = sum(end > max(ends) - RIGHT_EDGE_TOLERANCE * self._body.height for end in ends)
        return max(ends) if aligned >= MIN_ALIGNED_SHARE * len(ends) else self._right

    def _wraps(self, above: Row, row: Row, right_edge: float) -> bool:
        """Return whether the first word of the row would not have fitted into the row above."""
        body_height = self._body.height
        has_cells = has_wide_gap(above) or has_wide_gap(row)
        if has_cells or abs(above[0].left - row[0].left) > MAX_WRAP_INDENT * body_height:
            return False
        text = self._text(row)
        first_word = text.split(" ", 1)[0]
        word_width = (row[-1].right - row[0].left) * (len(first_word) + 1) / max(1, len(text))
        return above[-1].right + word_width > right_edge - RIGHT_EDGE_SLACK * body_height

    # --- headings ---

    def _heading_level(self, run: Sequence[Row]) -> int:
        """Return the level of a heading, 0 for other text. A deeper section number increases the level."""
        text = " ".join(map(self._text, run))
        if (
            len(run) > MAX_HEADING_ROWS
            or len(text) > MAX_HEADING_CHARACTERS
            or not _is_worded(text)
            or is_bullet(text)
        ):
            return 0
        is_title = self._hints.is_title(run[0])
        if any(box.height > MAX_HEIGHT_TO_WIDTH * box.width for row in run for box in row):
            return 0
        if not is_title and any(map(has_wide_gap, run)):
            return 0
        size = median(relative_size(row, self._texts, self._body) for row in run)
        level = heading_level(size, FINAL_HEADING_THRESHOLDS)
        if not level and (is_title or self._is_body_sized_heading(run, text)):
            level = 0 if text.endswith(_SENTENCE_MARKS) else BODY_SIZED_HEADING_LEVEL
        number = _SECTION_NUMBER.match(text)
        return max(level, number[1].count(".") + 1) if level and number else level

    def _is_body_sized_heading(self, run: Sequence[Row], text: str) -> bool:
        """Return whether the print of a block, or its number, marks it as a heading."""
        letters = sum(map(str.isalpha, text))
        if letters < MIN_HEADING_LETTERS or 2 * letters < len(text.replace(" ", "")):
            return False
        return is_cjk_section(text) or all(map(self._hints.is_emphasized, run))


def relative_size(row: Row, texts: Sequence[str], body: FontMetrics) -> float:
    """Return the print size of a row relative to running text, by the row's height and letter width.

    Heights of boxes alone are too coarse: the detector works in steps of four pixels of a small image.
    """
    letter_width = median(box.width / max(1.0, estimated_width(texts[box.index])) for box in row)
    return float((height(row) / body.height * letter_width / body.letter_width) ** 0.5)


def _is_worded(text: str) -> bool:
    """Return whether a text has letters, and not many more digits, as an amount or a serial number has."""
    letters = sum(map(str.isalpha, text))
    return letters > 0 and sum(map(str.isdigit, text)) <= MAX_DIGITS_TO_LETTERS * letters


def _set_list_depths(blocks: Sequence[Block], body_height: float) -> None:
    """Nest list items that begin further right than the item above."""
    lefts: list[float] = []
    for block in blocks:
        if block.kind != "list_item":
            lefts = []
            continue
        left = block.rect[0]
        while lefts and left < lefts[-1] - NESTING_INDENT * body_height:
            lefts.pop()
        if not lefts or left > lefts[-1] + NESTING_INDENT * body_height:
            lefts.append(left)
        block.level = len(lefts) - 1
