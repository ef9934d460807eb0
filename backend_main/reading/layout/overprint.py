"""Lines in color that lie across others, such as the words of a stamp."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels
from ..types import Box
from .print_styles import PrintStyle, measure_print

MIN_COVERED_SHARE = 0.15
"""Share of a line that the others cover by the middle half of their height; lines of a text cover less."""
MIN_HEIGHT_RATIO, MIN_ANGLE = 1.4, 0.05
"""Height by the median of the lines that it crosses, or angle to the page's lines in radians."""
MAX_PAIRS = 100_000
"""Pairs of boxes whose common area is measured, those of the highest first; it takes 3 µs for each."""
MIN_CHROMA = 45.0
"""Chroma of its print; dark lines below a stamp have less."""

Corners = npt.NDArray[np.float32]


def overprinted_boxes(pixels: Pixels, boxes: Sequence[Box]) -> frozenset[int]:
    """Return the indices of the boxes in color that lie across others.

    Args:
        pixels: the page, (height, width, 3) uint8 BGR.
        boxes: boxes on the page.
    """
    across = boxes_across_others(boxes)
    return frozenset(index for index in across if _is_colored(measure_print(pixels, boxes[index])))


def _is_colored(style: PrintStyle | None) -> bool:
    return style is not None and style.chroma >= MIN_CHROMA and not style.is_light_on_dark


def boxes_across_others(boxes: Sequence[Box]) -> list[int]:
    """Return the indices of the boxes that lie across other boxes."""
    corners = np.array(boxes, np.float32)
    low, high = corners.min(axis=1), corners.max(axis=1)
    middles, lines = _middle_halves(corners), corners[:, 1] - corners[:, 0]
    heights, angles = (
        np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1),
        np.arctan2(lines[:, 1], lines[:, 0]),
    )
    found: list[int] = []
    pairs = 0
    for index in np.argsort(-heights, kind="stable").tolist():
        quad = corners[index]
        is_near = ((low < high[index]) & (high > low[index])).all(axis=1)
        is_near[index] = False
        near = np.flatnonzero(is_near)
        pairs += len(near)
        if pairs > MAX_PAIRS:
            break
        shared = {other: _shared_area(quad, middles[other]) for other in near.tolist()}
        if sum(shared.values()) < MIN_COVERED_SHARE * _area(quad) or not any(shared.values()):
            continue
        crossed = [other for other, area in shared.items() if area]
        is_larger = heights[index] >= MIN_HEIGHT_RATIO * np.median(heights[crossed])
        if is_larger or abs(angles[index] - np.median(angles)) >= MIN_ANGLE:
            found.append(index)
    return sorted(found)


def _middle_halves(corners: Corners) -> Corners:
    top_left, top_right, bottom_right, bottom_left = np.moveaxis(corners, 1, 0)
    left, right = (bottom_left - top_left) / 4, (bottom_right - top_right) / 4
    return np.stack([top_left + left, top_right + right, bottom_right - right, bottom_left - left], axis=1)


def _shared_area(quad: Corners, other: Corners) -> float:
    import cv2

    return float(cv2.intersectConvexConvex(quad, other)[0])


def _area(quad: Corners) -> float:
    import cv2

    return float(cv2.contourArea(quad))
