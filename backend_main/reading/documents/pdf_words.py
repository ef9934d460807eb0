"""Lines and words from the glyphs of a PDF page.

A line is made of glyphs on one baseline, with the smaller ones that are raised or lowered beside them. A word
ends at a space, or at a gap that is wide for the font and for the letter spacing of its text.
"""

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from .pdf_bidi import direction, has_right_to_left, is_right_to_left, logical_order, with_matching_brackets
from .pdf_characters import Glyph

# In font sizes.
MAX_BASELINE_DISTANCE = 0.15
"""Glyphs of one line have baselines as near."""
MAX_OVERLAP = 0.6
"""Kerning moves a glyph back by less."""
MAX_WORD_GAP = 1.0
"""A wider gap separates columns or the cells of a table."""
MAX_SPACED_GAP = 1.5
"""The same for a gap with one drawn space in it, which a justified line may stretch."""
MAX_DISTANT_GAP = 0.7
"""The same for glyphs that are apart in the content of the page, so that narrow gutters separate columns."""
MAX_INDEX_STEP = 8
"""Glyphs of one word gap are as near in the content: pdfium counts spaces and line ends as characters."""
MIN_WORD_GAP = 0.12
"""A gap that exceeds the letter spacing by more is a space. Spaces are 0.2 to 0.33, or less if kerned."""
MIN_SPACED_GAP = -0.08
"""The same for a gap with a drawn space in it."""
MIN_LETTER_SPACING = 0.04
"""Smaller gaps between letters are kerning."""
MIN_SPACED_LETTERS = 5
MAX_SPACING_DIFFERENCE = 0.1
"""Between the smallest and the usual gap: letters at equal distances, such as labels of an axis, differ more."""
MAX_SHORT_SPACING, MAX_SHORT_DIFFERENCE = 0.2, 0.06
"""Fewer letters are letter-spaced if their gaps are as small and as equal, so that they cannot be spaces."""
# Raised and lowered figures, in sizes of the line.
MIN_SCRIPT_SIZE, MAX_SCRIPT_SIZE = 0.4, 0.9
MAX_SCRIPT_LETTERS = 20
MAX_RAISE, MAX_LOWERING = 0.7, 0.4
MAX_SCRIPT_GAP = 0.35
# Drop caps.
MIN_DROP_CAP_SIZE = 1.8
MAX_DROP_CAP_GAP = 0.4
# Height of a line's box.
ASCENT, DESCENT = 0.76, 0.22

_PRESENTATION_FORMS = ((0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFE))
_SPACING_ACCENTS = {
    "\u0060": "\u0300", "\u00b4": "\u0301", "\u02c6": "\u0302", "\u02dc": "\u0303", "\u00a8": "\u0308",
    "\u02da": "\u030a", "\u02c7": "\u030c", "\u00b8": "\u0327",
}  # fmt: skip
"""Accents that TeX draws over a letter, and their combining marks."""


@dataclass
class TextLine:
    """A stretch of a line without wide gaps; the coordinates are those of its glyphs."""

    text: str
    start: float
    end: float
    bottom: float
    top: float
    angle: float


@dataclass
class _Chain:
    """Glyphs that follow each other on one baseline."""

    glyphs: list[Glyph]

    @property
    def start(self) -> float:
        return min(glyph.start for glyph in self.glyphs)

    @property
    def end(self) -> float:
        return max(glyph.end for glyph in self.glyphs)

    @property
    def baseline(self) -> float:
        return self.glyphs[0].baseline

    @property
    def size(self) -> float:
        return max(glyph.size for glyph in self.glyphs)


@dataclass
class _Line:
    """A baseline with its glyphs. `scripts` are raised or lowered ones, which stay together."""

    baseline: float
    size: float
    glyphs: list[Glyph]
    scripts: list[_Chain] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    def sort(self) -> None:
        self.glyphs.sort(key=lambda glyph: glyph.start)
        self.starts = [glyph.start for glyph in self.glyphs]


def text_lines(glyphs: Sequence[Glyph]) -> list[TextLine]:
    """Return the lines of a page, split at wide gaps, from its glyphs in content order."""
    lines: list[TextLine] = []
    by_angle: dict[float, list[Glyph]] = {}
    for glyph in glyphs:
        by_angle.setdefault(glyph.angle, []).append(glyph)
    for same_angle in by_angle.values():
        for line in _with_scripts(_with_drop_caps(_lines(_chains(same_angle)))):
            for piece in _pieces(_units(line)):
                if text := _text(piece):
                    lines.append(_text_line(text, piece))
    return lines


# ── lines ──


