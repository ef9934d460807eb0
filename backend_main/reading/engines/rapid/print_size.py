"""Size of the print of a page by its detected boxes, in pixels of the detector's image."""

import numpy as np

from .detector import Quads, heights, print_heights

SMALL_PRINT_HEIGHT = 15
"""Median height of detected lines, in pixels, below which a large page has small print; 17 to 30 is usual.

Such a page is detected a second time at a larger scale.
"""
LARGE_PRINT_HEIGHT, MAX_LARGE_LINES = 45, 40
"""Median height of few detected boxes, in pixels, from which a page has large print.

The detector finds single letters and digits of such print. It detects the page again at `PRINT_HEIGHT`.
"""
PRINT_HEIGHT = 26
"""Height in pixels to which print of unusual size is scaled for detection."""


def is_small_print(detected: Quads) -> bool:
    """Return whether detected boxes are lower than usual."""
    return bool(len(detected)) and float(np.median(heights(detected))) < SMALL_PRINT_HEIGHT


def is_large_print(detected: Quads) -> bool:
    """Return whether detected boxes are few and higher than usual."""
    is_few = 0 < len(detected) <= MAX_LARGE_LINES
    return is_few and float(np.median(print_heights(detected))) > LARGE_PRINT_HEIGHT


def print_scale_factor(detected: Quads) -> float:
    """Return the factor by which detection scales boxes of unusual height to the usual one, or else 1."""
    if not (is_small_print(detected) or is_large_print(detected)):
        return 1.0
    return PRINT_HEIGHT / max(1.0, float(np.median(print_heights(detected))))
