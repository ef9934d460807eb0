"""Lines of text from the glyphs of a PDF page.

A line is made of glyphs on one baseline, with the smaller ones that are raised or lowered beside them. Boxes
of glyphs do not matter: a full stop is low, and an accent is high.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from .pdf_accents import with_accents
from .pdf_characters import Glyph
from .pdf_drop_caps import with_drop_caps
from .pdf_glyph_lines import MAX_BASELINE_DISTANCE, START, Chain, GlyphLine
from .pdf_logos import with_logos
from .pdf_ruby import with_ruby
from .pdf_words import Fragment, PageTraits, Spacings, fragments_of, letter_spacings, page_traits
from .styled_text import Script

# In font sizes.
MAX_OVERLAP = 0.6
"""Kerning moves a glyph back by less."""
MAX_WORD_GAP = 1.0
"""A wider gap separates columns or the cells of a table."""
MAX_SPACED_GAP = 1.5
"""Limit of a gap with one drawn space in it, which a justified line may stretch."""
MAX_DISTANT_GAP = 0.7
"""Limit of a gap between glyphs that are apart in the content, so that narrow gutters separate columns."""
MAX_INDEX_STEP = 8
"""Glyphs of one word gap are as near in the content: pdfium counts spaces and line ends as characters."""
MIN_OVERLAP, MIN_OVERLAPS = 0.6, 3
"""Overlap of two glyphs in widths of the narrower one, and the number of such pairs on a line, from which
two texts are drawn over each other."""
MAX_LAYERED_CHAINS = 100
# Raised and lowered figures, in sizes of the line.
MIN_SCRIPT_SIZE, MAX_SCRIPT_SIZE = 0.4, 0.91
"""A program that has no rule of its own draws them at 0.6 to 0.9."""
MAX_FULL_SIZE, MAX_FULL_SIZE_LETTERS, MAX_TOUCHING_GAP = 1.01, 3, 0.12
"""Limits of figures that are not smaller, but follow their word in the content and touch it."""
MAX_TOUCHING_STEP = 3
"""From a glyph to the one that touches it: pdfium may count a line end of two characters between them."""
MAX_SCRIPT_LETTERS = 20
MAX_RAISE, MAX_LOWERING, MAX_TOUCHING_LOWERING = 0.7, 0.4, 0.55
"""Figures that follow their word in the content and touch it may be lower: reportlab lowers by 0.5."""
MAX_SCRIPT_GAP = 0.35
MAX_SCRIPT_DISTANCE = 200
"""In characters of the content: some programs draw the raised figures of a line after it."""
MAX_NEAR_LINES = 12
"""As many lines above and below are considered."""
# Height of a line's box.
ASCENT, DESCENT = 0.76, 0.22


@dataclass
class TextLine:
    """A stretch of a line without wide gaps; the coordinates are those of its glyphs.

    `fragments` are in logical order.
    """

    fragments: tuple[Fragment, ...]
    start: float
    end: float
    bottom: float
    top: float
    angle: float


def text_lines(glyphs: Sequence[Glyph]) -> list[TextLine]:
    """Return the lines of a page, split at wide gaps, from its glyphs in content order."""
    lines: list[TextLine] = []
    page = page_traits(glyphs)
    by_angle: dict[float, list[Glyph]] = {}
    for glyph in with_ruby(with_accents(with_logos(glyphs))):
        by_angle.setdefault(glyph.angle, []).append(glyph)
    for same_angle in by_angle.values():
        for line in _with_scripts(with_drop_caps(_lines(_chains(same_angle)))):
            for piece in _pieces(_units(line), page):
                fragments = fragments_of(piece, page)
                lines += [_text_line(fragments, piece)] if fragments else []
    return lines


def _chains(glyphs: Iterable[Glyph]) -> list[Chain]:
    chains: list[Chain] = []
    last = None
    for glyph in glyphs:
        if last is not None and _follows(last, glyph):
            chains[-1].glyphs.append(glyph)
        else:
            chains.append(Chain([glyph]))
        last = glyph
    return [chain for chain in chains if not all(glyph.is_space for glyph in chain.glyphs)]


def _follows(last: Glyph, glyph: Glyph) -> bool:
    size = max(last.size, glyph.size)
    if abs(glyph.baseline - last.baseline) > MAX_BASELINE_DISTANCE * min(last.size, glyph.size):
        return False
    return -MAX_OVERLAP * size < glyph.start - last.end < MAX_WORD_GAP * size


def _lines(chains: list[Chain]) -> list[GlyphLine]:
    """Group chains by baseline; the lines are from top to bottom."""
    lines: list[GlyphLine] = []
    for chain in sorted(chains, key=lambda chain: -chain.baseline):
        line = lines[-1] if lines else None
        if line and abs(chain.baseline - line.baseline) <= MAX_BASELINE_DISTANCE * min(chain.size, line.size):
            line.glyphs += chain.glyphs
            line.size = max(line.size, chain.size)
        else:
            lines.append(GlyphLine(chain.baseline, chain.size, list(chain.glyphs)))
    for line in lines:
        line.sort()
    return [layer for line in lines for layer in _layers(line)]


def _layers(line: GlyphLine) -> list[GlyphLine]:
    """Split a line whose texts are drawn over each other, such as a clipped cell and the next one."""
    if _overlaps(line.glyphs) < MIN_OVERLAPS:
        return [line]
    chains = _chains(sorted(line.glyphs, key=lambda glyph: glyph.index))
    layers: list[GlyphLine] = []
    for chain in chains[:MAX_LAYERED_CHAINS]:
        for layer in layers:
            merged = sorted([*layer.glyphs, *chain.glyphs], key=START)
            if _overlaps(merged) <= _overlaps(layer.glyphs):
                layer.glyphs = merged
                break
        else:
            layers.append(GlyphLine(line.baseline, line.size, list(chain.glyphs)))
    for chain in chains[MAX_LAYERED_CHAINS:]:
        layers[0].glyphs += chain.glyphs
    for layer in layers:
        layer.sort()
    return layers


def _overlaps(glyphs: Sequence[Glyph]) -> int:
    """Return how many glyphs of a line lie on one that is not beside them in the content."""
    letters = [glyph for glyph in glyphs if not glyph.is_space]
    return sum(
        last.end - glyph.start > MIN_OVERLAP * min(last.end - last.start, glyph.end - glyph.start) > 0
        and abs(glyph.index - last.index) > 1
        for last, glyph in pairwise(letters)
    )


def _with_scripts(lines: list[GlyphLine]) -> list[GlyphLine]:
    """Move raised and lowered figures and letters to the line that they belong to."""
    baselines = [-line.baseline for line in lines]
    max_size = max((line.size for line in lines), default=0.0)
    moved: list[list[Chain]] = [[] for _ in lines]
    kept: list[list[Glyph]] = [[] for _ in lines]
    for number, line in enumerate(lines):
        first = bisect_left(baselines, -line.baseline - MAX_TOUCHING_LOWERING * max_size)
        last = bisect_right(baselines, -line.baseline + MAX_RAISE * max_size)
        near = lines[max(first, number - MAX_NEAR_LINES) : min(last, number + MAX_NEAR_LINES + 1)]
        near = sorted(near, key=lambda other: abs(other.baseline - line.baseline))
        for chain in _chains(line.glyphs):
            owner = next((other for other in near if other is not line and _is_script(chain, other)), None)
            if owner:
                owner.scripts.append(chain)
                moved[number].append(chain)
            else:
                kept[number] += chain.glyphs
    for line, chains, glyphs in zip(lines, moved, kept, strict=True):
        if chains:
            line.glyphs = glyphs
            line.sort()
    for line, chains in zip(lines, moved, strict=True):
        line.scripts = [script for script in line.scripts if not _is_nested(script, chains)]
        if not line.glyphs:  # itself a script of another line
            line.glyphs = [glyph for chain in line.scripts for glyph in chain.glyphs]
            line.scripts = []
            line.sort()
    return [line for line in lines if line.glyphs]


def _is_nested(script: Chain, chains: Sequence[Chain]) -> bool:
    """Return whether a script belongs to one of the chains that are scripts themselves, and add it there."""
    for chain in chains:
        if any(abs(script.start - glyph.end) < MAX_SCRIPT_GAP * glyph.size for glyph in chain.glyphs):
            chain.glyphs = [chain.glyphs[0], *sorted([*chain.glyphs[1:], *script.glyphs], key=START)]
            return True
    return False


def _is_script(chain: Chain, line: GlyphLine) -> bool:
    """Return whether a chain is smaller than a line, raised or lowered, and right beside a glyph of it."""
    if len(chain.glyphs) > MAX_SCRIPT_LETTERS:
        return False
    shift = chain.baseline - line.baseline
    index = bisect_right(line.starts, chain.start + MAX_BASELINE_DISTANCE * chain.size)
    before = _first_letter(line.glyphs, range(index - 1, -1, -1))
    after = _first_letter(line.glyphs, range(index, len(line.glyphs)))
    for glyph in (before, after):
        if not glyph or abs(glyph.index - chain.glyphs[0].index) > MAX_SCRIPT_DISTANCE:
            continue
        gap = chain.start - glyph.end if glyph is before else glyph.start - chain.end
        is_smaller = MIN_SCRIPT_SIZE * glyph.size < chain.size < MAX_SCRIPT_SIZE * glyph.size
        if not is_smaller and not _is_full_sized_script(chain, glyph, gap):
            continue
        lowering = MAX_TOUCHING_LOWERING if _touches(chain, glyph, gap) else MAX_LOWERING
        limit = MAX_SCRIPT_GAP * glyph.size
        if -limit < gap < limit and -lowering * glyph.size <= shift <= MAX_RAISE * glyph.size:
            return True
    return False


def _touches(chain: Chain, before: Glyph, gap: float) -> bool:
    """Return whether a chain follows a glyph in the content, and touches it."""
    follows = 0 < min(glyph.index for glyph in chain.glyphs) - before.index <= MAX_TOUCHING_STEP
    return follows and abs(gap) < MAX_TOUCHING_GAP * before.size


def _is_full_sized_script(chain: Chain, before: Glyph, gap: float) -> bool:
    """Return whether a chain is figures in the size of the word that they touch and follow in the content."""
    is_figure = all(glyph.text.isdigit() for glyph in chain.glyphs if not glyph.is_space)
    is_sized = MAX_SCRIPT_SIZE * before.size <= chain.size <= MAX_FULL_SIZE * before.size
    is_short = len(chain.glyphs) <= MAX_FULL_SIZE_LETTERS
    return is_sized and is_short and is_figure and _touches(chain, before, gap)


def _first_letter(glyphs: Sequence[Glyph], indexes: range) -> Glyph | None:
    """Return the first glyph in a range that is not a space."""
    return next((glyphs[index] for index in indexes if not glyphs[index].is_space), None)


def _units(line: GlyphLine) -> list[list[Glyph]]:
    """Return the glyphs of a line from left to right; each script is a unit."""
    units = [[glyph] for glyph in line.glyphs]
    if line.scripts:
        units += [_script_unit(part, line) for chain in line.scripts for part in _divided(chain, line)]
        units.sort(key=lambda unit: unit[0].start)
    return units


def _divided(chain: Chain, line: GlyphLine) -> list[Chain]:
    """Return a script divided where a glyph of the line stands in it: two scripts of one height."""
    parts: list[Chain] = []
    for glyph in sorted(chain.glyphs, key=START):
        first = bisect_left(line.starts, parts[-1].glyphs[-1].start) if parts else 0
        if not parts or first < bisect_left(line.starts, glyph.start):
            parts.append(Chain([glyph]))
        else:
            parts[-1].glyphs.append(glyph)
    return parts


def _script_unit(chain: Chain, line: GlyphLine) -> list[Glyph]:
    """Return the glyphs of a script from left to right, marked as raised or lowered."""
    script: Script = "super" if chain.baseline > line.baseline else "sub"
    marked = [replace(glyph, script=script) for glyph in chain.glyphs]
    return sorted(marked, key=START)


def _pieces(units: Sequence[list[Glyph]], page: PageTraits) -> list[list[Glyph]]:
    """Split the glyphs of a line at its wide gaps."""
    glyphs = [glyph for unit in units for glyph in unit]
    spacings = letter_spacings(glyphs, page)
    pieces: list[list[Glyph]] = []
    spaces: list[Glyph] = []
    end = 0.0
    for glyph in glyphs:
        if glyph.is_space:
            spaces.append(glyph)
            continue
        if pieces and glyph.start - end <= _max_gap(pieces[-1][-1], glyph, len(spaces), spacings):
            pieces[-1] += [*spaces, glyph]
            end = max(end, glyph.end)
        else:
            pieces.append([glyph])
            end = glyph.end
        spaces.clear()
    return pieces


def _max_gap(last: Glyph, glyph: Glyph, spaces: int, spacings: Spacings) -> float:
    """Return the widest gap between two glyphs of one stretch, in points."""
    if abs(glyph.index - last.index) > MAX_INDEX_STEP:
        max_gap = MAX_DISTANT_GAP
    else:
        max_gap = MAX_SPACED_GAP if spaces == 1 else MAX_WORD_GAP
    return (max_gap + 2 * spacings.get(glyph.style, 0.0)) * max(last.size, glyph.size)


def _text_line(fragments: Sequence[Fragment], glyphs: Sequence[Glyph]) -> TextLine:
    size = max(glyph.size for glyph in glyphs)
    baseline = median(glyph.baseline for glyph in glyphs if glyph.size == size)
    return TextLine(
        tuple(fragments),
        min(glyph.start for glyph in glyphs),
        max(glyph.end for glyph in glyphs),
        baseline - DESCENT * size,
        baseline + ASCENT * size,
        glyphs[0].angle,
    )
