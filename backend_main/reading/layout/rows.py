"""Rows of boxes side by side, and their measures."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from .geometry import MIN_TEXT_HEIGHT, LayoutBox
from .sequences import group_runs, weighted_median

Row = list[LayoutBox]
"""Boxes side by side, from left to right; at least one."""

MAX_CENTER_DISTANCE = 0.5
MAX_HORIZONTAL_OVERLAP = 0.5
"""In text heights: boxes of one row are as level, and overlap as little."""


def group_rows(boxes: Sequence[LayoutBox]) -> list[Row]:
    """Group boxes side by side into rows: rows from top to bottom, boxes from left to right."""
    rows = group_runs(sorted(boxes, key=lambda box: box.center_y), _belongs_to_row)
    return [sorted(row, key=lambda box: box.left) for row in rows]


def _belongs_to_row(row: Row, box: LayoutBox) -> bool:
    middle = len(row) // 2  # the boxes come from top to bottom
    center_y = (row[middle].center_y + row[-1 - middle].center_y) / 2
    text_height = min(box.text_height, *(other.text_height for other in row))
    if abs(box.center_y - center_y) > MAX_CENTER_DISTANCE * text_height:
        return False
    max_overlap = MAX_HORIZONTAL_OVERLAP * text_height
    return all(min(box.right, other.right) - max(box.left, other.left) < max_overlap for other in row)


def gap(above: Row, row: Row) -> float:
    """Return the vertical distance between two rows, negative if they overlap."""
    return min(box.top for box in row) - max(box.bottom for box in above)


def median_gap(rows: Sequence[Row]) -> float:
    """Return the median gap between rows, 0 for less than two rows."""
    gaps = [gap(above, row) for above, row in pairwise(rows)]
    return median(gaps) if gaps else 0.0


def height(row: Row) -> float:
    return max(box.height for box in row)


def has_wide_gap(row: Row) -> bool:
    """Return whether boxes are further apart than the words of a line, which are within a text height."""
    return any(right.left - left.right > left.text_height for left, right in pairwise(row))


def body_text_height(boxes: Sequence[LayoutBox]) -> float:
    """Return the height of running text: the median text height, each box weighted by its width."""
    return max(weighted_median((box.text_height, box.width) for box in boxes), MIN_TEXT_HEIGHT)
