"""Step 10 - the page made upright and level: its boxes, and its pixels where those are asked for.

All of layout is in the coordinates of the frame, in which lines of text run level from left to right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

import numpy as np

from ..documents.pixels import Pixels, downscale_by_halves
from ..types import Box

QUARTER = pi / 2
# A box says which way its line runs where it is longer than high by this factor.
MIN_ASPECT_RATIO = 3.0


@dataclass(frozen=True)
class LayoutBox:
    """A box in the frame. `size` is its text's height: the shorter side, also where writing runs upwards."""

    index: int
    left: float
    top: float
    right: float
    bottom: float
    text_height: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def center_y(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def center_x(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class PageFrame:
    """`angle` is how far lines are turned on the page, in radians, clockwise; of any size."""

    angle: float

    @classmethod
    def from_boxes(cls, boxes: Sequence[Box]) -> "PageFrame":
        return cls(_angle(boxes))

    def layout_boxes(self, boxes: Sequence[Box]) -> list[LayoutBox]:
        return [self._item(index, box) for index, box in enumerate(boxes)]

    def _item(self, index: int, box: Box) -> LayoutBox:
        turn, rise = cos(self.angle), -sin(self.angle)
        xs = [x * turn - y * rise for x, y in box]
        ys = [x * rise + y * turn for x, y in box]
        # Means of two corners: a slanted box's extremes would reach into its neighbours' rows.
        left, right = sorted(((xs[0] + xs[3]) / 2, (xs[1] + xs[2]) / 2))
        top, bottom = sorted(((ys[0] + ys[1]) / 2, (ys[2] + ys[3]) / 2))
        if right - left < 1e-6 and bottom - top < 1e-6:  # its corners begin a quarter turn away
            left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        return LayoutBox(index, left, top, right, bottom, max(min(right - left, bottom - top), 1e-6))

    def bounds(self, width: int, height: int) -> tuple[float, float, float, float]:
        """What the page takes up of the frame: left, top, right, bottom."""
        turn, rise = cos(self.angle), -sin(self.angle)
        corners = ((0, 0), (width, 0), (0, height), (width, height))
        xs = [x * turn - y * rise for x, y in corners]
        ys = [x * rise + y * turn for x, y in corners]
        return min(xs), min(ys), max(xs), max(ys)

    def render(self, pixels: Pixels, size: tuple[int, int]) -> Pixels:
        """The page's bounds in the frame, drawn in `size` (width, height) pixels.

        Where there is no page its edge goes on, so that no edge is seen that is not on it.
        """
        import cv2

        height, width = pixels.shape[:2]
        pixels, shrunk = _shrunk(pixels, 2 * max(size))
        left, top, right, bottom = self.bounds(width, height)
        turn, rise = cos(self.angle), -sin(self.angle)
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        matrix = np.array(
            [
                [across * turn / shrunk, -across * rise / shrunk, -across * left],
                [down * rise / shrunk, down * turn / shrunk, -down * top],
            ]
        )
        drawn = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(drawn, np.uint8)


def _shrunk(pixels: Pixels, side: int) -> tuple[Pixels, float]:
    """No side above `side`: a warp takes single pixels, and a large step would lose thin lines.

    What is drawn is half as large again, so the last step need not be a careful one.
    """
    import cv2

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(downscale_by_halves(pixels, side), size), np.uint8), scale


def _angle(boxes: Sequence[Box]) -> float:
    """The median direction of the long boxes' upper edges, among those of the most common quarter turn.

    Each edge counts by its length.
    """
    edges = []
    for (x0, y0), (x1, y1), _, (x3, y3) in boxes:
        length, height = hypot(x1 - x0, y1 - y0), hypot(x3 - x0, y3 - y0)
        if length > MIN_ASPECT_RATIO * height:
            edges.append((atan2(y1 - y0, x1 - x0), length))
    lengths = [0.0] * 4
    for angle, length in edges:
        lengths[_quarters(angle)] += length
    quarters = lengths.index(max(lengths))
    slopes = sorted(
        (_slope(angle, quarters), length) for angle, length in edges if _quarters(angle) == quarters
    )
    half, passed = sum(length for _, length in slopes) / 2, 0.0
    for slope, length in slopes:
        passed += length
        if passed >= half:
            return slope + quarters * QUARTER
    return 0.0


def _quarters(angle: float) -> int:
    return round(angle / QUARTER) % 4


def _slope(angle: float, quarters: int) -> float:
    """What is left of the angle beside its quarter turns, within an eighth of a turn."""
    return (angle - quarters * QUARTER + pi) % (2 * pi) - pi
