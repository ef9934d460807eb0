"""Tables without lines: runs of rows whose text stands in columns."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from .table_captions import is_caption
from .table_columns import MIN_PROSE_WORDS, Gap, find_columns, find_gutters
from .table_drawing import is_drawn_by_columns, is_drawn_in_turns
from .table_markdown import FoundTable
from .table_rules import Line
from .table_sides import divided
from .table_text import Drawing, text_table
from .table_words import Word, WordLine, word_lines, words_rect

# In font sizes.
MAX_ROW_GAP = 1.8
"""Between two rows of a table without lines."""
MIN_CELL_GAP = 0.9
"""One gap of a line that is a row is at least as wide."""
MAX_SINGLE_LINES = 3
"""Lines with one phrase between two rows: section rows, and cells with several lines."""
MAX_PARAGRAPH_SHARE = 0.75
"""Share of the width of the block from which two lines with one phrase are a paragraph."""
MIN_LINES = 3
MIN_RULE_SHARE = 0.6
"""Share of the width of a block that a line between its rows covers."""
MAX_HEAD_GAP, MAX_HEAD_WORDS = 1.0, 8
"""From a head over several columns to the row below it."""
MAX_HEAD_SIZE = 1.15
"""In font sizes of the table: larger text is a title."""
MAX_CELL_LINE_GAP = 0.5
"""Between two lines of a cell."""
MAX_SPLITS = 8
DASHES = re.compile(r"[-=_–—*]{4,}")
"""A rule that is drawn with characters."""
MAX_CROSSING_SHARE = 0.1
"""Share of the lines of a block that may cross a strip between columns of the page."""
MIN_LEVEL_SHARE = 0.75
"""Share of the lines with text on each side of a line between columns, in a table."""
MIN_WALL_HEIGHT = 6.0
"""Height of a line between columns of the page."""


def unruled_tables(level: Sequence[Line], upright: Sequence[Line], words: Sequence[Word]) -> list[FoundTable]:
    """Return the tables that the alignment of the words shows.

    Args:
        level: level lines, which are evidence of a table.
        upright: upright lines outside of tables, which separate columns of the page.
    """
    lines = word_lines(words)
    strips = find_gutters(lines)
    drawn = [strip for strip in strips if not is_drawn_in_turns(_prose_lines(lines), strip.center)]
    found: list[FoundTable] = []
    for block in _blocks(lines):
        through = [strip for strip in drawn if is_drawn_in_turns(block, strip.center)]
        for part in _side_blocks(block, [strip for strip in strips if strip not in through], upright):
            if free := _trimmed(_free_lines(part, found)):
                around = _Around(free, _free_lines(lines, found))
                found += _block_tables(around, free, level, MAX_SPLITS)
    return found


def _free_lines(lines: Sequence[WordLine], found: Sequence[FoundTable]) -> list[WordLine]:
    """Return the lines that are not in a table, such as the last lines of a table's last row."""
    used = frozenset[int]().union(*(table.boxes for table in found))
    return [line for line in lines if not any(word.box in used for word in line.words)]


def _prose_lines(lines: Sequence[WordLine]) -> list[WordLine]:
    return [line for line in lines if any(len(one.words) >= MIN_PROSE_WORDS for one in line.phrases)]


def _side_blocks(
    block: list[WordLine], strips: Sequence[Gap], upright: Sequence[Line]
) -> list[list[WordLine]]:
    """Divide a block at columns of the page that it lies in, and at long lines through it."""
    top, bottom = block[0].top, block[-1].bottom
    walls = [line for line in upright if min(bottom, line.end) - max(top, line.start) > _min_wall(block)]
    for wall in walls:
        beside = [line for line in block if wall.start < line.center_y < wall.end]
        if len(beside) < len(block):
            above = [line for line in block if line.center_y <= wall.start]
            below = [line for line in block if line.center_y >= wall.end]
            return _all_blocks([above, beside, below], strips, upright)
    if walls and _is_level(block, walls) and text_table(block, _drawing(block, (), walls)):
        return [block]
    for strip in (*strips, *(Gap(wall.position, wall.position) for wall in walls)):
        free = [line for line in block if not _crosses(line, strip)]
        if len(block) - len(free) <= MAX_CROSSING_SHARE * len(block):
            sides = _sides(free, strip)
            if all(sides):
                return _all_blocks(sides, strips, upright)
    return [block]


