"""Step 10 - the rows of a column → blocks as a reader sees them: headings, paragraphs, items of lists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from .rows import (
    Row,
    gap,
    has_wide_gap,
    height,
    median_gap,
)
from .text_joining import (
    estimated_width,
    is_bullet,
    join_lines,
    list_marker,
    starts_list_item,
)

# Headings by their print, beside running text; what the layout model alone calls one is of the last level.
HEADING_SIZES = ((1.7, 1), (1.25, 2))
BODY_SIZED_LEVEL = 3
HEADING_ROWS, HEADING_CHARACTERS = 3, 160
SENTENCE_END = tuple(".,;:!?。，；：！？、")
# Lines of a paragraph end where most do: at least so many, so near the longest in heights of text, this share
# of them; and prose is set as wide as that.
MIN_ENDS, RIGHT_EDGE_TOLERANCE, MIN_ALIGNED_SHARE, PROSE_WIDTH = 3, 4.0, 0.6, 15.0
# The end of a sentence, and of no “Fig.” or “Nr.”.
_SENTENCE = re.compile(r"(?:\w{4,}[.!?:;,]|[。！？：；)\]”\"])$")
_SECTION = re.compile(r"^(\d{1,2}(?:\.\d{1,2})*)\.?\s+\S")


Rect = tuple[float, float, float, float]
"""Left, top, right and bottom, in the frame."""


@dataclass
class Block:
    """`kind` is heading, paragraph, item (of a list), table or figure.

    `lines` are those that stay lines of their own: prose has one, however many the page has. `level` is a
    heading's, from 1, or an item's depth, from 0. `is_furniture`: a page's head, foot or number, which no
    reader reads. `indices` are the boxes that it is made of.
    """

    kind: str
    indices: frozenset[int]
    rect: Rect
    lines: list[str] = field(default_factory=list)
    level: int = 0
    marker: str = ""
    cells: tuple[tuple[str, ...], ...] = ()
    is_furniture: bool = False


@dataclass(frozen=True)
class FontMetrics:
    """How running text is printed on the page: its height, and how far a small letter takes it."""

    height: float
    advance: float


@dataclass(frozen=True)
class LayoutHints:
    """Boxes that are more than text: `titles` by the layout model, `furniture` at the page's edges."""

    titles: frozenset[int] = frozenset()
    furniture: frozenset[int] = frozenset()

    def of(self, row: Row) -> tuple[bool, bool]:
        return (
            all(item.index in self.titles for item in row),
            all(item.index in self.furniture for item in row),
        )


