"""Content stream with the words of a page, each at its place, in invisible text.

Viewers select and copy in the order of the content and add no space between two words that have one. Text
from right to left stands in the order in which it is seen, as programs print it: viewers turn it round.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..documents.pdf_bidi import logical_order
from ..languages import has_right_to_left
from ..types import Line, Word, level_box
from ..words import even_words
from .invisible_font import EM, GLYPH_WIDTH, TextCodes
from .page_geometry import Point, ToUserSpace
from .pdf_writer import pdf_number

FONT_NAME = b"ScanrillText"
INVISIBLE = 3
"""Text render mode: neither fill nor stroke (ISO 32000-1, 9.3.6)."""
MIN_SIDE_POINTS = 0.1
"""A smaller box has no direction that could be trusted; numbers in the content have two digits."""
ROW_SHARE = 0.8
"""Height of a line without a box, as a share of its row: viewers keep lines apart that do not touch."""
SPACE_SHARE = 0.2
"""Width of the space between two words that touch, as a share of their height.

Poppler joins words with less than 0.16 between them, and pdfium some that touch, although the text has a
space there: of 451 words of a form with underlined fields they found 308 and 406; now it is 447 and 439.
"""
MIN_WIDTH_SHARE = 0.5
"""Width that a word keeps beside this space."""
MIRRORED = dict(zip("()[]{}<>«»", ")(][}{><»«", strict=True))
"""Text from right to left shows brackets as their mirror image (Unicode Standard Annex 9, L4)."""


class _Place(NamedTuple):
    """Place of a word: start and end of its lower side in user space, its height, and the direction."""

    start: Point
    width: float
    height: float
    cosine: float
    sine: float

    def along(self, point: Point) -> float:
        """Return the distance of a point from the start, in the direction of the text."""
        return (point[0] - self.start[0]) * self.cosine + (point[1] - self.start[1]) * self.sine


class _PlacedWord(NamedTuple):
    """A word, its number in the line, and its place."""

    number: int
    word: Word
    place: _Place


def text_content(
    lines: Sequence[Line], width: int, height: int, to_user_space: ToUserSpace, codes: TextCodes
) -> bytes:
    """Return the content stream of lines.

    Args:
        lines: lines in the order of the page.
        width: width of the page image in pixels.
        height: height of the page image in pixels.
        to_user_space: transformation of places in the page image.
        codes: codes of the font, which get the characters of the lines.
    """
    boxed = _with_boxes(lines, width, height)
    parts = [part for line in boxed if (part := _line_content(line, to_user_space, codes))]
    return b"q BT %d Tr\n%bET Q\n" % (INVISIBLE, b"".join(parts)) if parts else b""


def _with_boxes(lines: Sequence[Line], width: int, height: int) -> Iterator[Line]:
    """Yield lines with text; those without boxes are spread over the page, one below the other."""
    for index, line in enumerate(lines):
        box = line.box
        if box is None:
            row = height / len(lines)
            box = level_box(0, index * row, width, (index + ROW_SHARE) * row)
        has_words = bool(line.words) and all(word.box is not None for word in line.words)
        words = line.words if has_words else even_words(line.text, box)
        yield Line(line.page, line.text, "", box, words=words)


def _line_content(line: Line, to_user_space: ToUserSpace, codes: TextCodes) -> bytes:
    words = list(_placed_words(line, to_user_space))
    if words and has_right_to_left(line.text):
        first = words[0].place
        words.sort(key=lambda placed: first.along(placed.place.start))
    parts = []
    for number, placed in enumerate(words):
        following = words[number + 1] if number + 1 < len(words) else None
        has_space = following is not None and _is_space_between(line.text, placed, following)
        place = _with_gap(placed.place, following.place) if following and has_space else placed.place
        parts.append(_show(place, codes.encode(visual_order(placed.word.text))))
        if following and has_space:
            parts.append(_show_space(place, following.place))
        parts.append(b"\n")
    return b"".join(parts)


def _placed_words(line: Line, to_user_space: ToUserSpace) -> Iterator[_PlacedWord]:
    turned = _runs_downwards(line)
    for index, word in enumerate(line.words):
        if word.box is None or not word.text:
            continue
        top_left, top_right, bottom_right, bottom_left = map(to_user_space, word.box)
        if turned:  # the upper side of the text is the right side of its characters
            top_left, bottom_right, bottom_left = top_right, bottom_left, top_left
        place = _place(top_left, bottom_right, bottom_left)
        if min(place.width, place.height) >= MIN_SIDE_POINTS:
            yield _PlacedWord(index, word, place)


def _place(top_left: Point, bottom_right: Point, bottom_left: Point) -> _Place:
    x, y = bottom_right[0] - bottom_left[0], bottom_right[1] - bottom_left[1]
    width = math.hypot(x, y) or MIN_SIDE_POINTS / 2
    cosine, sine = x / width, y / width
    up = (top_left[0] - bottom_left[0], top_left[1] - bottom_left[1])
    return _Place(bottom_left, width, abs(up[1] * cosine - up[0] * sine), cosine, sine)


def _runs_downwards(line: Line) -> bool:
    """Return whether upright characters stand below each other, as in vertical Japanese."""
    boxes = [word.box for word in line.words if word.box]
    if len(boxes) < 2:
        return False
    (left, top), (right, _), _, _ = boxes[0]
    x, y = boxes[-1][0][0] - left, boxes[-1][0][1] - top
    along, across = right - left, boxes[0][1][1] - top
    return abs(x * along + y * across) < abs(y * along - x * across)


def _is_space_between(text: str, left: _PlacedWord, right: _PlacedWord) -> bool:
    first, last = sorted((left, right), key=lambda placed: placed.number)
    if last.number - first.number > 1:  # neighbours only in the order in which they are seen
        return True
    return not text[first.word.start + len(first.word.text) : last.word.start].strip() and (
        first.word.start + len(first.word.text) < last.word.start
    )


def _with_gap(left: _Place, right: _Place) -> _Place:
    """Return the place of a word that ends before the next one by the width of a space."""
    end = left.along(right.start) - SPACE_SHARE * left.height
    return left._replace(width=min(left.width, max(end, MIN_WIDTH_SHARE * left.width)))


def _show(place: _Place, codes: bytes) -> bytes:
    natural = len(codes) / 2 * GLYPH_WIDTH / EM * place.height
    return b"/%b %b Tf %b Tz %b %b %b %b %b %b Tm <%b> Tj" % (
        FONT_NAME,
        pdf_number(place.height),
        pdf_number(100 * place.width / natural),
        pdf_number(place.cosine, 4),
        pdf_number(place.sine, 4),
        pdf_number(-place.sine, 4),
        pdf_number(place.cosine, 4),
        *map(pdf_number, place.start),
        codes.hex().upper().encode(),
    )


def _show_space(left: _Place, right: _Place) -> bytes:
    """Return a space from the end of a word to the start of the next one."""
    gap = max(left.along(right.start) - left.width, SPACE_SHARE * left.height)
    return b" %b Tz <0020> Tj" % pdf_number(100 * gap * EM / GLYPH_WIDTH / left.height)


def visual_order(word: str) -> str:
    """Return a word from right to left in the order in which it is seen; figures in it keep theirs."""
    if not has_right_to_left(word):
        return word
    seen = logical_order(list(word), str, from_right=True)  # the rules of both directions are one
    return "".join(MIRRORED.get(letter, letter) for letter in seen)
