"""Boxes of Tesseract's words, refined by the ink of the page.

Its recognition network places words by its steps: its boxes cut letters off, or have the height of the line.
On drawn pages, a third of its boxes of Arabic words overlap the ink by 0.7 (docs/decisions/0140-words.md).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..documents.pdf_graphics import Rect
from ..documents.pixels import Pixels
from ..word_ink import Extent, Flags, LineInk, White

REACH = 0.6
"""Distance in heights of a line within which the edge of a word is looked for."""
MIN_FOREIGN_GAP = 0.3
"""White beside the first and the last word of a line, in its heights, beyond which ink is of other lines."""


def refined_boxes(pixels: Pixels, boxes: Sequence[Rect]) -> list[Rect]:
    """Return the boxes of the words of a level line around their ink.

    Args:
        pixels: the page.
        boxes: left, top, right and bottom of each word.
    """
    height = float(np.median([bottom - top for _, top, _, bottom in boxes]))
    reach = REACH * height
    x0, y0 = (max(0, int(min(box[side] for box in boxes) - reach)) for side in (0, 1))
    x1, y1 = (int(max(box[side] for box in boxes) + reach) + 1 for side in (2, 3))
    line = pixels[y0:y1, x0:x1]
    if not line.size:
        return list(boxes)
    ink = LineInk(line)
    order = sorted(range(len(boxes)), key=lambda number: boxes[number][0] + boxes[number][2])
    words = [_shifted(boxes[number], -x0, -y0) for number in order]
    refined = [
        _shifted(_around_ink(ink, word, across, reach), x0, y0)
        for word, across in zip(words, _edges(ink, words, height), strict=True)
    ]
    return [box for _, box in sorted(zip(order, refined, strict=True))]


def _edges(ink: LineInk, words: Sequence[Rect], height: float) -> list[Extent]:
    """Return the left and right edges of words from left to right."""
    reach, min_gap = REACH * height, MIN_FOREIGN_GAP * height
    lefts = [_white_of(ink, words[0]).left_of(_center(words[0]), min_gap)]
    rights = []
    for word, following in pairwise(words):
        low = max(_center(word), word[2] - reach)
        high = min(_center(following), following[0] + reach)
        gap = _white_of(ink, word, following).widest(low, max(low + 1, high))
        rights.append(gap.start)
        lefts.append(gap.end)
    rights.append(_white_of(ink, words[-1]).right_of(_center(words[-1]), min_gap))
    return [Extent(left, right) for left, right in zip(lefts, rights, strict=True)]


def _white_of(ink: LineInk, *words: Rect) -> White:
    """Return the white of the rows of some words."""
    top, bottom = min(word[1] for word in words), max(word[3] for word in words)
    return ink.white(int(top), max(int(top) + 1, int(bottom)))


def _shifted(box: Rect, x: int, y: int) -> Rect:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def _center(word: Rect) -> float:
    return (word[0] + word[2]) / 2


def _around_ink(ink: LineInk, word: Rect, across: Extent, reach: float) -> Rect:
    """Return the box of the ink of a word between its edges; as it was if there is none."""
    left, top, right, bottom = word
    if across.end <= across.start:
        across = Extent(int(left), int(right))
    rows = ink.rows([across])[:, 0]
    if not rows[int(top) : int(bottom)].any():
        return word
    middle = int(top) + int(rows[int(top) : int(bottom)].argmax())
    upper = _edge(rows[::-1], len(rows) - 1 - middle, len(rows) - int(top), int(reach))
    lower = _edge(rows, middle, int(bottom), int(reach))
    return across.start, len(rows) - upper, across.end, lower


def _edge(rows: Flags, inside: int, edge: int, reach: int) -> int:
    """Return the end of the ink of a word: inside its edge, or beyond it while the ink goes on.

    Args:
        rows: whether each row has ink, up to the edge and beyond.
        inside: a row with ink.
        edge: the end of the box of the word.
        reach: rows beyond the edge that are looked at.
    """
    end = inside + 1 + int(np.flatnonzero(rows[inside:edge])[-1]) if edge > inside else inside + 1
    while end >= edge and end < min(len(rows), edge + reach) and rows[end]:
        end += 1
    return end
