"""Second look at a page on which the detector found little or nothing.

Each area of ink is cut out, and detected from a coarse scale to a fine one until its ink is read: a word that
stands alone on a large page, letters that fill the page, small print in a corner of a plan. Boxes are read in
all directions that their shape allows. That shows how the page is turned.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...documents.document import PageImage
from ...documents.pixels import Pixels
from ...inference import Floats
from . import first_lines
from .detector import Quads, print_heights
from .equalized_page import equalized
from .ink_areas import MIN_COVERED_SHARE, InkArea, InkMap
from .line_reading import NOTHING_READ, LineReading
from .orientation import is_clearly_better
from .tiles import detect_in_tiles

MAX_FEW_LINES = 5
"""Number of lines up to which a page has little text, and is looked at again. Few have so little."""
MAX_LETTERS, MAX_LETTER_RATIO = 20, 1.8
"""Number of boxes, and their length by height, up to which they are letters of a few words in large print."""
SURE_CONFIDENCE = 0.9
"""Confidence of a line from which its ink is not looked at again."""
MIN_SURE_ASPECT_RATIO = 2.0
"""Length by height of such a line: a shorter one can be a number upside down."""
MIN_CONFIDENCE = 0.8
"""Confidence of a line of the second look. The network reads rubbish in pictures with up to 0.7."""
MIN_LETTER_CONFIDENCE = 0.9
"""Confidence of a single letter: rings, bars and crosses of drawings look like letters."""
COARSE_SIDE, COARSE_HEIGHT = 320, 48
"""Longer and shorter side of an area at the first scale, in pixels of the detector's image. It doubles.

At this scale the detector finds a line that is the whole area, but not its single letters.
"""
MAX_DETECTED_PIXELS = 12_000_000
"""Pixels that the detector sees in the second look of a page, which bounds its time to a few seconds."""
MAX_FEW_WORDS = 12
"""Number of boxes up to which the page is detected with equalized contrast too, if it has other ink.

The detection takes 0.2 seconds. Signs, photographs and drawings have as few; letters and forms have more.
"""
MIN_UNREAD_SHARE = 0.3
"""Share of the page's ink in no box, from which it has other ink."""
MIN_EQUALIZED_CONFIDENCE, MIN_EQUALIZED_LETTER_CONFIDENCE = 0.9, 0.98
"""Confidence of a line, and of a single letter, with equalized contrast. Leaves and clouds have less."""
MIN_VOTING_LETTERS = 2
"""Letters of a line that shows the direction of the page: a 7 upside down is an L."""
MAX_SQUARE_RATIO = 1.5
"""Length by height up to which a box can have lines in either direction."""
RECOGNIZED_HEIGHT = 48
"""Height in pixels down to which lines are halved: the recognizer scales without smoothing."""


@dataclass(frozen=True)
class FoundLine:
    """A box on the page, and what it reads as by quarter turns of its text."""

    quad: Quads
    readings: dict[int, LineReading]

    def best(self) -> LineReading:
        """Return the reading with the most confidence."""
        return max(self.readings.values(), key=lambda reading: reading.confidence)


