"""Ink of a line of words, and the white between them, which shows where a word starts and ends."""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .documents.pixels import Pixels

MAX_RULE_SHARE = 0.85
"""Ink of a row of pixels from which it is a rule or an underline, not letters."""

Ink = npt.NDArray[np.uint8]
"""Ink of a line, (height, width), 0 or 1."""


class Extent(NamedTuple):
    """Range of columns or rows of an image, the end excluded."""

    start: int
    end: int


def ink_of_line(line: Pixels) -> Ink:
    """Return the ink of the image of a line, without rules."""
    import cv2

    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
    _, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    if 2 * cv2.countNonZero(mask) > mask.size:  # light on dark
        mask = 1 - mask
    is_rule = cv2.reduce(mask, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0] > MAX_RULE_SHARE * mask.shape[1]
    if is_rule.any():
        mask[is_rule] = 0
    return np.asarray(mask, np.uint8)


def rows_with_ink(ink: Ink, columns: Extent) -> npt.NDArray[np.bool_]:
    """Return whether each row has ink in some columns."""
    return np.asarray(ink[:, columns.start : columns.end].any(axis=1), np.bool_)


class White:
    """White columns of the ink of a line."""

    def __init__(self, ink: Ink) -> None:
        import cv2

        self._ink = cv2.reduce(ink, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
        self._width: int = ink.shape[1]
        changes: list[int] = np.flatnonzero(np.diff(self._ink > 0, prepend=True, append=True)).tolist()
        self._starts, self._ends = changes[::2], changes[1::2]

    def left_of(self, place: float, min_gap: float) -> int:
        """Return where the ink around a place starts: after white that is wide, or at the edge."""
        for number in range(bisect_right(self._ends, place) - 1, -1, -1):
            start, end = self._starts[number], self._ends[number]
            if not start or end - start >= min_gap:
                return end
        return 0

    def right_of(self, place: float, min_gap: float) -> int:
        """Return where the ink around a place ends: before white that is wide, or at the edge."""
        for number in range(bisect_left(self._starts, place), len(self._starts)):
            start, end = self._starts[number], self._ends[number]
            if end == self._width or end - start >= min_gap:
                return start
        return self._width

    def widest(self, low: float, high: float) -> Extent:
        """Return the widest white between two places; if there is none, the column with the least ink."""
        near = range(bisect_right(self._ends, low), bisect_left(self._starts, high))
        if not near:
            return self._least_ink(low, high)
        best = max(near, key=lambda n: min(self._ends[n], high) - max(self._starts[n], low))
        return Extent(self._starts[best], self._ends[best])

    def nearest(self, place: float, reach: float) -> Extent:
        """Return the white nearest to a place; if none is in reach, the column with the least ink."""
        near = range(bisect_right(self._ends, place - reach), bisect_left(self._starts, place + reach))
        if not near:
            return self._least_ink(place - reach, place + reach)
        best = min(near, key=lambda n: max(self._starts[n] - place, place - self._ends[n]))
        return Extent(self._starts[best], self._ends[best])

    def _least_ink(self, low: float, high: float) -> Extent:
        start, end = (min(max(round(place), 0), self._width - 1) for place in (low, high))
        cut = start + int(self._ink[start : end + 1].argmin())
        return Extent(cut, cut)
