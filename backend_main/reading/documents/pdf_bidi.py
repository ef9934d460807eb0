"""Logical order of right-to-left lines: glyphs are drawn from left to right, whatever the order of the file.

This is the inverse of the Unicode Bidirectional Algorithm (UAX #9) for one line without embeddings. If two
logical orders look alike, a number beside a word of the other direction belongs to that word.
"""

import unicodedata
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from ..languages import RIGHT_TO_LEFT

_NUMBER = frozenset({"EN", "AN"})
_NUMBER_SIGNS = frozenset({"ES", "CS", "ET"})
_MIRRORED = dict(zip("()[]{}<>«»", ")(][}{><»«", strict=True))
_OPENING, _CLOSING = "([{", ")]}"

Item = TypeVar("Item")


def direction(text: str) -> str:
    """Return "R", "L", "N" (number) or "" for a neutral text: the class of its first letter that has one."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in RIGHT_TO_LEFT:
            return "R"
        if kind == "L":
            return "L"
        if kind in _NUMBER:
            return "N"
    return ""


def is_right_to_left(directions: Sequence[str]) -> bool:
    """Return whether a line or a page runs from right to left: most of its letters do."""
    return directions.count("R") > directions.count("L")


def logical_order(items: Sequence[Item], text_of: Callable[[Item], str], *, from_right: bool) -> list[Item]:
    """Return the items of a line, given from left to right, in logical order.

    Args:
        items: parts of a line; each is a glyph or a space.
        text_of: returns the text of an item.
        from_right: whether the line runs from right to left.
    """
    directions = [direction(text_of(item)) for item in items]
    levels = _levels(directions, [text_of(item) for item in items], from_right=from_right)
    runs = [[index for index, _ in run] for _, run in groupby(enumerate(levels), key=lambda pair: pair[1])]
    ordered: list[int] = []
    for run in reversed(runs) if from_right else runs:
        ordered += reversed(run) if levels[run[0]] else run
    return [items[index] for index in ordered]


def _levels(directions: Sequence[str], texts: Sequence[str], *, from_right: bool) -> list[bool]:
    """Return for each item whether it is part of a right-to-left run."""
    resolved = list(directions)
    is_arabic = from_right and any(unicodedata.bidirectional(text[:1]) == "AL" for text in texts)
    for index, kind in enumerate(directions):
        if not kind and _is_in_number(directions, texts, index, is_arabic=is_arabic):
            resolved[index] = "N"
    levels = [kind == "R" or (not kind and from_right) for kind in resolved]
    # Neutral items between two of one direction have that direction; numbers run from left to right.
    index = 0
    while index < len(resolved):
        end = index
        while end < len(resolved) and not resolved[end]:
            end += 1
        if index < end < len(resolved) and index:
            before, after = resolved[index - 1], resolved[end]
            is_left_to_right = from_right and "L" in (before, after) and "R" not in (before, after)
            is_right_to_left = not from_right and before == after == "R"
            if is_left_to_right or is_right_to_left:
                levels[index:end] = [is_right_to_left] * (end - index)
        index = end + 1
    return levels


def _is_in_number(directions: Sequence[str], texts: Sequence[str], index: int, *, is_arabic: bool) -> bool:
    """Return whether a sign stands between two digits, or a currency, percent or similar sign beside one.

    In Arabic, a sign beside a number is not part of it, so it is drawn at the left (UAX #9, rules W2 and W5).
    """
    if {unicodedata.bidirectional(letter) for letter in texts[index]} - _NUMBER_SIGNS:
        return False
    before = index > 0 and directions[index - 1] == "N"
    after = index + 1 < len(directions) and directions[index + 1] == "N"
    is_terminator = unicodedata.bidirectional(texts[index][0]) == "ET"
    return (before or after) if is_terminator and not is_arabic else (before and after)


def with_matching_brackets(text: str) -> str:
    """Return the text with its brackets mirrored, if more of them match then.

    Programs differ in whether a mirrored bracket is stored as the character or as the shape.
    """
    mirrored = "".join(_MIRRORED.get(letter, letter) for letter in text)
    return mirrored if _matches(mirrored) > _matches(text) else text


def _matches(text: str) -> int:
    opened, count = list[str](), 0
    for letter in text:
        if letter in _OPENING:
            opened.append(letter)
        elif letter in _CLOSING and opened and _OPENING.index(opened[-1]) == _CLOSING.index(letter):
            opened.pop()
            count += 1
    return count
