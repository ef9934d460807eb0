"""Coordinates of a level, upright page: lines of text run horizontally from left to right."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

import numpy as np

from ..documents.pixels import Pixels, downscale_by_halves
from ..types import Box
from .sequences import weighted_median

QUARTER_TURN = pi / 2
MIN_ASPECT_RATIO = 3.0
"""A box that is longer than high by this factor shows the direction of its line."""
MIN_TEXT_HEIGHT = 1e-6
"""Floor of heights that others are divided by."""

Rect = tuple[float, float, float, float]
"""Left, top, right and bottom, in the frame."""


@dataclass(frozen=True)
class LayoutBox:
    """A box in the frame; `index` is its place in the list of the page's boxes.

    `text_height` is the shorter side, so it holds for text that runs upwards too.
    """

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
    def center_x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def center_y(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class PageFrame:
    """Coordinate system that is rotated with the lines of a page.

    `angle` is the rotation of the lines on the page in radians, clockwise, of any size.
    """

    angle: float

    @classmethod
    def from_boxes(cls, boxes: Sequence[Box]) -> "PageFrame":
        """Build the frame in which the boxes' lines are level.

        Its angle is the median direction of the upper edges of long boxes, each weighted by its length. Only
        edges of the most common quarter turn count. Short boxes, if there are no others, give the turn alone.
        """
        edges, short_edges = [], []
        for (x0, y0), (x1, y1), _, (x3, y3) in boxes:
            length, height = hypot(x1 - x0, y1 - y0), hypot(x3 - x0, y3 - y0)
            if length > MIN_ASPECT_RATIO * height:
                edges.append((atan2(y1 - y0, x1 - x0), length))
            else:
                short_edges.append((atan2(y1 - y0, x1 - x0), length))

        lengths = [0.0] * 4
        for angle, length in edges or short_edges:
            lengths[_quarter_turns(angle)] += length
        quarter_turns = lengths.index(max(lengths))

        # Slopes are within an eighth of a turn; the angles themselves jump at π.
        turn = quarter_turns * QUARTER_TURN
        slopes = [
            ((angle - turn + pi) % (2 * pi) - pi, length)
            for angle, length in edges
            if _quarter_turns(angle) == quarter_turns
        ]
        return cls(weighted_median(slopes) + turn)

    def layout_boxes(self, boxes: Sequence[Box]) -> list[LayoutBox]:
        """Map boxes in pixels of the page to the frame, in the given order."""
        layout_boxes = []
        for index, box in enumerate(boxes):
            xs, ys = self._rotated(box)
            # Means of two corners: the extremes of a slanted box would overlap the rows beside it.
            left, right = sorted(((xs[0] + xs[3]) / 2, (xs[1] + xs[2]) / 2))
            top, bottom = sorted(((ys[0] + ys[1]) / 2, (ys[2] + ys[3]) / 2))
            if right - left < MIN_TEXT_HEIGHT and bottom - top < MIN_TEXT_HEIGHT:
                # The first corner is a quarter turn away from the top left.
                left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
            text_height = max(min(right - left, bottom - top), MIN_TEXT_HEIGHT)
            layout_boxes.append(LayoutBox(index, left, top, right, bottom, text_height))
        return layout_boxes

    def bounds(self, width: int, height: int) -> Rect:
        """Return left, top, right, bottom of a page of `width` × `height` pixels in the frame."""
        xs, ys = self._rotated(((0, 0), (width, 0), (0, height), (width, height)))
        return min(xs), min(ys), max(xs), max(ys)

    def _rotated(self, points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
        cosine, sine = cos(self.angle), -sin(self.angle)
        return [x * cosine - y * sine for x, y in points], [x * sine + y * cosine for x, y in points]

    def render(self, pixels: Pixels, size: tuple[int, int]) -> Pixels:
        """Draw the page's bounds in the frame.

        Pixels outside the page repeat its edge, so that line detection finds no edge there.

        Args:
            pixels: the page, (height, width, 3) uint8.
            size: (width, height) of the result.
        """
        import cv2

        height, width = pixels.shape[:2]
        # A warp samples pixels and loses thin lines, so the page is first scaled down. The limit is twice the
        # size of the result, so the last step of the scaling can be a simple one.
        max_side = 2 * max(size)
        scale = min(1.0, max_side / max(height, width))
        if scale < 1:
            scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = np.asarray(cv2.resize(downscale_by_halves(pixels, max_side), scaled), np.uint8)

        left, top, right, bottom = self.bounds(width, height)
        cosine, sine = cos(self.angle), -sin(self.angle)
        x_scale, y_scale = size[0] / (right - left), size[1] / (bottom - top)
        matrix = np.array(
            [
                [x_scale * cosine / scale, -x_scale * sine / scale, -x_scale * left],
                [y_scale * sine / scale, y_scale * cosine / scale, -y_scale * top],
            ]
        )
        drawn = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(drawn, np.uint8)


def bounding_rect(boxes: Sequence[LayoutBox]) -> Rect:
    """Return the smallest rectangle around one or more boxes."""
    return (
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def union_rect(rects: Sequence[Rect]) -> Rect:
    """Return the smallest rectangle around one or more rectangles."""
    lefts, tops, rights, bottoms = zip(*rects, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def overlaps(rect: Rect, other: Rect) -> bool:
    """Return whether two rectangles have an area in common."""
    return min(rect[2], other[2]) > max(rect[0], other[0]) and min(rect[3], other[3]) > max(rect[1], other[1])


def rect_area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _quarter_turns(angle: float) -> int:
    return round(angle / QUARTER_TURN) % 4