def _is_level(block: Sequence[WordLine], walls: Sequence[Line]) -> bool:
    """Return whether most lines have text on all sides of upright lines, as the rows of a table."""
    xs = sorted(wall.position for wall in walls)
    counts = [len({bisect_right(xs, word.center_x) for word in line.words}) for line in block]
    sides = len({bisect_right(xs, word.center_x) for line in block for word in line.words})
    return sum(counts) > MIN_LEVEL_SHARE * sides * len(block)


def _min_wall(block: Sequence[WordLine]) -> float:
    return MIN_WALL_HEIGHT * block[0].size


def _all_blocks(
    parts: Sequence[Sequence[WordLine]], strips: Sequence[Gap], upright: Sequence[Line]
) -> list[list[WordLine]]:
    return [
        found for part in parts for block in _blocks(part) for found in _side_blocks(block, strips, upright)
    ]


def _crosses(line: WordLine, gutter: Gap) -> bool:
    return any(phrase.left < gutter.center < phrase.right for phrase in line.phrases)


def _sides(block: Sequence[WordLine], gutter: Gap) -> list[list[WordLine]]:
    words = [word for line in block for word in line.words]
    return [
        word_lines(word for word in words if (word.center_x < gutter.center) == is_left)
        for is_left in (True, False)
    ]


def is_row(line: WordLine) -> bool:
    """Return whether a line has a gap as between two cells."""
    return any(right.left - left.right > MIN_CELL_GAP * line.size for left, right in pairwise(line.phrases))


def _blocks(lines: Sequence[WordLine]) -> list[list[WordLine]]:
    """Return runs of lines from a row to a row, with few other lines between."""
    blocks: list[list[WordLine]] = []
    block: list[WordLine] = []
    singles: list[WordLine] = []
    last_place = -1  # in the last row
    for line in lines:
        above = singles[-1] if singles else block[-1] if block else None
        if above and line.top - above.bottom > MAX_ROW_GAP * line.size:
            blocks.append(block)
            block, singles = [], []
        if is_row(line):
            block = [*block, *singles, line] if block else [line]
            singles, last_place = [], _last_place(line)
        elif block and not singles and _is_drawn_before(line, last_place):
            block = [*block, line]  # of a cell of the last row
        elif block:
            singles.append(line)
            if _is_paragraph(block, singles):
                blocks.append(block)
                block, singles = [], []
    found = [_without_caption(block) for block in [*blocks, block]]
    return [block for block in found if len(block) >= MIN_LINES]


def _without_caption(block: list[WordLine]) -> list[WordLine]:
    """Return a block without a first line that is a caption, in which a gap looks like one between cells."""
    return _trimmed(block[1:]) if block and is_caption(block[0].words) else block


def _is_paragraph(block: Sequence[WordLine], singles: Sequence[WordLine]) -> bool:
    if len(singles) > MAX_SINGLE_LINES:
        return True
    width = max(line.right for line in block) - min(line.left for line in block)
    return sum(line.right - line.left > MAX_PARAGRAPH_SHARE * width for line in singles) > 1


