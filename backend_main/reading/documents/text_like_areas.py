"""Areas of an image that look like text, found without a model.

Letters stand in rows: three or more shapes of like height, side by side. Lines, fills, bullets and smooth
pictures do not. A photograph may look like text by chance; an engine then finds nothing in the area. The test
takes 3 ms a page of 100 dpi.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .pdf_rendering import Gray

Flags = npt.NDArray[np.bool_]
"""(height, width)."""
Area = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""

MIN_CONTRAST = 24
"""Of 255: paler shapes are texture or noise."""
BLOCK = 25
"""Side, in pixels, of the neighborhood whose mean is the ground of a pixel."""
MIN_HEIGHT, MAX_HEIGHT = 4, 36
"""Heights of letters at one scale, in pixels; larger ones are found where the image is halved.

Halved to less than 18 pixels, the letters of a bold word touch, and are one shape.
"""
MIN_HALVED_HEIGHT = 10
"""Lower ones are found before the image is halved."""
MAX_FACTOR = 16
ACROSS = 6
"""A line is thinner, in pixels."""
MIN_LINE_CONTRAST = 6
MIN_LINE_LENGTH = 32
"""Straight runs of as many pixels are lines and borders."""
MAX_WIDTH = 12
"""Width of a shape in heights: letters of small print touch."""
MIN_FILL, MAX_FILL = 0.08, 0.92
"""Share of its box that a letter fills; `l` and `1` fill all of a narrow one."""
NARROW = 0.4
MAX_GAP = 1.2
"""In heights, between two letters."""
MAX_HEIGHT_RATIO = 2.5
MAX_CENTER_DISTANCE = 0.4
MIN_SHAPES = 3
MIN_REPETITIONS = 4
MAX_SOLID_SHARE = 0.6
"""Share of the shapes of a row that are solid; all bars of a barcode are."""
MIN_LENGTH = 2.0
"""Length of a row in heights."""
MAX_OTHER_SHAPES = 1.0
"""Other shapes near a row, by its letters: dots, commas and broken letters are fewer. Dirt has more."""
MAX_SHAPES = 20_000
MAX_ROWS = 1_000
"""Rows of an image, those with the most letters: a page of a newspaper has fewer, and noise has more."""


@dataclass(frozen=True)
class TextLikeRow:
    """Row of shapes that looks like text. A column is a row of text that is turned by a quarter."""

    area: Area
    letters: int
    """Number of its shapes."""
    is_column: bool
    is_clear: bool
    """Few other shapes are near: it is not a part of a texture, nor dirt."""


def text_like_areas(gray: Gray) -> list[Area]:
    """Return the boxes of rows that look like text, dark on light or light on dark."""
    return [row.area for row in text_like_rows(gray)]


def text_like_rows(
    gray: Gray, is_read: Flags | None = None, min_contrast: int = MIN_CONTRAST
) -> list[TextLikeRow]:
    """Return the rows that look like text, dark on light or light on dark, at most `MAX_ROWS`.

    Args:
        gray: the image.
        is_read: pixels whose ink does not count.
        min_contrast: difference of ink and ground, of 255.
    """
    import cv2

    found: list[TextLikeRow] = []
    left, top, right, bottom = _drawn_bounds(gray, min_contrast)
    part = gray[top:bottom, left:right]
    read = None if is_read is None else is_read[top:bottom, left:right].view(np.uint8)
    part = _without_lines(part) if part.size else part
    factor = 1
    while min(part.shape) >= MIN_HEIGHT and len(found) < MAX_ROWS:
        min_height = MIN_HEIGHT if factor == 1 else MIN_HALVED_HEIGHT
        for mask in _ink_masks(part, read, min_contrast):
            found += [_on_page(row, left, top, factor) for row in _rows_of_mask(mask, min_height)]
        factor *= 2
        if factor > MAX_FACTOR:
            break
        height, width = part.shape
        size = (max(1, width // 2), max(1, height // 2))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        if read is not None:
            read = np.asarray(cv2.resize(read, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return sorted(found, key=lambda row: -row.letters)[:MAX_ROWS]


def _on_page(row: TextLikeRow, left: int, top: int, factor: int) -> TextLikeRow:
    x0, y0, x1, y1 = row.area
    area = left + x0 * factor, top + y0 * factor, left + x1 * factor, top + y1 * factor
    return replace(row, area=area)


def _drawn_bounds(gray: Gray, min_contrast: int) -> Area:
    """Return the bounds of the pixels that differ from the corner of the image."""
    drawn = np.abs(gray.astype(np.int16) - gray[0, 0]) >= min_contrast
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    height, width = gray.shape
    return (
        max(0, int(columns[0]) - BLOCK),
        max(0, int(rows[0]) - BLOCK),
        min(width, int(columns[-1]) + BLOCK),
        min(height, int(rows[-1]) + BLOCK),
    )


def _without_lines(gray: Gray) -> Gray:
    """Return the image without its level and upright lines: rules, borders of cells, axes."""
    import cv2

    for operation in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN):  # dark lines, then light ones
        without_level = cv2.morphologyEx(gray, operation, np.ones((ACROSS, 1), np.uint8))
        without_upright = cv2.morphologyEx(gray, operation, np.ones((1, ACROSS), np.uint8))
        level = _long(cv2.absdiff(without_level, gray) >= MIN_LINE_CONTRAST, (1, MIN_LINE_LENGTH))
        upright = _long(cv2.absdiff(without_upright, gray) >= MIN_LINE_CONTRAST, (MIN_LINE_LENGTH, 1))
        gray = np.where(level, without_level, np.where(upright, without_upright, gray))
    return gray


def _long(mask: Flags, shape: tuple[int, int]) -> Flags:
    """Return the parts of a mask that contain a stretch of a shape."""
    import cv2

    return np.asarray(
        cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.bool_
    )


def _ink_masks(gray: Gray, read: Gray | None, min_contrast: int) -> Iterator[Gray]:
    """Yield the pixels that are darker than the ground, and those that are lighter, without read ones."""
    import cv2

    ground = cv2.blur(gray, (BLOCK, BLOCK))
    for difference in (cv2.subtract(ground, gray), cv2.subtract(gray, ground)):
        mask = np.asarray(difference >= min_contrast).view(np.uint8)
        if read is not None:
            mask[read > 0] = 0
        if mask.any():
            yield mask


def _rows_of_mask(mask: Gray, min_height: int) -> Iterator[TextLikeRow]:
    """Yield the rows and columns of the shapes of a mask that look like text."""
    import cv2

    # The fastest algorithm on one thread: 6 ms for 1.4 megapixels, 9 ms by default.
    found = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)
    shapes = np.asarray(found[2][1:], np.int32)
    letters = _letters(shapes, min_height)
    rows = [(row, False) for row in _rows(letters)] + [(row, True) for row in _rows(_turned(letters))]
    centers = _Centers(shapes)
    for row, is_column in rows:
        left, top, right, bottom = row.area()
        area = (top, left, bottom, right) if is_column else (left, top, right, bottom)
        others = centers.count_near(area) - len(row.letters)
        is_clear = others <= MAX_OTHER_SHAPES * len(row.letters)
        yield TextLikeRow(area, len(row.letters), is_column, is_clear)


class _Centers:
    """Centers of shapes of any size, sorted both ways: noise has 100,000, and thousands of rows."""

    def __init__(self, shapes: npt.NDArray[np.int32]) -> None:
        centers = shapes[:, :2] + shapes[:, 2:4] / 2
        self._sorted = [centers[np.argsort(centers[:, axis])] for axis in (0, 1)]

    def count_near(self, area: Area) -> int:
        """Return the number of centers in an area or near it."""
        left, top, right, bottom = area
        margin = min(right - left, bottom - top) / 2
        low, high = (left - margin, top - margin), (right + margin, bottom + margin)
        across = 0 if right - left < bottom - top else 1
        centers = self._sorted[across]
        start = np.searchsorted(centers[:, across], low[across], "left")
        end = np.searchsorted(centers[:, across], high[across], "right")
        along = centers[start:end, 1 - across]
        return int(((along >= low[1 - across]) & (along <= high[1 - across])).sum())


def _letters(stats: npt.NDArray[np.int32], min_height: int) -> npt.NDArray[np.int32]:
    """Return left, top, width, height, and solidity of the shapes that may be letters."""
    width, height, area = (stats[:, column].astype(np.float64) for column in (2, 3, 4))
    fill = area / (width * height)
    is_solid = fill > MAX_FILL
    is_letter = (height >= min_height) & (height <= MAX_HEIGHT) & (width <= MAX_WIDTH * height)
    is_letter &= (fill >= MIN_FILL) & (~is_solid | (width <= NARROW * height))
    letters = np.column_stack([stats[:, :4], is_solid])
    return np.asarray(letters[is_letter][:MAX_SHAPES], np.int32)


def _turned(letters: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the letters with columns for rows, for text that is turned."""
    return letters[:, [1, 0, 3, 2, 4]]


