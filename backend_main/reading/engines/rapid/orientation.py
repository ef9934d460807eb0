"""Step 10 - pages that lie on their side or on their head, found out and put right before they are read.

The detector finds lines whichever way they run. Which of the two ways round they are to be read, only the
recogniser knows: a few boxes are read both ways, and the way with the higher confidence is right.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from ...documents.document import PageImage
from ...types import Box, Line

Quads = npt.NDArray[np.float32]
Recognize = Callable[[Quads], float]
"""The corners of a box, (4, 2), beginning at the top left of its text → how surely that is text."""

MAX_BOXES_TRIED = 3
# A line read as surely as this is the right way round, and nothing else need be read.
ACCEPT_CONFIDENCE = 0.9
# The other way must be surer by this, or the page stays as it is.
MIN_CONFIDENCE_GAIN = 0.15
# Boxes longer than high by this tell which way lines run. Those tried are no longer than the second, since
# they are read only to be looked at.
LONG, SHORT_ENOUGH = 2.0, 14.0


def detect_rotation(quads: Quads, recognise: Recognize) -> int:
    """By how many quarter turns lines are turned clockwise, 0 to 3. `quads` begin at the image's top left."""
    sizes = np.stack([_lengths(quads, 0, 1), _lengths(quads, 0, 3)], axis=1)
    level, upright = sizes[:, 0] > LONG * sizes[:, 1], sizes[:, 1] > LONG * sizes[:, 0]
    if sizes[level, 0].sum() >= sizes[upright, 1].sum():
        return _most_confident_rotation(quads[level], sizes[level], recognise, 0, 2, sure=ACCEPT_CONFIDENCE)
    return _most_confident_rotation(quads[upright], sizes[upright][:, ::-1], recognise, 1, 3, sure=2.0)


def _most_confident_rotation(
    quads: Quads, sizes: npt.NDArray[np.float32], recognise: Recognize, usual: int, other: int, sure: float
) -> int:
    if not len(quads):
        return 0
    shape = sizes[:, 0] / np.maximum(sizes[:, 1], 1e-6)
    tried = np.argsort(-np.where(shape <= SHORT_ENOUGH, shape, -shape))[:MAX_BOXES_TRIED]
    confidences = [0.0, 0.0]
    for quad in quads[tried]:
        confidence = recognise(np.roll(quad, -usual, axis=0))
        if confidence >= sure:
            return usual
        confidences[0] += confidence
        confidences[1] += recognise(np.roll(quad, -other, axis=0))
    return other if confidences[1] > confidences[0] + MIN_CONFIDENCE_GAIN * len(tried) else usual


def _lengths(quads: Quads, start: int, end: int) -> npt.NDArray[np.float32]:
    return np.asarray(np.linalg.norm(quads[:, end] - quads[:, start], axis=1), np.float32)


def rotate_upright(page: PageImage, quarters: int) -> PageImage:
    """The page with its lines, which are turned by `quarters` clockwise, running from left to right."""
    pixels = np.ascontiguousarray(np.rot90(page.pixels, quarters))
    height, width = pixels.shape[:2]
    return PageImage(page.number, pixels, width, height, page.info, page.warnings)


def to_original_coordinates(lines: Iterator[Line], page: PageImage, quarters: int) -> Iterator[Line]:
    """Lines of the upright page, with their boxes where they are on `page`, beginning where the text does."""
    for line in lines:
        box = line.box and _turned_box(line.box, page.width, page.height, quarters)
        yield msgspec.structs.replace(line, box=box)


def _turned_box(box: Box, width: int, height: int, quarters: int) -> Box:
    first, second, third, fourth = (_turned_point(point, width, height, quarters) for point in box)
    return first, second, third, fourth


def _turned_point(point: Sequence[float], width: int, height: int, quarters: int) -> tuple[float, float]:
    x, y = point
    if quarters == 1:
        return width - y, x
    if quarters == 2:
        return width - x, height - y
    return (y, height - x) if quarters == 3 else (x, y)
