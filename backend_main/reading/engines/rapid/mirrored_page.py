"""Pages whose print is mirrored: pictures of a camera that faces its user, scans of a film from behind.

The recognizer reads mirrored words as other letters, with little less confidence. Reading the same boxes on
the mirrored image shows which of the two is right.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from ...documents.document import PageImage
from ...documents.pixels import Pixels
from ...types import Box, Line
from ...words import move_line
from .detector import Quads
from .line_reading import LineReading
from .orientation import is_clearly_better

MAX_LINES_TRIED = 5
MAX_MEAN_CONFIDENCE = 0.97
"""Mean confidence of the lines from which they are not mirrored. Print that is read as it is has more."""
MIN_WORD_LETTERS = 3
"""Letters of a line that shows a sense: many single letters and pairs are words in both."""
MIN_MIRRORED_CONFIDENCE = 0.9
"""Mean confidence of the mirrored lines: dirt and textures have less in both senses."""

Recognize = Callable[[Pixels, Quads], LineReading]


def is_mirrored(page: PageImage, lines: Sequence[Line], recognize: Recognize) -> bool:
    """Return whether the first lines of a page are read with more confidence on its mirror image.

    Args:
        page: the page.
        lines: its lines, with and without text.
        recognize: function that reads a box of an image.
    """
    tried = [line for line in lines if line.box is not None and _letters(line.text) != 1][:MAX_LINES_TRIED]
    usual = sum(line.confidence or 0.0 for line in tried)
    if not tried or usual > MAX_MEAN_CONFIDENCE * len(tried):
        return False
    image = mirror(page).pixels
    boxes = [np.array(_mirrored_box(line.box, page.width), np.float32) for line in tried if line.box]
    readings = [
        max((recognize(image, np.roll(box, -turns, axis=0)) for turns in range(4)), key=_confidence)
        for box in boxes
    ]
    mirrored = sum(map(_confidence, readings))
    has_word = any(_letters(text) >= MIN_WORD_LETTERS for text, *_ in readings)
    is_text = has_word and mirrored >= MIN_MIRRORED_CONFIDENCE * len(tried)
    return is_text and is_clearly_better(mirrored, usual, len(tried))


def mirror(page: PageImage) -> PageImage:
    """Return the mirror image of a page, left for right."""
    pixels = np.ascontiguousarray(page.pixels[:, ::-1])
    return PageImage(page.number, pixels, page.width, page.height, page.info, page.warnings)


def to_unmirrored_coordinates(lines: Iterable[Line], page: PageImage) -> Iterator[Line]:
    """Yield the lines of a mirror image with their boxes on the page as it is."""
    for line in lines:
        yield move_line(line, lambda box: _mirrored_box(box, page.width))


def _mirrored_box(box: Box, width: int) -> Box:
    """Return the corners of a box on the mirror image, clockwise again."""
    first, second, third, fourth = ((width - x, y) for x, y in box)
    return second, first, fourth, third


def _confidence(reading: LineReading) -> float:
    return reading.confidence


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
