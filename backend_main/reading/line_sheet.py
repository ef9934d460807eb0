"""Image of some lines of a page, one below the other, that an engine reads as a page."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from .documents.document import PageImage
from .documents.pixels import Pixels
from .types import Box, Line, Word
from .words import BoxPlane, make_word

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
MICRO_SIGN = "\u00b5"
"""Tesseract's Greek pack has it instead of the letter mu."""

Corners = npt.NDArray[np.float32]
"""(4, 2): corners of a line, as of a box."""


class SheetReading(NamedTuple):
    """A line of a sheet as an engine read it. The boxes of the words are on the page."""

    text: str
    confidence: float
    words: tuple[Word, ...]


class LineSheet:
    """Sheet of lines. Its lines are upright, dark on light, and of one height."""

    def __init__(self, page: PageImage, lengths: Sequence[int], places: Sequence[Box]) -> None:
        self.page = page
        self.lengths = lengths
        """Length of each line on the sheet in pixels, its margin included."""
        self._places = places
        """Place of each line on the page, its margin included."""

    @classmethod
    def of(cls, page: PageImage, boxes: Sequence[Box], side_margin: float = MARGIN_SHARE) -> Self:
        """Cut the boxes out of a page. There must be at least one, and at most `MAX_SHEET_LINES`.

        Args:
            page: the page.
            boxes: boxes of the lines.
            side_margin: margin at the ends of a line, in its height.
        """
        places = [_with_margin(box, side_margin) for box in boxes]
        crops = [_dark_on_light(_upright(page.pixels, place)) for place in places]
        width = max(crop.shape[1] for crop in crops) + 2 * GAP
        height = len(crops) * (LINE_HEIGHT + GAP) + GAP
        pixels = np.full((height, width, 3), WHITE, np.uint8)
        for number, crop in enumerate(crops):
            top = GAP + number * (LINE_HEIGHT + GAP)
            pixels[top : top + LINE_HEIGHT, GAP : GAP + crop.shape[1]] = crop
        lengths = [crop.shape[1] for crop in crops]
        return cls(PageImage(page.number, pixels, width, height), lengths, list(map(_to_box, places)))

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

    def joined(self, number: int, parts: Sequence[Line]) -> SheetReading:
        """Return the pieces that an engine read on a line of the sheet as one line."""
        text, confidence = " ".join(part.text for part in parts), 0.0
        words: list[Word] = []
        start = 0
        plane = BoxPlane(self._places[number])
        for part in parts:
            for word in part.words:
                span = start + word.start, start + word.start + len(word.text)
                words.append(make_word(text, span, self._on_page(number, word.box, plane), word.confidence))
            confidence += len(part.text) * (part.confidence or 0.0)
            start += len(part.text) + 1
        letters = max(1, sum(len(part.text) for part in parts))
        text = text.replace(MICRO_SIGN, "\u03bc")
        named = [
            msgspec.structs.replace(word, text=word.text.replace(MICRO_SIGN, "\u03bc")) for word in words
        ]
        return SheetReading(text, confidence / letters, tuple(named))

    def _on_page(self, number: int, box: Box | None, plane: BoxPlane) -> Box | None:
        """Return the place on the page of a box on a line of the sheet."""
        if box is None:
            return None
        top, length = GAP + number * (LINE_HEIGHT + GAP), self.lengths[number]
        xs, ys = zip(*box, strict=True)
        return plane.part(
            ((min(xs) - GAP) / length, (max(xs) - GAP) / length),
            ((min(ys) - top) / LINE_HEIGHT, (max(ys) - top) / LINE_HEIGHT),
        )


def sheet_batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the numbers of lines in parts, each of which fits on a sheet."""
    for start in range(0, len(numbers), MAX_SHEET_LINES):
        yield numbers[start : start + MAX_SHEET_LINES]


def _to_box(corners: Corners) -> Box:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return a, b, c, d


def _with_margin(box: Box, side_margin: float) -> Corners:
    """Return the corners of a box with its margin."""
    corners = np.array(box, np.float32)
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    height, width = max(1.0, float(np.hypot(*down))), max(1.0, float(np.hypot(*along)))
    side, up = along * np.float32(side_margin * height / width), down * np.float32(MARGIN_SHARE)
    return corners + np.array([-side - up, side - up, side + up, up - side], np.float32)


def _upright(pixels: Pixels, corners: Corners) -> Pixels:
    """Return the part between four corners, scaled to the height of the lines of a sheet."""
    import cv2

    height = max(1.0, float(np.hypot(*(corners[3] - corners[0]))))
    width = max(1.0, float(np.hypot(*(corners[1] - corners[0]))))
    scale = LINE_HEIGHT / height
    size = (min(MAX_LINE_WIDTH, max(1, round(width * scale))), LINE_HEIGHT)
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
