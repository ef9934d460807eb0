"""Step 10 - whether what an engine reads is writing that it knows; what is not must not pass for the text.

A model that lacks a script says nothing of it: it reads the letters as others that look like them, with less
confidence, or leaves them out and is sure of the full stops. So a line is doubted where its confidence is low
or where far less was read than is printed, which the shape of its box tells. Measured with PP-OCRv6 and
Tesseract: pages in Cyrillic, Greek, Hebrew, Arabic, Thai, Hindi and Korean are doubted to .8 and more of what
is printed on them; of 34 receipts, forms and pages of papers, worn ones too, the worst to .1.
"""

import math
from collections.abc import Iterable

from .types import Box, Line

LOW_CONFIDENCE = 0.85
LEAST_LETTERS_PER_HEIGHT = 0.6
"""Print has 1 (Chinese) to 3 letters in a length of a line's height; forms leave lines half empty."""
UNREADABLE_SHARE = 0.5
DOUBTFUL_SHARE = 0.3
ENOUGH_HEIGHTS = 60.0
"""Print of so many heights, three lines or so, is enough to judge by; a page may have less in all."""
LEAST_HEIGHTS = 12.0
"""Below this it is a stamp, a scribble or a stain."""


class Doubt:
    """Weighs the lines of a page; those doubted wait here until it is clear what they are."""

    def __init__(self) -> None:
        self._printed = self._doubted = 0.0
        self._waiting: list[Line] = []
        self._settled = False

    @property
    def share(self) -> float:
        """The share of what is printed that is doubted; 0 where there is too little to judge."""
        return self._doubted / self._printed if self._doubted >= LEAST_HEIGHTS else 0.0

    @property
    def partly(self) -> bool:
        """A good part of the page makes no sense, though not most of it."""
        return self._doubted >= ENOUGH_HEIGHTS and DOUBTFUL_SHARE <= self.share < UNREADABLE_SHARE

    @property
    def unreadable(self) -> bool:
        """Enough has been seen, and most of it is no writing that the engine knows."""
        enough = self._doubted >= ENOUGH_HEIGHTS
        return not self._settled and enough and self.share >= UNREADABLE_SHARE

    @property
    def undecided(self) -> bool:
        """At the end of a page: the little that is on it makes no sense."""
        return not self._settled and self.share >= UNREADABLE_SHARE

    def settle(self) -> list[Line]:
        """Whatever they are, they are shown: what waits, and from now on all."""
        self._settled = True
        return self._taken()

    def add(self, line: Line) -> list[Line]:
        """The lines that may be shown now."""
        weight = _heights(line.box)
        doubted = _is_doubted(line, weight)
        self._printed += weight
        self._doubted += weight * doubted
        if line.text:
            self._waiting.append(line)
        # A first line that makes sense is shown at once, and so is all of a page like it.
        if self._settled or self._doubted <= UNREADABLE_SHARE * self._printed:
            return self._taken()
        return []

    def _taken(self) -> list[Line]:
        taken, self._waiting = self._waiting, []
        return taken


def share_of(lines: Iterable[Line]) -> float:
    """The share of what is printed on a page that is doubted."""
    doubt = Doubt()
    for line in lines:
        doubt.add(line)
    return doubt.share


def _is_doubted(line: Line, weight: float) -> bool:
    if not line.text:
        return True
    if line.confidence is not None and line.confidence < LOW_CONFIDENCE:
        return True
    # A short box says little: a bullet, a page number, a figure of a table.
    return weight > 4 and len(line.text) < LEAST_LETTERS_PER_HEIGHT * weight


def _heights(box: Box | None) -> float:
    """A box's length in heights of its line, whichever way the line runs; 0 without a box."""
    if box is None:
        return 0.0
    across, down = math.dist(box[0], box[1]), math.dist(box[0], box[3])
    return max(across, down) / max(1.0, min(across, down))
