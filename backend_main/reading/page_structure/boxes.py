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


def is_in_upper_half(box: Box | None, height: int) -> bool:
    """Return whether the center of a box is in the upper half of its page."""
    return box is not None and sum(y for _, y in box) / len(box) < height / 2
