"""Image of some lines of a page, one below the other, that an engine reads as a page."""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np

from .documents.document import PageImage
from .documents.pixels import Pixels
from .types import Box, Line

LINE_HEIGHT = 56
"""Height of a line on the sheet in pixels, its margin included. Tesseract reads letters of 30 px best."""
MARGIN_SHARE = 0.2
"""Margin around a line in heights of its box, for marks above and below the letters."""
GAP = 24
"""White between two lines, and around them, in pixels."""
MAX_LINE_WIDTH = 4000
MAX_SHEET_LINES = 200
"""Lines of one sheet, which has up to 200 MB then. Tesseract reads images of 32,767 rows, of 409 lines."""
PALE_CONTRAST = 100
"""Difference of ink and ground, of 255, below which a line is pale."""
WHITE = 255


class LineSheet:
    """Sheet of lines. Its lines are upright, dark on light, and of one height."""

    def __init__(self, page: PageImage, lengths: Sequence[int]) -> None:
        self.page = page
        self.lengths = lengths
        """Length of each line on the sheet in pixels, its margin included."""

    @classmethod
    def of(cls, page: PageImage, boxes: Sequence[Box], side_margin: float = MARGIN_SHARE) -> Self:
        """Cut the boxes out of a page. There must be at least one, and at most `MAX_SHEET_LINES`.

        Args:
            page: the page.
            boxes: boxes of the lines.
            side_margin: margin at the ends of a line, in its height.
        """
        crops = [_dark_on_light(_upright(page.pixels, box, side_margin)) for box in boxes]
        width = max(crop.shape[1] for crop in crops) + 2 * GAP
        height = len(crops) * (LINE_HEIGHT + GAP) + GAP
        pixels = np.full((height, width, 3), WHITE, np.uint8)
        for number, crop in enumerate(crops):
            top = GAP + number * (LINE_HEIGHT + GAP)
            pixels[top : top + LINE_HEIGHT, GAP : GAP + crop.shape[1]] = crop
        lengths = [crop.shape[1] for crop in crops]
        return cls(PageImage(page.number, pixels, width, height), lengths)

    def by_line(self, lines: Sequence[Line]) -> list[list[Line]]:
        """Return the pieces that an engine read, by the line of the sheet on which they lie."""
        result: list[list[Line]] = [[] for _ in self.lengths]
        for line in lines:
            if line.box is None:
                continue
            middle = sum(y for _, y in line.box) / 4
            number = int((middle - GAP / 2) // (LINE_HEIGHT + GAP))
            result[min(max(number, 0), len(self.lengths) - 1)].append(line)
        return result


def sheet_batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the numbers of lines in parts, each of which fits on a sheet."""
    for start in range(0, len(numbers), MAX_SHEET_LINES):
        yield numbers[start : start + MAX_SHEET_LINES]


def _upright(pixels: Pixels, box: Box, side_margin: float) -> Pixels:
    """Return a box with its margin, scaled to the height of the lines of a sheet."""
    import cv2

    corners = np.array(box, np.float32)
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    height, width = max(1.0, float(np.hypot(*down))), max(1.0, float(np.hypot(*along)))
    margin, end = MARGIN_SHARE * height, side_margin * height
    side, up = along * np.float32(end / width), down * np.float32(MARGIN_SHARE)
    corners += np.array([-side - up, side - up, side + up, up - side], np.float32)
    scale = LINE_HEIGHT / (height + 2 * margin)
    size = (min(MAX_LINE_WIDTH, max(1, round((width + 2 * end) * scale))), LINE_HEIGHT)
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    transform = cv2.getPerspectiveTransform(corners, target)
    crop = cv2.warpPerspective(
        pixels,
        transform,
        size,
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, np.uint8)


def _dark_on_light(crop: Pixels) -> Pixels:
    """Return a line in dark ink on light ground, with full contrast if it is pale."""
    low, ground, high = np.percentile(crop, (1, 50, 99))
    if high - ground > ground - low:
        crop, low, high = WHITE - crop, WHITE - high, WHITE - low
    if high - low < PALE_CONTRAST:
        crop = ((crop - low) * (WHITE / max(1.0, high - low))).clip(0, WHITE).astype(np.uint8)
    return crop
