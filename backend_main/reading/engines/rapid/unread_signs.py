"""Signs that PP-OCRv6 does not read, found by their shape: „ ‚ ¡ ‰.

The network has no class for the first three. It leaves them out, or returns a comma or an “i”. It reads ‰ as
“%” or “%o”, which changes a figure by a factor of ten. All four are rare, and have simple shapes: one or two
commas below the first letter of a word, a dot above a stem that descends below the baseline, and three rings.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...layout.text_joining import CJK
from .line_ink import Component, LineInk
from .sign_shapes import ReadDigits, restore_shaped_signs

# All lengths are multiples of the height of a usual letter of the line, which is the x-height in most lines.
# They were measured on lines in Noto Sans, Noto Serif, DejaVu Sans and DejaVu Serif of 12 to 60 px.
COMMA_HEIGHT, MAX_COMMA_WIDTH = (0.2, 0.75), 0.6
MAX_COMMA_RISE = 0.5
"""Height of a low quotation mark above the baseline."""
MIN_COMMA_DESCENT, MAX_DESCENT = 0.04, 0.45
"""Lower edge below the baseline. Tops of letters of the next line are lower."""
MAX_COMMA_DISTANCE = 0.8
"""Distance of the two commas of a quotation mark, from left edge to left edge."""
MAX_DOT_HEIGHT, MIN_STEM_HEIGHT, MIN_STEM_DESCENT = 0.45, 0.6, 0.15
MAX_STEM_WIDTHS = 1.7
"""Width of the stem of an inverted exclamation mark as a multiple of its dot's."""
MAX_DOT_RISE = 1.25
"""Top of its dot above the baseline. The dots of “i” and “j” are higher."""
MAX_RING_HEIGHT, MAX_RING_GAP, MAX_RING_RISE, MAX_RING_OFFSET = 0.9, 0.5, 0.45, 0.1
SIMILARITY, MIN_DOT_SIMILARITY = 0.7, 0.5
"""Smaller size by larger size, of two commas or rings of one sign."""

LOOK_ALIKES = {"„": ',.;:"', "¡": "ij!|lI1"}
"""Characters that the network returns for a sign."""
PERCENT = re.compile(r"%[oO0°]{0,2}(?![^\W\d_])")
SURE_PER_MILLE = re.compile(r"(?<=[\d ])%o(?!\w)")
SINGLE_QUOTE = re.compile(r"(?:^|(?<=[\s(])),(?=[^\W\d_][^,]*[’‘'])")


class Sign(NamedTuple):
    """A sign at the beginning of a word, with its edges in pixels."""

    character: str
    left: int
    right: int


def with_unread_signs(text: str, positions: Sequence[float], ink: LineInk, read_digits: ReadDigits) -> str:
    """Return the text of a line with the signs that the network did not read.

    Args:
        text: text as the network read it.
        positions: middle of each character, in pixels of the line.
        ink: ink of the line.
        read_digits: recognition of the digits of a fraction.
    """
    if not text or CJK.search(text):
        return text
    characters = list(text)
    enlarged = [position * ink.scale for position in positions]
    for sign in [*_low_quotes(ink), *_inverted_exclamations(ink)]:
        _insert(characters, enlarged, sign, ink.unit)
    for match in PERCENT.finditer(text):
        if _is_per_mille(match, enlarged, ink):
            characters[match.start()] = "‰"
            characters[match.start() + 1 : match.end()] = [""] * (len(match.group()) - 1)
    restore_shaped_signs(characters, enlarged, ink, read_digits)
    return SINGLE_QUOTE.sub("‚", "".join(characters))


def _low_quotes(ink: LineInk) -> list[Sign]:
    commas = [one for one in ink.components if _is_low_comma(one, ink)]
    return [
        Sign("„", first.left, second.right)
        for first, second in pairwise(commas)
        if second.left - first.left <= MAX_COMMA_DISTANCE * ink.unit
        and _are_similar(first.height, second.height)
        and _are_similar(first.width, second.width)
        and ink.opens_word((first, second))
    ]


def _is_low_comma(one: Component, ink: LineInk) -> bool:
    lower, upper = COMMA_HEIGHT
    return (
        lower * ink.unit <= one.height <= upper * ink.unit
        and one.width <= MAX_COMMA_WIDTH * ink.unit
        and one.top >= ink.baseline - MAX_COMMA_RISE * ink.unit
        and MIN_COMMA_DESCENT <= (one.bottom - ink.baseline) / ink.unit <= MAX_DESCENT
    )


