"""Places of the words of a query in texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .tokens import QueryTokens, Token, tokens


class Mark(NamedTuple):
    """Place of a word or phrase in one of several texts, in code points."""

    text: int
    start: int
    end: int


def marks(texts: Iterable[str], terms: Sequence[QueryTokens]) -> list[Mark]:
    """Return where the terms are in texts that follow each other, in order, without overlaps.

    A phrase that continues in the next text has a mark in each.
    """
    placed = [(number, token) for number, text in enumerate(texts) for token in tokens(text)]
    words = [token.text for _, token in placed]
    found: set[int] = set()
    for term in terms:
        length = len(term.tokens)
        for at, word in enumerate(words):
            if _begins(term, word) and _matches(term, words[at : at + length]):
                found.update(range(at, at + length))
    return _joined(placed[at] for at in sorted(found))


def _begins(term: QueryTokens, word: str) -> bool:
    first = term.tokens[0]
    return word.startswith(first) if term.is_prefix and len(term.tokens) == 1 else word == first


def _matches(term: QueryTokens, words: list[str]) -> bool:
    if not term.is_prefix:
        return tuple(words) == term.tokens
    *whole, last = term.tokens
    return words[:-1] == whole and words[-1].startswith(last)


def _joined(found: Iterable[tuple[int, Token]]) -> list[Mark]:
    """Join the pairs of an unspaced script, which overlap."""
    joined: list[Mark] = []
    for text, token in found:
        if joined and joined[-1].text == text and joined[-1].end > token.start:
            joined[-1] = Mark(text, joined[-1].start, max(joined[-1].end, token.end))
        else:
            joined.append(Mark(text, token.start, token.end))
    return joined
