"""A page at the sizes at which its lines are detected and recognized."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...documents.document import PageImage
from ...documents.pixels import Pixels
from .detector import DetectorImage, Quads, scale_to_sides
from .tiles import EXTREME_TILE_ASPECT_RATIO

IMAGE_SIDE = 2000
"""Longer side of the image that lines are cut out of, in pixels.

Words cut out of receipts of 2,700 px were worse: the recognizer scales lines to 48 px without smoothing.
"""
DETECTION_SIDE = 1280
"""Longer side of the image for detection, in pixels.

RapidOCR uses 2000 px, which takes three times as long and is not better. Word F1 of three receipts: 0.853 at
2000, 0.866 at 1536, 0.857 at 1280, 0.844 at 1024. Three PDF pages: 0.948 at 2000, 0.974 at 1280.
"""


@dataclass(frozen=True)
class ScaledPage:
    """A page scaled for recognition and for detection.

    image: image that lines are cut out of.
    scale: its size as a multiple of the page's.
    detector_image: the image for the detector.
    """

    image: Pixels
    scale: float
    detector_image: DetectorImage

    @classmethod
    def of(cls, page: PageImage, image_side: int, detection_side: int) -> Self:
        """Scale a page to the given longer sides."""
        image, scale = scale_to_sides(page.pixels, image_side)
        return cls(image, scale, DetectorImage(image, detection_side))

    @classmethod
    def top_of(cls, page: PageImage, scale: float) -> Self:
        """Scale the first tile of a tall page, whose pixels have the coordinates of the page."""
        top = page.pixels[: round(EXTREME_TILE_ASPECT_RATIO * page.width)]
        return cls(top, 1.0, DetectorImage(top, round(scale * max(top.shape[:2]))))

    @classmethod
    def for_tiles(cls, page: PageImage, scale: float) -> Self:
        """Scale a page of which the detector sees tiles at a scale."""
        image_scale = min(1.0, scale * IMAGE_SIDE / DETECTION_SIDE)
        image, image_scale = scale_to_sides(page.pixels, round(image_scale * max(page.width, page.height)))
        return cls(image, image_scale, DetectorImage(image, DETECTION_SIDE, min_side=0))

    def to_page_coordinates(self, detected: Quads) -> Quads:
        """Convert detected boxes to pixels of the page."""
        return self.detector_image.to_image_coordinates(detected) / np.float32(self.scale)
