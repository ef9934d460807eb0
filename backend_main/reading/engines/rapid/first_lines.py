"""Selection of the lines that are safe to read before the whole page is detected.

Detection of a strip at the top takes a part of the time of the whole page, and mostly finds the first line.
A line is safe if it comes first whatever is below it: columns, or rows of a table. The strip can cut lines,
and its lower edge is not the end of a column; every other line therefore waits for the whole page.
"""

from collections.abc import Sequence

import numpy as np

from ...layout import reading_order
from .detector import Quads, heights, to_box

STRIP_SHARE = 0.16
"""Height of the strip as a share of the page."""
TALL_STRIP_SHARE = 0.25
"""Share on a tall page, such as a receipt, which has more above its first safe line than a sheet of paper."""
TALL_ASPECT_RATIO = 1.6
STRIP_STEP = 32
MIN_STRIP_HEIGHT = 128
"""Height in pixels below which detection of the whole page takes hardly longer than the strip."""
ACCEPT_CONFIDENCE = 0.9
"""Confidence of an early line below which the whole page decides: the line may be upside down, or half."""
MIN_LETTERS, MIN_LONG_ASPECT_RATIO = 2, 6.0
"""Letters of an early line, or its length by height. Short numbers upside down are numbers too."""
COVERED_SHARE = 0.5
"""Share of a box that early lines must cover so that it counts as read."""
MAX_FIRST_LINES = 3
"""Maximum number of early lines. Boxes of the whole page are better, as the detector sees their context."""
MAX_SKEW = 0.08
"""Skew in radians up to which columns count as side by side."""


def strip_height(height: int, width: int) -> int:
    """Return the height of the strip of a page to detect first; 0 if that gains nothing. In pixels."""
    share = TALL_STRIP_SHARE if height > TALL_ASPECT_RATIO * width else STRIP_SHARE
    strip = round(height * share / STRIP_STEP) * STRIP_STEP
    return strip if strip >= MIN_STRIP_HEIGHT else 0


def lines_safe_to_read(quads: Quads, bottom: float) -> list[int]:
    """Return the indices of the boxes that are first in any reading order, in that order.

    Such a box has nothing to its left and nothing above it, is not cut, and follows no box with a neighbor.

    Args:
        quads: boxes in the strip.
        bottom: lower edge of the strip.
    """
    order = [box.index for box in reading_order.reading_order([to_box(quad) for quad in quads])]
    safe: list[int] = []
    for position, index in enumerate(order, 1):
        quad, others = quads[index], quads[order[position:]]
        width, height = np.ptp(quad, axis=0)
        is_cut = quad[:, 1].max() > bottom - float(heights(quad[np.newaxis])[0])
        is_vertical = height > 1.5 * width  # the page may be rotated
        is_first = not (others.max(axis=1, initial=-1) <= quad.min(axis=0)).any()
        if is_cut or is_vertical or not is_first:
            return safe

        safe.append(index)
        if len(safe) == MAX_FIRST_LINES or _has_any_beside(quad, others):
            return safe
    return safe


def shows_direction(quad: Quads, text: str) -> bool:
    """Return whether a line that is read with confidence shows that the page is upright."""
    height = max(1e-6, float(heights(quad[np.newaxis])[0]))
    is_long = float(np.linalg.norm(quad[1] - quad[0])) > MIN_LONG_ASPECT_RATIO * height
    return bool(text) and (is_long or sum(map(str.isalpha, text)) >= MIN_LETTERS)


def exclude_already_read(quads: Quads, read: Sequence[Quads]) -> Quads:
    """Return the boxes that the boxes already read do not mostly cover."""
    if not len(read):
        return quads
    return quads[[_covered_share(quad, read) < COVERED_SHARE for quad in quads]]


def _has_any_beside(quad: Quads, others: Quads) -> bool:
    """Return whether any other box is to the right in the same row, allowing for skew."""
    distance = others[:, :, 0].min(axis=1, initial=np.inf) - quad[:, 0].max()
    offset = np.abs(others[:, :, 1].mean(axis=1) - quad[:, 1].mean())
    height = float(heights(quad[np.newaxis])[0])
    max_offset = height + MAX_SKEW * (distance + np.ptp(quad[:, 0]))
    return bool(((distance >= 0) & (offset < max_offset)).any())


def _covered_share(quad: Quads, read: Sequence[Quads]) -> float:
    import cv2

    # The middle half by height: detected boxes overlap the lines above and below.
    top_left, top_right, bottom_right, bottom_left = quad
    right, left = (bottom_right - top_right) / 4, (bottom_left - top_left) / 4
    middle = np.stack([top_left + left, top_right + right, bottom_right - right, bottom_left - left])
    area = cv2.contourArea(middle)
    shared = sum(cv2.intersectConvexConvex(middle, other)[0] for other in read)
    return float(shared / area) if area else 1.0
