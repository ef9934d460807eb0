"""Furigana: small kana over or beside the characters that they tell the reading of.

They follow their characters in brackets, 漢字（かんじ）, as in plain text. Otherwise they would be a line of
their own, or stand in the middle of a word.
"""

from collections.abc import Sequence
from dataclasses import replace

from .pdf_characters import Glyph

_KANA = ("\u3041", "\u30ff")
_IDEOGRAPHS = (("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\u3005", "\u3007"))
# In sizes of the characters.
MIN_SIZE, MAX_SIZE = 0.35, 0.65
MIN_RAISE, MAX_RAISE = 0.65, 1.4
MAX_OVERHANG = 0.55
MAX_KANA_GAP = 0.9
"""In sizes of the kana: those of one word are spread over its characters."""


def with_ruby(glyphs: Sequence[Glyph]) -> Sequence[Glyph]:
    """Return the glyphs with furigana in brackets after their characters."""
    if not any(map(_is_kana, glyphs)):
        return glyphs
    ideographs = [(place, glyph) for place, glyph in enumerate(glyphs) if _is_ideograph(glyph)]
    texts = dict(enumerate(glyphs))
    for chain in _chains(glyphs):
        first, last = glyphs[chain[0]], glyphs[chain[-1]]
        bases = [place for place, glyph in ideographs if _is_base(glyph, first, last)]
        if bases:
            end = max(bases, key=lambda place: glyphs[place].start)
            reading = "".join(glyphs[place].text for place in chain)
            texts[end] = replace(texts[end], text=f"{texts[end].text}（{reading}）")
            for place in chain:
                del texts[place]
    return list(texts.values())


def _is_kana(glyph: Glyph) -> bool:
    return _KANA[0] <= glyph.text <= _KANA[1]


def _is_ideograph(glyph: Glyph) -> bool:
    return any(first <= glyph.text[0] <= last for first, last in _IDEOGRAPHS)


def _chains(glyphs: Sequence[Glyph]) -> list[list[int]]:
    """Return the places of kana that follow each other on one baseline."""
    chains: list[list[int]] = []
    last: Glyph | None = None
    for place, glyph in enumerate(glyphs):
        if glyph.is_space:
            continue
        if not _is_kana(glyph):
            last = None
            continue
        if last is not None and _follows(last, glyph):
            chains[-1].append(place)
        else:
            chains.append([place])
        last = glyph
    return chains


def _follows(last: Glyph, glyph: Glyph) -> bool:
    is_same = last.size == glyph.size and last.angle == glyph.angle
    is_level = abs(last.baseline - glyph.baseline) < 0.1 * glyph.size
    return is_same and is_level and -glyph.size < glyph.start - last.end < MAX_KANA_GAP * glyph.size


def _is_base(glyph: Glyph, first: Glyph, last: Glyph) -> bool:
    """Return whether a character is under the kana from the first to the last."""
    if glyph.angle != first.angle or not MIN_SIZE < first.size / glyph.size < MAX_SIZE:
        return False
    is_under = MIN_RAISE < (first.baseline - glyph.baseline) / glyph.size < MAX_RAISE
    center, overhang = (glyph.start + glyph.end) / 2, MAX_OVERHANG * glyph.size
    is_within = first.start - overhang < center < last.end + overhang
    overlaps = min(glyph.end, last.end) > max(glyph.start, first.start)
    return is_under and is_within and overlaps