def _inverted_exclamations(ink: LineInk) -> list[Sign]:
    stems = [
        one
        for one in ink.components
        if one.height >= MIN_STEM_HEIGHT * ink.unit
        and MIN_STEM_DESCENT <= (one.bottom - ink.baseline) / ink.unit <= MAX_DESCENT
    ]
    return [
        Sign("¡", stem.left, stem.right)
        for stem in stems
        for dot in ink.components
        if _is_dot_above(dot, stem, ink) and ink.opens_word((dot, stem))
    ]


def _is_dot_above(dot: Component, stem: Component, ink: LineInk) -> bool:
    middle = dot.left + dot.width / 2
    return (
        dot.height <= MAX_DOT_HEIGHT * ink.unit
        and _are_similar(dot.width, dot.height, MIN_DOT_SIMILARITY)
        and stem.width <= MAX_STEM_WIDTHS * dot.width
        and stem.left - 1 <= middle <= stem.right + 1
        and dot.bottom <= stem.top + 1
        and stem.top - dot.bottom <= MAX_DOT_HEIGHT * ink.unit
        and dot.top >= ink.baseline - MAX_DOT_RISE * ink.unit
    )


def _is_per_mille(percent: re.Match[str], positions: Sequence[float], ink: LineInk) -> bool:
    """Return whether a percent sign has a third ring. If rings are too small, the text decides."""
    text, start, end = percent.string, percent.start(), percent.end()
    left = positions[start - 1] if start else 0.0
    right = positions[end] if end < len(text) else float(ink.mask.shape[1])
    rings = _rings_at_baseline(ink, int(left), int(right))
    if not rings:
        return bool(SURE_PER_MILLE.match(text, start))
    return any(
        second.left - first.right <= MAX_RING_GAP * ink.unit
        and _are_similar(first.height, second.height)
        and abs(first.top - second.top) <= MAX_RING_OFFSET * ink.unit
        for first, second in pairwise(rings)
    )


def _rings_at_baseline(ink: LineInk, left: int, right: int) -> list[Component]:
    """Return the white inside small rings at the baseline, from left to right."""
    import cv2

    area = np.ascontiguousarray(ink.mask[:, left:right])
    contours, tree = cv2.findContours(area, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    holes = [
        Component(*cv2.boundingRect(contour))
        for contour, (_, _, _, parent) in zip(contours, tree[0], strict=True)
        if parent >= 0
    ]
    return sorted(
        hole
        for hole in holes
        if hole.height <= MAX_RING_HEIGHT * ink.unit
        and hole.bottom >= ink.baseline - MAX_RING_RISE * ink.unit
    )


def _insert(characters: list[str], positions: Sequence[float], sign: Sign, unit: float) -> None:
    """Insert a sign before the nearest beginning of a word, or in place of the character read for it."""
    starts = [n for n, one in enumerate(characters) if one and not one.isspace() and _is_start(characters, n)]
    if not starts:
        return
    nearest = min(starts, key=lambda n: abs(positions[n] - sign.right))
    if abs(positions[nearest] - sign.right) > 2 * unit:
        return
    read = characters[nearest]
    is_read = read in LOOK_ALIKES[sign.character] and positions[nearest] <= sign.right + unit / 4
    if sign.character == "¡" and not _may_exclaim(characters, nearest + is_read, is_read=is_read):
        return
    characters[nearest] = sign.character if is_read else sign.character + read


def _may_exclaim(characters: Sequence[str], start: int, *, is_read: bool) -> bool:
    """Return whether an exclamation may start with a letter. A bent “j” looks like its sign, too: “jumps”."""
    following = "".join(characters[start:])
    if following[:1] in LOOK_ALIKES["¡"]:
        return False
    return following[:1].isupper() or (not is_read and "!" in following)


def _is_start(characters: Sequence[str], number: int) -> bool:
    return number == 0 or characters[number - 1].isspace() or characters[number - 1] in "([«–—"


def _are_similar(first: float, second: float, similarity: float = SIMILARITY) -> bool:
    return min(first, second) >= similarity * max(first, second)
