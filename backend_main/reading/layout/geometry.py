"""Coordinates of a level, upright page: lines of text run horizontally from left to right."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import atan, atan2, cos, hypot, pi, sin
from statistics import median

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels, downscale_by_halves
from ..types import Box, level_box
from .displacement import POWERS_OF_ENDS, Displacement, Points
from .sequences import weighted_median

QUARTER_TURN = pi / 2
MIN_ASPECT_RATIO = 3.0
"""A box that is longer than high by this factor shows the direction of its line."""
MIN_TEXT_HEIGHT = 1e-6
"""Floor of heights that others are divided by."""

MIN_CURLED_BOXES, MIN_RISE, RISE_PERCENTILE = 12, 0.2, 75
"""Long boxes of a curled page, and the difference between their ends that a quarter of them exceeds.

In heights of their text, it is 0.03 to 0.12 on flat and on rotated pages. Rows mix from about 0.3.
"""
MAX_RESIDUAL_SHARE = 0.6
"""Share of this difference that may be left: other slopes are not those of a page."""
MIN_SINGULAR_VALUE = 0.03
"""Ends of boxes err by a tenth of their height, so that only few combinations of terms are known."""

REFINEMENTS, MAX_ROW_DISTANCE = 2, 0.7
"""Rounds, and the distance in text heights of boxes that are of one row."""

MAX_EDGE_SLOPE = 0.2
"""Tangent of the angle between the edge of a column and the direction across the lines."""

Corners = npt.NDArray[np.float64]
"""Corners of boxes, (n, 4, 2)."""
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
    """Coordinate system that is rotated with the lines of a page, and curled with them.

    `angle` is the rotation of the lines on the page in radians, clockwise, of any size.
    """

    angle: float
    curl: Displacement | None = None

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
        frame = cls(weighted_median(slopes) + turn)
        if frame._detected_curl(boxes) is None:
            return frame
        # Lines of a curled page slant, so that only the edges of its columns show its angle.
        frame = cls(frame.angle - atan(_edge_slope(frame._starts(boxes))))
        return cls(frame.angle, frame._detected_curl(boxes))

    def _detected_curl(self, boxes: Sequence[Box]) -> Displacement | None:
        corners = [np.column_stack(self._rotated(box)) for box in boxes if self._is_long(box)]
        return _detect_curl(np.array(corners, np.float64)) if corners else None

    def _starts(self, boxes: Sequence[Box]) -> Points:
        """Return the upper left corners of long boxes on the rotated page."""
        rotated = [self._rotated(box) for box in boxes if self._is_long(box)]
        return np.array([(xs[0], ys[0]) for xs, ys in rotated], np.float64)

    def _is_long(self, box: Box) -> bool:
        """Return whether a box shows the slope of its line, and runs in the direction of the frame."""
        xs, ys = self._rotated(box)
        return xs[1] - xs[0] > MIN_ASPECT_RATIO * max(abs(ys[3] - ys[0]), MIN_TEXT_HEIGHT)

    def layout_boxes(self, boxes: Sequence[Box]) -> list[LayoutBox]:
        """Map boxes in pixels of the page to the frame, in the given order."""
        layout_boxes = []
        for index, box in enumerate(boxes):
            xs, ys = self._rotated(box)
            if self.curl:
                ys = self.curl.to_flat(np.column_stack([xs, ys]))[:, 1].tolist()
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

    def page_box(self, rect: Rect) -> Box:
        """Return the upright rectangle around a rectangle of the frame, in pixels of the page."""
        left, top, right, bottom = rect
        back = PageFrame(-self.angle)
        xs, ys = back._rotated(((left, top), (right, top), (right, bottom), (left, bottom)))
        return level_box(min(xs), min(ys), max(xs), max(ys))

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
        drawn = np.asarray(
            cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )
        if self.curl:
            drawn = self.curl.scaled(x_scale, y_scale, left, top).flatten(drawn)
        return drawn


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


def _detect_curl(corners: Corners) -> Displacement | None:
    """Return the curl that the ends of long boxes show; None if they are level or have no common form.

    Args:
        corners: of the boxes on the rotated page, (n, 4, 2).
    """
    if len(corners) < MIN_CURLED_BOXES:
        return None
    text_height = float(np.median(corners[:, 3, 1] - corners[:, 0, 1]))
    starts, ends = corners[:, [0, 3]].mean(axis=1), corners[:, [1, 2]].mean(axis=1)
    left, top = corners.min(axis=(0, 1)).tolist()
    right, bottom = corners.max(axis=(0, 1)).tolist()
    widths, rises = (ends - starts).T
    if float(np.percentile(np.abs(rises), RISE_PERCENTILE)) < max(MIN_RISE * text_height, MIN_TEXT_HEIGHT):
        return None
    fit = partial(
        Displacement.fit,
        rect=(left, top, right, bottom),
        powers=POWERS_OF_ENDS,
        min_singular_value=MIN_SINGULAR_VALUE,
    )
    curl = fit(starts, ends)
    # Boxes nearly level with each other are of one row: they show the curl between columns.
    for _ in range(REFINEMENTS):
        row_starts, row_ends = _neighbors(curl.to_flat(starts), curl.to_flat(ends), text_height)
        curl = fit(np.concatenate([starts, ends[row_starts]]), np.concatenate([ends, starts[row_ends]]))
    rest = curl.to_flat(ends)[:, 1] - curl.to_flat(starts)[:, 1]
    against_common = rises - widths * float(widths @ rises / (widths @ widths))
    is_level = float(np.linalg.norm(rest)) < MAX_RESIDUAL_SHARE * float(np.linalg.norm(against_common))
    return curl if is_level and curl.is_possible() else None


def _edge_slope(starts: Points) -> float:
    """Return the median slope, in x by y, between the start of each line and the next start below it."""
    slopes = []
    for x, y in starts:
        below = starts[(starts[:, 1] > y) & (np.abs(starts[:, 0] - x) < MAX_EDGE_SLOPE * (starts[:, 1] - y))]
        if len(below):
            next_x, next_y = below[np.argmin(below[:, 1])]
            slopes.append(float((next_x - x) / (next_y - y)))
    return median(slopes) if slopes else 0.0


def _neighbors(starts: Points, ends: Points, text_height: float) -> tuple[list[int], list[int]]:
    """Return the indices of boxes, and those of the next box right of each that is nearly level with it."""
    lefts, rights = list[int](), list[int]()
    for number, (x, y) in enumerate(ends):
        is_right = (starts[:, 0] > x) & (np.abs(starts[:, 1] - y) < MAX_ROW_DISTANCE * text_height)
        if is_right.any():
            lefts.append(number)
            rights.append(int(np.argmin(np.where(is_right, starts[:, 0], np.inf))))
    return lefts, rights


def _quarter_turns(angle: float) -> int:
    return round(angle / QUARTER_TURN) % 4
