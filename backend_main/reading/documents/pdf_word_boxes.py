"""Boxes of the words of a text layer: from the places of their glyphs, and the height of their fonts.

A word runs from the origin of its first glyph to the advance of its last one, and from the descent of its
font to the ascent. Its corners start at the upper left of the text, however it is turned.
"""

import math
from collections.abc import Iterator, Sequence

from ..types import Box, Word
from ..words import PIXEL_DIGITS, Span, word_spans
from .pdf_characters import UNMAPPED
from .pdf_graphics import Mapping
from .pdf_lines import ASCENT, DESCENT, TextLine
from .pdf_words import Fragment


def shown_fragments(line: TextLine) -> list[Fragment]:
    """Return the fragments of a line without signs that have no mapping."""
    return [
        fragment
        for number, fragment in enumerate(line.fragments)
        if fragment.text.strip(UNMAPPED) or _is_in_word(line.fragments, number)
    ]


def _is_in_word(fragments: Sequence[Fragment], number: int) -> bool:
    """Return whether a fragment touches letters of a font of the same name."""
    name = fragments[number].glyph.font.name
    before = fragments[number - 1] if number and not fragments[number].starts_word else None
    after = next((one for one in fragments[number + 1 : number + 2] if not one.starts_word), None)
    return bool(name) and any(
        one is not None and one.glyph.font.name == name and any(map(str.isalpha, one.text))
        for one in (before, after)
    )


def words_of_fragments(
    text: str, fragments: Sequence[Fragment], angle: float, to_pixels: Mapping
) -> tuple[Word, ...]:
    """Return the words of a line of text.

    Args:
        text: text of the line.
        fragments: parts of the line in the order of its text, in points along the line.
        angle: rotation of the line, counter-clockwise, in radians.
        to_pixels: function from points of the page to pixels.
    """
    # The mapping is affine: calls for each corner of a thousand words would take as long as all else.
    cosine, sine = math.cos(angle), math.sin(angle)
    (x, y), (right_x, right_y), (up_x, up_y) = (
        to_pixels(*point) for point in ((0.0, 0.0), (cosine, sine), (-sine, cosine))
    )
    right_x, right_y, up_x, up_y = right_x - x, right_y - y, up_x - x, up_y - y
    is_level = right_y == up_x == 0

    def corner(along: float, across: float) -> tuple[float, float]:
        return (
            round(x + along * right_x + across * up_x, PIXEL_DIGITS),
            round(y + along * right_y + across * up_y, PIXEL_DIGITS),
        )

    def box(parts: Sequence[tuple[Fragment, Span]]) -> Box:
        starts, ends = zip(*(_place(fragment, part) for fragment, part in parts), strict=True)
        start, end = min(starts), max(ends)
        top = max([fragment.glyph.baseline + ASCENT * fragment.glyph.size for fragment, _ in parts])
        bottom = min([fragment.glyph.baseline - DESCENT * fragment.glyph.size for fragment, _ in parts])
        if is_level:
            (left, upper), (right, lower) = corner(start, top), corner(end, bottom)
            return (left, upper), (right, upper), (right, lower), (left, lower)
        return corner(start, top), corner(end, top), corner(end, bottom), corner(start, bottom)

    parts = _parts(text, fragments)
    return tuple(Word(text[start:end], box(own), None, start) for (start, end), own in parts)


def _parts(text: str, fragments: Sequence[Fragment]) -> Iterator[tuple[Span, list[tuple[Fragment, Span]]]]:
    """Yield the words of a text with the fragments that they lie in, and their places in those."""
    offsets, offset = [], 0
    for number, fragment in enumerate(fragments):
        offset += number > 0 and fragment.starts_word  # a space
        offsets.append(offset)
        offset += len(fragment.text)
    first = 0
    for start, end in word_spans(text):
        while offsets[first] + len(fragments[first].text) <= start:
            first += 1
        own = []
        number = first
        while number < len(fragments) and offsets[number] < end:
            fragment, offset = fragments[number], offsets[number]
            own.append((fragment, (max(start - offset, 0), min(end - offset, len(fragment.text)))))
            number += 1
        yield (start, end), own


def _place(fragment: Fragment, part: Span) -> tuple[float, float]:
    """Return where a part of a fragment starts and ends along its line."""
    start, end = part
    size = len(fragment.text)
    if end - start == size:
        return fragment.start, fragment.end
    if fragment.places:
        places = fragment.places[start:end]
        return min(start for start, _ in places), max(end for _, end in places)
    length = fragment.end - fragment.start
    return fragment.start + start / size * length, fragment.start + end / size * length
