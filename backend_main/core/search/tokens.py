"""Words of a text as the index stores them: without case, accents and vowel points.

Scripts without spaces (Chinese, Japanese, Thai and others, also Korean, whose particles join the word) are
stored as pairs of neighboring characters, and the last character of a run alone. A query of several
characters is then a phrase of pairs, and a query of one character is a prefix.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MAX_TOKEN_CHARACTERS = 40
# Han with extensions, kana, Hangul, Thai, Lao, Myanmar, Khmer.
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
)
# Letters that Unicode does not decompose into a base letter and an accent.
_BASE_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ـ": None}
)
# Combining classes: 10 to 35 are points of Hebrew and Arabic, from 200 on accents above and below. The
# others are parts of letters, such as the voicing of kana (8) and the virama of Indic scripts (9).
_POINTS, _MIN_ACCENT_CLASS = range(10, 36), 200

_ASCII_WORD = re.compile(r"[a-z0-9]+")


class Token(NamedTuple):
    """Folded word and its place in the text."""

    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text in order."""
    for match in _pattern().finditer(text):
        start, end = match.span()
        if match.lastgroup == "unspaced":
            for at in range(start, end):
                stop = min(at + 2, end)
                if folded := fold(text[at:stop]):
                    yield Token(folded, at, stop)
        elif folded := fold(match[0]):
            yield Token(folded, start, end)


def token_texts(text: str) -> list[str]:
    """Return the texts of `tokens`; faster."""
    if text.isascii():
        return [word[:MAX_TOKEN_CHARACTERS] for word in _ASCII_WORD.findall(text.lower())]
    found: list[str] = []
    for match in _pattern().finditer(text):
        word = match[0]
        if match.lastgroup == "unspaced":
            found += filter(None, [fold(word[at : at + 2]) for at in range(len(word))])
        elif folded := fold(word):
            found.append(folded)
    return found


class QueryTokens(NamedTuple):
    """Tokens that must follow each other; the last one may be the beginning of a word only."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


def query_tokens(text: str) -> list[QueryTokens]:
    """Return the phrases that a text with the words of `text` contains, one for each run of a script."""
    found: list[QueryTokens] = []
    words: list[str] = []
    for match in _pattern().finditer(text):
        word = match[0]
        if match.lastgroup != "unspaced":
            words += filter(None, [fold(word)])
            continue
        if words:
            found.append(QueryTokens(tuple(words)))
            words = []
        pairs = tuple(filter(None, [fold(word[at : at + 2]) for at in range(max(1, len(word) - 1))]))
        found += [QueryTokens(pairs, is_prefix=len(word) == 1)] if pairs else []
    return [*found, QueryTokens(tuple(words))] if words else found


@functools.lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """Return a word without case, accents and points, cut to `MAX_TOKEN_CHARACTERS`."""
    if word.isascii():
        return word.lower()[:MAX_TOKEN_CHARACTERS]
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    letters = "".join(char for char in decomposed if not _is_accent(char)).translate(_BASE_LETTERS)
    composed = unicodedata.normalize("NFC", letters).casefold()
    return "".join(filter(_is_token_character, composed))[:MAX_TOKEN_CHARACTERS]


def _is_accent(char: str) -> bool:
    combining_class = unicodedata.combining(char)
    return combining_class in _POINTS or combining_class >= _MIN_ACCENT_CLASS


def _is_token_character(char: str) -> bool:
    """Return whether the tokenizers of both databases keep the character in a word."""
    return char.isalnum() or unicodedata.category(char)[0] == "M"


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Return the pattern of a word. Python's `\\w` leaves out vowel signs, which are combining marks."""
    marks = "".join(
        _ranges(code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M")
    )
    letter = rf"[^\W_{_UNSPACED}]"
    return re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|{letter}+(?:[{marks}ـ]+{letter}*)*")


def _ranges(codes: Iterator[int]) -> Iterator[str]:
    """Yield ascending code points as ranges of a character class."""
    first = last = next(codes)
    for code in codes:
        if code != last + 1:
            yield f"{chr(first)}-{chr(last)}"
            first = code
        last = code
    yield f"{chr(first)}-{chr(last)}"
