"""Accents that are drawn over a letter, as TeX does, composed with the letter.

The accent mostly comes right before or after its letter in the content. On a capital it is raised.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .pdf_characters import Glyph

_SPACING_ACCENTS = {
    "\u0060": "\u0300", "\u00b4": "\u0301", "\u02c6": "\u0302", "\u02dc": "\u0303", "\u00af": "\u0304",
    "\u02c9": "\u0304", "\u02d8": "\u0306", "\u02d9": "\u0307", "\u00a8": "\u0308", "\u02da": "\u030a",
    "\u02dd": "\u030b", "\u02c7": "\u030c", "\u00b8": "\u0327", "\u02db": "\u0328", "\u20d7": "\u20d7",
    "\u02cb": "\u0300", "\u02ca": "\u0301",
}  # fmt: skip
_DOTLESS = {"\u0131": "i", "\u0237": "j"}
MAX_DISTANCE = 2
"""Glyphs between an accent and its letter in the content: a letter may have two accents."""
# In sizes of the letter.
MIN_SHIFT, MAX_SHIFT = -0.4, 0.8
MAX_ASIDE = 0.12
"""Distance of an accent's center from its letter: that of an italic letter is aside."""
MIN_SIZE, MAX_SIZE = 0.6, 1.7
MAX_FAR_ACCENTS = 100
"""Accents on a page that are drawn far from their letters, of which the letters are looked up."""

Positions = npt.NDArray[np.float64]
"""(n, 4): start, end, baseline and size of each glyph."""


def with_accents(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Return the glyphs with the accents composed with the letters under them.

    An accent that no letter of Unicode has is kept as a combining mark in a formula, and else stays apart.
    """
    composed: list[Glyph | None] = list(glyphs)
    far: list[int] = []
    for place, glyph in enumerate(glyphs):
        if (mark := _mark(glyph.text)) and not _compose(composed, place, mark, _near(place, len(glyphs))):
            far.append(place)
    if far:
        positions = _positions(glyphs)
        for place in far[:MAX_FAR_ACCENTS]:
            _compose(composed, place, _mark(glyphs[place].text), _below(glyphs[place], positions))
    return [glyph for glyph in composed if glyph is not None]


def _compose(glyphs: list[Glyph | None], place: int, mark: str, bases: Iterable[int]) -> bool:
    """Compose the accent at a place with the first of the letters that it is on; return whether one is."""
    accent = glyphs[place]
    for other in bases:
        base = glyphs[other]
        if base is not None and accent is not None and (text := _composed(base, accent, mark)):
            glyphs[other] = replace(base, text=text)
            glyphs[place] = None
            return True
    return False


def _mark(text: str) -> str:
    """Return the combining mark of an accent, "" for any other text."""
    if len(text) != 1 or (text.isascii() and text != "`"):
        return ""
    return text if "\u0300" <= text <= "\u036f" else _SPACING_ACCENTS.get(text, "")


def _near(place: int, count: int) -> list[int]:
    distances = [step for distance in range(1, MAX_DISTANCE + 1) for step in (distance, -distance)]
    return [place + distance for distance in distances if 0 <= place + distance < count]


def _positions(glyphs: Sequence[Glyph]) -> Positions:
    return np.array([(one.start, one.end, one.baseline, one.size) for one in glyphs])


def _below(accent: Glyph, positions: Positions) -> list[int]:
    """Return the glyphs that an accent may be on by their positions. `_composed` has the same limits."""
    start, end, baseline, size = positions.T
    center, aside = (accent.start + accent.end) / 2, MAX_ASIDE * size
    rise = accent.baseline - baseline
    is_over = (start - aside < center) & (center < end + aside)
    is_near = (MIN_SHIFT * size < rise) & (rise < MAX_SHIFT * size)
    return np.flatnonzero(is_over & is_near).tolist()


def _composed(base: Glyph, accent: Glyph, mark: str) -> str:
    """Return the letter with the accent on it; "" if it is elsewhere, or if the letter cannot have it."""
    letter = _DOTLESS.get(base.text, base.text)
    if not letter[0].isalpha() or _mark(base.text) or base.angle != accent.angle:
        return ""
    center, aside = (accent.start + accent.end) / 2, MAX_ASIDE * base.size
    is_over = base.start - aside < center < base.end + aside
    is_near = MIN_SHIFT < (accent.baseline - base.baseline) / base.size < MAX_SHIFT
    if not (is_over and is_near and MIN_SIZE < accent.size / base.size < MAX_SIZE):
        return ""
    text = unicodedata.normalize("NFC", letter + mark)
    return text if len(text) <= len(letter) or base.font.is_math else ""
