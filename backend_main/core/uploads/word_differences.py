"""Differences between two texts of a page, by words; pure and bounded in cost."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

from rapidfuzz.distance import Levenshtein

MAX_PAGE_COST = 400_000_000
"""Largest product of the numbers of words of two texts that are compared; 0.14 s at this limit."""
_WORD = re.compile(r"\S+")
Span = tuple[int, int]
Kind = Literal["replace", "insert", "delete"]


class Difference(NamedTuple):
    """Words that differ: their places in both texts, in code points, and the larger number of them."""

    kind: Kind
    first: Span
    second: Span
    words: int


class WordDifferences(NamedTuple):
    """Numbers of words of both texts, and their differences; None if the texts are too long to compare."""

    first_words: int
    second_words: int
    differences: list[Difference] | None

    @property
    def cost(self) -> int:
        return self.first_words * self.second_words

    @property
    def differing_words(self) -> int | None:
        """Words to insert, delete or replace to turn one text into the other."""
        return None if self.differences is None else sum(each.words for each in self.differences)


def compare_words(first: str, second: str, max_cost: int = MAX_PAGE_COST) -> WordDifferences:
    """Compare two texts. White space makes no difference."""
    first_words, second_words = list(_WORD.finditer(first)), list(_WORD.finditer(second))
    found = None
    if len(first_words) * len(second_words) <= min(max_cost, MAX_PAGE_COST):
        steps = Levenshtein.opcodes([word[0] for word in first_words], [word[0] for word in second_words])
        found = [
            Difference(
                cast("Kind", step.tag),
                _span(first_words, step.src_start, step.src_end, len(first)),
                _span(second_words, step.dest_start, step.dest_end, len(second)),
                max(step.src_end - step.src_start, step.dest_end - step.dest_start),
            )
            for step in steps
            if step.tag != "equal"
        ]
    return WordDifferences(len(first_words), len(second_words), found)


def _span(words: list[re.Match[str]], start: int, end: int, length: int) -> Span:
    """Return the place of words in their text; for no words, the place before the next one."""
    if start == end:
        at = words[start].start() if start < len(words) else length
        return at, at
    return words[start].start(), words[end - 1].end()
