"""Letters without their marks: é → e, Ł → l, ß → ss."""

import unicodedata
from functools import lru_cache

_OTHER = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d", "þ": "th", "ё": "е",
}  # fmt: skip
_MARKED_SCRIPTS = "abcdefghijklmnopqrstuvwxyzαβγδεζηθικλμνξοπρσςτυφχψω"


def to_base_letters(text: str) -> str:
    """Return lower-case text whose Latin and Greek letters have no marks; й and others stay."""
    return "".join(map(_base, text.lower()))


@lru_cache(maxsize=4096)
def _base(letter: str) -> str:
    if letter in _OTHER:
        return _OTHER[letter]
    base = unicodedata.normalize("NFD", letter)[:1]
    return base if base in _MARKED_SCRIPTS else letter
