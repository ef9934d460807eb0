"""Account of the ink of a page: how much of it lines cover, and the rows like text that none covers.

The account is taken on a reduced image, without a model. It finds print that no engine has seen: tiny,
turned, pale, or in a script that the detector does not know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from .documents.pixels import Pixels
from .documents.text_like_areas import MIN_HEIGHT, TextLikeRow, text_like_rows
from .types import Box, Line, level_box

MAX_PIXELS = 1_500_000
"""Pixels of the reduced image: letters of 6 points on a page of A4 have 5 pixels there."""
LINE_MARGIN = 0.35
"""Margin around a line in its height: marks, tails and borders of the letters lie beyond its box."""
CONTRAST = 24
"""Difference of ink and ground, of 255, on any paper."""
MIN_PALE_CONTRAST, NOISE_FACTOR = 6, 6.0
"""Least difference of pale ink and ground, and the same as a multiple of the noise of the paper."""
MIN_PALE_PIXELS = 100
"""Pixels at the edges of pale ink from which there may be a word."""
MIN_PALE_LETTERS = 6
"""Letters of a row in pale ink; shorter ones are in every photograph."""
JPEG_BLOCK = 8
"""Around strong ink as many pixels are not pale ink, but traces of the compression."""
MIN_PRINT_SHARE = 0.35
"""Height of letters by the height of the page's usual line, from which they are print, not specks."""
MIN_SMALL_LETTERS = 8
"""Letters of a row that are print although they are smaller."""
EDGE_SHARE = 0.015
"""Distance from the edge of the page, in its shorter side, up to which a row is cut off."""
MAX_READ_SHARE = 0.1
"""Share of the area of a row that lines may cover."""
MIN_INK_PIXELS = 16
"""Pixels of the edge of a shape on the reduced image; a speck of dust has fewer."""
MAX_SHARED_AREA = 0.5
"""Share of the smaller of two rows that both cover, from which they are one row found twice."""

Gray = npt.NDArray[np.uint8]
"""(height, width)."""


@dataclass(frozen=True)
class UnreadRow:
    """Row of ink like text that no line covers, in pixels of the page."""

    box: Box
    letters: int
    is_column: bool


class InkAccount:
    """Ink of a page. `rows` are those like text that no line covers, the ones with most letters first."""

    def __init__(self, pixels: Pixels, lines: Iterable[Line]) -> None:
        """Take the account of a page after its lines are read."""
        gray, self._scale = _reduced(pixels)
        pale_contrast = _pale_contrast(gray)
        boxes = [line.box for line in lines if line.text and line.box is not None]
        edges = _edges(gray)
        self._ink = edges >= pale_contrast
        self._is_read = self._covered(boxes)
        print_height = median(map(_height, boxes)) * self._scale if boxes else 0.0
        found = text_like_rows(gray, self._is_read, CONTRAST)
        is_strong = _dilated(edges >= CONTRAST) | self._is_read
        if int((self._ink & ~is_strong).sum()) >= MIN_PALE_PIXELS:
            pale = text_like_rows(gray, is_strong, pale_contrast)
            found += [row for row in pale if row.letters >= MIN_PALE_LETTERS]
        found = [row for row in found if _is_print(row, print_height) and not self._is_cut(row)]
        found = [row for row in found if not self._is_beside_lines(row)]
        rows = _without_repetitions(found)
        self.rows = [_to_page(row, self._scale) for row in rows]

    def has_ink(self) -> bool:
        """Return whether there is any ink, specks aside."""
        import cv2

        sizes = cv2.connectedComponentsWithStats(self._ink.view(np.uint8), connectivity=8)[2][1:, 4]
        return bool((sizes >= MIN_INK_PIXELS).any())

    def share(self, boxes: Iterable[Box]) -> float:
        """Return the share of the print that is in some boxes, which are not read."""
        is_unread = self._covered(boxes) & ~self._is_read
        unread, read = int((self._ink & is_unread).sum()), int((self._ink & self._is_read).sum())
        return unread / (unread + read) if unread else 0.0

    def _is_cut(self, row: TextLikeRow) -> bool:
        """Return whether a row touches the edge of the page, as the shadow of a scanner does."""
        height, width = self._ink.shape
        left, top, right, bottom = row.area
        return bool(min(left, top, width - right, height - bottom) <= EDGE_SHARE * min(height, width))

    def _is_beside_lines(self, row: TextLikeRow) -> bool:
        """Return whether much of a row is read: its shapes are frames around lines, or the rest of them."""
        left, top, right, bottom = row.area
        return float(self._is_read[top:bottom, left:right].mean()) > MAX_READ_SHARE

    def _covered(self, boxes: Iterable[Box]) -> npt.NDArray[np.bool_]:
        """Return the pixels that boxes with their margins cover."""
        import cv2

        mask = np.zeros(self._ink.shape, np.uint8)
        for box in boxes:
            corners = np.array(box, np.float32) * np.float32(self._scale)
            along, down = corners[1] - corners[0], corners[3] - corners[0]
            width, height = max(1.0, float(np.hypot(*along))), max(1.0, float(np.hypot(*down)))
            margin = np.float32(LINE_MARGIN * min(width, height))
            side, up = along / np.float32(width) * margin, down / np.float32(height) * margin
            corners += np.array([-side - up, side - up, side + up, up - side], np.float32)
            cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1)
        return mask.view(np.bool_)


