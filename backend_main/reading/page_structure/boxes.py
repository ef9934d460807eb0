"""Boxes of blocks and cells: upright rectangles around those of their lines."""

from collections.abc import Iterable

from ..types import Box, level_box


def bounding_box(boxes: Iterable[Box | None]) -> Box | None:
    """Return the upright rectangle around boxes; None without any."""
    corners = [corner for box in boxes if box is not None for corner in box]
    if not corners:
        return None
    xs, ys = zip(*corners, strict=True)
    return level_box(min(xs), min(ys), max(xs), max(ys))


def contains_center(box: Box | None, other: Box | None) -> bool:
    """Return whether the center of the other box is in an upright rectangle."""
    if box is None or other is None:
        return False
    x, y = sum(x for x, _ in other) / len(other), sum(y for _, y in other) / len(other)
    return box[0][0] <= x <= box[2][0] and box[0][1] <= y <= box[2][1]


def is_in_upper_half(box: Box | None, height: int) -> bool:
    """Return whether the center of a box is in the upper half of its page."""
    return box is not None and sum(y for _, y in box) / len(box) < height / 2
