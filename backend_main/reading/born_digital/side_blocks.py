"""Blocks of short lines side by side, such as a sender beside a recipient, which are not rows of a table."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..layout.column_sides import level_share, sides_of
from ..layout.geometry import LayoutBox
from ..layout.rows import group_rows

MIN_BLOCK_ROWS = 3
MAX_LEVEL_SHARE = 0.2
"""Share of the rows of the shorter block that are level with a row of the other one."""
MAX_CHANGES = 0.5
"""Share of the rows of the shorter block after which the content changes sides."""
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
    """Divide a level row that stands apart below two sides of x from them, if it is drawn after both."""
    row = group_rows(band)[-1]
    rest = [box for box in band if box not in row]
    if not (all(sides_of(row, x)) and all(sides_of(rest, x))):
        return [band]
    gap = min(box.top for box in row) - max(box.bottom for box in rest)
    first = min(places.get(box.index, -1) for box in row)
    is_drawn_last = first > max(places.get(box.index, -1) for box in rest)
    return [rest, list(row)] if gap > MIN_ROW_GAP * body_height and is_drawn_last else [band]
