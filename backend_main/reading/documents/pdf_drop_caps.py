"""Drop caps of a PDF page: large first letters, which belong to the uppermost of the lines beside them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from .pdf_characters import Glyph
from .pdf_glyph_lines import MAX_BASELINE_DISTANCE, GlyphLine

MIN_SIZE = 1.8
"""In usual sizes of the page, and of the lines beside it."""
MAX_GAP, MAX_INDENT = 0.4, 1.0
"""In sizes of the capital: distance from the lines beside it, and from the first, which may be indented."""
MAX_OVERLAP = 0.35
"""In sizes of a line or of the capital: lines that begin beside a capital overlap it by less."""


def with_drop_caps(lines: list[GlyphLine]) -> list[GlyphLine]:
    """Put a large first letter before the uppermost of the lines beside it."""
    usual_size = median([glyph.size for line in lines for glyph in line.glyphs] or [0.0])
    for line in lines:
        if line.size < MIN_SIZE * usual_size:
            continue
        for cap in [glyph for glyph in line.glyphs if _is_single_letter(glyph, line)]:
            if found := _first_beside(cap, lines):
                other, index = found
                line.glyphs.remove(cap)
                line.sort()
                first = other.glyphs[index]
                other.glyphs.insert(index, replace(first, text=cap.text, end=first.start))
                other.starts.insert(index, first.start)
    return [line for line in lines if line.glyphs]


def _is_single_letter(glyph: Glyph, line: GlyphLine) -> bool:
    """Return whether a glyph is a letter without neighbours of its size."""
    return glyph.text.isalpha() and not any(
        other is not glyph and other.size == glyph.size and abs(other.start - glyph.start) < 2 * glyph.size
        for other in line.glyphs
    )


def _first_beside(cap: Glyph, lines: Sequence[GlyphLine]) -> tuple[GlyphLine, int] | None:
    """Return the uppermost of the lines that begin beside a drop cap, and the place of its first glyph.

    The uppermost one may be indented, or overlap the capital if the program that set it has ignored it.
    """
    beside: list[tuple[GlyphLine, int]] = []
    gaps: list[float] = []
    for line in lines:  # from top to bottom
        if not -MAX_BASELINE_DISTANCE * line.size < line.baseline - cap.baseline < cap.size:
            continue
        index = bisect_left(line.starts, cap.start - MAX_OVERLAP * line.size)
        while index < len(line.glyphs) and (line.glyphs[index] is cap or line.glyphs[index].is_space):
            index += 1
        if _begins(cap, line, index):
            beside.append((line, index))
            gaps.append(line.glyphs[index].start - cap.end)
    is_beside = any(-MAX_OVERLAP < gap / cap.size < MAX_GAP for gap in gaps)
    if not is_beside or gaps[0] > MAX_INDENT * cap.size:
        return None
    line, _ = beside[0]
    return beside[0] if line.baseline > cap.baseline + MAX_BASELINE_DISTANCE * line.size else None


def _begins(cap: Glyph, line: GlyphLine, index: int) -> bool:
    """Return whether the glyphs of a line from `index` on begin at a drop cap, and are much smaller."""
    if index == len(line.glyphs):
        return False
    first = line.glyphs[index]
    last = line.glyphs[index - 1] if index else cap
    return (last is cap or first.start - last.end > cap.size) and cap.size > MIN_SIZE * first.size
