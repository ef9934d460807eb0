"""Languages that a set of characters can write, by CLDR's exemplar characters.

An engine cannot return a letter that its model has no class for: it leaves the letter out, or returns a
similar one, both with high confidence. So an engine claims a language only if its characters have the letters
of that language.
"""

import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path

from .languages import LANGUAGES

EXEMPLARS = Path(__file__).parent / "cldr" / "exemplar_letters.txt"
MAX_MISSING_SHARE = 0.005
"""Share of the letters of a language that may be missing.

It allows two archaic kana of Japanese, of 2,300 characters, and no letter of an alphabet.
"""
RARE_LETTERS = frozenset("ÿ\u0301")
"""Letters of a few names and words: French “L’Haÿ”, and the accent on a Dutch “j”."""
MODIFIER_APOSTROPHES = frozenset("ʼʻ’‘'")
"""Apostrophes that are letters in some languages. Print does not tell them from a quotation mark."""


@cache
def exemplar_letters(code: str) -> frozenset[str]:
    """Return the letters of a language by its ISO 639-1 code, in both cases; empty if it is unknown."""
    return _exemplars().get(code, frozenset())


def missing_letters(code: str, characters: Collection[str]) -> frozenset[str]:
    """Return the letters of a language that a set of characters lacks."""
    return frozenset(letter for letter in exemplar_letters(code) if not _can_write(letter, characters))


def covers(code: str, characters: Collection[str]) -> bool:
    """Return whether a set of characters has the small letters of a known language."""
    letters = {letter for letter in exemplar_letters(code) if letter == letter.lower()}
    missing = missing_letters(code, characters) & letters - RARE_LETTERS
    return bool(letters) and len(missing) <= MAX_MISSING_SHARE * len(letters)


def covered_languages(characters: Collection[str]) -> frozenset[str]:
    """Return the codes of the languages whose letters are in a set of characters."""
    return frozenset(code for code in LANGUAGES if covers(code, characters))


def _can_write(letter: str, characters: Collection[str]) -> bool:
    if letter in characters or letter in MODIFIER_APOSTROPHES:
        return True
    # A pack may have a letter as its parts.
    parts = unicodedata.normalize("NFD", letter)
    return len(parts) > 1 and all(part in characters for part in parts)


@cache
def _exemplars() -> dict[str, frozenset[str]]:
    rows = EXEMPLARS.read_text(encoding="utf-8").splitlines()
    return {code: frozenset(letters) for code, _, letters in (row.partition("\t") for row in rows)}