class _Around:
    """Lines above and below a block that may be its head and the end of its last row."""

    def __init__(self, block: Sequence[WordLine], lines: Sequence[WordLine]) -> None:
        left, right = min(line.left for line in block), max(line.right for line in block)
        self._lines = [
            line
            for line in lines
            if len(line.phrases) == 1 and left - line.size < line.left and line.right < right + line.size
        ]

    def extended(self, block: list[WordLine], level: Sequence[Line]) -> list[WordLine]:
        """Return a block with the heads over its columns, and the last lines of its last row."""
        columns = find_columns(block)
        if columns.count < 2:
            return block
        start = columns.gaps[0].center
        width = max(line.right for line in block) - min(line.left for line in block)
        rules = [line.position for line in level if line.length > MIN_RULE_SHARE * width]
        beside = [line for line in self._lines if line.left > start]
        for line in reversed([line for line in beside if line.baseline < block[0].baseline]):
            if block[0].top - line.bottom > MAX_HEAD_GAP * line.size or len(line.words) > MAX_HEAD_WORDS:
                break
            if line.size > MAX_HEAD_SIZE * block[0].size or is_caption(line.words):
                break
            if any(line.baseline < y < block[0].baseline for y in rules):
                break  # a title
            block = [line, *block]
        last = _last_place(block[-1])
        below = [line for line in self._lines if line.baseline > block[-1].baseline]
        for line in [line for line in below if line.left > start or _is_drawn_before(line, last)]:
            if line.top - block[-1].bottom > MAX_CELL_LINE_GAP * line.size:
                break
            block = [*block, line]
        return block


def _last_place(line: WordLine) -> int:
    return max((word.place for word in line.words if word.place is not None), default=-1)


def _is_drawn_before(line: WordLine, place: int) -> bool:
    """Return whether all of a line is drawn before a place in the content."""
    return all(word.place is not None and word.place < place for word in line.words)


def _block_tables(
    around: _Around, block: list[WordLine], lines: Sequence[Line], splits: int
) -> list[FoundTable]:
    """Return the tables of a block, divided at its widest gaps if it is not one table."""
    if len(block) < MIN_LINES:
        return []
    if table := _block_table(around.extended(block, lines), lines) or _block_table(block, lines):
        return divided(table)
    at = _widest_gap(block) if splits and not is_drawn_by_columns(block, find_columns(block)) else None
    if at is None:
        return []
    upper = _block_tables(around, _trimmed(block[:at]), lines, splits - 1)
    rest = _free_lines(block[at:], upper)
    return upper + _block_tables(around, _trimmed(rest), lines, splits - 1)


def _block_table(block: Sequence[WordLine], lines: Sequence[Line]) -> FoundTable | None:
    dashes = [line for line in block if all(DASHES.fullmatch(word.text) for word in line.words)]
    text = [line for line in block if line not in dashes]
    drawing = _drawing(text, lines)
    drawing = Drawing((*drawing.separators, *(line.baseline for line in dashes)))
    content = text_table(text, drawing)
    if content is None:
        return None
    words = [word for line in block for word in line.words]
    drawn = frozenset(word.box for line in dashes for word in line.words)
    return FoundTable(content, words_rect(words), drawn)


def _trimmed(block: Sequence[WordLine]) -> list[WordLine]:
    """Return a block without lines of one phrase at its ends."""
    rows = [number for number, line in enumerate(block) if is_row(line)]
    return list(block[rows[0] : rows[-1] + 1]) if rows else []


def _widest_gap(block: Sequence[WordLine]) -> int | None:
    gaps = [(below.top - above.bottom, number) for number, (above, below) in enumerate(pairwise(block), 1)]
    widest, at = max(gaps, key=lambda gap: gap[0])
    return at if widest > 0 and widest > 1.3 * sorted(gaps)[len(gaps) // 2][0] else None


def _drawing(block: Sequence[WordLine], lines: Sequence[Line], walls: Sequence[Line] = ()) -> Drawing:
    left, right = min(line.left for line in block), max(line.right for line in block)
    top, bottom = block[0].top, block[-1].bottom
    size = block[0].size
    separators = [
        line.position
        for line in lines
        if top - size < line.position < bottom + size
        and min(line.end, right) - max(line.start, left) > MIN_RULE_SHARE * (right - left)
    ]
    inside = [line.position for line in walls if left < line.position < right]
    return Drawing(tuple(separators), tuple(inside))
