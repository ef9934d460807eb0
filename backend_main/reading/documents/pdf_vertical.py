"""Vertical Chinese and Japanese: glyphs below each other, in columns from right to left.

A column is read as a line that runs downwards, as rotated text does. So the glyphs get the angle of three
quarter turns, and the positions along it. Latin words in a column are drawn with this angle already.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from ..languages import CJK
from .pdf_characters import Glyph
from .pdf_text_objects import FIRST_IDEOGRAPH

DOWNWARDS = 3 * math.pi / 2
# In font sizes.
MAX_ASIDE = 0.15
"""Difference of the centers of two glyphs of a column; a punctuation mark may be narrower."""
MIN_STEP, MAX_STEP = 0.45, 1.9
MIN_COLUMN = 3
"""Glyphs: fewer below each other may be two short lines."""
MAX_COMBINED = 3
"""Digits side by side in a column, which are upright."""
ASCENT = 0.88
"""Height of an ideograph above its origin."""
BASELINE = 0.07
"""Distance of the baseline of a column from the left edge of its glyphs."""
_MARKS = "。、・「」『』（）〈〉《》【】ー…！？：；，．"


def with_vertical_text(glyphs: Sequence[Glyph]) -> Sequence[Glyph]:
    """Return the glyphs of vertical columns with the angle of text that runs downwards."""
    if not any(glyph.text >= FIRST_IDEOGRAPH for glyph in glyphs):
        return glyphs
    candidates = _columns(glyphs)
    if not any(map(_is_column, candidates)):
        return glyphs
    columns = [column for column in candidates if _is_column(column) or _is_short_column(column)]
    moved = {id(glyph): turned for column in columns for glyph, turned in _turned(column)}
    return [moved.get(id(glyph), glyph) for glyph in glyphs]


def _columns(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Return the glyphs that follow each other downwards in the content; rotated ones do not end a column."""
    columns: list[list[Glyph]] = []
    last: Glyph | None = None
    for glyph in glyphs:
        if glyph.angle or glyph.is_space:
            continue
        goes_on = last is not None and (
            _is_below(last, glyph) or (_is_beside(last, glyph) and len(columns[-1]) > 1)
        )
        if goes_on:
            columns[-1].append(glyph)
        else:
            columns.append([glyph])
        last = glyph
    return columns


def _is_below(above: Glyph, glyph: Glyph) -> bool:
    size = max(above.size, glyph.size)
    aside = abs(above.start + above.end - glyph.start - glyph.end) / 2
    is_aligned = aside < MAX_ASIDE * size or abs(above.start - glyph.start) < MAX_ASIDE * size
    step = above.baseline - glyph.baseline
    is_same_size = min(above.size, glyph.size) > (1 - MAX_ASIDE) * size
    return is_aligned and is_same_size and MIN_STEP * size < step < MAX_STEP * size


def _is_beside(last: Glyph, glyph: Glyph) -> bool:
    """Return whether two digits are upright side by side in a column."""
    is_level = abs(last.baseline - glyph.baseline) < MAX_ASIDE * glyph.size
    are_digits = last.text.isdigit() and glyph.text.isdigit()
    return are_digits and is_level and 0 <= glyph.start - last.start < last.size


def _is_column(column: Sequence[Glyph]) -> bool:
    ideographs = sum(bool(CJK.match(glyph.text)) or glyph.text in _MARKS for glyph in column)
    return len(column) >= MIN_COLUMN and 2 * ideographs > len(column)


def _is_short_column(column: Sequence[Glyph]) -> bool:
    return len(column) > 1 and all(CJK.match(glyph.text) for glyph in column)


def _turned(column: Sequence[Glyph]) -> list[tuple[Glyph, Glyph]]:
    left = min(glyph.start for glyph in column)
    size = max(glyph.size for glyph in column)
    turned = []
    beside = 0
    for number, glyph in enumerate(column):
        is_beside = number > 0 and _is_beside(column[number - 1], glyph)
        beside = beside + 1 if is_beside else 0
        start = -(glyph.baseline + ASCENT * glyph.size) + beside * glyph.size / MAX_COMBINED
        end = start + (glyph.size / MAX_COMBINED if is_beside else glyph.size)
        baseline = left + BASELINE * size
        turned.append((glyph, replace(glyph, start=start, end=end, baseline=baseline, angle=DOWNWARDS)))
    return turned
