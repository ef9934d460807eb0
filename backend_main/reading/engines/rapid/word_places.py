"""Places of the words of a line: from the steps of the network, refined by the ink between them.

A step of the network is a sixth of the height of a line, and a letter may be found at any step of its width.
The white between two words shows where they end. Chinese and Japanese characters are words, but are close to
each other, and have white within: there the white nearest to the middle between two characters counts.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import numpy as np

from ...documents.pixels import Pixels
from ...languages import CJK
from ...types import Box, Word, level_box
from ...word_ink import Extent, Flags, LineInk
from ...words import Span, word_spans

MIN_FOREIGN_GAP = 0.5
"""White beside the first and the last character, in heights of the line, beyond which ink was not read."""
MAX_INTRUSION = 0.2
"""Ink at the upper or lower edge, in heights of the line, that is of another line if white follows it."""
STEP_WIDTH = 8
"""Pixels of the image of a line for each step of the network."""
MIN_PALE_WIDTH = STEP_WIDTH
"""Width of the white in which words in paler ink are searched; a narrower one has no letter."""


def words_of_line(
    text: str, positions: Sequence[float], confidences: Sequence[float], line: Pixels
) -> tuple[Word, ...]:
    """Return the words of a line with boxes in pixels of its image.

    Args:
        text: text of the line.
        positions: middle of each character, in pixels of the image.
        confidences: confidence of each character; that of a word is their mean, like that of the line.
        line: image of the line as the network gets it, without padding.
    """
    spans = word_spans(text)
    words = []
    for (start, end), box in zip(spans, _boxes(text, spans, positions, line), strict=True):
        confidence = sum(confidences[start:end]) / (end - start)
        words.append(Word(text[start:end], box, confidence, start))
    return tuple(words)


def _boxes(text: str, spans: Sequence[Span], positions: Sequence[float], line: Pixels) -> list[Box]:
    """Return the boxes of words. Words in paler ink than the rest are searched in the white between that."""
    if not spans:
        return []
    ink = LineInk(line)
    found = _edges(text, spans, positions, ink)
    edges = [_at_least_one_pixel(extent, ink.width) for extent in found]
    sides = zip(edges, _heights(ink, edges), strict=True)
    boxes = [level_box(left, top, right, bottom) for (left, right), (top, bottom) in sides]
    for first, stop in _pale_words(found):
        left = found[first - 1].end if first else 0
        right = found[stop].start if stop < len(found) else ink.width
        if MIN_PALE_WIDTH <= right - left < ink.width:
            moved = [position - left for position in positions]
            pale = _boxes(text, spans[first:stop], moved, line[:, left:right])
            boxes[first:stop] = [_moved(box, left) for box in pale]
    return boxes


def _pale_words(edges: Sequence[Extent]) -> Iterator[tuple[int, int]]:
    """Yield the first of words side by side that have no ink, and the one behind them."""
    for is_pale, group in groupby(range(len(edges)), lambda number: edges[number].end <= edges[number].start):
        if is_pale:
            numbers = list(group)
            yield numbers[0], numbers[-1] + 1


def _at_least_one_pixel(extent: Extent, width: int) -> Extent:
    start = min(extent.start, width - 1)
    return Extent(start, max(start + 1, extent.end))


def _moved(box: Box, distance: int) -> Box:
    (left, top), _, (right, bottom), _ = box
    return level_box(left + distance, top, right + distance, bottom)


def _edges(text: str, spans: Sequence[Span], positions: Sequence[float], ink: LineInk) -> list[Extent]:
    """Return the left and right edges of words, in pixels. A word without ink ends before it starts."""
    white, min_gap = ink.white(), MIN_FOREIGN_GAP * ink.height
    lefts = [white.left_of(positions[spans[0][0]] + STEP_WIDTH, min_gap)]
    rights = []
    for (_, end), (start, _) in pairwise(spans):
        last, first = positions[end - 1], positions[start]
        if end == start or (CJK.match(text[end - 1]) and CJK.match(text[start])):
            gap = white.nearest((last + first) / 2, STEP_WIDTH)
        else:
            gap = white.widest(last - STEP_WIDTH, max(first, last - STEP_WIDTH) + STEP_WIDTH)
        rights.append(gap.start)
        lefts.append(gap.end)
    rights.append(white.right_of(positions[spans[-1][1] - 1] - STEP_WIDTH, min_gap))
    return list(map(Extent, lefts, rights))


def _heights(ink: LineInk, edges: Sequence[Extent]) -> list[Extent]:
    """Return the upper and the lower edge of the ink of each word, in pixels."""
    rows, height = ink.rows(edges), ink.height
    limit = int(MAX_INTRUSION * height)
    tops, below = _first_ink(rows, limit), _first_ink(rows[::-1], limit)
    return [
        Extent(top, height - under) if height - under - top > 1 else Extent(0, height)
        for top, under in zip(tops, below, strict=True)
    ]


def _first_ink(rows: Flags, limit: int) -> list[int]:
    """Return the first row with ink of each word, without ink at the edge that ends before a limit.

    Args:
        rows: whether each row has ink of each word, (height, words).
        limit: number of rows.
    """
    first: list[int] = rows.argmax(axis=0).tolist()
    for word in np.flatnonzero(rows[0]).tolist():
        white = int(rows[:limit, word].argmin())
        if not rows[white, word]:
            first[word] = white + int(rows[white:, word].argmax())
    return first
