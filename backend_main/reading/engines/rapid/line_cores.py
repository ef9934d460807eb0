"""Repair of the detector's probability map: lines that a weak bridge connects.

The network marks the core of each line, which is lower than the line, so that cores do not touch (Liao et al.
2020, arXiv:1911.08947). A signature, a ruling line or a close label can bridge two cores. The rectangle
around both then has a low mean probability, and the postprocessing drops both lines. Such a component keeps
only its likely pixels here, so that it falls apart into the cores.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...inference import Floats

MIN_PROBABILITY = 0.3
"""Probability from which a pixel belongs to a core; RapidOCR's value."""
MIN_MEAN_PROBABILITY = 0.5
"""Mean probability of the rectangle around a line; RapidOCR's value."""
CUT_PROBABILITIES = (0.6, 0.85)
"""Probabilities below which pixels of a component are removed, one after the other."""
MIN_CORE_HEIGHT = 3
"""Height in pixels below which RapidOCR drops a component."""

Mask = npt.NDArray[np.uint8]


def cut_bridges(probabilities: Floats) -> Floats:
    """Return a probability map without the weak pixels of components that would be dropped.

    Args:
        probabilities: (height, width).
    """
    repaired = probabilities.copy()
    _cut(repaired, (probabilities > MIN_PROBABILITY).astype(np.uint8), CUT_PROBABILITIES)
    return repaired


def _cut(probabilities: Floats, is_core: Mask, thresholds: Sequence[float]) -> None:
    import cv2

    if not thresholds:
        return
    dilated = cv2.dilate(is_core, np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(dilated, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        rect = cv2.minAreaRect(contour)
        is_low = min(rect[1]) < MIN_CORE_HEIGHT
        if (
            is_low
            or _mean(probabilities, np.asarray(cv2.boxPoints(rect), np.float32)) >= MIN_MEAN_PROBABILITY
        ):
            continue
        x, y, width, height = cv2.boundingRect(contour)
        part = probabilities[y : y + height, x : x + width]
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [contour], 0, 1, cv2.FILLED, offset=(-x, -y))
        part[(inside > 0) & (part < thresholds[0])] = 0
        _cut(part, inside * (part > 0).astype(np.uint8), thresholds[1:])


def _mean(probabilities: Floats, corners: Floats) -> float:
    """Return the mean probability inside a quadrilateral, (4, 2)."""
    import cv2

    last = np.array(probabilities.shape[::-1]) - 1
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0, last)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).clip(0, last)
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(probabilities[top : bottom + 1, left : right + 1], mask)[0])
