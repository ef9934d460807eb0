"""Words from the glyphs of a line.

A word ends at a drawn space, or at a gap that is wide for the font size and for the letter spacing.
"""

import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from ..languages import CJK, has_right_to_left
from .pdf_bidi import (
    direction,
    is_right_to_left,
    logical_order,
    with_matching_brackets,
)
from .pdf_characters import SOFT_HYPHEN, Glyph

# In font sizes.
MIN_WORD_GAP = 0.12
"""A gap that exceeds the letter spacing by more is a space. Spaces are 0.2 to 0.33, or less if kerned."""
MIN_UNCERTAIN_GAP = 0.18
"""The same after a letter of a formula, which is slanted, so that TeX adds space, before
raised and lowered text, and after a letter with a mark, whose width pdfium does not tell."""
MIN_CJK_GAP = 0.6
"""The same between Chinese or Japanese characters, which are spread in justified lines and under furigana."""
MIN_SPACED_GAP = -0.08
"""Minimum of a gap with a drawn space in it, which kerning may shrink."""
MIN_SPACE_ADVANCE = 0.05
"""From a drawn space to the next glyph of its text object. For kerning, groff draws spaces and moves back."""
MIN_HYPHEN_WIDTH = 0.1
"""A soft hyphen within a line is not drawn: the next letter begins at its place."""
MIN_WORD_OVERLAP = 0.06
"""Overlap of two Hebrew words."""
MIN_LETTER_SPACING = 0.04
"""Smaller gaps between letters are kerning."""
MIN_SPACED_LETTERS = 5
MAX_SPACING_DIFFERENCE = 0.1
"""Between the smallest and the usual gap of letter-spaced text."""
UNCLEAR_GAPS, MAX_UNCLEAR_SHARE = (0.05, 0.15), 0.1
"""Range above the usual gap, too wide for letters, too narrow for words. Labels of an axis have such gaps."""
MAX_SHORT_SPACING, MAX_SHORT_DIFFERENCE = 0.22, 0.06
"""Limits for fewer letters: their gaps are as small and as equal, so that they cannot be spaces."""
MAX_NUMBER_SPACING, MAX_NUMBER_SPACING_SHARE = 0.5, 0.7
"""Between digits of a number in a right-to-left line: in font sizes, and as a share of the gaps beside it."""
MIN_DRAWN_SHARE = 0.8
"""Share of the gaps of a page with a drawn space; labels in wide letter spacing have others."""
MAX_WORD_GAP_SHARE = 0.65
"""Letter spacing is less than this share of a narrow space of the page. TeX shrinks spaces to 0.67."""
MAX_SMALL_CAPITAL = 0.92
"""In sizes of the capitals beside them."""

_NUMBERED = re.compile(r"[.):]\d+")
"""The number of a list item as a right-to-left page shows it, with the sign at its left."""
_PRESENTATION_FORMS = ((0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFE))
HEBREW = ("\u05d0", "\u05ea")

Spacings = dict[tuple[int, float], float]
"""Letter spacing in font sizes, by the style of its glyphs."""


@dataclass(frozen=True, slots=True)
class PageTraits:
    """Properties of a page's text that decide about its single lines.

    `is_from_right`: the text runs from right to left. `max_letter_gap`: in font sizes; smaller gaps between
    letters that are all set apart are not spaces. `draws_spaces`: the page has characters for its spaces.
    """

    is_from_right: bool = False
    max_letter_gap: float = 0.0
    draws_spaces: bool = False


