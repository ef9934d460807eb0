"""Detection of wrong mappings of a font, by the outlines of its glyphs.

A letter has a known number of outlines in nearly every typeface: an `8` has three, a `4` two, a `2` one. A
font whose mapping is wrong draws others. This finds wrong figures too, which no statistics can. It takes half
a millisecond a font.
"""

import ctypes
from collections.abc import Iterable, Sequence
from typing import Any

from .pdf_characters import Glyph

_DIGITS = dict(zip("0123456789", (2, 1, 1, 1, 2, 1, 2, 1, 3, 2), strict=True))
_LETTERS = dict(
    zip(
        "abcdehklmnopqrstuzABDEHLMNOPRST",
        (2, 2, 1, 2, 2, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 2, 3, 2, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1),
        strict=True,
    )
)
MIN_OTHER_DIGITS, MAX_OTHER_DIGIT_SHARE = 2, 0.3
"""A zero may have a slash, and a four may be open."""
MIN_OTHER_LETTERS, MAX_OTHER_LETTER_SHARE = 3, 0.25
OUTLINE_SIZE = 1000.0
MAX_SEGMENTS = 500
"""Segments of an outline that are counted; those of letters have 10 to 60."""


def fonts_with_other_outlines(glyphs: Sequence[Glyph]) -> set[str]:
    """Return the names of fonts that draw other shapes than their letters have. Their page must be open."""
    letters: dict[int, set[str]] = {}
    examples: dict[int, Glyph] = {}
    for glyph in glyphs:
        letters.setdefault(glyph.style[0], set()).add(glyph.text)
        examples.setdefault(glyph.style[0], glyph)
    return {glyph.font.name for font, glyph in examples.items() if _has_other_outlines(glyph, letters[font])}


def _has_other_outlines(glyph: Glyph, letters: Iterable[str]) -> bool:
    import pypdfium2.raw as pdfium

    font = pdfium.FPDFTextObj_GetFont(ctypes.cast(glyph.text_object, pdfium.FPDF_PAGEOBJECT))
    used = set(letters)
    return any(
        len(others) >= least and len(others) > share * len(known)
        for table, least, share in (
            (_DIGITS, MIN_OTHER_DIGITS, MAX_OTHER_DIGIT_SHARE),
            (_LETTERS, MIN_OTHER_LETTERS, MAX_OTHER_LETTER_SHARE),
        )
        if (
            known := [
                (count, table[letter]) for letter in table.keys() & used if (count := _outlines(font, letter))
            ]
        )
        and (others := [count for count, expected in known if count != expected])
    )


def _outlines(font: Any, letter: str) -> int:
    """Return the number of closed outlines of a letter; 0 if the font has none for it."""
    import pypdfium2.raw as pdfium

    path = pdfium.FPDFFont_GetGlyphPath(font, ord(letter), OUTLINE_SIZE)
    if not path:
        return 0
    count = min(pdfium.FPDFGlyphPath_CountGlyphSegments(path), MAX_SEGMENTS)
    segments = (pdfium.FPDFGlyphPath_GetGlyphPathSegment(path, index) for index in range(count))
    return sum(pdfium.FPDFPathSegment_GetType(each) == pdfium.FPDF_SEGMENT_MOVETO for each in segments)