class ColumnBlocks:
    """Rows that are read one after the other."""

    def __init__(
        self, rows: Sequence[Row], texts: Sequence[str], body: FontMetrics, hints: LayoutHints
    ) -> None:
        self.rows = rows
        self.body = body
        self.left = median(row[0].left for row in rows)
        self.right = max(row[-1].right for row in rows)
        self.gap = median_gap(rows)
        self._texts, self._hints = texts, hints

    def blocks(self) -> list[Block]:
        blocks: list[Block] = []
        run: list[Row] = []
        for row in self.rows:
            if run and self._starts_new_block(run, row):
                blocks.append(self._block(run))
                run = []
            run.append(row)
        blocks.append(self._block(run))
        _set_depths(blocks, self.body.height)
        return blocks

    def _text(self, row: Row) -> str:
        return " ".join(self._texts[item.index] for item in row)

    # --- paragraphs ---

    def _starts_new_block(self, run: Sequence[Row], row: Row) -> bool:
        """Whether the row begins something new: after a gap, in another print, with a number, an indent."""
        above, usual = run[-1], self.body.height
        smaller, larger = sorted((height(above), height(row)))
        if gap(above, row) > self.gap + 0.5 * usual or larger > 1.3 * smaller:
            return True
        if self._hints.of(above) != self._hints.of(row) or self._starts_list_item(run, row):
            return True
        if starts_list_item(self._text(run[0])):  # what hangs below a number belongs to it
            return row[0].left < run[0][0].left - 0.5 * usual
        indented = 0.8 * usual < row[0].left - self.left < 5 * usual
        return indented and above[0].left - self.left < 0.4 * usual and len(row) == 1

    def _starts_list_item(self, run: Sequence[Row], row: Row) -> bool:
        """A bullet or a number, but for one that a full line wrapped to: “Fig.” and below it “2. In …”."""
        above = self._text(run[-1])
        if not starts_list_item(self._text(row)):
            return False
        wrapped = self._wraps(run[-1], row, self._right([*run, row]))
        return not wrapped or bool(_SENTENCE.search(above)) or starts_list_item(self._text(run[0]))

    def _block(self, run: Sequence[Row]) -> Block:
        indices = frozenset(item.index for row in run for item in row)
        _, is_furniture = self._hints.of(run[0])
        block = Block("paragraph", indices, bounding_rect(run), is_furniture=is_furniture)
        block.lines = self._lines(run)
        if not is_furniture and (level := self._heading_level(run)):
            block.kind, block.level, block.lines = "heading", level, [" ".join(block.lines)]
        elif (marker := list_marker(block.lines[0])) and len(block.lines) == 1:
            block.kind, block.marker = "item", marker.strip()
            block.lines = [block.lines[0][len(marker) :]]
        return block

    def _lines(self, run: Sequence[Row]) -> list[str]:
        """Lines that fill the column are one text; those with room for the next word are lines."""
        right = self._right(run)
        run_on = [self._wraps(above, row, right) for above, row in pairwise(run)]
        if 2 * sum(run_on) < len(run_on):  # a long line or two among short ones
            run_on = [False] * len(run_on)
        lines = [self._text(run[0])]
        for row, is_same_text in zip(run[1:], run_on, strict=True):
            if is_same_text:
                lines[-1] = join_lines(lines[-1], self._text(row))
            else:
                lines.append(self._text(row))
        return lines

    def _right(self, run: Sequence[Row]) -> float:
        """Where the run's lines end: where most of them do, else where the column does."""
        ends = [row[-1].right for row in run[:-1]]
        if len(ends) < MIN_ENDS or max(ends) - run[-1][0].left < PROSE_WIDTH * self.body.height:
            return self.right
        near = sum(end > max(ends) - RIGHT_EDGE_TOLERANCE * self.body.height for end in ends)
        return max(ends) if near >= MIN_ALIGNED_SHARE * len(ends) else self.right

    def _wraps(self, above: Row, row: Row, right: float) -> bool:
        usual = self.body.height
        if has_wide_gap(above) or abs(above[0].left - row[0].left) > 5 * usual:
            return False
        text = self._text(row)
        first_word = text.split(" ", 1)[0]
        room = (row[-1].right - row[0].left) * (len(first_word) + 1) / max(1, len(text))
        return above[-1].right + room > right - 0.5 * usual

    # --- headings ---

    def _heading_level(self, run: Sequence[Row]) -> int:
        """0 where the run is none. A numbered one is as deep as its number says, if that is deeper."""
        text = " ".join(map(self._text, run))
        if len(run) > HEADING_ROWS or len(text) > HEADING_CHARACTERS or not any(map(str.isalpha, text)):
            return 0
        is_title, _ = self._hints.of(run[0])
        if is_bullet(text) or (not is_title and any(map(has_wide_gap, run))):
            return 0
        size = median(map(self._size, run))
        level = next((level for factor, level in HEADING_SIZES if size > factor), 0)
        if not level and is_title and not text.endswith(SENTENCE_END):
            level = BODY_SIZED_LEVEL
        numbered = _SECTION.match(text)
        return max(level, numbered[1].count(".") + 1) if level and numbered else level

    def _size(self, row: Row) -> float:
        """How large a row's print is beside running text, by its height and by how wide its letters are set.

        Boxes' heights alone are too coarse: the detector works on a small image, in steps of four pixels.
        """
        advance = median(item.width / max(1.0, estimated_width(self._texts[item.index])) for item in row)
        return float((height(row) / self.body.height * advance / self.body.advance) ** 0.5)


def bounding_rect(rows: Sequence[Row]) -> Rect:
    items = [item for row in rows for item in row]
    top, bottom = min(item.top for item in items), max(item.bottom for item in items)
    return min(item.left for item in items), top, max(item.right for item in items), bottom


def _set_depths(blocks: Sequence[Block], usual: float) -> None:
    """Items of one list that begin further to the right are nested in those above them."""
    lefts: list[float] = []
    for block in blocks:
        if block.kind != "item":
            lefts = []
            continue
        while lefts and block.rect[0] < lefts[-1] - 0.8 * usual:
            lefts.pop()
        if not lefts or block.rect[0] > lefts[-1] + 0.8 * usual:
            lefts.append(block.rect[0])
        block.level = len(lefts) - 1