def page_traits(glyphs: Sequence[Glyph]) -> PageTraits:
    """Return the properties of a page's text from its glyphs."""
    is_from_right = is_right_to_left([direction(glyph.text) for glyph in glyphs])
    letters = [glyph for glyph in glyphs if not glyph.is_space]
    gaps = sorted(
        gap
        for last, glyph in pairwise(letters)
        if last.size == glyph.size
        and last.baseline == glyph.baseline
        and MIN_WORD_GAP < (gap := (glyph.start - last.end) / glyph.size) < 1.0
    )
    narrow = gaps[len(gaps) // 4] if gaps else 0.0
    return PageTraits(is_from_right, MAX_WORD_GAP_SHARE * narrow, _draws_spaces(glyphs))


def _draws_spaces(glyphs: Sequence[Glyph]) -> bool:
    """Return whether nearly all gaps of text objects have a drawn space; other gaps are letter spacing."""
    spaces = sum(glyph.is_space for glyph in glyphs)
    gaps = sum(
        last.text_object == glyph.text_object and glyph.start - last.end > MIN_WORD_GAP * glyph.size
        for last, glyph in pairwise(glyphs)
        if not (last.is_space or glyph.is_space)
    )
    return spaces > MIN_DRAWN_SHARE * (spaces + gaps)


@dataclass(frozen=True, slots=True)
class Fragment:
    """The part of a word whose glyphs have one style; `start` and `end` run along the line, in points."""

    text: str
    start: float
    end: float
    glyph: Glyph
    """The first glyph, which has the style of all."""
    starts_word: bool = False
    places: tuple[tuple[float, float], ...] = ()
    """Start and end of each character of Chinese and Japanese text, of which each is a word."""


def fragments_of(glyphs: Sequence[Glyph], page: PageTraits) -> list[Fragment]:
    """Return the words of a stretch of a line in logical order, divided where the style changes.

    Args:
        glyphs: from left to right.
        page: properties of the page's text.
    """
    parts = _with_spaces(glyphs, page)
    if any(has_right_to_left(part.text) for part in parts):
        from_right = page.is_from_right or _is_line_from_right(parts)
        parts = logical_order(_with_marks(parts), _text_of_part, from_right=from_right)
        parts = _with_matching_brackets(parts) if from_right else parts
    elif page.is_from_right and _NUMBERED.fullmatch("".join(part.text for part in parts)):
        parts = logical_order(parts, _text_of_part, from_right=True)
    fragments: list[Fragment] = []
    starts_word = True
    for is_space, word in groupby(parts, key=lambda part: part.glyph is None):
        if is_space:
            starts_word = True
            continue
        runs = [_fragment(list(run)) for _, run in groupby(word, key=_style_of_part)]
        for fragment in _with_small_capitals([run for run in runs if run]):
            fragments.append(replace(fragment, starts_word=starts_word))
            starts_word = False
    return fragments


def _with_small_capitals(word: Sequence[Fragment]) -> Sequence[Fragment]:
    """Return a word with the letters of its small capitals in lower case, if their mapping has both cases.

    A program that draws them as smaller capitals maps each capital to the letter that it drew first.
    """
    if len(word) < 2:
        return word
    size = max(fragment.glyph.size for fragment in word)
    small = [fragment for fragment in word if fragment.glyph.size < MAX_SMALL_CAPITAL * size]
    letters = "".join(fragment.text for fragment in small)
    has_both_cases = letters not in {letters.lower(), letters.upper()}
    if not has_both_cases or any(fragment.glyph.script for fragment in word):
        return word
    return [
        replace(fragment, text=fragment.text.lower() if fragment in small else fragment.text.upper())
        for fragment in word
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """A glyph with its text, or a space without a glyph."""

    text: str
    glyph: Glyph | None


def _is_line_from_right(parts: Sequence[_Part]) -> bool:
    """Return whether a line runs from the right on a page that does not: both its ends do."""
    strong = [one for part in parts if (one := direction(part.text)) in {"L", "R"}]
    return is_right_to_left(strong) and strong[0] == strong[-1] == "R"


def _text_of_part(part: _Part) -> str:
    return part.text


def _style_of_part(part: _Part) -> tuple[object, ...]:
    glyph = part.glyph
    assert glyph is not None  # spaces are grouped apart
    return glyph.style, glyph.color, glyph.script, glyph.baseline if glyph.script else None, glyph.link


def _fragment(parts: Sequence[_Part]) -> Fragment | None:
    glyphs = [part.glyph for part in parts if part.glyph is not None]
    text = "".join(_normalized("".join(part.text for part in parts)).split())
    if not text:
        return None
    text = _with_drawn_hyphens(text, glyphs)
    start, end = min(glyph.start for glyph in glyphs), max(glyph.end for glyph in glyphs)
    if len(text) == len(glyphs) > 1 and CJK.search(text):
        places = tuple((glyph.start, glyph.end) for glyph in glyphs)
        return Fragment(text, start, end, glyphs[0], places=places)
    return Fragment(text, start, end, glyphs[0])


def _with_drawn_hyphens(text: str, glyphs: Sequence[Glyph]) -> str:
    """Return a text without its soft hyphens, but with a hyphen for one that has a width.

    InDesign maps a hyphen to the soft one, as in 13-24. The last one of a text may divide a word.
    """
    if SOFT_HYPHEN not in text[:-1]:
        return text
    widths = [
        after.start - glyph.start
        for glyph, after in pairwise(sorted(glyphs, key=lambda glyph: glyph.start))
        if glyph.text == SOFT_HYPHEN
    ]
    is_drawn = bool(widths) and min(widths) > MIN_HYPHEN_WIDTH * glyphs[0].size
    return text[:-1].replace(SOFT_HYPHEN, "-" if is_drawn else "") + text[-1]


def _with_matching_brackets(parts: Sequence[_Part]) -> list[_Part]:
    letters = "".join(part.text for part in parts)
    matching, place, replaced = with_matching_brackets(letters), 0, []
    for part in parts:
        text = matching[place : place + len(part.text)]
        replaced.append(_Part(text, part.glyph))
        place += len(part.text)
    return replaced


def _with_spaces(glyphs: Sequence[Glyph], page: PageTraits) -> list[_Part]:
    """Return the glyphs, with a space where a word ends."""
    spacings = letter_spacings(glyphs, page)
    words, numbers = _hebrew_words(glyphs), _spaced_numbers(glyphs)
    parts: list[_Part] = []
    last: Glyph | None = None
    space: Glyph | None = None
    end = -math.inf
    for glyph in glyphs:
        if glyph.is_space:
            space = space or glyph
            continue
        if last is not None:
            size = max(last.size, glyph.size)
            spacing = min(spacings.get(last.style, 0.0), spacings.get(glyph.style, 0.0)) * size
            is_formula = last.font.is_math and last.text.isalpha()
            is_raised = glyph.script and not last.script
            is_uncertain = is_formula or is_raised or unicodedata.combining(last.text[-1])
            is_unspaced = bool(CJK.match(last.text[-1]) and CJK.match(glyph.text))
            gap = MIN_CJK_GAP if is_unspaced else MIN_UNCERTAIN_GAP if is_uncertain else MIN_WORD_GAP
            has_space = space is not None and not _is_moved_back(last, space, glyph)
            limit = MIN_SPACED_GAP * size if has_space else spacing + gap * size
            if last.text_object == glyph.text_object in numbers:
                limit = math.inf
            is_overlap = last.text_object in words and glyph.text_object in words - {last.text_object}
            if glyph.start - end > limit or (is_overlap and end - glyph.start > MIN_WORD_OVERLAP * size):
                parts.append(_Part(" ", None))
        parts.append(_Part(glyph.text, glyph))
        end = max(end, glyph.end)
        last, space = glyph, None
    return parts


def _is_moved_back(last: Glyph, space: Glyph, glyph: Glyph) -> bool:
    """Return whether a drawn space has no effect, because its text object moves back by its width."""
    is_one_object = last.text_object == space.text_object == glyph.text_object
    return is_one_object and glyph.start - space.start < MIN_SPACE_ADVANCE * glyph.size


def _hebrew_words(glyphs: Sequence[Glyph]) -> set[int]:
    """Return the text objects that draw several Hebrew letters.

    Hebrew letters are not joined, so two of these objects that overlap are two words that are too wide.
    """
    counts = Counter(glyph.text_object for glyph in glyphs if HEBREW[0] <= glyph.text <= HEBREW[1])
    return {text_object for text_object, count in counts.items() if count > 1}


def _spaced_numbers(glyphs: Sequence[Glyph]) -> set[int]:
    """Return the text objects that draw the digits of one number, set apart, in a right-to-left line.

    As numbers of one digit they would come out in reverse. pdfium gives no spaces in these lines, so spaces
    between digits show by their width, which is that of the spaces beside them.
    """
    letters = [glyph for glyph in glyphs if not glyph.is_space]
    if not has_right_to_left("".join(glyph.text for glyph in letters)):
        return set()
    numbers = set()
    end = -math.inf
    starts = sorted(glyph.start for glyph in letters)
    for text_object, run in groupby(letters, key=lambda glyph: glyph.text_object):
        digits = list(run)
        gaps = [(glyph.start - last.end) / glyph.size for last, glyph in pairwise(digits)]
        if gaps and all(glyph.text.isdigit() for glyph in digits) and max(gaps) < MAX_NUMBER_SPACING:
            place = bisect_right(starts, digits[-1].start)
            following = starts[place] if place < len(starts) else math.inf
            beside = min(digits[0].start - end, following - digits[-1].end) / digits[0].size
            if max(gaps) < MAX_NUMBER_SPACING_SHARE * beside:
                numbers.add(text_object)
        end = digits[-1].end
    return numbers


def letter_spacings(glyphs: Sequence[Glyph], page: PageTraits) -> Spacings:
    """Return the letter spacing of each style in font sizes, for those whose letters are all set apart."""
    gaps: dict[tuple[int, float], list[float]] = {}
    with_letters: set[tuple[int, float]] = set()
    for last, glyph in pairwise(glyphs):
        if last.style == glyph.style and not (last.is_space or glyph.is_space):
            gaps.setdefault(glyph.style, []).append((glyph.start - last.end) / glyph.size)
            if last.text.isalpha() and glyph.text.isalpha():
                with_letters.add(glyph.style)
    is_one_object = len({glyph.text_object for glyph in glyphs}) == 1
    max_short = math.inf if page.draws_spaces and is_one_object else MAX_SHORT_SPACING
    spacings = {}
    for style, found in gaps.items():
        found.sort()
        near = [gap for gap in found if gap < page.max_letter_gap]
        apart = sum(gap > MIN_LETTER_SPACING for gap in near)
        usual = [near[-1]] if apart and 2 * apart >= len(near) else []
        if style in with_letters and _is_letter_spaced(found, max_short):
            usual.append(found[(len(found) - 1) // 2])
        if usual:
            spacings[style] = max(usual)
    return spacings


def _is_letter_spaced(gaps: Sequence[float], max_short: float) -> bool:
    """Return whether gaps, in ascending order, are those of letters that are set apart evenly.

    Args:
        gaps: gaps in font sizes.
        max_short: maximum of a gap, if there are few of them.
    """
    usual, smallest = gaps[(len(gaps) - 1) // 2], gaps[len(gaps) // 10]
    is_even = len(gaps) > 1 and gaps[-1] < max_short and gaps[-1] - gaps[0] < MAX_SHORT_DIFFERENCE
    unclear = sum(UNCLEAR_GAPS[0] < gap - usual < UNCLEAR_GAPS[1] for gap in gaps)
    is_regular = (
        len(gaps) >= MIN_SPACED_LETTERS
        and usual - smallest < MAX_SPACING_DIFFERENCE
        and unclear <= MAX_UNCLEAR_SHARE * len(gaps)
    )
    return (is_regular or is_even) and smallest > MIN_LETTER_SPACING


def _with_marks(parts: Sequence[_Part]) -> list[_Part]:
    """Join combining marks to the letter before them, so that reordering does not part them."""
    joined: list[_Part] = []
    for part in parts:
        if joined and unicodedata.combining(part.text[0]) and joined[-1].glyph is not None:
            joined[-1] = replace(joined[-1], text=joined[-1].text + part.text)
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
