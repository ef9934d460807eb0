"""Step 10 - boxes side by side → rows, and what can be said of rows."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from .geometry import LayoutBox

Row = list[LayoutBox]


def group_rows(items: Sequence[LayoutBox]) -> list[Row]:
    """Items side by side form a row; rows from top to bottom, each from left to right."""
    rows: list[Row] = []
    for item in sorted(items, key=lambda item: item.center_y):
        if rows and _same_row(rows[-1], item):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def _same_row(row: Row, item: LayoutBox) -> bool:
    middle = median(other.center_y for other in row)
    size = min(item.text_height, *(other.text_height for other in row))
    if abs(item.center_y - middle) > 0.5 * size:
        return False
    return all(min(item.right, other.right) - max(item.left, other.left) < 0.5 * size for other in row)


def gap(above: Row, row: Row) -> float:
    return min(item.top for item in row) - max(item.bottom for item in above)


def median_gap(rows: Sequence[Row]) -> float:
    gaps = [gap(above, row) for above, row in pairwise(rows)]
    return median(gaps) if gaps else 0.0


def height(row: Row) -> float:
    return max(item.height for item in row)


def has_wide_gap(row: Row) -> bool:
    """Whether its boxes stand apart, as words of a line do not."""
    return any(right.left - left.right > left.text_height for left, right in pairwise(row))


def weighted_median(values: Iterable[tuple[float, float]]) -> float:
    """Of (value, weight); 0 of nothing."""
    ranked = sorted(values)
    half, passed = sum(weight for _, weight in ranked) / 2, 0.0
    for value, weight in ranked:
        passed += weight
        if passed >= half:
            return value
    return 0.0
