"""Fractions, ‹ › ₩ ₽, found by their shape.

PP-OCRv6 reads ¼ as “14”, ¾ as “3”, ₩ as “W” and ₽ as “P”, all with high confidence, and leaves out ‹. Each
changes a figure or a currency, so the ink decides. A fraction has a raised digit, a slash, and a low digit.
The currency signs are letters that a bar crosses. The quotation marks are narrow angles above the baseline.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...documents.pixels import Pixels
from .line_ink import Component, LineInk

ReadDigits = Callable[[Pixels], str]
"""Recognition of a picture of one digit."""
Mask = npt.NDArray[np.bool_]

FRACTIONS = {unicodedata.normalize("NFKC", sign).replace("\u2044", "/"): sign for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
"""Signs by their digits, such as `1/2`."""
READ_AS_FRACTION = frozenset("0123456789/%½¼¾⅓⅔⅛")
"""Characters that the network returns for a fraction, or for the number before it."""
MAX_READ_AS_FRACTION = 4
READ_AS_ANGLE = frozenset("<>‹›")
# Multiples of the height of the slash; measured on fractions in Noto Sans, DejaVu Sans and DejaVu Serif.
DIGIT_HEIGHT, MAX_EDGE_OFFSET, MIN_STEP = (0.42, 0.75), 0.15, 0.25
MIN_SLASH_WIDTH, MAX_DIGIT_DISTANCE = 0.4, 0.8
# Multiples of the height of a usual letter of the line.
MIN_SLASH_HEIGHT, MAX_BASELINE_OFFSET = 0.9, 0.2
ANGLE_HEIGHT, ANGLE_WIDTH, MAX_ANGLE_ASPECT_RATIO = (0.5, 1.0), (0.2, 0.65), 0.75
MIN_ANGLE_RISE, MAX_ANGLE_TOP = 0.05, 1.1
"""Lower and upper edge above the baseline. A less-than sign is as wide as high."""
MIN_ANGLE_DEPTH = 0.5
"""Distance of the tip from the ends, in widths."""
MAX_DOUBLE_DISTANCE = 0.8
"""Distance of the two angles of « »."""
MAX_WORD_GAP = 0.45
"""White between an angle and its word."""
BARRED = {"W": ("₩", (0.15, 0.8), 0.9), "P": ("₽", (0.68, 0.88), 0.5)}
"""Sign, rows of the letter (shares of its height) that have no bar, and length of a bar in its widths."""
DIGIT_SIZE, DIGIT_MARGIN = 48, 12
"""Height and margin in pixels of the picture of a digit."""


class Fraction(NamedTuple):
    """A fraction in the ink, with its edges in pixels."""

    sign: str
    left: int
    right: int


def restore_shaped_signs(
    characters: list[str], positions: Sequence[float], ink: LineInk, read_digits: ReadDigits
) -> None:
    """Replace characters of a line by the signs that its ink shows.

    Args:
        characters: characters as the network read them.
        positions: middle of each character, in pixels of the ink.
        read_digits: recognition of the digits of a fraction.
    """
    _restore_currencies(characters, positions, ink)
    for angle, sign in _angles(ink):
        _place_angle(characters, positions, angle, sign, ink.unit)
    for fraction in _fractions(ink, read_digits):
        _place_fraction(characters, positions, fraction, _digits_before(fraction.left, ink))


# --- fractions ---------------------------------------------------------------------------------------------


def _fractions(ink: LineInk, read_digits: ReadDigits) -> list[Fraction]:
    found = []
    for slash in ink.components:
        if not _may_be_slash(slash, ink):
            continue
        upper = [one for one in ink.components if _is_digit_of(one, slash, is_upper=True)]
        lower = [one for one in ink.components if _is_digit_of(one, slash, is_upper=False)]
        if len(upper) == len(lower) == 1:
            name = "/".join(read_digits(_picture(one, ink)).strip() for one in (*upper, *lower))
            if sign := FRACTIONS.get(name):
                found.append(Fraction(sign, min(upper[0].left, slash.left), max(lower[0].right, slash.right)))
    return found


def _digits_before(left: float, ink: LineInk) -> int | None:
    """Return the number of digits close before a fraction; None if digits are joined."""
    count = 0
    digits = [
        one
        for one in ink.components
        if one.left + one.width / 2 < left and one.height >= MIN_SLASH_HEIGHT * ink.unit
    ]
    for one in sorted(digits, key=lambda one: -one.right):
        if left - one.right > MAX_WORD_GAP * ink.unit:
            break
        if one.width > one.height:
            return None
        count, left = count + 1, one.left
    return count


def _place_fraction(
    characters: list[str], positions: Sequence[float], fraction: Fraction, before: int | None
) -> None:
    """Write a fraction in place of what the network returned for it, after the digits before it."""
    if before is None:
        return
    sign, left, right = fraction
    inside = [
        number
        for number, place in enumerate(positions)
        if left <= place <= right and characters[number] in READ_AS_FRACTION
    ]
    if not inside:
        return
    start, end = inside[0], inside[-1] + 1
    while start and characters[start - 1] in READ_AS_FRACTION:
        start -= 1
    while end < len(characters) and characters[end] in READ_AS_FRACTION:
        end += 1
    if before < end - start <= before + MAX_READ_AS_FRACTION:
        characters[start + before : end] = [sign] + [""] * (end - start - before - 1)


def _may_be_slash(one: Component, ink: LineInk) -> bool:
    if one.height < MIN_SLASH_HEIGHT * ink.unit or not MIN_SLASH_WIDTH <= one.width / one.height <= 1:
        return False
    part = ink.part(one)
    third = one.height // 3
    middles = [float(np.nonzero(rows)[1].mean()) for rows in (part[:third], part[-third:])]
    is_slanted = middles[0] - middles[1] >= one.width / 3
    return is_slanted and abs(one.bottom - ink.baseline) <= MAX_BASELINE_OFFSET * ink.unit


def _is_digit_of(one: Component, slash: Component, *, is_upper: bool) -> bool:
    """Return whether a component may be the numerator or the denominator at a slash."""
    height = slash.height
    if one == slash or not DIGIT_HEIGHT[0] * height <= one.height <= DIGIT_HEIGHT[1] * height:
        return False
    above, below = one.top - slash.top, slash.bottom - one.bottom
    near, far = (above, below) if is_upper else (below, above)
    offset = (one.left + one.width / 2) - (slash.left + slash.width / 2)
    distance = -offset if is_upper else offset
    return (
        abs(near) <= MAX_EDGE_OFFSET * height
        and far >= MIN_STEP * height
        and 0 < distance <= MAX_DIGIT_DISTANCE * height
    )


def _picture(one: Component, ink: LineInk) -> Pixels:
    """Return a digit alone, black on white."""
    import cv2

    part = 255 - ink.part(one)
    width = max(8, round(one.width * DIGIT_SIZE / one.height))
    scaled = cv2.resize(part, (width, DIGIT_SIZE), interpolation=cv2.INTER_AREA)
    margin = DIGIT_MARGIN
    framed = cv2.copyMakeBorder(
        scaled, margin, margin, 2 * margin, 2 * margin, cv2.BORDER_CONSTANT, value=255
    )
    return np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2BGR), np.uint8)


# --- quotation marks ---------------------------------------------------------------------------------------


def _place_angle(
    characters: list[str], positions: Sequence[float], angle: Component, sign: str, unit: float
) -> None:
    """Write a mark in place of the character read for it; if it was left out, before the next character."""
    near = MAX_WORD_GAP * unit
    for number, place in enumerate(positions):
        if characters[number] in READ_AS_ANGLE and angle.left - near <= place <= angle.right + near:
            characters[number] = sign
            return
    if any(
        angle.left <= place <= angle.right and one.strip()
        for place, one in zip(positions, characters, strict=True)
    ):
        return
    following = int(np.searchsorted(positions, (angle.left + angle.right) / 2))
    if following < len(characters):
        characters[following] = sign + characters[following]
    elif characters:
        characters[-1] += sign


def _angles(ink: LineInk) -> list[tuple[Component, str]]:
    angles = [(one, sign) for one in ink.components if (sign := _angle(one, ink))]
    return [
        (one, sign)
        for one, sign in angles
        if not any(
            other is not one and abs(other.left - one.left) <= MAX_DOUBLE_DISTANCE * ink.unit
            for other, _ in angles
        )
        and _is_at_end_of_word(one, ink)
    ]


def _angle(one: Component, ink: LineInk) -> str:
    """Return ‹ or › if a component is one; otherwise an empty string."""
    unit = ink.unit
    has_size = (
        ANGLE_HEIGHT[0] * unit <= one.height <= ANGLE_HEIGHT[1] * unit
        and ANGLE_WIDTH[0] * unit <= one.width <= ANGLE_WIDTH[1] * unit
        and one.width <= MAX_ANGLE_ASPECT_RATIO * one.height
        and ink.baseline - one.bottom >= MIN_ANGLE_RISE * unit
        and ink.baseline - one.top <= MAX_ANGLE_TOP * unit
    )
    if not has_size:
        return ""
    part = ink.part(one) > 0
    middles = np.array([np.flatnonzero(row).mean() if row.any() else np.nan for row in part])
    runs = np.diff(part.astype(np.int8), axis=1, prepend=0).clip(0).sum(axis=1)
    if np.isnan(middles).any() or (runs > 1).mean() > 0.1:
        return ""
    half = one.height / 2
    ideal = np.abs(np.arange(one.height) + 0.5 - half) / half
    # The middles of the rows go straight to the tip, and straight back.
    slope, start = np.polyfit(ideal, middles, 1)
    error = float(np.abs(middles - (slope * ideal + start)).max())
    if abs(slope) < MIN_ANGLE_DEPTH * one.width or error > 0.2 * one.width:
        return ""
    return "‹" if slope > 0 else "›"


def _is_at_end_of_word(one: Component, ink: LineInk) -> bool:
    """Return whether a letter is beside a component, on one side only."""
    letters = [other for other in ink.components if other is not one and other.height > ink.unit / 2]
    before = max((other.right for other in letters if other.left < one.left), default=-np.inf)
    after = min((other.left for other in letters if other.left > one.left), default=np.inf)
    return (one.left - before <= MAX_WORD_GAP * ink.unit) or (after - one.right <= MAX_WORD_GAP * ink.unit)


# --- currencies --------------------------------------------------------------------------------------------


def _restore_currencies(characters: list[str], positions: Sequence[float], ink: LineInk) -> None:
    """Replace W and P beside a number by ₩ and ₽ if a bar crosses them."""
    text = "".join(characters)
    if len(text) != len(characters):
        return
    for match in re.finditer(r"(?<=\d)\s?[WP](?!\w)|(?<!\w)[WP](?=\s?\d)", text):
        number = match.end() - 1
        letter = next((one for one in ink.components if one.left <= positions[number] <= one.right), None)
        if letter is not None and letter.height >= MIN_SLASH_HEIGHT * ink.unit:
            sign, rows, length = BARRED[text[number]]
            if _has_bar(ink.part(letter) > 0, rows, length):
                characters[number] = sign


def _has_bar(letter: Mask, rows: tuple[float, float], length: float) -> bool:
    height, width = letter.shape
    inner = letter[round(rows[0] * height) : round(rows[1] * height)]
    return width <= 2 * height and any(_longest_run(row) >= length * width for row in inner)


def _longest_run(row: Mask) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
