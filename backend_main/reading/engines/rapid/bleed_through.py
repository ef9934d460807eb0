"""Bleed-through: print on the back of the paper, mirrored and pale, which would be read as text.

Pale boxes that read better in a mirror show it. The ink of the front is darker: pixels that are paler than
the middle between both, and not at the edge of a darker letter, become paper.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels
from .detector import Quads, heights
from .line_reading import LineReading

Darkness = npt.NDArray[np.uint8]
"""How much darker than its paper each pixel of a page is, (height, width)."""

INK_PERCENTILE = 95
"""Percentile of the pixels of a box that is the darkness of its ink. Letters cover a tenth of it or more."""
FRONT_PERCENTILE, MAX_PALE_SHARE = 75, 0.75
"""Percentile of the boxes that is the darkness of the front; a box is pale up to this share of it."""
MIN_PALE_BOXES, MAX_READ_BOXES = 3, 8
"""Pale boxes that show bleed-through, and how many of them are read, the longest first."""
MIN_MIRRORED_SHARE, MIN_MIRRORED_CONFIDENCE = 0.5, 0.9
"""Share of the boxes that are read which are sure in a mirror, and surer than without."""
MIN_MIRRORED_LETTERS = 4
"""Letters of a box that is read: “Y” and “MOM” are the same in a mirror."""
PAPER_SCALE, PAPER_AREA = 8, 9
"""Divisor of the size, and side in pixels of the areas there whose lightest pixel is their paper."""
EDGE_WIDTH = 0.08
"""Width of the pale edge of a letter, in heights of a box."""


def without_bleed_through(
    pixels: Pixels, quads: Quads, recognize: Callable[[Quads], LineReading]
) -> Pixels | None:
    """Return the page without the print on its back; None if none shines through.

    Args:
        pixels: the page, (height, width, 3).
        quads: boxes of its lines, (n, 4, 2) in pixels of the page.
        recognize: returns what is read in a box.
    """
    if len(quads) < MIN_PALE_BOXES:
        return None
    small_paper = _small_paper(pixels)
    inks = np.array([_ink(pixels, small_paper, quad) for quad in quads])
    front = float(np.percentile(inks, FRONT_PERCENTILE))
    is_pale = inks < MAX_PALE_SHARE * front
    if is_pale.sum() < MIN_PALE_BOXES or not _are_mirrored(quads[is_pale], recognize):
        return None
    threshold = (float(inks[is_pale].max()) + front) / 2
    edge = max(1, round(EDGE_WIDTH * float(np.median(heights(quads)))))
    paper = _resized(small_paper, *pixels.shape[:2])
    return _front(pixels, paper, _darkness(pixels, paper) > threshold, edge)


def _small_paper(pixels: Pixels) -> Pixels:
    """Return the paper of a page, reduced: its lightest pixels nearby, without the print."""
    import cv2

    height, width = pixels.shape[:2]
    size = max(1, width // PAPER_SCALE), max(1, height // PAPER_SCALE)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    lightest = cv2.dilate(small, np.ones((PAPER_AREA, PAPER_AREA), np.uint8))
    return np.asarray(cv2.blur(lightest, (PAPER_AREA, PAPER_AREA)), np.uint8)


def _resized(pixels: Pixels, height: int, width: int) -> Pixels:
    import cv2

    return np.asarray(cv2.resize(pixels, (width, height)), np.uint8)


def _darkness(pixels: Pixels, paper: Pixels) -> Darkness:
    import cv2

    return np.asarray(cv2.cvtColor(cv2.subtract(paper, pixels), cv2.COLOR_BGR2GRAY), np.uint8)


def _ink(pixels: Pixels, small_paper: Pixels, quad: Quads) -> float:
    """Return the darkness of the ink of a box. Only boxes are measured: most pages have no bleed-through."""
    left, top = np.maximum(quad.min(axis=0), 0).astype(int)
    right, bottom = quad.max(axis=0).astype(int) + 1
    inside = pixels[top:bottom, left:right]
    if not inside.size:
        return 0.0
    near = small_paper[
        top // PAPER_SCALE : -(-bottom // PAPER_SCALE), left // PAPER_SCALE : -(-right // PAPER_SCALE)
    ]
    if not near.size:
        return 0.0
    paper = _resized(near, *inside.shape[:2])
    return float(np.percentile(_darkness(inside, paper), INK_PERCENTILE))


def _are_mirrored(quads: Quads, recognize: Callable[[Quads], LineReading]) -> bool:
    lengths = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    longest: Sequence[Quads] = list(quads[np.argsort(-lengths)[:MAX_READ_BOXES]])
    mirrored = 0
    for quad in longest:
        text, in_mirror, *_ = recognize(np.ascontiguousarray(quad[[1, 0, 3, 2]]))
        is_sure = in_mirror >= MIN_MIRRORED_CONFIDENCE and in_mirror > recognize(quad).confidence
        mirrored += is_sure and sum(map(str.isalpha, text)) >= MIN_MIRRORED_LETTERS
    return mirrored >= max(MIN_PALE_BOXES, MIN_MIRRORED_SHARE * len(longest))


def _front(pixels: Pixels, paper: Pixels, is_ink: npt.NDArray[np.bool_], edge: int) -> Pixels:
    """Return the page with paper instead of all that is further from its ink than the edge of a letter."""
    import cv2

    side = 2 * edge + 1
    kept = cv2.dilate(is_ink.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.where(kept[:, :, np.newaxis] > 0, pixels, paper)
