"""Detection of text whose letters form no words, as a wrong mapping from codes to letters gives.

There is no dictionary. In five scripts, pairs of letters have costs that follow from their frequency in many
languages (docs/decisions/0110-text-layer-checked-against-the-page.md). Chinese and Korean have characters
that hardly any text uses. Figures, part numbers and short texts give no evidence, so they are
plausible.
"""

import re
from collections.abc import Iterable
from functools import cache

from . import letter_pairs
from .base_letters import to_base_letters

MIN_WORD_LETTERS = 3
MIN_PAIRS = 12
MAX_PAIR_COSTS = {"LATIN": 3.0, "CYRILLIC": 4.2, "GREEK": 4.4, "HEBREW": 4.5, "ARABIC": 5.0}
"""Mean cost of a pair in bits.

Latin text of 12 languages has 1.9 to 3.1, drug names 2.7, code 2.8, and text whose letters are shifted or
swapped 3.0 to 4.5. In other scripts, text has 3.1 to 4.5, and shifted text at least 5.4.
"""
SHORT_TEXT_ALLOWANCE = 8.0
"""In bits, divided by the number of pairs: the mean of a short text varies more."""
MIN_CHARACTERS = 20
MIN_DISTINCT_HAN, MIN_USUAL_HAN_SHARE = 4, 0.8
"""Number of distinct characters, and the share of them in the first level of one national standard. Random
characters have a third to a half, texts 0.9. A name of rare characters costs one comparison."""
MIN_USUAL_HANGUL_SHARE = 0.8
MAX_MARKED_SHARE, MIN_ALL_MARKED = 0.5, 6
"""Share of Latin letters with marks: 0.3 in Vietnamese, nearly 1 where Cyrillic was mapped to Latin. A few
letters suffice if all have marks."""

_CODE = re.compile(r"[\d/\\@_%=<>]")
"""Words of addresses, part numbers and programs."""
_HAN = re.compile("[\u4e00-\u9fff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_LATIN_MARKED = re.compile("[\u00c0-\u024f]")
_LATIN_PLAIN = re.compile("[A-Za-z]")


def is_implausible(words: Iterable[str]) -> bool:
    """Return whether words of one font are hardly words of any language. Each word counts once."""
    text = " ".join({word for word in words if not _CODE.search(word)})
    return (
        any(_has_costly_pairs(text, script) for script in MAX_PAIR_COSTS)
        or _has_rare_characters(text)
        or _is_mostly_marked(text)
    )


def pair_cost(text: str, script: str) -> tuple[float, int]:
    """Return the mean cost of the letter pairs of a text in a script, and their number.

    Args:
        text: any text; only words in the script with enough letters count.
        script: a name in `letter_pairs`.
    """
    pattern, costs = _table(script)
    total = count = 0
    for word in pattern.findall(to_base_letters(text)):
        padded = f" {word} "
        total += sum(costs[padded[place : place + 2]] for place in range(len(padded) - 1))
        count += len(padded) - 1
    return total / max(1, count), count


def _has_costly_pairs(text: str, script: str) -> bool:
    cost, count = pair_cost(text, script)
    return count >= MIN_PAIRS and cost > MAX_PAIR_COSTS[script] + SHORT_TEXT_ALLOWANCE / count


@cache
def _table(script: str) -> tuple[re.Pattern[str], dict[str, int]]:
    alphabet, digits = getattr(letter_pairs, script)
    costs = {
        first + second: int(digit)
        for first, row in zip(alphabet, digits.split(), strict=True)
        for second, digit in zip(alphabet, row, strict=True)
    }
    return re.compile(f"[{alphabet[1:]}]{{{MIN_WORD_LETTERS},}}"), costs


def _has_rare_characters(text: str) -> bool:
    han, hangul = set(_HAN.findall(text)), _HANGUL.findall(text)
    if len(han) >= MIN_DISTINCT_HAN:
        usual_han = max(map(sum, zip(*map(_usual_levels, han), strict=True)))
        if usual_han < MIN_USUAL_HAN_SHARE * len(han):
            return True
    # KS X 1001 has two bytes for a usual syllable, and a sequence of eight for any other.
    usual = sum(len(letter.encode("euc_kr")) == 2 for letter in hangul)
    return len(hangul) >= MIN_CHARACTERS and usual < MIN_USUAL_HANGUL_SHARE * len(hangul)


@cache
def _usual_levels(letter: str) -> tuple[bool, ...]:
    """Return whether the first levels of GB 2312, Big5 and JIS X 0208, by frequency of use, have a letter."""
    first_levels = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("shift_jis", 0x88, 0x98))
    return tuple(
        _is_encodable(letter, name) and first <= letter.encode(name)[0] <= last
        for name, first, last in first_levels
    )


def _is_encodable(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _is_mostly_marked(text: str) -> bool:
    marked, plain = len(_LATIN_MARKED.findall(text)), len(_LATIN_PLAIN.findall(text))
    if not plain:
        return marked >= MIN_ALL_MARKED
    return marked >= MIN_CHARACTERS and marked > MAX_MARKED_SHARE * (marked + plain)
