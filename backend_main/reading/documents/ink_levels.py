"""Ink and paper of a picture whose container does not say which is which: number formats and transparency."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
"""(height, width), of any integer or float type."""
Gray = npt.NDArray[np.uint8]
"""(height, width)."""

WHITE_LEVELS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0, 2.0**32 - 1)
"""White of fractions, and of numbers of 8, 10, 12, 14, 16 and 32 bits."""
MAX_OUTLIERS = 16
"""Lowest and highest numbers that do not count: a letter has more pixels, and a camera fewer dead ones."""
SAMPLES_PER_STRIP = 20_000
USUAL_PERCENTILES, MAX_RANGE_RATIO = (2, 98), 10_000
"""If the whole range is this many times the usual one, the numbers beyond do not mean gray."""
MIN_CONTRAST = 0.06
"""Share of the range from black to white. A picture with less is stretched to its own range."""
MIN_INK_CONTRAST = 64
"""Least difference of ink and ground in levels of gray, at which white is the ground."""
INK_PERCENTILE = 10
"""Nine tenths of the edge of the ink have at least the contrast that is compared."""
MIN_EDGE_SHARE, MIN_PAPER_SHARE = 0.02, 0.5
"""Opaque parts are paper if their edge is a smaller share of them, and they are a larger share of a page."""
WHITE, BLACK, MIDDLE_GRAY = 255, 0, 128
GROUNDS = (WHITE, BLACK, MIDDLE_GRAY)


@dataclass(frozen=True)
class Levels:
    """The numbers that mean black and white."""

    black: float
    white: float

    def to_gray(self, numbers: Numbers) -> Gray:
        """Convert numbers to levels of gray; those that are not finite become 0."""
        scaled = (numbers.astype(np.float64) - self.black) * (255.0 / (self.white - self.black))
        return np.asarray(np.nan_to_num(scaled, nan=0.0).clip(0, 255), np.uint8)


def find_levels(strips: Iterable[Numbers]) -> Levels:
    """Find the levels of a picture from the lowest and the highest of its finite numbers."""
    lowest = highest = np.empty(0)
    samples: list[Numbers] = []
    count = 0
    for strip in strips:
        finite = strip[np.isfinite(strip)].astype(np.float64)
        count += finite.size
        samples.append(finite[:: max(1, finite.size // SAMPLES_PER_STRIP)].copy())  # a view keeps the strip
        kept = min(MAX_OUTLIERS, finite.size - 1)
        if kept < 0:
            continue
        lowest = np.sort(np.append(lowest, np.partition(finite, kept)[: kept + 1]))[: MAX_OUTLIERS + 1]
        finite = np.partition(finite, finite.size - 1 - kept)[-kept - 1 :]
        highest = np.sort(np.append(highest, finite))[-MAX_OUTLIERS - 1 :]
    if not count:
        return Levels(0.0, 1.0)
    low, high = (lowest[-1], highest[0]) if count > MAX_OUTLIERS**2 else (lowest[0], highest[-1])
    usual_low, usual_high = np.percentile(np.concatenate(samples), USUAL_PERCENTILES)
    if high - low > MAX_RANGE_RATIO * (usual_high - usual_low) > 0:
        low, high = usual_low, usual_high
    return _levels(low, high)


def _levels(low: float, high: float) -> Levels:
    level = next((level for level in WHITE_LEVELS if high <= level), high)
    white = float(level if high > level / 2 else high)
    black = float(low) if low < 0 else 0.0
    if high > low and high - low < MIN_CONTRAST * (white - black):
        return Levels(float(low), float(high))
    return Levels(black, white) if white > black else Levels(black, black + 1.0)


class GroundChoice:
    """Choice of the ground behind the opaque parts of a picture: the one on which their edge is visible."""

    def __init__(self) -> None:
        self._edge_levels = np.zeros(256, np.int64)
        self._opaque_pixels = 0
        self._pixels = 0

    def add(self, gray: Gray, alpha: Gray, opaque_from: int) -> None:
        """Count the edge pixels of a strip by their level of gray."""
        is_opaque = alpha >= opaque_from
        is_inside = is_opaque.copy()
        is_inside[1:] &= is_opaque[:-1]
        is_inside[:-1] &= is_opaque[1:]
        is_inside[:, 1:] &= is_opaque[:, :-1]
        is_inside[:, :-1] &= is_opaque[:, 1:]
        self._edge_levels += np.bincount(gray[is_opaque & ~is_inside], minlength=256)
        self._opaque_pixels += int(is_opaque.sum())
        self._pixels += is_opaque.size

    def level(self) -> int:
        """Return the level of gray of the ground: white, unless the opaque parts are hard to see on it."""
        edge_pixels = int(self._edge_levels.sum())
        is_paper = (
            self._opaque_pixels > MIN_PAPER_SHARE * self._pixels
            and edge_pixels < MIN_EDGE_SHARE * self._opaque_pixels
        )
        if not edge_pixels or self._contrast(WHITE) >= MIN_INK_CONTRAST:
            return WHITE
        # Text can be holes in white paper, so its ground is not white either.
        return MIDDLE_GRAY if is_paper else max(GROUNDS, key=self._contrast)

    def _contrast(self, ground: int) -> float:
        differences = np.abs(np.arange(256) - ground)
        order = np.argsort(differences)
        counts = np.cumsum(self._edge_levels[order])
        place = int(np.searchsorted(counts, counts[-1] * INK_PERCENTILE / 100))
        return float(differences[order][place])
