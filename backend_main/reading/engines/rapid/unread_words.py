"""Words of a line that may be in another script, by the letters and the ink.

The network has no class for the letters of another script. It leaves them out, so that ink stands without
letters, or returns similar ones with less probability than the rest of the line: “caco” for “спасибо”.
Both show in one word, though the confidence of the line is high.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Self

from ...english_words import english_words
from ...languages import scripts_of_text
from ...layout.text_joining import CJK
from ..base import UnreadWord
from .line_ink import LineInk

# Lengths are multiples of the height of a usual letter of the line. Measured on drawn lines in six scripts
# and 16 fonts of 18 to 36 px, and on 63 scans of receipts, forms and books (docs/decisions/0146).
MIN_WORD_GAP, MAX_LETTER_GAP = 0.35, 0.2
"""White between two words, and between two letters of one. Other gaps may be either."""
MIN_INK_HEIGHT = 0.3
"""Height of ink from which it counts: marks and specks are lower."""
MIN_WORD_HEIGHT, MAX_WORD_HEIGHT = 0.6, 3.0
"""Heights of the ink of a word. A rule is lower, a drawing is higher."""
MAX_PART_WIDTH = 10.0
"""Width of connected ink; longer ink is a rule."""
LETTER_WIDTH = 1.05
"""Median width of a letter with the white beside it."""
MIN_UNREAD_WIDTH, MIN_WIDTH_RATIO = 1.5, 1.4
"""Width of a word with too few letters: in all, and for each letter as a multiple of that of the line.

