"""Grade of a page or a document: how sure the engine was of its text.

The confidence is the mean over the letters, so a long line counts more than a page number. A word counts as
uncertain below `LOW_CONFIDENCE`. Text of a PDF's text layer has no confidence: it is in the number of words,
but in no mean.
"""

from collections.abc import Iterable

import msgspec

from .confidence import LOW_CONFIDENCE
from .types import Line

DIGITS = 4
"""Digits after the point of a confidence or share that is stored or shown."""


class Grade(msgspec.Struct, frozen=True):
    """Sums over the text of a page or a document."""

    letters: int
    """Letters and digits that have a confidence."""
    confidence: float
    """Mean confidence of these letters, from 0 to 1; 0 without any."""
    words: int
    """Words of the text, also those without a confidence."""
    uncertain_words: int
    """Words whose confidence is low."""

    @property
    def mean_confidence(self) -> float | None:
        """Mean confidence of the letters, rounded; None if none has a confidence."""
        return round(self.confidence, DIGITS) if self.letters else None

    @property
    def uncertain_share(self) -> float | None:
        """Share of the words that are uncertain, rounded; None if no letter has a confidence."""
        return round(self.uncertain_words / self.words, DIGITS) if self.letters and self.words else None


def grade_of(lines: Iterable[Line]) -> Grade:
    """Return the grade of a page. Lines that the text leaves out, such as page furniture, do not count."""
    letters = words = uncertain = 0
    total = 0.0
    for line in lines:
        if not line.markdown:
            continue
        for text, confidence in _words(line):
            words += 1
            if confidence is None:
                continue
            size = sum(map(str.isalnum, text))
            letters += size
            total += size * confidence
            uncertain += confidence < LOW_CONFIDENCE
    return Grade(letters, total / letters if letters else 0.0, words, uncertain)


def combine(grades: Iterable[Grade]) -> Grade:
    """Return the grade of a document from those of its pages."""
    known = list(grades)
    letters = sum(grade.letters for grade in known)
    total = sum(grade.letters * grade.confidence for grade in known)
    return Grade(
        letters,
        total / letters if letters else 0.0,
        sum(grade.words for grade in known),
        sum(grade.uncertain_words for grade in known),
    )


def _words(line: Line) -> list[tuple[str, float | None]]:
    """Return the words of a line with their confidences; that of the line where a word has none."""
    if not line.words:
        return [(word, line.confidence) for word in line.text.split()]
    return [
        (word.text, line.confidence if word.confidence is None else word.confidence) for word in line.words
    ]
