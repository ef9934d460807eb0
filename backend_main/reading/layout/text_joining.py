"""Step 10 - what lines say of themselves by their letters: how wide they are set, what they begin with."""

import re

CJK = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_NARROW = frozenset("iljtfrI.,:;'|!()[] -")

_LETTER = r"[^\W_]"
_HYPHENATED = re.compile(rf"{_LETTER}[-\u2010\u00ad]")
_SOFT_HYPHEN = "\u00ad"

# A dash or an asterisk without a space behind it is part of a word, a round bullet never is.
_BULLET = re.compile(r"^(?:[•●▪■◦‣○◆►∙·]\s*|[*–—-]\s+)(?=\S)")
_NUMBER = re.compile(r"^\d{1,3}[.)](?:\s+(?=\D)|(?=[^\s\d.,)]{2}))")
_LETTERED = re.compile(r"^(?:\((?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})\)|[a-zA-Z]\)|[①-⑳])")


def join_lines(text: str, line: str) -> str:
    """The line behind the text: with a space, and without one between Chinese or Japanese characters.

    A hyphen goes where a word was broken, and stays in “Jean-Paul” and “2004-07”.
    """
    lines = TextJoiner()
    lines.add(text)
    lines.add(line)
    return str(lines)


class TextJoiner:
    """Lines joined one after the other; each costs what it is long, however much stands before it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._end = ""  # the last two letters, all that decides how it goes on

    def __str__(self) -> str:
        return "".join(self._parts)

    def add(self, line: str) -> None:
        """Behind what is there, as `join_lines` says."""
        if not self._parts or not line:
            self._append(line)
        elif _HYPHENATED.fullmatch(self._end):
            self._add_to_hyphen(line)
        elif CJK.match(self._end[-1]) and CJK.match(line[0]):
            self._append(line)
        else:
            self._append(" ", line)

    def add_below(self, line: str) -> None:
        """On a line of its own."""
        self._append(*(["\n"] if self._parts else []), line)

    def _add_to_hyphen(self, line: str) -> None:
        if line[0].islower() or self._end[-1] == _SOFT_HYPHEN:
            self._parts[-1] = self._parts[-1][:-1]
            self._end = self._end[:-1]
            self._append(line)
        else:
            self._append(*([] if line[0].isalnum() else [" "]), line)

    def _append(self, *parts: str) -> None:
        self._parts += filter(None, parts)
        self._end = (self._end + "".join(parts))[-2:]


def estimated_width(text: str) -> float:
    """About how wide a text is set, in widths of a small letter."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in _NARROW:
        return 0.6
    if letter.isascii():
        return 1.35 if letter.isupper() or letter in "mw" else 1.0
    return 2.0 if CJK.match(letter) else 1.0


def list_marker(text: str) -> str:
    """The bullet or number with which an item of a list begins, and the space behind it."""
    found = _BULLET.match(text) or _NUMBER.match(text)
    return found[0] if found else ""


def is_bullet(text: str) -> bool:
    return bool(_BULLET.match(text))


def starts_list_item(text: str) -> bool:
    """Whether a line begins with a bullet or a number of any kind, also those unknown to Markdown."""
    return bool(list_marker(text) or _LETTERED.match(text))
