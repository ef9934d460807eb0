"""Ink of a line of words, and the white between them, which shows where a word starts and ends."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .documents.pixels import Pixels

MAX_RULE_SHARE = 0.85
"""Ink of a row of pixels from which it is a rule or an underline, not letters."""

Flags = npt.NDArray[np.bool_]


class Extent(NamedTuple):
    """Range of columns or rows of an image, the end excluded."""

    start: int
    end: int


class LineInk:
    """Ink of the image of a line, without rules."""

    def __init__(self, line: Pixels) -> None:
        import cv2

        grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
        _, mask = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
        self.height, self.width = mask.shape
        sums = cv2.integral(mask)
        if 2 * int(sums[-1, -1]) > mask.size:  # light on dark
            mask = 1 - mask
            sums = cv2.integral(mask)
        is_rule = np.diff(sums[:, -1]) > MAX_RULE_SHARE * self.width
        if is_rule.any():
            mask[is_rule] = 0
            sums = cv2.integral(mask)
        self._sums = np.asarray(sums, np.int32)
        """Ink above and to the left of each pixel, (height + 1, width + 1)."""

    def white(self, top: int = 0, bottom: int | None = None) -> "White":
        """Return the white columns between two rows."""
        sums = self._sums[-1 if bottom is None else min(bottom, self.height)] - self._sums[top]
        return White(np.diff(sums))

    def rows(self, columns: Sequence[Extent]) -> Flags:
        """Return which rows have ink in some ranges of columns, (height, ranges)."""
        starts, ends = np.array(columns).T
        return np.asarray(np.diff(self._sums[:, ends] - self._sums[:, starts], axis=0) > 0, np.bool_)


class White:
    """White columns of the ink of a line."""

    def __init__(self, ink: npt.NDArray[np.int32]) -> None:
        """Args: `ink` of each column."""
        self._ink = ink
        self._width = len(ink)
        changes: list[int] = np.flatnonzero(np.diff(ink > 0, prepend=True, append=True)).tolist()
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
