"""Words of lines: the division of a text into words, their boxes, and words that follow a change of text.

A word ends at white space. Chinese and Japanese have no spaces, so there each character is a word; Korean has
them. Wherever words are made, `line.text[word.start : word.start + len(word.text)] == word.text`.
"""

import math
import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from .languages import has_right_to_left
from .types import Box, Line, Word, level_box

_IDEOGRAPH = (
    r"\u2e80-\u2fff\u3001-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f\U00020000-\U0003ffff"
)
_MARK = r"\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
_WORD = re.compile(rf"[{_IDEOGRAPH}][{_MARK}]*|[^\s{_IDEOGRAPH}]+")
PIXEL_DIGITS, CONFIDENCE_DIGITS = 1, 2
"""Digits after the point of a box in pixels, and of a confidence: more would double the stored bytes."""

Number = TypeVar("Number", float, npt.NDArray[np.float64])
Span = tuple[int, int]
"""Start and end in a text, in code points."""
Share = tuple[float, float]
"""Start and end along a box, as shares of its length, from its left side."""
WHOLE: Share = (0.0, 1.0)


def word_spans(text: str) -> list[Span]:
    """Return the places of the words of a text."""
    return [match.span() for match in _WORD.finditer(text)]


def make_word(text: str, span: Span, box: Box | None, confidence: float | None) -> Word:
    """Return a word of a text, with its box and its confidence rounded."""
    start, end = span
    share = None if confidence is None else round(confidence, CONFIDENCE_DIGITS)
    return Word(text[start:end], None if box is None else _rounded(box), share, start)


def even_words(text: str, box: Box, confidence: float | None = None) -> tuple[Word, ...]:
    """Return the words of a text whose characters have one width, as far as its box shows."""
    size = max(1, len(text))
    shares = [_mirrored_if_from_right(text, (start / size, end / size)) for start, end in word_spans(text)]
    return tuple(
        make_word(text, span, part_of_box(box, share), confidence)
        for span, share in zip(word_spans(text), shares, strict=True)
    )


def part_of_box(box: Box, share: Share, across: Share = WHOLE) -> Box:
    """Return a part of a box; `share` runs along its text, `across` from its upper side to the lower one."""
    return BoxPlane(box).part(share, across)


class BoxPlane:
    """Places in a box, as shares of its sides: the perspective that makes a rectangle of the box.

    A line that is cut out of a page is warped in this way. The source is P. Heckbert, “Fundamentals of
    Texture Mapping and Image Warping” (1989), 2.2.3.
    """

    def __init__(self, box: Box) -> None:
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = box
        xx, xy, yx, yy = x1 - x2, x3 - x2, y1 - y2, y3 - y2
        sum_x, sum_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
        area = xx * yy - xy * yx
        g, h = ((sum_x * yy - xy * sum_y) / area, (xx * sum_y - sum_x * yx) / area) if area else (0.0, 0.0)
        self._along = x1 - x0 + g * x1, y1 - y0 + g * y1, g
        self._down = x3 - x0 + h * x3, y3 - y0 + h * y3, h
        self._origin = x0, y0

    def part(self, share: Share, across: Share = WHOLE) -> Box:
        """Return the part between two places along the text and two places across it."""
        (start, end), (top, bottom) = share, across
        return (
            self.points(start, top),
            self.points(end, top),
            self.points(end, bottom),
            self.points(start, bottom),
        )

    def points(self, along: Number, down: Number) -> tuple[Number, Number]:
        """Return the x and the y of one place, or of an array of them."""
        (x1, y1, g), (x2, y2, h), (x0, y0) = self._along, self._down, self._origin
        depth = g * along + h * down + 1
        return (x1 * along + x2 * down + x0) / depth, (y1 * along + y2 * down + y0) / depth


def move_line(line: Line, move: Callable[[Box], Box]) -> Line:
    """Return a line whose box, and those of its words, are moved by a function."""
    words = tuple(
        word if word.box is None else msgspec.structs.replace(word, box=_rounded(move(word.box)))
        for word in line.words
    )
    box = None if line.box is None else move(line.box)
    return msgspec.structs.replace(line, box=box, words=words)


def realigned(words: Sequence[Word], old: str, new: str, around: Box | None) -> tuple[Word, ...]:
    """Return the words of a changed text, at the places of the characters that they replace.

    Args:
        words: words of the text before.
        old: the text before.
        new: the text now.
        around: box of the line, for words of which no character was there before.
    """
    spans = word_spans(new)
    if not words or (old == new and spans == [(word.start, word.start + len(word.text)) for word in words]):
        return tuple(words)
    places = _places_before(old, new)
    found = []
    for start, end in spans:
        first, last = places[start][0], places[end - 1][1]
        parts = [_part_of_word(word, first, last) for word in words if _overlaps(word, first, last)]
        if not parts and around is not None:
            parts = [part_of_box(around, _mirrored_if_from_right(new, (start / len(new), end / len(new))))]
        confidences = [word.confidence for word in words if _overlaps(word, first, last)]
        known = [confidence for confidence in confidences if confidence is not None]
        box = _joined([part for part in parts if part])
        found.append(make_word(new, (start, end), box, min(known, default=None)))
    return tuple(found)


def _places_before(old: str, new: str) -> list[tuple[float, float]]:
    """Return for each character of a new text where it starts and ends in the old one."""
    places: list[tuple[float, float]] = []
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        step = (i2 - i1) / max(1, j2 - j1)
        places += [(i1 + n * step, i1 + (n + 1) * step) for n in range(j2 - j1)]
    return places


def _overlaps(word: Word, first: float, last: float) -> bool:
    return word.start < last and first < word.start + len(word.text)


def _part_of_word(word: Word, first: float, last: float) -> Box | None:
    """Return the box of a part of a word, from one place of its line's text to another."""
    if word.box is None:
        return None
    size = len(word.text)
    start, end = max(0.0, (first - word.start) / size), min(1.0, (last - word.start) / size)
    return part_of_box(word.box, _mirrored_if_from_right(word.text, (start, end)))


def _mirrored_if_from_right(text: str, share: Share) -> Share:
    return (1 - share[1], 1 - share[0]) if has_right_to_left(text) else share


def _joined(boxes: Sequence[Box]) -> Box | None:
    """Return the box around the parts of a word, which may be given in any order."""
    if len(boxes) < 2:
        return boxes[0] if boxes else None
    (x0, y0), (x1, y1), *_ = boxes[0]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    cosine, sine = (x1 - x0) / length, (y1 - y0) / length
    along = [x * cosine + y * sine for box in boxes for x, y in box]
    down = [y * cosine - x * sine for box in boxes for x, y in box]
    left, top, right, bottom = min(along), min(down), max(along), max(down)
    a, b, c, d = (
        (x * cosine - y * sine, x * sine + y * cosine) for x, y in level_box(left, top, right, bottom)
    )
    return a, b, c, d


def _rounded(box: Box) -> Box:
    a, b, c, d = ((round(x, PIXEL_DIGITS), round(y, PIXEL_DIGITS)) for x, y in box)
    return a, b, c, d
