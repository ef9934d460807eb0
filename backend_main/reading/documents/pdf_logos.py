"""Letters that a logo raises or lowers within a word, as those of TeX and LaTeX, back on their baseline.

Otherwise the lowered letter is a line of its own, and tears the word: `T X` and `E`.
"""

from collections.abc import Sequence
from dataclasses import replace

from .pdf_characters import Glyph

# In sizes of the letters beside it.
MIN_SHIFT, MAX_SHIFT = 0.1, 0.35
"""TeX lowers its E by half the height of an x, 0.22, and LaTeX raises its A by 0.2."""
MIN_OVERLAP = 0.06
"""Both neighbours overlap the letter by more. Raised and lowered figures overlap none."""
MIN_SIZE, MAX_SIZE = 0.6, 1.02
MAX_BASELINE_DISTANCE = 0.02
_SMALL = {"TEX": "e", "LAT": "a"}
"""The spelling of the logos in plain text: TeX and LaTeX."""


def with_logos(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Return the glyphs in content order, with shifted letters of logos on the baseline of their word."""
    changed = list(glyphs)
    for place in range(1, len(glyphs) - 1):
        before, letter, after = glyphs[place - 1 : place + 2]
        if _is_shifted(before, letter, after):
            text = _SMALL.get(before.text + letter.text + after.text, letter.text)
            changed[place] = replace(
                letter, text=text, baseline=before.baseline, size=before.size, style=before.style
            )
    return changed


def _is_shifted(before: Glyph, letter: Glyph, after: Glyph) -> bool:
    """Return whether a letter is beside the baseline of its neighbours, and overlaps both."""
    size = before.size
    shift = abs(letter.baseline - before.baseline)
    if not MIN_SHIFT * size < shift < MAX_SHIFT * size:
        return False
    if before.size != after.size or abs(after.baseline - before.baseline) > MAX_BASELINE_DISTANCE * size:
        return False
    overlaps = before.end - letter.start, letter.end - after.start
    return (
        before.start < letter.start < after.start
        and min(overlaps) > MIN_OVERLAP * size
        and MIN_SIZE * size < letter.size < MAX_SIZE * size
        and before.angle == letter.angle == after.angle
        and all(glyph.text.isalpha() for glyph in (before, letter, after))
    )
