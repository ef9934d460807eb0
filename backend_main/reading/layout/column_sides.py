"""Two groups of boxes side by side, which may be columns: their gutter, and which rows are level."""

from collections.abc import Sequence
from statistics import median

from .geometry import LayoutBox, bounding_rect
from .rows import group_rows

MAX_OVERFLOW_SHARE = 0.1
"""Share of a column's boxes that may flow over its edge."""
LEVEL_TOLERANCE = 0.2
"""In text heights: rows this near are level."""
MAX_MARKER_DISTANCE, MAX_MARKER_WIDTH = 0.3, 3.0
"""In heights of a line: from its middle to that of its bullet, and width of a bullet or a number."""
MIN_DENSE_LINES, MIN_DENSE_SHARE = 3, 0.6
"""If this share of a paragraph's lines has text beside it, that text is a column."""


def sides_of(band: Sequence[LayoutBox], x: float) -> tuple[list[LayoutBox], list[LayoutBox]]:
    return [box for box in band if box.center_x < x], [box for box in band if box.center_x >= x]


def is_marker_of(line: LayoutBox, box: LayoutBox, *, is_from_right: bool) -> bool:
    """Return whether a box is a bullet or a number at the start of a line."""
    is_level = abs(box.center_y - line.center_y) < MAX_MARKER_DISTANCE * line.text_height
    is_before = box.left > line.right if is_from_right else box.right < line.left
    return is_level and is_before and box.width < MAX_MARKER_WIDTH * line.text_height


def are_side_by_side(one: Sequence[LayoutBox], other: Sequence[LayoutBox]) -> bool:
    left, top, right, bottom = bounding_rect(one)
    other_left, other_top, other_right, other_bottom = bounding_rect(other)
    height = min(bottom, other_bottom) - max(top, other_top)
    return (right < other_left or other_right < left) and 2 * height > min(
        bottom - top, other_bottom - other_top
    )


def gutter_width(left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> float:
    """Return the width of the gutter between two sides; a few boxes may flow over."""
    ends = sorted(box.right for box in left)
    starts = sorted((box.left for box in right), reverse=True)
    end = ends[int((len(ends) - 1) * (1 - MAX_OVERFLOW_SHARE))]
    start = starts[int((len(starts) - 1) * (1 - MAX_OVERFLOW_SHARE))]
    return start - end


def width(side: Sequence[LayoutBox]) -> float:
    return max(box.right for box in side) - min(box.left for box in side)


def is_dense(prose: Sequence[LayoutBox], other: Sequence[LayoutBox]) -> bool:
    """Return whether most lines of the prose, within the height of the other side, have text beside them."""
    top, bottom = min(box.top for box in other), max(box.bottom for box in other)
    lines = [box for box in prose if top < box.center_y < bottom]
    return len(lines) >= MIN_DENSE_LINES and len(group_rows(other)) >= MIN_DENSE_SHARE * len(lines)


def level_share(left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> float:
    """Return the share of rows, on the side with fewer, that are level with a row of the other side."""
    fewer, more = sorted((_row_centers(left), _row_centers(right)), key=len)
    tolerance = LEVEL_TOLERANCE * median(box.text_height for box in (*left, *right))
    return sum(any(abs(one - other) < tolerance for other in more) for one in fewer) / len(fewer)


def _row_centers(side: Sequence[LayoutBox]) -> list[float]:
    return [median(box.center_y for box in row) for row in group_rows(side)]
