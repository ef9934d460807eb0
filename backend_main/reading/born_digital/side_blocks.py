"""Blocks of short lines side by side, as a sender beside a recipient, which are not rows of a table."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..layout.column_sides import LEVEL_TOLERANCE, is_near_any, level_share, sides_of
from ..layout.geometry import LayoutBox
from ..layout.rows import group_rows

MIN_BLOCK_ROWS = 3
MAX_LEVEL_SHARE = 0.2
"""Share of the rows of the shorter block that are level with a row of the other one."""
MAX_CHANGES = 0.5
"""Share of the rows of the shorter block after which the content changes sides."""
MAX_CELL_LINES = 4
"""Lines of a cell of a row below two blocks."""
MAX_EDGE_OVERLAP = 0.15
"""In heights of running text: text above columns reaches into them by less."""
MIN_ROW_GAP = 1.0
"""In heights of running text: space above a row below two blocks that does not belong to them."""


def are_blocks(
    left: Sequence[LayoutBox], right: Sequence[LayoutBox], changes: int, places: Mapping[int, int]
) -> bool:
    """Return whether two sides are blocks of their own: their rows are not level, and are not drawn as rows.

    Args:
        left: boxes of the left side.
        right: boxes of the right side.
        changes: how often the content changes sides.
        places: places of the boxes in the content, by index.
    """
    fewer_rows = min(len(group_rows(left)), len(group_rows(right)))
    if fewer_rows < MIN_BLOCK_ROWS or changes > MAX_CHANGES * fewer_rows:
        return False
    return level_share(left, right) <= MAX_LEVEL_SHARE and _is_drawn_upwards(left, right, places)


def _is_drawn_upwards(
    left: Sequence[LayoutBox], right: Sequence[LayoutBox], places: Mapping[int, int]
) -> bool:
    """Return whether the content goes up where it changes sides.

    A program that draws the page from top to bottom does not show what belongs together.
    """
    sides = [(box, 0) for box in left] + [(box, 1) for box in right]
    drawn = sorted(
        (pair for pair in sides if pair[0].index in places), key=lambda pair: places[pair[0].index]
    )
    return any(side != other and box.bottom < above.top for (above, side), (box, other) in pairwise(drawn))


def without_last_row(
    band: list[LayoutBox], x: float, places: Mapping[int, int], body_height: float
) -> list[list[LayoutBox]]:
    """Divide a level row that stands apart below two sides of x from them, if it is drawn after both.

    The row may have cells of several lines.
    """
    rows = group_rows(band)
    for count in range(1, min(MAX_CELL_LINES, len(rows) - 1) + 1):
        row = [box for line in rows[-count:] for box in line]
        rest = [box for line in rows[:-count] for box in line]
        if not (all(sides_of(row, x)) and all(sides_of(rest, x))):
            continue
        gap = min(box.top for box in row) - max(box.bottom for box in rest)
        first = min(places.get(box.index, -1) for box in row)
        is_drawn_last = first > max(places.get(box.index, -1) for box in rest)
        if gap > MIN_ROW_GAP * body_height and is_drawn_last:
            return [rest, row]
    return [band]


def without_ends(
    band: list[LayoutBox], x: float, places: Mapping[int, int], body_height: float, *, is_from_right: bool
) -> list[list[LayoutBox]]:
    """Divide short text above or below columns from them: the order of the content shows it.

    It is text over one column only, which is drawn before or after the other one. Markers of its lines may
    be drawn last.
    """
    first, second = sides_of(band, x)
    if is_from_right:
        first, second = second, first
    if not all(any(box.index in places for box in side) for side in (first, second)):
        return [band]
    start = min(places[box.index] for box in first if box.index in places)
    end = max(places[box.index] for box in second if box.index in places)
    top, bottom = min(box.top for box in first), max(box.bottom for box in second)
    margin = MAX_EDGE_OVERLAP * body_height
    above = [b for b in second if places.get(b.index, start) < start and b.bottom < top + margin]
    below = [b for b in first if places.get(b.index, end) > end and b.top > bottom - margin]
    above, below = _with_level(above, second), _with_level(below, first)
    ends = {box.index for box in (*above, *below)}
    return [part for part in (above, [b for b in band if b.index not in ends], below) if part]


def _with_level(part: Sequence[LayoutBox], side: Sequence[LayoutBox]) -> list[LayoutBox]:
    """Return the boxes of a side that are in a part, or on the same line as one of it."""
    centers = sorted(box.center_y for box in part)
    return [box for box in side if is_near_any(box.center_y, centers, LEVEL_TOLERANCE * box.text_height)]
