"""Words of English, for unsure words of an engine."""

import lzma
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "models" / "english_words.txt.xz"
"""Written by tools/english_words.py."""
MIN_LETTERS = 4
"""Letters of the shortest words in the file."""
MIN_WORDS, MIN_ENGLISH_SHARE = 8, 0.5
"""Words of a page from which its language is clear, and the share of them that is in the file.

English pages have .57 and more, French ones .30 and less, German ones .14 (docs/decisions/0127).
"""


class EnglishWords(NamedTuple):
    """Lower-case words of four letters or more."""

    common: frozenset[str]
    others: frozenset[str]

    def has(self, word: str) -> bool:
        """Return whether a lower-case word is in one of the two."""
        return word in self.common or word in self.others


@cache
def english_words() -> EnglishWords:
    """Return the words of the file, which takes 50 ms the first time."""
    common, others = lzma.decompress(FILE.read_bytes()).decode().split("\n")
    return EnglishWords(frozenset(common.split()), frozenset(others.split()))


def is_english(texts: Iterable[str]) -> bool:
    """Return whether texts are mostly English; False if they have too few words."""
    found = [
        english_words().has(word.lower())
        for text in texts
        for word in re.findall(rf"[^\W\d_]{{{MIN_LETTERS},}}", text)
    ]
    return len(found) >= MIN_WORDS and sum(found) >= MIN_ENGLISH_SHARE * len(found)