@dataclass
class SecondLook:
    """Second look at one page.

    detect: function that returns the boxes on an image for the detector.
    recognize: function that reads a box of an image.
    may_be_rotated: the direction of the lines is not known.
    """

    page: PageImage
    detect: Callable[[Pixels], Quads]
    recognize: Callable[[Pixels, Quads], LineReading]
    may_be_rotated: bool
    found: list[FoundLine] = field(default_factory=list)
    _sure: list[Quads] = field(default_factory=list)
    _pixels_left: int = MAX_DETECTED_PIXELS

    def look(self, image: Pixels, scale: float, sure: Sequence[Quads]) -> None:
        """Find the lines in the ink that no sure line covers.

        Args:
            image: the page, scaled.
            scale: its size as a multiple of the page's.
            sure: boxes of the lines that are known, in pixels of the page.
        """
        self._sure = list(sure)
        ink = InkMap(image)
        ink.cover([quad * np.float32(scale) for quad in sure])
        for area in ink.areas():
            total = ink.ink_in(area)
            for part_scale in self._scales(area, scale):
                lines = self._find(area, scale, part_scale)
                ink.cover([line.quad * np.float32(scale) for line in lines])
                self.found += lines
                if ink.ink_in(area) <= (1 - MIN_COVERED_SHARE) * total:
                    break

    def look_at_equalized(self, image: Pixels, scale: float, known: Sequence[Quads]) -> None:
        """Find the lines that equalized contrast shows, if much of the ink is in none.

        Args:
            image: the page, scaled.
            scale: its size as a multiple of the page's.
            known: boxes of the page, in its pixels.
        """
        ink = InkMap(image)
        total = ink.total()
        ink.cover([quad * np.float32(scale) for quad in known])
        if ink.total() < MIN_UNREAD_SHARE * total or not ink.areas():
            return
        pixels, part_scale = equalized(self.page.pixels)
        quads = detect_in_tiles(pixels, 1.0, self.detect)
        for quad in quads[np.argsort(-_lengths(quads))]:
            others = [*known, *(line.quad for line in self.found)]
            if not len(first_lines.exclude_already_read(quad[np.newaxis] / np.float32(part_scale), others)):
                continue
            turns = self._possible_turns(quad)
            readings = {
                turn: self.recognize(pixels, np.roll(quad, -turn, axis=0)).of_turned_box(turn)
                for turn in turns
            }
            line = FoundLine(quad / np.float32(part_scale), readings)
            is_alone = not others and _letters(line.best().text) == 1  # a color wheel is an X
            if not is_alone and _is_text(
                line.best(), MIN_EQUALIZED_CONFIDENCE, MIN_EQUALIZED_LETTER_CONFIDENCE
            ):
                self.found.append(line)

    def rotation(self, sure_count: int) -> int:
        """Return the quarter turns of the page's lines by their readings. Sure lines are upright."""
        voters = [line for line in self.found if _letters(line.best().text) >= MIN_VOTING_LETTERS]
        votes = [
            sum(line.readings.get(turns, NOTHING_READ).confidence for line in voters) for turns in range(4)
        ]
        best = int(np.argmax(votes))
        is_better = is_clearly_better(votes[best], votes[0] + sure_count, len(voters) + sure_count)
        return best if is_better else 0

    def _scales(self, area: InkArea, scale: float) -> Iterator[float]:
        """Yield the scales of an area from coarse to fine, while any pixels may be detected."""
        width, height = (area.right - area.left) / scale, (area.bottom - area.top) / scale
        longer = max(width, height, 1.0)
        part_scale = min(1.0, COARSE_SIDE / longer, COARSE_HEIGHT / max(min(width, height), 1.0))
        while (pixels := round(width * height * part_scale**2)) <= self._pixels_left:
            self._pixels_left -= pixels
            yield part_scale
            if part_scale == 1.0:
                return
            part_scale = min(1.0, 2 * part_scale)

    def _find(self, area: InkArea, scale: float, part_scale: float) -> list[FoundLine]:
        """Return the lines of an area that are found at a scale and read with confidence."""
        part, origin = self._cut_out(area, scale)
        quads = detect_in_tiles(part, part_scale, self.detect)
        known = [quad - origin for quad in (*self._sure, *(line.quad for line in self.found))]
        halves = _halves(part)
        lines = []
        for quad in first_lines.exclude_already_read(quads, known):
            readings = {turns: self._read(halves, quad, turns) for turns in self._possible_turns(quad)}
            line = FoundLine(quad + origin, readings)
            if _is_text(line.best()):
                lines.append(line)
        return lines

    def _cut_out(self, area: InkArea, scale: float) -> tuple[Pixels, Quads]:
        """Return the part of the page around an area, with a margin, and the place of its first pixel."""
        margin = area.shorter_side / 2 + 4
        left, top = (max(0, int((start - margin) / scale)) for start in (area.left, area.top))
        right, bottom = (int((end + margin) / scale) + 1 for end in (area.right, area.bottom))
        return self.page.pixels[top:bottom, left:right], np.array([left, top], np.float32)

    def _possible_turns(self, quad: Quads) -> Sequence[int]:
        if not self.may_be_rotated:
            return (0,)
        width, height = np.ptp(quad, axis=0)
        if width > MAX_SQUARE_RATIO * height:
            return (0, 2)
        return (1, 3) if height > MAX_SQUARE_RATIO * width else (0, 1, 2, 3)

    def _read(self, halves: Sequence[Pixels], quad: Quads, turns: int) -> LineReading:
        height = float(print_heights(quad[np.newaxis])[0])
        level = max(0, min(len(halves) - 1, int(np.log2(max(height, 1) / RECOGNIZED_HEIGHT))))
        turned = np.roll(quad, -turns, axis=0) / np.float32(2**level)
        return self.recognize(halves[level], turned).of_turned_box(turns)


def has_little_text(quads: Quads) -> bool:
    """Return whether a page has so few boxes, or boxes of single letters, that it is looked at again."""
    if len(quads) <= MAX_FEW_LINES:
        return True
    is_single_letters = (
        float(np.median(_lengths(quads) / np.maximum(print_heights(quads), 1))) < MAX_LETTER_RATIO
    )
    return is_single_letters and len(quads) <= MAX_LETTERS


def is_sure(quad: Quads, confidence: float, *, may_be_rotated: bool) -> bool:
    """Return whether a line is known for certain, and its direction with it."""
    length, height = (float(np.linalg.norm(quad[corner] - quad[0])) for corner in (1, 3))
    is_long = length > MIN_SURE_ASPECT_RATIO * height
    return confidence >= SURE_CONFIDENCE and (is_long or not may_be_rotated)


def has_few_words(quads: Quads) -> bool:
    """Return whether a page has so few boxes that it is detected with equalized contrast too."""
    return len(quads) <= MAX_FEW_WORDS


def _is_text(
    reading: LineReading,
    min_confidence: float = MIN_CONFIDENCE,
    min_letter_confidence: float = MIN_LETTER_CONFIDENCE,
) -> bool:
    letters = _letters(reading.text)
    return letters > 0 and reading.confidence >= (min_confidence if letters > 1 else min_letter_confidence)


def _lengths(quads: Quads) -> Floats:
    return np.asarray(np.ptp(quads, axis=1).max(axis=1), np.float32)


def _letters(text: str) -> int:
    """Return the number of letters and digits."""
    return sum(map(str.isalnum, text))


def _halves(pixels: Pixels) -> list[Pixels]:
    """Return an image, and its halves while they have the height of a line."""
    import cv2

    halves = [pixels]
    while min(halves[-1].shape[:2]) >= 2 * RECOGNIZED_HEIGHT:
        height, width = halves[-1].shape[:2]
        half = cv2.resize(halves[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        halves.append(np.asarray(half, np.uint8))
    return halves
