"""Boxes of warnings: those of some lines, and a limit of the number in one warning."""

from collections.abc import Iterable, Sequence

import msgspec

from .types import Box, Line, PageWarning, level_box

MAX_WARNING_BOXES = 200
"""Boxes of one warning, of 100 bytes each in JSON. The lines of most pages are fewer."""


def boxes_of(lines: Sequence[Line], numbers: Iterable[int]) -> list[Box]:
    """Return the boxes of some lines of a page."""
    return [box for number in numbers if (box := lines[number].box) is not None]


def with_limited_boxes(warning: PageWarning) -> PageWarning:
    """Return a warning with at most `MAX_WARNING_BOXES`: of more, neighbors in the order are merged."""
    if len(warning.boxes) <= MAX_WARNING_BOXES:
        return warning
    boxes = sorted(warning.boxes, key=lambda box: box[0][::-1])  # from top to bottom
    size = -(-len(boxes) // MAX_WARNING_BOXES)
    parts = (boxes[start : start + size] for start in range(0, len(boxes), size))
    return msgspec.structs.replace(warning, boxes=tuple(map(_around, parts)))


def _around(boxes: Sequence[Box]) -> Box:
    xs, ys = zip(*(corner for box in boxes for corner in box), strict=True)
    return level_box(min(xs), min(ys), max(xs), max(ys))
