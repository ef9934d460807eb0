"""Two groups of boxes side by side, which may be columns: their gutter, and which rows are level."""

from bisect import bisect_left
from collections.abc import Sequence
from statistics import median

from .geometry import MIN_TEXT_HEIGHT, LayoutBox, bounding_rect
from .rows import group_rows

MAX_OVERFLOW_SHARE = 0.1
"""Share of a column's boxes that may flow over its edge."""
LEVEL_TOLERANCE = 0.2
"""In text heights: rows this near are level."""
MAX_MARKER_DISTANCE, MAX_MARKER_WIDTH = 0.3, 3.0
"""In heights of a line: from its middle to that of its bullet, and width of a bullet or a number."""
MIN_CELL_ROWS, MIN_ACROSS_ROWS = 3, 3
"""Rows of a receipt with a name and a figure, and lines across both columns."""
MAX_EDGE_DISTANCE, MIN_ALIGNED_SHARE = 0.6, 0.8
"""In text heights: this share of the names begins as near to a common edge."""
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
    left, _, right, _ = bounding_rect(one)
    other_left, _, other_right, _ = bounding_rect(other)
    return (right < other_left or other_right < left) and vertical_overlap(one, other) > 0.5


def vertical_overlap(one: Sequence[LayoutBox], other: Sequence[LayoutBox]) -> float:
    """Return the share of the lower side's height that both sides have in common."""
    _, top, _, bottom = bounding_rect(one)
    _, other_top, _, other_bottom = bounding_rect(other)
    common = min(bottom, other_bottom) - max(top, other_top)
    return common / max(min(bottom - top, other_bottom - other_top), MIN_TEXT_HEIGHT)


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


def has_own_rows(side: Sequence[LayoutBox]) -> bool:
    """Return whether a side has names at its left and figures at its right, and lines across both.

    The two columns of a receipt are such a side. Cells of a larger table are not: their names have no lines
    across them, and their figures no names. Names end at different places, dates and figures do not.
    """
    rows = group_rows(side)
    cells = [row for row in rows if len(row) == 2 and row[1].left - row[0].right > row[0].text_height]
    if len(cells) < MIN_CELL_ROWS:
        return False
    tolerance = MAX_EDGE_DISTANCE * median(box.text_height for box in side)
    ends = [row[0].right for row in cells]
    if _are_aligned(ends, tolerance) or not _are_aligned([row[0].left for row in cells], tolerance):
        return False
    x = median((row[0].right + row[1].left) / 2 for row in cells)
    return sum(len(row) == 1 and row[0].left < x < row[0].right for row in rows) >= MIN_ACROSS_ROWS


def _are_aligned(edges: Sequence[float], tolerance: float) -> bool:
    middle = median(edges)
    return sum(abs(edge - middle) < tolerance for edge in edges) >= MIN_ALIGNED_SHARE * len(edges)


def level_share(left: Sequence[LayoutBox], right: Sequence[LayoutBox]) -> float:
    """Return the share of rows, on the side with fewer, that are level with a row of the other side."""
    fewer, more = sorted((_row_centers(left), _row_centers(right)), key=len)
    tolerance = LEVEL_TOLERANCE * median(box.text_height for box in (*left, *right))
    centers = sorted(more)
    return sum(is_near_any(one, centers, tolerance) for one in fewer) / len(fewer)


def is_near_any(place: float, places: Sequence[float], tolerance: float) -> bool:
    """Return whether one of some sorted places is nearer than the tolerance."""
    after = bisect_left(places, place)
    return any(abs(place - other) < tolerance for other in places[max(0, after - 1) : after + 1])


def _row_centers(side: Sequence[LayoutBox]) -> list[float]:
    return [median(box.center_y for box in row) for row in group_rows(side)]
