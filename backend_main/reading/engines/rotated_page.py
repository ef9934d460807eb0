"""Pages that are rotated by quarter turns: their upright image, and its lines on the page as it is."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..documents.document import PageImage
from ..types import Box, Line
from ..words import move_line


def rotate_upright(page: PageImage, quarter_turns: int) -> PageImage:
    """Return a page whose lines run from left to right.

    Args:
        page: page whose lines are rotated.
        quarter_turns: their clockwise rotation, 0 to 3.
    """
    pixels = np.ascontiguousarray(np.rot90(page.pixels, quarter_turns))
    height, width = pixels.shape[:2]
    return PageImage(page.number, pixels, width, height, page.info, page.warnings)


def to_original_coordinates(lines: Iterable[Line], page: PageImage, quarter_turns: int) -> Iterator[Line]:
    """Yield the lines of an upright page with their boxes on the rotated page.

    Args:
        lines: lines of the upright page.
        page: page before `rotate_upright`.
        quarter_turns: rotation of its lines.
    """

    def rotated(box: Box) -> Box:
        a, b, c, d = (_rotated_point(corner, page.width, page.height, quarter_turns) for corner in box)
        return a, b, c, d

    for line in lines:
        yield move_line(line, rotated)


def _rotated_point(
    point: Sequence[float], width: int, height: int, quarter_turns: int
) -> tuple[float, float]:
    x, y = point
    if quarter_turns == 1:
        return width - y, x
    if quarter_turns == 2:
        return width - x, height - y
    return (y, height - x) if quarter_turns == 3 else (x, y)
