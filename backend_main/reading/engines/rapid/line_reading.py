"""What the recognizer reads in a box: the text, its confidence, and its words."""

from typing import NamedTuple, Self

import numpy as np

from ...types import Box, Word
from ...words import CONFIDENCE_DIGITS, PIXEL_DIGITS, BoxPlane, even_words
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
        # The recognizer gives each word a box.
        corners = np.array([word.box for word in self.words], np.float64)
        xs, ys = BoxPlane(box).points(corners[:, :, 0] / self.width, corners[:, :, 1] / self.height)
        places = np.stack([xs, ys], axis=2).round(PIXEL_DIGITS).tolist()
        return tuple(
            Word(word.text, _to_box(place), round(word.confidence or 0.0, CONFIDENCE_DIGITS), word.start)
            for word, place in zip(self.words, places, strict=True)
        )


def _to_box(place: list[list[float]]) -> Box:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = place
    return (x0, y0), (x1, y1), (x2, y2), (x3, y3)


NOTHING_READ = LineReading("", 0.0)
