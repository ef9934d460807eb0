"""Words of lines: the division of a text into words, their boxes, and words that follow a change of text.

A word ends at white space. Chinese and Japanese have no spaces, so there each character is a word; Korean has
them. Wherever words are made, `line.text[word.start : word.start + len(word.text)] == word.text`.
"""

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import msgspec

from .languages import has_right_to_left
from .types import Box, Line, Word

_IDEOGRAPH = (
    r"\u2e80-\u2fff\u3001-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f\U00020000-\U0003ffff"
)
_MARK = r"\u302a-\u302f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
_WORD = re.compile(rf"[{_IDEOGRAPH}][{_MARK}]*|[^\s{_IDEOGRAPH}]+")
PIXEL_DIGITS, CONFIDENCE_DIGITS = 1, 2
"""Digits after the point of a box in pixels, and of a confidence: more would double the stored bytes."""

Span = tuple[int, int]
"""Start and end in a text, in code points."""
Share = tuple[float, float]
"""Start and end along a box, as shares of its length, from its left side."""


def word_spans(text: str) -> list[Span]:
    """Return the places of the words of a text."""
    return [match.span() for match in _WORD.finditer(text)]


def make_word(text: str, span: Span, box: Box | None, confidence: float | None) -> Word:
    """Return a word of a text, with a box in pixels."""
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


def part_of_box(box: Box, share: Share, across: Share = (0.0, 1.0)) -> Box:
    """Return a part of a box; `share` runs along its text, `across` from its upper side to the lower one."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = box

    def point(along: float, down: float) -> tuple[float, float]:
        left, right = (1 - along) * (1 - down), along * (1 - down)
        right_below, left_below = along * down, (1 - along) * down
        return (
            x0 * left + x1 * right + x2 * right_below + x3 * left_below,
            y0 * left + y1 * right + y2 * right_below + y3 * left_below,
        )

    (start, end), (top, bottom) = share, across
    return point(start, top), point(end, top), point(end, bottom), point(start, bottom)


def move_line(line: Line, move: Callable[[Box], Box]) -> Line:
    """Return a line whose box, and those of its words, are moved by a function."""
    words = tuple(
        word if word.box is None else msgspec.structs.replace(word, box=_rounded(move(word.box)))
        for word in line.words
    )
    box = None if line.box is None else move(line.box)
    return msgspec.structs.replace(line, box=box, words=words)


def replace_text(line: Line, text: str, *, markdown: str, confidence: float | None) -> Line:
    """Return a line with another text, whose words are at the places of those before."""
    words = realigned(line.words, line.text, text, line.box)
    return msgspec.structs.replace(line, text=text, markdown=markdown, confidence=confidence, words=words)


def realigned(words: Sequence[Word], old: str, new: str, around: Box | None) -> tuple[Word, ...]:
    """Return the words of a changed text, at the places of the characters that they replace.

    Args:
        words: words of the text before.
        old: the text before.
        new: the text now.
        around: box of the line, for words of which no character was there before.
    """
    if not words or old == new:
        return tuple(words)
    places = _places_before(old, new)
    found = []
    for start, end in word_spans(new):
        first, last = places[start][0], places[end - 1][1]
        parts = [_part_of_word(word, first, last) for word in words if _overlaps(word, first, last)]
        if not parts and around is not None:
            parts = [part_of_box(around, _mirrored_if_from_right(new, (start / len(new), end / len(new))))]
        confidences = [word.confidence for word in words if _overlaps(word, first, last)]
        known = [confidence for confidence in confidences if confidence is not None]
        found.append(
            make_word(new, (start, end), _joined([part for part in parts if part]), min(known, default=None))
        )
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
    ordered = sorted(boxes, key=lambda box: box[0][0] * (x1 - x0) + box[0][1] * (y1 - y0))
    first, last = ordered[0], ordered[-1]
    return first[0], last[1], last[2], first[3]


def _rounded(box: Box) -> Box:
    a, b, c, d = ((round(x, PIXEL_DIGITS), round(y, PIXEL_DIGITS)) for x, y in box)
    return a, b, c, d
