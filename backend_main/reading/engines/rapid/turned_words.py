"""Words turned by a quarter on an upright page, such as page numbers stamped along a margin.

The detector finds the letters of a turned word one by one where they have space between them, or finds the
word in pieces. Read one by one, a turned “3” is a blank or another letter. Boxes that touch in a column are
therefore joined, and read from top to bottom and from bottom to top. The joined box replaces them where it
is surer than they are.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from .detector import Quads
from .line_reading import LineReading

MIN_LETTERS = 4
"""Number of boxes of single letters that are a word: two or three are often short lines."""
MAX_LETTER_RATIO = 1.8
"""Width by height up to which a box can be a single letter, or two."""
MIN_TALL_RATIO = 1.5
"""Height by width from which a box is a piece of a turned word; RapidOCR turns such boxes to read them."""
MIN_LINE_RATIO = 3.0
"""Height by width from which a box alone is a turned word rather than a letter or a bar."""
MAX_PITCH_SHARE = 1.25
"""Distance of the centers of two letters, in the mean of their heights.

The boxes of the detector are larger than the print, so that those of close letters touch. Rows of a table
are mostly further apart.
"""
MAX_WIDTH_RATIO = 1.4
"""The widths of the letters of a word differ less."""
MAX_OFFSET_SHARE = 0.3
"""Offset of the centers of two letters across the word, in their mean width."""
MIN_CONFIDENCE = 0.9
"""Confidence of a turned word."""
SURE_CONFIDENCE = 0.95
"""Confidence of a box alone from which it is read in one direction only."""
MIN_CONFIDENCE_GAIN = 0.02
"""Gain in confidence over the mean of the boxes that a turned word needs to replace them.

Upright digits below each other are read with .99 or more, and “4” turned with as much.
"""


def join_turned_words(
    quads: Quads, recognize: Callable[[Quads], LineReading]
) -> tuple[Quads, dict[bytes, LineReading]]:
    """Return the boxes with one box for each turned word, and the readings known now, by their bytes.

    Args:
        quads: boxes of an upright page, whose corners start at the top left of the image.
        recognize: function that reads a box; it reads one that is higher than wide from top to bottom.
    """
    known: dict[bytes, LineReading] = {}
    joined, replaced = list[Quads](), set[int]()
    for chain in _chains(quads):
        pieces = [recognize(quads[index]) for index in chain]
        known |= {quads[index].tobytes(): piece for index, piece in zip(chain, pieces, strict=True)}
        around = np.stack([*quads[chain[0]][:2], *quads[chain[-1]][2:]])
        word = _best_reading(around, pieces, recognize)
        if _is_better(word, pieces):
            known[around.tobytes()] = word
            joined.append(around)
            replaced.update(chain)
    kept = [quad for index, quad in enumerate(quads) if index not in replaced]
    return (np.stack(kept + joined) if joined else quads), known


def _chains(quads: Quads) -> list[list[int]]:
    """Return the indices of boxes that touch in a column, from top to bottom."""
    sizes, centers = np.ptp(quads, axis=1), quads.mean(axis=1)
    shapes = sizes[:, 1] / np.maximum(sizes[:, 0], 1)
    candidates = np.flatnonzero(shapes >= 1 / MAX_LETTER_RATIO)
    chains: list[list[int]] = []
    ends = np.empty(len(candidates), np.intp)  # the last box of each chain
    for index in candidates[np.argsort(centers[candidates, 1])].tolist():
        last = ends[: len(chains)]
        before = np.flatnonzero(_are_continued(sizes[last], centers[last], sizes[index], centers[index]))
        place = int(before[0]) if len(before) else len(chains)
        if place == len(chains):
            chains.append([])
        chains[place].append(index)
        ends[place] = index
    return [chain for chain in chains if len(chain) >= MIN_LETTERS or shapes[chain].max() >= MIN_TALL_RATIO]


def _are_continued(sizes: Quads, centers: Quads, size: Quads, center: Quads) -> npt.NDArray[np.bool_]:
    """Return which of some boxes, (n, 2), another box continues downwards."""
    width, height = ((sizes + size) / 2).T
    offset, pitch = np.abs(center - centers).T
    is_as_wide = np.maximum(sizes[:, 0], size[0]) <= MAX_WIDTH_RATIO * np.minimum(sizes[:, 0], size[0])
    is_near = (offset <= MAX_OFFSET_SHARE * width) & (pitch <= MAX_PITCH_SHARE * height)
    return np.asarray(is_as_wide & is_near, np.bool_)


def _best_reading(
    around: Quads, pieces: Sequence[LineReading], recognize: Callable[[Quads], LineReading]
) -> LineReading:
    """Return the surest reading: from top to bottom, from bottom to top, or as an upright letter."""
    if len(pieces) > 1:
        readings = [_read_from(corner, around, recognize) for corner in (1, 3)]
    elif pieces[0].confidence >= SURE_CONFIDENCE:
        readings = [pieces[0]]
    else:
        width, height = np.ptp(around, axis=0)
        is_letter = height < MIN_LINE_RATIO * width
        # The letters of a widened box are at other places in it.
        other = (
            recognize(_widened(around))._replace(words=()) if is_letter else _read_from(3, around, recognize)
        )
        readings = [pieces[0], other]
    return max(readings, key=lambda reading: reading.confidence)


def _read_from(corner: int, around: Quads, recognize: Callable[[Quads], LineReading]) -> LineReading:
    """Return the reading of a box whose text has its upper left at a corner."""
    return recognize(np.roll(around, -corner, axis=0)).of_turned_box(corner)


def _widened(quad: Quads) -> Quads:
    """Return a box that is wide enough to be read upright, around one that is too high for that."""
    width, height = np.ptp(quad, axis=0)
    margin = np.array([(height / MIN_TALL_RATIO - width) / 2 + 1, 0], np.float32)
    return np.asarray(quad + margin * np.array([[-1], [1], [1], [-1]], np.float32), np.float32)


def _is_better(word: LineReading, pieces: Sequence[LineReading]) -> bool:
    """Return whether a turned word is read with confidence, and surer than its pieces by the gain."""
    usual = float(np.mean([piece.confidence for piece in pieces]))
    return (
        word.confidence >= MIN_CONFIDENCE
        and _letters(word.text) >= len(pieces)
        and word.confidence >= usual + MIN_CONFIDENCE_GAIN
    )


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
