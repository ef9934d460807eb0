"""OCR scores for tests and benchmarks: character error rate, word error rate, word F1.

Both texts are folded first: NFKC; quotes, dashes and bullets unified; Markdown marks stripped; hyphens at
line ends joined; white space folded; case ignored. Chinese and Japanese lose their spaces, and every
character counts as a word. Word F1 strips punctuation and other marks around words (docs/decisions/0066):
an extra full stop does not make another word, and a token without a letter or digit is not a word.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

_UNIFIED = str.maketrans(
    dict.fromkeys("‘’‚‛`´′", "'")
    | dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("·●▪■◦‣○◆►", "•")
)
_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff60"
_STEPS = (
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),  # Markdown escapes
    (re.compile(r"<[^>\n]{1,80}>"), " "),
    (re.compile(r"^\s*\|?[\s:|-]*\|[\s:|-]*$", re.MULTILINE), " "),  # the rule under a table's head
    (re.compile(r"^\s{0,3}(?:#{1,6}|>|[-*+•])\s+", re.MULTILINE), ""),
    (re.compile(r"[*_|`#•]+"), " "),
    (re.compile(r"(?<=\w)-\s*\n\s*(?=\w)"), ""),
    (re.compile(r"\s+"), " "),
    (re.compile(rf"(?<=[{_CJK}]) | (?=[{_CJK}])"), ""),
)
_MARKS_AROUND = re.compile(r"^\W+|\W+$")
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")


def folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_UNIFIED).casefold()
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return text.strip()


def words(text: str) -> list[str]:
    return _WORD.findall(folded(text))


def bare(words: Iterable[str]) -> Counter[str]:
    return Counter(word for word in (_MARKS_AROUND.sub("", word) for word in words) if word)


@dataclass(frozen=True)
class Score:
    """Distances and lengths of one page or of a set of pages, in characters and words."""

    char_errors: int = 0
    chars: int = 0
    word_errors: int = 0
    words: int = 0
    truth_bare: int = 0
    read_bare: int = 0
    common_bare: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def cer(self) -> float:
        """Character error rate; it may exceed 1."""
        return self.char_errors / max(1, self.chars)

    @property
    def wer(self) -> float:
        return self.word_errors / max(1, self.words)

    @property
    def word_f1(self) -> float:
        """F1 of the bag of words: recognition without reading order."""
        return 2 * self.common_bare / max(1, self.truth_bare + self.read_bare)


def score(read: str, truth: str) -> Score:
    read_words, truth_words = words(read), words(truth)
    read_chars, truth_chars = folded(read), folded(truth)
    read_bare, truth_bare = bare(read_words), bare(truth_words)
    return Score(
        char_errors=Levenshtein.distance(read_chars, truth_chars),
        chars=len(truth_chars),
        word_errors=Levenshtein.distance(read_words, truth_words),
        words=len(truth_words),
        truth_bare=truth_bare.total(),
        read_bare=read_bare.total(),
        common_bare=(read_bare & truth_bare).total(),
    )
