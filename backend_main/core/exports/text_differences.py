"""Differences of two texts by words, and their transfer to another rendition of the first text.

A person corrects plain text. Lines and Markdown contain the same words with other things between them, so the
differences go from words to words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Indel

from ...reading.words import word_spans

MAX_COST = 100_000_000
"""Largest product of the numbers of words of two parts that are compared. A larger part counts as different.

At this limit the comparison takes 0.02 s and 13 MB.
"""


class Token(NamedTuple):
    """Word of a text."""

    text: str
    start: int
    end: int


class Edit(NamedTuple):
    """Replacement of the tokens [first, last) by a text, with the white space around it.

    Without tokens, `text` is inserted behind the token before `first`. Without text, the tokens are removed.
    """

    first: int
    last: int
    text: str


def tokens_of(text: str, offset: int = 0) -> list[Token]:
    """Return the words of a text; `offset` is added to their places."""
    return [Token(text[start:end], start + offset, end + offset) for start, end in word_spans(text)]


def edits(old: Sequence[Token], new_text: str) -> list[Edit]:
    """Return the edits that turn a text with these tokens into another one, from start to end."""
    new = tokens_of(new_text)
    found: list[Edit] = []
    at_old = at_new = 0
    for i, j in [
        *matches([token.text for token in old], [token.text for token in new]),
        (len(old), len(new)),
    ]:
        if i - at_old == j - at_new:
            found.extend(Edit(at_old + n, at_old + n + 1, new[at_new + n].text) for n in range(i - at_old))
        elif i > at_old or j > at_new:
            found.append(Edit(at_old, i, _between(new_text, new, at_new, j, is_insertion=i == at_old)))
        at_old, at_new = i + 1, j + 1
    return found


def _between(text: str, tokens: Sequence[Token], first: int, last: int, *, is_insertion: bool) -> str:
    """Return the text of tokens; an insertion has the white space before it, or behind at the start."""
    if first == last:
        return ""
    start, end = tokens[first].start, tokens[last - 1].end
    if is_insertion and first:
        start = tokens[first - 1].end
    elif is_insertion and last < len(tokens):
        end = tokens[last].start
    return text[start:end]


def transfer(changes: Sequence[Edit], base: Sequence[Token], target: Sequence[Token]) -> list[Edit]:
    """Return edits of `base` as edits of `target`, which has most of its words in the same order."""
    places = dict(matches([token.text for token in base], [token.text for token in target]))
    known = sorted(places)
    moved: list[Edit] = []
    for change in changes:
        own = [places[n] for n in range(change.first, change.last) if n in places]
        if own:
            moved.append(Edit(own[0], own[-1] + 1, change.text))
        elif change.text:
            before = bisect_left(known, change.first)
            place = places[known[before - 1]] + 1 if before else 0
            # Words that only the base has are not replaced, so the new ones need their own space.
            gap = "" if change.text[:1].isspace() or change.text[-1:].isspace() else " "
            moved.append(Edit(place, place, gap + change.text if place else change.text + gap))
    return moved


def apply_edits(text: str, tokens: Sequence[Token], changes: Sequence[Edit]) -> str:
    """Return a text with these tokens after the edits, which are in order."""
    parts, at = [], 0
    for change in changes:
        if change.first == change.last:
            start = end = tokens[change.first - 1].end if change.first else 0
        else:
            start, end = tokens[change.first].start, tokens[change.last - 1].end
        start = max(start, at)
        kept = text[at:start]
        parts += [kept if change.text else kept.rstrip(" "), change.text]
        at = max(end, start)
    return "".join([*parts, text[at:]])


def matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of equal words in both texts, in order.

    Words that each text has once divide the texts (patience diff), so that the time is near to linear.
    """
    start = 0
    shorter = min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    found = [(n, n) for n in range(start)]
    at_old, at_new = start, start
    last = (len(old) - end, len(new) - end)
    for i, j in [*_anchors(old, new, start, last), last]:
        found += _compared(old, new, (at_old, i), (at_new, j))
        found.append((i, j))
        at_old, at_new = i + 1, j + 1
    found.pop()  # `last` is not a match
    return found + [(len(old) - n, len(new) - n) for n in range(end, 0, -1)]


def _anchors(
    old: Sequence[str], new: Sequence[str], start: int, end: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the longest sequence of words in common order that both texts have once."""
    old_counts, new_counts = Counter(old[start : end[0]]), Counter(new[start : end[1]])
    places = {new[n]: n for n in range(start, end[1]) if new_counts[new[n]] == 1}
    pairs = [
        (n, places[old[n]]) for n in range(start, end[0]) if old[n] in places and old_counts[old[n]] == 1
    ]
    return list(_increasing(pairs))


def _increasing(pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the longest part of pairs in which the second numbers rise too (patience sorting)."""
    tops: list[int] = []
    top_pairs: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        before.append(top_pairs[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(place)
            top_pairs.append(index)
        else:
            tops[pile], top_pairs[pile] = place, index
    chain: list[int] = []
    at = top_pairs[-1] if top_pairs else -1
    while at >= 0:
        chain.append(at)
        at = before[at]
    yield from (pairs[index] for index in reversed(chain))


def _compared(
    old: Sequence[str], new: Sequence[str], old_range: tuple[int, int], new_range: tuple[int, int]
) -> list[tuple[int, int]]:
    a, b = old[slice(*old_range)], new[slice(*new_range)]
    if a == b:
        return list(zip(range(*old_range), range(*new_range), strict=True))
    if len(a) * len(b) > MAX_COST:
        return []
    return [
        (old_range[0] + block.a + n, new_range[0] + block.b + n)
        for block in Indel.opcodes(a, b).as_matching_blocks()
        for n in range(block.size)
    ]