@dataclass(slots=True)
class _Letter:
    left: int
    top: int
    width: int
    height: int
    is_solid: bool

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def center(self) -> float:
        return self.top + self.height / 2


@dataclass(slots=True, eq=False)
class _Row:
    """Letters side by side, from left to right."""

    letters: list[_Letter]
    right: int

    def continues_with(self, letter: _Letter) -> bool:
        last = self.letters[-1]
        larger, smaller = max(letter.height, last.height), min(letter.height, last.height)
        return (
            larger <= MAX_HEIGHT_RATIO * smaller
            and abs(letter.center - last.center) <= MAX_CENTER_DISTANCE * larger
            and -larger / 2 <= letter.left - self.right <= MAX_GAP * larger
        )

    def add(self, letter: _Letter) -> None:
        self.letters.append(letter)
        self.right = max(self.right, letter.right)

    def area(self) -> Area:
        top = min(letter.top for letter in self.letters)
        bottom = max(letter.top + letter.height for letter in self.letters)
        return self.letters[0].left, top, self.right, bottom

    def looks_like_text(self) -> bool:
        if len(self.letters) < MIN_SHAPES:
            return False
        left, top, right, bottom = self.area()
        solid = sum(letter.is_solid for letter in self.letters)
        is_long = right - left >= MIN_LENGTH * (bottom - top)
        return is_long and solid <= MAX_SOLID_SHARE * len(self.letters) and not self._is_repetition()

    def _is_repetition(self) -> bool:
        """Return whether four shapes have one size, or more have two, as check boxes and markers have."""
        sizes: list[tuple[int, int]] = []
        for letter in self.letters:
            if not any(abs(letter.width - w) <= 1 and abs(letter.height - h) <= 1 for w, h in sizes):
                sizes.append((letter.width, letter.height))
        return len(self.letters) >= MIN_REPETITIONS and len(sizes) <= min(2, len(self.letters) - 3)


def _rows(letters: npt.NDArray[np.int32]) -> list[_Row]:
    """Join letters to the next one on their right, and return the rows that look like text."""
    rows: list[_Row] = []
    bands: dict[int, list[_Row]] = {}  # rows by the height of their last letter on the page
    for left, top, width, height, is_solid in sorted(letters.tolist()):
        letter = _Letter(left, top, width, height, bool(is_solid))
        band = int(letter.center) // MAX_HEIGHT
        before = []
        for near in (band - 1, band, band + 1):
            if near in bands:
                bands[near] = [row for row in bands[near] if row.right + MAX_GAP * MAX_HEIGHT >= left]
                before += [row for row in bands[near] if row.continues_with(letter)]
        if before:
            row = max(before, key=lambda row: row.right)
            row.add(letter)
        else:
            row = _Row([letter], letter.right)
            rows.append(row)
        if row not in bands.setdefault(band, []):
            bands[band].append(row)
    return [row for row in rows if row.looks_like_text()]