def _reduced(pixels: Pixels) -> tuple[Gray, float]:
    """Return the page in gray with at most `MAX_PIXELS`, and its size as a multiple of the page's."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, (MAX_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    gray = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return np.asarray(gray, np.uint8), scale


def _pale_contrast(gray: Gray) -> int:
    """Return the difference of pale ink and ground, above the noise of the page."""
    differences = np.abs(np.diff(gray[::16].astype(np.int16), axis=1))
    noise = float(np.percentile(differences, 75)) if differences.size else 0.0
    return round(min(CONTRAST, max(MIN_PALE_CONTRAST, NOISE_FACTOR * noise)))


def _edges(gray: Gray) -> Gray:
    """Return the differences of neighboring pixels."""
    import cv2

    return np.asarray(cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)


def _dilated(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    import cv2

    side = np.ones((JPEG_BLOCK + 1, JPEG_BLOCK + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.view(np.uint8), side), np.bool_)


def _height(box: Box) -> float:
    corners = np.array(box)
    return float(min(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[3] - corners[0]))))


def _is_print(row: TextLikeRow, print_height: float) -> bool:
    left, top, right, bottom = row.area
    height = min(right - left, bottom - top)
    is_large = height >= max(MIN_HEIGHT, MIN_PRINT_SHARE * print_height)
    return row.is_clear and (is_large or row.letters >= MIN_SMALL_LETTERS)


def _without_repetitions(rows: Sequence[TextLikeRow]) -> list[TextLikeRow]:
    """Return the rows without those that are found as a column too, or at two scales."""
    kept: list[TextLikeRow] = []
    areas = np.empty((len(rows), 4), np.int64)
    for row in sorted(rows, key=lambda row: -row.letters):
        area = np.array(row.area, np.int64)
        if not (_shared(areas[: len(kept)], area) > MAX_SHARED_AREA).any():
            areas[len(kept)] = area
            kept.append(row)
    return kept


def _shared(areas: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the common area of each of some rectangles with another one, as a share of the smaller one."""
    common = np.minimum(areas[:, 2:], other[2:]) - np.maximum(areas[:, :2], other[:2])
    smaller = np.minimum(np.prod(areas[:, 2:] - areas[:, :2], axis=1), np.prod(other[2:] - other[:2]))
    return np.asarray(np.prod(np.maximum(common, 0), axis=1) / np.maximum(1, smaller), np.float64)


def _to_page(row: TextLikeRow, scale: float) -> UnreadRow:
    left, top, right, bottom = (edge / scale for edge in row.area)
    return UnreadRow(level_box(left, top, right, bottom), row.letters, row.is_column)
