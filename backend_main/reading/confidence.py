"""Detection of text that an engine cannot read, so that its output does not pass for the text of the page.

A model that lacks a script gives no sign of it: it reads the letters as similar ones with low confidence, or
drops them and is sure of the full stops. A line therefore counts as unreadable if its confidence is low, or
if it has far fewer letters than its box suggests. Measured with PP-OCRv6 and Tesseract, as the share of a
page that counts as unreadable: 0.8 and more on pages in Cyrillic, Greek, Hebrew, Arabic, Thai, Hindi and
Korean; at most 0.1 on 34 receipts, forms and pages of papers, worn ones among them.
"""

import math
from collections.abc import Iterable

from .types import Box, Line

LOW_CONFIDENCE = 0.85
MIN_LETTERS_PER_HEIGHT = 0.6
"""Print has 1 (Chinese) to 3 letters for each line height of length; forms leave lines half empty."""
UNREADABLE_SHARE = 0.5
PARTLY_UNREADABLE_SHARE = 0.3
MIN_HEIGHTS_TO_DECIDE = 60.0
"""Length of text, in line heights, that suffices to judge a page: about three lines."""
MIN_HEIGHTS = 12.0
"""Length of text, in line heights, below which it is a stamp, a scribble or a stain."""
SHAPE_LETTERS, MIN_SHAPE_CONFIDENCE = frozenset("01lIiOo|\u25cb\u25a1-_="), 0.975
"""Letters that frames, rings and bars of a drawing look like, and the confidence from which a line of them is
text, or a line of figures, or of one letter again and again. Drawings and textures were read as such lines
with 0.65 to 0.97, a wrong number with 0.966, and printed numbers with at least 0.979."""
MIN_REPEATED_LETTERS = 3
"""A line of one letter as often is a row of equal shapes at any confidence: heptagons are “888” with 0.98."""
SHORT_LINE_HEIGHTS = 4
"""Length of a line, in line heights, up to which it may be a bullet, a page number or a figure of a table."""


class ReadabilityMonitor:
    """Estimate of how much of a page its engine can read. It holds back lines until that is clear."""

    def __init__(self) -> None:
        self._total_heights = 0.0
        self._low_confidence_heights = 0.0
        self._held_lines: list[Line] = []
        self._uncertain_boxes: list[Box] = []
        self._has_certain_line = False
        self._accepts_all = False

    @property
    def low_confidence_share(self) -> float:
        """Unreadable share of the text, from 0 to 1; 0 if there is too little of it to judge."""
        if self._low_confidence_heights < MIN_HEIGHTS:
            return 0.0
        return self._low_confidence_heights / self._total_heights

    @property
    def uncertain_boxes(self) -> tuple[Box, ...]:
        """Boxes of the lines that are not certain."""
        return tuple(self._uncertain_boxes)

    @property
    def is_partly_unreadable(self) -> bool:
        """A considerable part of the page is unreadable, but less than half."""
        return (
            self._low_confidence_heights >= MIN_HEIGHTS_TO_DECIDE
            and PARTLY_UNREADABLE_SHARE <= self.low_confidence_share < UNREADABLE_SHARE
        )

    @property
    def is_short_and_uncertain(self) -> bool:
        """No line of a little text is certain: it can be the texture of a photograph, or a drawing."""
        is_short = self._low_confidence_heights < MIN_HEIGHTS
        return self._total_heights > 0.0 and is_short and not self._has_certain_line

    @property
    def is_unreadable(self) -> bool:
        """Enough text is known to judge, and most of it is unreadable."""
        return self.is_short_and_unreadable and self._low_confidence_heights >= MIN_HEIGHTS_TO_DECIDE

    @property
    def is_short_and_unreadable(self) -> bool:
        """Most of the text so far is unreadable; decisive at the end of a page with little text."""
        return not self._accepts_all and self.low_confidence_share >= UNREADABLE_SHARE

    def accept_all(self) -> list[Line]:
        """Return the held lines, and hold none from now on."""
        self._accepts_all = True
        return self._flush()

    def add(self, line: Line) -> list[Line]:
        """Count a line; return the lines that may be shown now."""
        heights = length_in_heights(line.box)
        self._total_heights += heights
        has_low_confidence = _has_low_confidence(line, heights)
        is_certain = not has_low_confidence and not _looks_like_shapes(line)
        self._has_certain_line |= is_certain
        if has_low_confidence:
            self._low_confidence_heights += heights
        if not is_certain and line.box is not None:
            self._uncertain_boxes.append(line.box)
        if line.text:
            self._held_lines.append(line)
        # A readable first line appears at once, and so do all lines of a readable page.
        if self._accepts_all or self._low_confidence_heights <= UNREADABLE_SHARE * self._total_heights:
            return self._flush()
        return []

    def _flush(self) -> list[Line]:
        lines = self._held_lines
        self._held_lines = []
        return lines


def is_readable(lines: Iterable[Line]) -> bool:
    """Return whether at least half of the lines of a page are readable, and a line of a short page."""
    monitor = _monitor_of(lines)
    return monitor.low_confidence_share <= UNREADABLE_SHARE and not monitor.is_short_and_uncertain


def low_confidence_share(lines: Iterable[Line]) -> float:
    """Return the unreadable share of the lines of a page, from 0 to 1."""
    return _monitor_of(lines).low_confidence_share


def _monitor_of(lines: Iterable[Line]) -> ReadabilityMonitor:
    monitor = ReadabilityMonitor()
    for line in lines:
        monitor.add(line)
    return monitor


def _has_low_confidence(line: Line, heights: float) -> bool:
    if not line.text:
        return True
    if line.confidence is not None and line.confidence < LOW_CONFIDENCE:
        return True
    return heights > SHORT_LINE_HEIGHTS and len(line.text) < MIN_LETTERS_PER_HEIGHT * heights


def _looks_like_shapes(line: Line) -> bool:
    """Return whether a line may be frames, rings or bars of a drawing, a texture, or another number."""
    letters = set(line.text) - {" "}
    is_uncertain = line.confidence is not None and line.confidence < MIN_SHAPE_CONFIDENCE
    if len(letters) == 1 and len(line.text) >= MIN_REPEATED_LETTERS:
        return True
    has_no_letter = not any(map(str.isalpha, letters))
    return is_uncertain and (len(letters) == 1 or letters <= SHAPE_LETTERS or has_no_letter)


def length_in_heights(box: Box | None) -> float:
    """Return the length of a line as a multiple of its height, in either direction; 0 without a box."""
    if box is None:
        return 0.0
    width, height = math.dist(box[0], box[1]), math.dist(box[0], box[3])
    return max(width, height) / max(1.0, min(width, height))