Words in Latin letters have up to 1.5 (“May”); half of those in Arabic, Devanagari and Korean have no letter.
"""
MIN_SURE_WIDTH_RATIO = 3.0
"""Width for each letter of a word whose letters are sure, as a multiple of that of the line."""
MIN_UNSURE_WIDTH = 1.5
MAX_PROBABILITY, MIN_SURE_PROBABILITY = 0.95, 0.95
"""Mean probability of the letters of an unsure word, and median of the other letters of its line."""
MAX_CAPITALS_PROBABILITY = 0.8
"""Mean probability of an unsure word without small letters: codes on receipts have up to 0.95."""
SURE_LETTER_PROBABILITY = 0.97
"""Probability of letters of a word that is only printed wide: a logo, or a heading."""
MIN_LETTER_SHARE = 0.3
"""Letters of an unsure word by its characters. Formulas and numbers have fewer."""
MIN_OTHERS = 4
"""Other letters of the line of a word, from which they show whether the print is good."""
MIN_WORD_LETTERS, MIN_FOREIGN_LETTERS = 4, 2
"""Letters of a word, and those of another script among them. Formulas have fewer."""
MIN_CHARACTERS, MIN_MIXED_CHARACTERS = 4, 3
"""Characters of an unsure word: of letters, and with others (“T7'” for “ילד”).

Shorter ones are unsure in every scan: “to”, “Tax”.
"""
OUTER_MARKS = re.compile(r"^[(\[„“\"«]+|[)\].,:;!?”\"»]+$")
FORMULA_SIGN = re.compile("[=\u00ac\u00b1\u00d7\u00f7\u2200-\u22ff]")
"""Signs of formulas, whose letters are unsure."""
OWN_SCRIPTS = frozenset({"Latin", "Han", "Japanese"})


@dataclass
class _InkWord:
    """Ink of a word, with the characters that stand on it."""

    left: float
    right: float
    height: float
    characters: list[int] = field(default_factory=list)
    """Numbers of the characters in the text of the line."""

    @property
    def width(self) -> float:
        return self.right - self.left

    def append(self, word: Self) -> None:
        """Add the ink to the right."""
        self.right, self.height = word.right, max(self.height, word.height)
        self.characters += word.characters

    def may_continue_with(self, word: Self) -> bool:
        """Return whether the ink to the right is of one word: near, and without letters of its own."""
        has_letters = bool(self.characters) and bool(word.characters)
        return not has_letters and word.left - self.right <= MIN_WORD_GAP

    def distance(self, position: float) -> float:
        return max(self.left - position, position - self.right)


def unread_words(
    text: str, positions: Sequence[float], probabilities: Sequence[float], ink: LineInk
) -> list[UnreadWord]:
    """Return the words of a level line that may be in another script.

    Args:
        text: text as the network read it.
        positions: middle of each character, in pixels of the line.
        probabilities: probability of each character.
        ink: ink of the line.
    """
    if 2 * sum(map(bool, map(CJK.match, text))) >= len(text) or FORMULA_SIGN.search(text):
        return []
    letters = _Letters(text, probabilities)
    words = _ink_words(ink, letters, [position * ink.scale / ink.unit for position in positions])
    letter_width = _letter_width(words)
    length = ink.mask.shape[1] / ink.unit
    found = []
    stop = 0
    for word in words:
        start, stop = letters.words_of(word.characters, stop)
        has_ink_alone = _lacks_letters(word, letters, letter_width)
        is_wide_enough = has_ink_alone or word.width >= MIN_UNSURE_WIDTH
        if is_wide_enough and letters.are_suspect(word.characters, has_ink_alone=has_ink_alone):
            found.append(UnreadWord(start, stop, word.left / length, word.right / length, has_ink_alone))
    return found


@dataclass(frozen=True)
class _Letters:
    """Characters of a line with their probabilities."""

    text: str
    probabilities: Sequence[float]

    def words_of(self, characters: Sequence[int], previous: int) -> tuple[int, int]:
        """Return the words of the text, from first to behind the last one, that have these characters."""
        if not characters:
            return previous, previous
        first, last = (self.text.count(" ", 0, number) for number in (characters[0], characters[-1]))
        return first, last + 1

    def probability(self, characters: Sequence[int]) -> float:
        return fmean(self.probabilities[number] for number in characters)

    def are_suspect(self, characters: Sequence[int], *, has_ink_alone: bool) -> bool:
        """Return whether the characters of a word may stand for letters of another script."""
        if self.has_foreign_word(characters):
            return True
        return (has_ink_alone or self.may_be_look_alikes(characters)) and self.are_others_sure(characters)

    def may_be_look_alikes(self, characters: Sequence[int]) -> bool:
        """Return whether the characters of a word may be similar ones to letters of another script."""
        word = OUTER_MARKS.sub("", "".join(self.text[number] for number in characters))
        letters = list(filter(str.isalpha, word))
        if len(letters) < max(1, MIN_LETTER_SHARE * len(word)) or english_words().has(word.lower()):
            return False
        is_chinese = all(map(CJK.match, letters))
        if not is_chinese and len(word) < (MIN_CHARACTERS if word.isalpha() else MIN_MIXED_CHARACTERS):
            return False
        if is_chinese:
            return self.probability(characters) < SURE_LETTER_PROBABILITY
        has_small = any(map(str.islower, letters))
        return self.probability(characters) < (MAX_PROBABILITY if has_small else MAX_CAPITALS_PROBABILITY)

    def has_foreign_word(self, characters: Sequence[int]) -> bool:
        """Return whether a word has letters of a script that the network reads in formulas only."""
        letters = [self.text[number] for number in characters if self.text[number].isalpha()]
        foreign = sum(not scripts_of_text([letter]) <= OWN_SCRIPTS for letter in letters)
        return len(letters) >= MIN_WORD_LETTERS and foreign >= MIN_FOREIGN_LETTERS

    def are_others_sure(self, characters: Sequence[int]) -> bool:
        """Return whether most other characters of the line are sure, so that the print is good."""
        others = [
            probability
            for number, probability in enumerate(self.probabilities)
            if number not in characters and self.text[number] != " "
        ]
        return len(others) >= MIN_OTHERS and median(others) >= MIN_SURE_PROBABILITY


def _ink_words(ink: LineInk, letters: _Letters, positions: Sequence[float]) -> list[_InkWord]:
    """Return the words of the ink in their order. Ink with characters of one word of the text is one."""
    words = _separate_ink(ink)
    for number, position in enumerate(positions):
        if words and letters.text[number] != " ":
            nearest = min(words, key=lambda word: word.distance(position))
            nearest.characters.append(number)
    joined: list[_InkWord] = []
    for word in words:
        before = next((one for one in reversed(joined) if one.characters), None)
        if before and word.characters and " " not in letters.text[before.characters[-1] : word.characters[0]]:
            while joined[-1] is not before:
                joined.pop()
            before.append(word)
        elif joined and joined[-1].may_continue_with(word):
            joined[-1].append(word)
        else:
            joined.append(word)
    return joined


def _separate_ink(ink: LineInk) -> list[_InkWord]:
    words: list[_InkWord] = []
    for part in ink.components:
        left, right, height = (length / ink.unit for length in (part.left, part.right, part.height))
        if height < MIN_INK_HEIGHT or right - left > MAX_PART_WIDTH:
            continue
        if words and left - words[-1].right <= MAX_LETTER_GAP:
            words[-1].right = max(words[-1].right, right)
            words[-1].height = max(words[-1].height, height)
        else:
            words.append(_InkWord(left, right, height))
    return words


def _letter_width(words: Sequence[_InkWord]) -> float:
    """Return the width of a usual letter of a line."""
    widths = [word.width / len(word.characters) for word in words if len(word.characters) > 1]
    return max(LETTER_WIDTH, median(widths)) if len(widths) > 1 else LETTER_WIDTH


def _lacks_letters(word: _InkWord, letters: _Letters, letter_width: float) -> bool:
    """Return whether the ink of a word is more than its characters explain."""
    if word.width < MIN_UNREAD_WIDTH or not MIN_WORD_HEIGHT <= word.height <= MAX_WORD_HEIGHT:
        return False
    if not word.characters:
        return True
    if not any(letters.text[number].isalpha() for number in word.characters):
        return False
    ratio = word.width / len(word.characters) / letter_width
    is_sure = letters.probability(word.characters) >= SURE_LETTER_PROBABILITY
    return ratio >= (MIN_SURE_WIDTH_RATIO if is_sure else MIN_WIDTH_RATIO)