def _chains(glyphs: Iterable[Glyph]) -> list[_Chain]:
    chains: list[_Chain] = []
    last = None
    for glyph in glyphs:
        if last is not None and _follows(last, glyph):
            chains[-1].glyphs.append(glyph)
        else:
            chains.append(_Chain([glyph]))
        last = glyph
    return [chain for chain in chains if not all(glyph.is_space for glyph in chain.glyphs)]


def _follows(last: Glyph, glyph: Glyph) -> bool:
    size = max(last.size, glyph.size)
    if abs(glyph.baseline - last.baseline) > MAX_BASELINE_DISTANCE * min(last.size, glyph.size):
        return False
    return -MAX_OVERLAP * size < glyph.start - last.end < MAX_WORD_GAP * size


def _lines(chains: list[_Chain]) -> list[_Line]:
    """Group chains by baseline; the lines are from top to bottom."""
    lines: list[_Line] = []
    for chain in sorted(chains, key=lambda chain: -chain.baseline):
        line = lines[-1] if lines else None
        if line and abs(chain.baseline - line.baseline) <= MAX_BASELINE_DISTANCE * min(chain.size, line.size):
            line.glyphs += chain.glyphs
            line.size = max(line.size, chain.size)
        else:
            lines.append(_Line(chain.baseline, chain.size, list(chain.glyphs)))
    for line in lines:
        line.sort()
    return lines


def _with_scripts(lines: list[_Line]) -> list[_Line]:
    """Move raised and lowered figures and letters to the line that they belong to."""
    baselines = [-line.baseline for line in lines]
    max_size = max((line.size for line in lines), default=0.0)
    for line in lines:
        first = bisect_left(baselines, -line.baseline - MAX_LOWERING * max_size)
        last = bisect_right(baselines, -line.baseline + MAX_RAISE * max_size)
        near = sorted(
            (other for other in lines[first:last] if other is not line),
            key=lambda other: abs(other.baseline - line.baseline),
        )
        if not near:
            continue
        kept: list[Glyph] = []
        for chain in _chains(line.glyphs):
            owner = next((other for other in near if _is_script(chain, other)), None)
            if owner:
                owner.scripts.append(chain)
            else:
                kept += chain.glyphs
        if len(kept) < len(line.glyphs):
            line.glyphs = kept
            line.sort()
    return [line for line in lines if line.glyphs]


def _is_script(chain: _Chain, line: _Line) -> bool:
    """Return whether a chain is smaller than a line, raised or lowered, and right beside a glyph of it."""
    if len(chain.glyphs) > MAX_SCRIPT_LETTERS:
        return False
    shift = chain.baseline - line.baseline
    index = bisect_right(line.starts, chain.start + MAX_BASELINE_DISTANCE * chain.size)
    before = next((glyph for glyph in reversed(line.glyphs[:index]) if not glyph.is_space), None)
    after = next((glyph for glyph in line.glyphs[index:] if not glyph.is_space), None)
    for glyph in (before, after):
        if not (glyph and MIN_SCRIPT_SIZE * glyph.size < chain.size < MAX_SCRIPT_SIZE * glyph.size):
            continue
        limit = MAX_SCRIPT_GAP * glyph.size
        gap = chain.start - glyph.end if glyph is before else glyph.start - chain.end
        if -limit < gap < limit and -MAX_LOWERING * glyph.size <= shift <= MAX_RAISE * glyph.size:
            return True
    return False


def _with_drop_caps(lines: list[_Line]) -> list[_Line]:
    """Put a large first letter before the uppermost of the lines beside it."""
    for line in lines:
        letters = [glyph for glyph in line.glyphs if not glyph.is_space]
        for cap in letters:
            if not cap.text.isalpha() or any(
                other is not cap and abs(other.start - cap.start) < 2 * cap.size and other.size == cap.size
                for other in letters
            ):
                continue
            for other in lines:  # from top to bottom
                if other is line or not 0 < other.baseline - cap.baseline < cap.size:
                    continue
                index = bisect_left(other.starts, cap.end - MAX_SCRIPT_GAP * other.size)
                if index == len(other.glyphs):
                    continue
                first = other.glyphs[index]
                is_first = index == 0 or first.start - other.glyphs[index - 1].end > cap.size
                if (
                    is_first
                    and cap.size > MIN_DROP_CAP_SIZE * first.size
                    and first.start - cap.end < MAX_DROP_CAP_GAP * cap.size
                ):
                    line.glyphs.remove(cap)
                    line.sort()
                    moved = Glyph(
                        cap.text, first.start, first.start, first.baseline, first.size, first.style, cap.angle, first.index - 1
                    )
                    other.glyphs.insert(index, moved)
                    other.starts.insert(index, moved.start)
                    break
    return [line for line in lines if line.glyphs]


