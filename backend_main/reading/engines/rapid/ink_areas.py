"""Areas of a page with ink that no line covers, where the detector may have missed words.

On a large page the detector misses a word that stands alone, and letters that are very large or very small.
The same word on a cut-out of the page is found (docs/decisions/0116).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels
from .detector import Quads

MIN_CONTRAST = 40
"""Difference of neighboring pixels from which there is ink; the noise of a scan and of JPEG is up to 20."""
MIN_INK_SIDE, MIN_INK_PIXELS = 8, 16
"""Longer side and number of pixels of a letter's contour; less is a speck. The image is 2,000 px long."""
MIN_FILL = 0.012
"""Contour pixels by area of the rectangle around them, below which they are a frame or a ruling line."""
MIN_LINE_SIDE = 6
"""Shorter side in pixels; less is a ruling line."""
LETTER_GAP_SHARE = 0.6
"""Distance of two areas of one word or line, in their shorter side."""
CLOSE_SHARE = 1 / 160
"""Distance of ink of one area, as a share of the longer side of the image."""
MAX_AREAS = 48
"""Maximum number of areas: the ink of a photograph falls into hundreds. The larger ones stay."""
MIN_COVERED_SHARE = 0.7
"""Share of its ink that lines must cover so that nothing of an area is missing."""

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class InkArea:
    """Rectangle around ink, in pixels of the image."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shorter_side(self) -> int:
        return min(self.right - self.left, self.bottom - self.top)

    def joined(self, other: "InkArea") -> "InkArea":
        """Return the area around both."""
        return InkArea(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def is_close_to(self, other: "InkArea") -> bool:
        """Return whether both can be letters of one line."""
        distance = LETTER_GAP_SHARE * min(self.shorter_side, other.shorter_side)
        return (
            max(self.left, other.left) - min(self.right, other.right) < distance
            and max(self.top, other.top) - min(self.bottom, other.bottom) < distance
        )


def has_ink(image: Pixels) -> bool:
    """Return whether there is enough ink for a letter on an image."""
    return int(_contours(image).sum()) >= MIN_INK_PIXELS


class InkMap:
    """Contours of the ink on an image."""

    def __init__(self, image: Pixels) -> None:
        self._ink = _contours(image)

    def cover(self, quads: Sequence[Quads]) -> None:
        """Remove the ink in boxes that are read, in pixels of the image."""
        import cv2

        for quad in quads:
            cv2.fillPoly(self._ink, [quad.round().astype(np.int32)], 0)

    def total(self) -> int:
        """Return the number of contour pixels of the page."""
        return int(self._ink.sum())

    def ink_in(self, area: InkArea) -> int:
        """Return the number of contour pixels in an area."""
        return int(self._ink[area.top : area.bottom, area.left : area.right].sum())

    def areas(self) -> list[InkArea]:
        """Return the areas with ink of the size of letters, the one with the most ink first."""
        import cv2

        side = max(3, round(max(self._ink.shape) * CLOSE_SHARE))
        close = cv2.dilate(self._ink, np.ones((side, side), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(close)
        # Weights would take eight bytes for each pixel.
        ink = np.bincount(labels[self._ink > 0], minlength=count)
        found = [(float(ink[index]), _shrunk(stats[index], side // 2)) for index in range(1, count)]
        letters = sorted((one for one in found if _is_text_like(*one)), key=lambda one: -one[0])
        return _merged([area for _, area in letters[: 4 * MAX_AREAS]])[:MAX_AREAS]


def _contours(image: Pixels) -> Mask:
    import cv2

    # The gradient of each channel: red on green of the same brightness is ink too.
    gradient = cv2.morphologyEx(image, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(gradient.max(axis=2) > MIN_CONTRAST, np.uint8)


def _shrunk(stats: npt.NDArray[np.int32], margin: int) -> InkArea:
    left, top, width, height = (int(value) for value in stats[:4])
    return InkArea(left + margin, top + margin, left + width - margin, top + height - margin)


def _is_text_like(ink: float, area: InkArea) -> bool:
    width, height = area.right - area.left, area.bottom - area.top
    return (
        ink >= MIN_INK_PIXELS
        and max(width, height) >= MIN_INK_SIDE
        and min(width, height) >= MIN_LINE_SIDE
        and ink >= MIN_FILL * width * height
    )


def _merged(areas: Sequence[InkArea]) -> list[InkArea]:
    """Join areas that can be letters of one line."""
    merged: list[InkArea] = []
    for area in areas:
        while close := next((other for other in merged if other.is_close_to(area)), None):
            merged.remove(close)
            area = area.joined(close)
        merged.append(area)
    return merged
