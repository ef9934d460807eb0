"""Places of the words of a query in texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from .tokens import QueryTokens, Token, token_texts, tokens


class Mark(NamedTuple):
    """Place of a word or phrase in one of several texts, in code points."""

    text: int
    start: int
    end: int


def marks(texts: Sequence[str], terms: Sequence[QueryTokens]) -> list[Mark]:
    """Return where the terms are in texts that follow each other, in order, without overlaps.

    A phrase that continues in the next text has a mark in each.
    """
    words_of = [token_texts(text) for text in texts]
    words = [word for words in words_of for word in words]
    found = sorted({place for term in terms for place in _places(words, term)})
    return _joined(_located(texts, words_of, found)) if found else []


def _places(words: list[str], term: QueryTokens) -> Iterator[int]:
    """Yield the indices of all words of a phrase, wherever it is."""
    first, *rest = term.tokens
    length = len(term.tokens)
    if not rest and term.is_prefix:
        yield from (at for at, word in enumerate(words) if word.startswith(first))
        return
    at = -1
    with suppress(ValueError):  # no further place of the first word
        while True:
            at = words.index(first, at + 1)
            if _continues(words[at + 1 : at + length], rest, is_prefix=term.is_prefix):
                yield from range(at, at + length)


def _continues(words: list[str], rest: list[str], *, is_prefix: bool) -> bool:
    if not (is_prefix and words):
        return words == rest
    return words[:-1] == rest[:-1] and words[-1].startswith(rest[-1])


def _located(
    texts: Sequence[str], words_of: list[list[str]], found: list[int]
) -> Iterator[tuple[int, Token]]:
    """Yield the tokens with these indices among the words of all texts, and the number of their text."""
    remaining = iter(found)
    place = next(remaining, None)
    first = 0
    for number, words in enumerate(words_of):
        end = first + len(words)
        located = list(tokens(texts[number])) if place is not None and place < end else []
        while place is not None and place < end:
            yield number, located[place - first]
            place = next(remaining, None)
        first = end


def _joined(found: Iterable[tuple[int, Token]]) -> list[Mark]:
    """Join the pairs of an unspaced script, which overlap."""
    joined: list[Mark] = []
    for text, token in found:
        if joined and joined[-1].text == text and joined[-1].end > token.start:
            joined[-1] = Mark(text, joined[-1].start, max(joined[-1].end, token.end))
        else:
            joined.append(Mark(text, token.start, token.end))
    return joined
