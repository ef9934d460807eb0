"""What the recognizer reads in a box: the text, its confidence, and its words."""

from typing import NamedTuple, Self

import numpy as np

from ...types import Word
from ...words import BoxPlane, even_words, make_word
from .detector import Quads, to_box


class LineReading(NamedTuple):
    """Reading of a box.

    words: words of the text, with boxes in pixels of the image of the line.
    width, height: size of that image.
    first_corner: number of the corner of the box that is at the upper left of the text, 0 to 3.
    """

    text: str
    confidence: float
    words: tuple[Word, ...] = ()
    width: int = 0
    height: int = 0
    first_corner: int = 0

    def of_turned_box(self, quarter_turns: int) -> Self:
        """Return the reading of a box, of which this is the reading from another corner."""
        return self._replace(first_corner=(self.first_corner + quarter_turns) % 4)

    def words_in(self, quad: Quads) -> tuple[Word, ...]:
        """Return the words with boxes on the page; where their places are not known, by their letters.

        Args:
            quad: the box that was read, on the page.
        """
        box = to_box(np.roll(quad, -self.first_corner, axis=0))
        if not self.words:
            return even_words(self.text, box, self.confidence)
        plane = BoxPlane(box)
        words = []
        for word in self.words:
            assert word.box is not None  # the recognizer gives each word one
            (left, top), _, (right, bottom), _ = word.box
            span = word.start, word.start + len(word.text)
            along, across = (left / self.width, right / self.width), (top / self.height, bottom / self.height)
            part = plane.part(along, across)
            words.append(make_word(self.text, span, part, word.confidence))
        return tuple(words)


NOTHING_READ = LineReading("", 0.0)
