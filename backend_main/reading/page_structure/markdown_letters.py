"""Letters and digits that Markdown shows, with their places in it."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from ..output.latex import COMMANDS, FORMULA, FUNCTIONS

_RUN = re.compile(r"[^\W_]+")
# Markup with letters in it. A backslash before makes it text, and so do the backticks of code.
_TAG_NAMES = r"(?:su[bp]|[abis]|code|t[rdh]|table|thead|tbody|br)"
_HIDDEN = re.compile(
    r"(?P<code>(?<![\\`])(`+)(?!`)[^`\n]+\2(?!`))|"
    rf"(?<!\\)(?:</?{_TAG_NAMES}\b[^<>]{{0,2200}}>|&(?:lt|gt|amp|quot|#?\w{{1,8}});|\[[xX]\](?=\s|$))"
)
_LINK = re.compile(r"(?<!\\)\[(?:[^\[\]\\]|\\.){0,1000}(\]\([^()\s]{0,2100}\))")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_LETTERS = {name: letter for letter, name in COMMANDS.items() if letter.isalnum()}
_HIDE = "\0"
"""Character in place of one that is not shown. Texts have none."""


class ShownLetters:
    """Letters and digits of texts in one string, `letters`, with their places in Markdown."""

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        """Args: `texts`: parts of the Markdown, without markup, each with its place."""
        runs = [(found.start() + start, found[0]) for start, text in texts for found in _RUN.finditer(text)]
        self.letters = "".join(run for _, run in runs)
        self._starts = [place for place, _ in runs]
        self._counts = list(accumulate((len(run) for _, run in runs), initial=0))

    def place(self, index: int) -> int:
        """Return the place of a letter in the Markdown."""
        run = bisect_right(self._counts, index) - 1
        return self._starts[run] + index - self._counts[run]

    def is_word(self, first: int, end: int) -> bool:
        """Return whether letters are whole words."""
        return all(self._counts[bisect_right(self._counts, place) - 1] == place for place in (first, end))


def letters_of(text: str) -> str:
    """Return the letters and digits of a plain text."""
    return "".join(_RUN.findall(text))


def first_and_last_letter(text: str) -> tuple[int, int]:
    """Return the place of the first letter of a text with letters, and the place behind the last one."""
    runs = [found.span() for found in _RUN.finditer(text)]
    return runs[0][0], runs[-1][1]


def shown_text(markdown: str) -> str:
    """Return Markdown, as long as it is, without the letters of its markup.

    The commands of a formula's letters become these letters.
    """
    text = FORMULA.sub(_shown_formula, markdown) if "$" in markdown else markdown
    if "](" in text:
        text = _LINK.sub(lambda found: found[0][: -len(found[1])] + _HIDE * len(found[1]), text)
    return _HIDDEN.sub(lambda found: found["code"] or _HIDE * len(found[0]), text)


def _shown_formula(found: re.Match[str]) -> str:
    return _COMMAND.sub(_shown_command, found[0])


def _shown_command(found: re.Match[str]) -> str:
    name = found[1]
    shown = name if name in FUNCTIONS else _LETTERS.get(name, "")
    return (_HIDE + shown).ljust(len(found[0]), _HIDE)
