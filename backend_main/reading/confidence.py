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
MIN_LETTERS_PER_HEIGHT = 0.6
"""Print has 1 (Chinese) to 3 letters in a length of a line's height; forms leave lines half empty."""
UNREADABLE_SHARE = 0.5
PARTLY_UNREADABLE_SHARE = 0.3
MIN_HEIGHTS_TO_DECIDE = 60.0
"""Print of so many heights, three lines or so, is enough to judge by; a page may have less in all."""
MIN_HEIGHTS = 12.0
"""Below this it is a stamp, a scribble or a stain."""


class ReadabilityMonitor:
    """Weighs the lines of a page; those doubted wait here until it is clear what they are."""

    def __init__(self) -> None:
        self._heights_seen = self._low_confidence = 0.0
        self._held_lines: list[Line] = []
        self._is_accepted = False

    @property
    def low_confidence_share(self) -> float:
        """The share of what is printed that is doubted; 0 where there is too little to judge."""
        return self._low_confidence / self._heights_seen if self._low_confidence >= MIN_HEIGHTS else 0.0

    @property
    def is_partly_unreadable(self) -> bool:
        """A good part of the page makes no sense, though not most of it."""
        return (
            self._low_confidence >= MIN_HEIGHTS_TO_DECIDE
            and PARTLY_UNREADABLE_SHARE <= self.low_confidence_share < UNREADABLE_SHARE
        )

    @property
    def is_unreadable(self) -> bool:
        """Enough has been seen, and most of it is no writing that the engine knows."""
        enough = self._low_confidence >= MIN_HEIGHTS_TO_DECIDE
        return not self._is_accepted and enough and self.low_confidence_share >= UNREADABLE_SHARE

    @property
    def is_short_and_unreadable(self) -> bool:
        """At the end of a page: the little that is on it makes no sense."""
        return not self._is_accepted and self.low_confidence_share >= UNREADABLE_SHARE

    def accept_all(self) -> list[Line]:
        """Whatever they are, they are shown: what waits, and from now on all."""
        self._is_accepted = True
        return self._flush()

    def add(self, line: Line) -> list[Line]:
        """The lines that may be shown now."""
        weight = _heights(line.box)
        doubted = _has_low_confidence(line, weight)
        self._heights_seen += weight
        self._low_confidence += weight * doubted
        if line.text:
            self._held_lines.append(line)
        # A first line that makes sense is shown at once, and so is all of a page like it.
        if self._is_accepted or self._low_confidence <= UNREADABLE_SHARE * self._heights_seen:
            return self._flush()
        return []

    def _flush(self) -> list[Line]:
        taken, self._held_lines = self._held_lines, []
        return taken


def share_of(lines: Iterable[Line]) -> float:
    """The share of what is printed on a page that is doubted."""
    doubt = ReadabilityMonitor()
    for line in lines:
        doubt.add(line)
    return doubt.low_confidence_share


def _has_low_confidence(line: Line, weight: float) -> bool:
    if not line.text:
        return True
    if line.confidence is not None and line.confidence < LOW_CONFIDENCE:
        return True
    # A short box says little: a bullet, a page number, a figure of a table.
    return weight > 4 and len(line.text) < MIN_LETTERS_PER_HEIGHT * weight


def _heights(box: Box | None) -> float:
    """A box's length in heights of its line, whichever way the line runs; 0 without a box."""
    if box is None:
        return 0.0
    across, down = math.dist(box[0], box[1]), math.dist(box[0], box[3])
    return max(across, down) / max(1.0, min(across, down))