def _units(line: _Line) -> list[list[Glyph]]:
    """Return the glyphs of a line from left to right; each script is a unit."""
    units = [[glyph] for glyph in line.glyphs]
    if line.scripts:
        units += [sorted(chain.glyphs, key=lambda glyph: glyph.start) for chain in line.scripts]
        units.sort(key=lambda unit: unit[0].start)
    return units


def _pieces(units: Sequence[list[Glyph]]) -> list[list[Glyph]]:
    """Split the glyphs of a line at its wide gaps."""
    glyphs = [glyph for unit in units for glyph in unit]
    spacings = _letter_spacings(glyphs)
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


def _max_gap(last: Glyph, glyph: Glyph, spaces: int, spacings: dict[tuple[int, float], float]) -> float:
    """Return the widest gap between two glyphs of one stretch, in points."""
    if abs(glyph.index - last.index) > MAX_INDEX_STEP:
        max_gap = MAX_DISTANT_GAP
    else:
        max_gap = MAX_SPACED_GAP if spaces == 1 else MAX_WORD_GAP
    return (max_gap + 2 * spacings.get(glyph.style, 0.0)) * max(last.size, glyph.size)


def _text_line(text: str, glyphs: Sequence[Glyph]) -> TextLine:
    size = max(glyph.size for glyph in glyphs)
    baseline = median(glyph.baseline for glyph in glyphs if glyph.size == size)
    return TextLine(
        text,
        min(glyph.start for glyph in glyphs),
        max(glyph.end for glyph in glyphs),
        baseline - DESCENT * size,
        baseline + ASCENT * size,
        glyphs[0].angle,
    )


# ── words ──


def _text(glyphs: Sequence[Glyph]) -> str:
    """Return the text of a stretch of a line, with single spaces."""
    parts = _with_spaces(glyphs)
    if any(has_right_to_left(part) for part in parts):
        is_mirrored = is_right_to_left([direction(part) for part in parts])
        text = "".join(logical_order(_with_marks(parts), str))
        text = with_matching_brackets(text) if is_mirrored else text
    else:
        text = "".join(parts)
    return " ".join(_normalized(text).split())


def _with_spaces(glyphs: Sequence[Glyph]) -> list[str]:
    """Return the texts of the glyphs, with a space where a word ends."""
    spacings = _letter_spacings(glyphs)
    parts: list[str] = []
    last: Glyph | None = None
    has_space = False
    end = -math.inf
    for glyph in glyphs:
        if glyph.is_space:
            has_space = True
            continue
        if last is not None:
            size = max(last.size, glyph.size)
            spacing = min(spacings.get(last.style, 0.0), spacings.get(glyph.style, 0.0)) * size
            limit = MIN_SPACED_GAP * size if has_space else spacing + MIN_WORD_GAP * size
            if glyph.start - end > limit:
                parts.append(" ")
        parts.append(glyph.text)
        end = max(end, glyph.end)
        last, has_space = glyph, False
    return parts


def _letter_spacings(glyphs: Sequence[Glyph]) -> dict[tuple[int, float], float]:
    """Return the letter spacing of each style in font sizes, for those whose letters are all set apart."""
    gaps: dict[tuple[int, float], list[float]] = {}
    for last, glyph in pairwise(glyphs):
        if last.style == glyph.style and last.text.isalpha() and glyph.text.isalpha():
            gaps.setdefault(glyph.style, []).append((glyph.start - last.end) / glyph.size)
    spacings = {}
    for style, found in gaps.items():
        found.sort()
        usual = found[(len(found) - 1) // 2]
        smallest = found[len(found) // 10]
        is_even = len(found) > 1 and found[-1] < MAX_SHORT_SPACING and found[-1] - found[0] < MAX_SHORT_DIFFERENCE
        is_regular = len(found) >= MIN_SPACED_LETTERS and usual - smallest < MAX_SPACING_DIFFERENCE
        if (is_regular or is_even) and smallest > MIN_LETTER_SPACING:
            spacings[style] = usual
    return spacings


def _with_marks(parts: Sequence[str]) -> list[str]:
    """Join combining marks to the letter before them, so that reordering does not part them."""
    joined: list[str] = []
    for part in parts:
        if joined and unicodedata.combining(part[0]) and not joined[-1].isspace():
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _normalized(text: str) -> str:
    """Return the text with ligatures and presentation forms as letters, and combining marks composed."""
    if text.isascii():
        return text
    if any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = "".join(
        unicodedata.normalize("NFKC", letter)
        if any(first <= ord(letter) <= last for first, last in _PRESENTATION_FORMS)
        else letter
        for letter in text
    )
    return unicodedata.normalize("NFC", text)
