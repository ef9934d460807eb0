"""Glyphs that are drawn twice in the same place, for a bold look or a shadow."""

import math
from collections import Counter, deque
from collections.abc import Sequence
from itertools import groupby

from .pdf_glyph import Glyph

MAX_COPY_DISTANCE = 0.1
"""In font sizes: a glyph is drawn twice, for a bold look or a shadow, if its copy is as near."""
MIN_COPIED_LETTERS = 3
"""As many letters in a row are a copy; fewer only if all letters of their text object are."""
COPY_CELL = 8.0
"""In points: side of the cells in which copies are searched."""
MAX_CELL_GLYPHS = 100
"""The newest glyphs of a cell are compared; more of one letter are too small to read."""


def without_copies(glyphs: list[Glyph]) -> list[Glyph]:
    """Return the glyphs in content order, without copies that are drawn in the same place.

    A single letter of a text that happens to lie on the same letter of another is not a copy.
    """
    copies = _copies(glyphs)
    if not copies:
        return glyphs
    letters = Counter(glyph.text_object for glyph in glyphs if not glyph.is_space)
    copied = Counter(glyphs[place].text_object for place in copies)
    dropped: set[int] = set()
    for _, run in groupby(enumerate(sorted(copies)), key=lambda pair: pair[1] - pair[0]):
        places = [place for _, place in run]
        is_whole = all(
            copied[glyphs[place].text_object] == letters[glyphs[place].text_object] for place in places
        )
        if is_whole or len(places) >= MIN_COPIED_LETTERS:
            dropped.update(places)
    return [glyph for place, glyph in enumerate(glyphs) if place not in dropped]


def _copies(glyphs: Sequence[Glyph]) -> set[int]:
    """Return the places of glyphs that lie on an earlier one of the same letter.

    The earlier ones are in a grid, by letter; a glyph near the edge of its cell is compared with those of the
    next cell too.
    """
    copies: set[int] = set()
    drawn: dict[tuple[str, float, int, int], deque[Glyph]] = {}
    for place, glyph in enumerate(glyphs):
        if glyph.is_space:
            continue
        text, angle = glyph.text, glyph.angle
        along, across = glyph.start / COPY_CELL, glyph.baseline / COPY_CELL
        reach = MAX_COPY_DISTANCE * glyph.size / COPY_CELL
        columns = {math.floor(along - reach), math.floor(along + reach)}
        rows = {math.floor(across - reach), math.floor(across + reach)}
        if any(
            _is_copy(glyph, other)
            for column in columns
            for row in rows
            for other in drawn.get((text, angle, column, row), ())
        ):
            copies.add(place)
            continue
        cell = (text, angle, math.floor(along), math.floor(across))
        if cell not in drawn:
            drawn[cell] = deque(maxlen=MAX_CELL_GLYPHS)
        drawn[cell].append(glyph)
    return copies


def _is_copy(glyph: Glyph, other: Glyph) -> bool:
    limit = min(MAX_COPY_DISTANCE * glyph.size, COPY_CELL)
    return abs(glyph.start - other.start) < limit and abs(glyph.baseline - other.baseline) < limit
