"""Three-way merge of a correction with a new reading of its page; pure.

A person corrected the old reading, and the page was read again. The merged text has the changes of the
person, and those of the new reading where the person changed nothing. If both changed the same words in
different ways, the words of the person stay: a person has looked at the page.

The texts are compared as words and the white space between them. The algorithm is that of diff3 (Khanna,
Kunal, Pierce: "A formal investigation of diff3", 2007), with Levenshtein alignments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

MAX_TOKENS = 20_000
"""Words and spaces of a text that are compared: a page of a newspaper has about half as many. The time grows
with the product of both numbers: 0.14 s for two texts of this length."""
_TOKEN = re.compile(r"\s+|\S+")


class Merge(NamedTuple):
    """Merged text, and the number of places where both sides changed the same words."""

    text: str
    conflicts: int


class Change(NamedTuple):
    """Tokens that replace those from `start` to `end` of the old reading."""

    start: int
    end: int
    tokens: list[str]


def merge_correction(*, old: str, correction: str, new: str) -> Merge:
    """Apply the changes that a person made to the old reading of a page to its new reading.

    A text that is too long to compare counts as one conflict: the correction stays as it is.
    """
    if old == new or correction == new:
        return Merge(correction, 0)
    if correction == old:
        return Merge(new, 0)
    base, ours, theirs = (_TOKEN.findall(text) for text in (old, correction, new))
    if max(len(base), len(ours), len(theirs)) > MAX_TOKENS:
        return Merge(correction, 1)
    tokens, conflicts = _merge(base, changes(base, ours), changes(base, theirs))
    return Merge("".join(tokens), conflicts)


def changes(base: list[str], other: list[str]) -> list[Change]:
    """Return the changes that turn `base` into `other`, in order; equal tokens are between them."""
    found: list[Change] = []
    for step in Levenshtein.opcodes(base, other):
        if step.tag == "equal":
            continue
        start, tokens = step.src_start, other[step.dest_start : step.dest_end]
        if found and found[-1].end == start:
            start, tokens = found[-1].start, found[-1].tokens + tokens
            found.pop()
        found.append(Change(start, step.src_end, tokens))
    return found


def _merge(base: list[str], ours: list[Change], theirs: list[Change]) -> tuple[list[str], int]:
    """Return the merged tokens, and the number of conflicts."""
    merged: list[str] = []
    conflicts = position = 0
    for our_group, their_group in _overlapping_groups(ours, theirs):
        group = our_group + their_group
        start, end = min(change.start for change in group), max(change.end for change in group)
        merged += base[position:start]
        our_tokens = _apply(base, our_group, start, end)
        their_tokens = _apply(base, their_group, start, end)
        merged += our_tokens if our_group else their_tokens
        conflicts += bool(our_group and their_group and our_tokens != their_tokens)
        position = end
    return merged + base[position:], conflicts


def _overlapping_groups(
    ours: list[Change], theirs: list[Change]
) -> Iterator[tuple[list[Change], list[Change]]]:
    """Yield the changes of both sides in order. Changes of the same tokens are in one group."""
    pending = ours[::-1], theirs[::-1]
    while any(pending):
        groups: tuple[list[Change], list[Change]] = [], []
        end = None
        while (side := _next_side(pending, end)) is not None:
            change = pending[side].pop()
            groups[side].append(change)
            # An insertion has no tokens of its own: only another change at its place overlaps it.
            end = max(change.end, change.start + 1, end or 0)
        yield groups


def _next_side(pending: tuple[list[Change], list[Change]], end: int | None) -> int | None:
    """Return the side with the next change; None if that begins at `end` or later."""
    starts = [(changes[-1].start, side) for side, changes in enumerate(pending) if changes]
    if not starts:
        return None
    start, side = min(starts)
    return side if end is None or start < end else None


def _apply(base: list[str], changes: list[Change], start: int, end: int) -> list[str]:
    """Return the tokens from `start` to `end` with the changes."""
    result: list[str] = []
    for change in changes:
        result += base[start : change.start] + change.tokens
        start = change.end
    return result + base[start:end]
