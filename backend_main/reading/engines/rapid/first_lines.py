"""Step 10 - which lines can be read before the whole page is looked at, and which those were.

A strip at the top takes a part of the page's time to be looked at, and mostly holds its first line. Of its
boxes only those are safe that come first whatever is below: columns, or rows of a table. The strip may cut
lines, and its end is no end of a column, so what it shows but does not settle is left to the whole page.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ...layout import reading_order
from .detector import Quads, as_box, heights

# A receipt, which is much higher than wide, has more above its first safe line than a sheet of paper has.
STRIP_SHARE, TALL_STRIP_SHARE = 0.16, 0.25
TALL = 1.6
STRIP_STEP = 32
# Below this, in pixels as seen, the strip is so low that to look at all of the page takes hardly longer.
MIN_STRIP = 128
# A line read early that is less sure than this may be upside down, or half a line: the whole page decides.
ACCEPT_CONFIDENCE = 0.9
# A box is one that was read when so much of it was.
COVERED = 0.5
# The whole page's boxes are the better ones, as the detector sees more of it; these only bridge the time.
MAX_FIRST_LINES = 3
# Columns of a page that lies askew by up to this many radians still stand side by side.
MAX_SKEW = 0.08


def strip_height(height: int, width: int) -> int:
    """How much of a page seen in that size to look at first; 0 when nothing is to be gained."""
    share = TALL_STRIP_SHARE if height > TALL * width else STRIP_SHARE
    strip = round(height * share / STRIP_STEP) * STRIP_STEP
    return strip if strip >= MIN_STRIP else 0


def lines_safe_to_read(quads: Quads, bottom: float) -> list[int]:
    """Those at the start that come first in any order, of boxes in a strip that ends at `bottom`.

    Safe is what has nothing to its left and nothing above it, is not cut, and comes after nothing that has a
    neighbour.
    """
    safe: list[int] = []
    for index, rest in _with_rest(reading_order.reading_order([as_box(quad) for quad in quads])):
        here, others = quads[index], quads[rest]
        if _may_be_cut(here, bottom) or _stands_upright(here) or _any_left_or_above(here, others):
            return safe
        safe.append(index)
        if len(safe) == MAX_FIRST_LINES or _any_beside(here, others):
            return safe
    return safe


def exclude_already_read(quads: Quads, read: Sequence[Quads]) -> Quads:
    """Those that are not, for the most part, what was read already."""
    if not len(read):
        return quads
    return quads[[_share_covered(quad, read) < COVERED for quad in quads]]


def _with_rest(placed: Sequence[reading_order.OrderedBox]) -> Iterator[tuple[int, list[int]]]:
    indices = [place.index for place in placed]
    for number, index in enumerate(indices):
        yield index, indices[number + 1 :]


def _may_be_cut(quad: Quads, bottom: float) -> bool:
    height = float(heights(quad[np.newaxis])[0])
    return bool(quad[:, 1].max() > bottom - height)


def _stands_upright(quad: Quads) -> bool:
    """Such writing runs upwards or downwards, or the page lies on its side."""
    width, height = np.ptp(quad, axis=0)
    return bool(height > 1.5 * width)


def _any_left_or_above(here: Quads, others: Quads) -> bool:
    """Whether any lies wholly on that side."""
    return bool((others.max(axis=1, initial=-1) <= here.min(axis=0)).any())


def _any_beside(here: Quads, others: Quads) -> bool:
    """Whether any stands to the right in the same row, however much the page lies askew."""
    away = others[:, :, 0].min(axis=1, initial=np.inf) - here[:, 0].max()
    apart = np.abs(others[:, :, 1].mean(axis=1) - here[:, 1].mean())
    height = float(heights(here[np.newaxis])[0])
    reach = away + np.ptp(here[:, 0])
    return bool(((away >= 0) & (apart < height + MAX_SKEW * reach)).any())


def _share_covered(quad: Quads, read: Sequence[Quads]) -> float:
    import cv2

    core = _middle_half(quad)
    area = cv2.contourArea(core)
    shared = sum(cv2.intersectConvexConvex(core, other)[0] for other in read)
    return float(shared / area) if area else 1.0


def _middle_half(quad: Quads) -> Quads:
    """Its middle half from top to bottom: detected boxes reach into the lines above and below."""
    top_left, top_right, bottom_right, bottom_left = quad
    right, left = (bottom_right - top_right) / 4, (bottom_left - top_left) / 4
    return np.stack([top_left + left, top_right + right, bottom_right - right, bottom_left - left])
