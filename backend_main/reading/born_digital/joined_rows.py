"""Rows of a paragraph joined to one line: words that a line end divides, and text without spaces.

A hyphen at a line end stays if the document divides no words, or if it writes the word with a hyphen
elsewhere, or, where it rarely divides words, both parts as words. No dictionary is needed, so any language
can be read.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..documents.styled_text import TextPiece
from ..layout.text_joining import CJK, HYPHENATED, SOFT_HYPHEN

MAX_UNDIVIDED_SHARE = 0.04
"""A document in which a smaller share of lines ends with a hyphen divides no words.

About one line in a hundred ends with the hyphen of a compound; where words are divided, one in ten does. Both
are as likely at 0.039.
"""
MIN_JOINED_WORDS = 2
"""As many divided words that stand undivided elsewhere are not by chance. One may be: on-line, online."""
MAX_WORD = 300
"""Last letters of a line that are examined, more than any word or address has: the cost is their square."""
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"(?<![^\W\d_])([^\W\d_]+)[-\u2010]$")
_COUNTED = re.compile("\\d([\uac00-\ud7a3]+)")
"""Korean word behind a number, such as the name of what is counted."""
_UNSPACED_END = re.compile(r"(?:\w\u2013|:/\S*[/.?=&-]|\w/|\w@)$")
"""End of a line that goes on without a space: a range of numbers, and an address."""
_HANGUL = ("\uac00", "\ud7a3")


@dataclass(frozen=True)
class Vocabulary:
    """Words of a document, in lower case, and whether it divides words at line ends: often, or at all.

    A Korean word behind a number is in `words` with a 0 before it.
    """

    words: frozenset[str] = field(default_factory=frozenset)
    divides_words: bool = True
    divides_often: bool = True

    def keeps_hyphen(self, first: str, second: str) -> bool:
        """Return whether a word of two parts, the first at a line end, is written with a hyphen."""
        first, second = first.lower(), second.lower()
        if first + second in self.words:
            return False
        if f"{first}-{second}" in self.words or not self.divides_words:
            return True
        return not self.divides_often and {first, second} <= self.words


NO_VOCABULARY = Vocabulary()


def vocabulary_of(lines: Iterable[str]) -> Vocabulary:
    """Return the vocabulary of a document's lines.

    A document with much code or many tables has few hyphens at line ends. It divides words if some of these
    words stand undivided elsewhere.
    """
    words: set[str] = set()
    divided: list[tuple[str, str]] = []
    count, rest = 0, ""
    for line in lines:
        found = [word.lower().replace("\u2010", "-").replace("\u2011", "-") for word in _WORD.findall(line)]
        count += bool(found)
        if rest and found:
            divided.append((rest, found.pop(0)))
        is_divided = bool(HYPHENATED.fullmatch(line[-2:])) and line[-2:-1].isalpha()
        rest = found.pop() if is_divided and found else ""
        words.update(found)
        words.update(f"0{word}" for word in _COUNTED.findall(line))
    often = len(divided) > MAX_UNDIVIDED_SHARE * count
    joined = sum(first + second in words for first, second in divided)
    hyphenated = sum(f"{first}-{second}" in words for first, second in divided)
    if joined or hyphenated:
        divides = joined >= MIN_JOINED_WORDS or (joined and not hyphenated) or (joined and often)
    else:
        divides = often
    return Vocabulary(frozenset(words), bool(divides), often)


def join_rows(rows: Iterable[Sequence[TextPiece]], vocabulary: Vocabulary = NO_VOCABULARY) -> list[TextPiece]:
    """Join the rows of a paragraph: without hyphens of divided words, and CJK without spaces."""
    joined: list[TextPiece] = []
    for row in rows:
        if not row:
            continue
        first = row[0]
        if joined:
            end = "".join(piece.text for piece in joined[-2:])[-2:]
            if HYPHENATED.fullmatch(end) and first.text[0].isalnum() and not first.script:
                if _drops_hyphen(joined, row, vocabulary):
                    joined[-1] = replace(joined[-1], text=joined[-1].text[:-1])
                first = replace(first, starts_word=False)
            else:
                first = replace(first, starts_word=not _is_unspaced(joined, row, vocabulary))
        joined += [first, *row[1:]]
    return [piece for piece in joined if piece.text]


def _drops_hyphen(above: Sequence[TextPiece], row: Sequence[TextPiece], vocabulary: Vocabulary) -> bool:
    if above[-1].text[-1] == SOFT_HYPHEN:
        return True
    if not row[0].text[0].islower():
        return False
    last = _LAST_WORD.search(_last_word(above))
    first = _FIRST_WORD.match(_first_word(row))
    return not (last and first and vocabulary.keeps_hyphen(last[1], first[0]))


def _is_unspaced(above: Sequence[TextPiece], row: Sequence[TextPiece], vocabulary: Vocabulary) -> bool:
    """Return whether no space separates two rows: of Chinese or Japanese, or within a Korean word."""
    last, first = above[-1].text[-1], row[0].text[0]
    if CJK.match(last) and CJK.match(first):
        return True
    if first.isalnum() and _UNSPACED_END.search(_last_word(above)):
        return True
    if not _HANGUL[0] <= first <= _HANGUL[1]:
        return False
    after = _FIRST_WORD.match(_first_word(row))
    before = _FIRST_WORD.match(_last_word(above)[::-1])
    if after is None or not (last.isdigit() or before):
        return False
    return ("0" if before is None else before[0][::-1]) + after[0] in vocabulary.words


def _last_word(pieces: Sequence[TextPiece]) -> str:
    word = ""
    for piece in reversed(pieces):
        word = (piece.text + word)[-MAX_WORD:]
        if piece.starts_word or len(word) == MAX_WORD:
            break
    return word


def _first_word(pieces: Sequence[TextPiece]) -> str:
    word = ""
    for piece in pieces:
        if word and piece.starts_word:
            break
        word += piece.text
    return word
