"""Words of Markdown without its marks, in order, and their difference from known words."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from html import unescape


def difference(expected: list[str], words: list[str], *, ignores_case: bool = False) -> list[str]:
    """Return what has changed in the words, such as `-lost words` and `+surplus words`.

    A compound may come without its hyphen if it never comes with it: at the end of a line, nothing else in
    the document shows whose hyphen it is. A Korean word that is nowhere in one line may come in two parts.
    """
    before, after = normalized(expected), words
    if ignores_case:
        before, after = [word.casefold() for word in before], [word.casefold() for word in after]
    joined = {word.replace("-", ""): word for word in {*before} - {*after} if "-" in word.strip("-")}
    after = _with_whole_words([joined.get(word, word) for word in after], {*before} - {*after})
    changes = []
    for kind, *places in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        start, end, new_start, new_end = places
        if kind != "equal":
            changes += [f"-{' '.join(before[start:end])}", f"+{' '.join(after[new_start:new_end])}"]
    return [change for change in changes if len(change) > 1]


def _with_whole_words(words: list[str], divided: set[str]) -> list[str]:
    """Return words with those of `divided` in one part that are Korean and come in two parts."""
    whole: list[str] = []
    for word in words:
        if whole and whole[-1] + word in divided and HANGUL.match(word):
            whole[-1] += word
        else:
            whole.append(word)
    return whole


HANGUL = re.compile("[\uac00-\ud7a3]")
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKS = (
    (re.compile(r"^\s*\|(?:\s*:?-+:?\s*\|)+\s*$", re.MULTILINE), " "),  # the rule under a table's head
    (re.compile(r"!?\[([^]]*)\]\(([^)]*)\)"), r"\1"),  # links and pictures
    (re.compile(r"</?(?:table|tbody|thead|tr|td|th|br)\b[^>]*>"), " "),
    (re.compile(r"</?(?:sup|sub|b|i|em|strong|code)>"), ""),
    (re.compile(r"^\s*(?:>\s*)*(?:#{1,6}|[-*+])\s+", re.MULTILINE), ""),
    (re.compile(r"^\s*>\s*", re.MULTILINE), ""),
    (re.compile(r"(?<!\\)\|"), " "),
    (re.compile(r"(?<!\\)(?:\*{1,3}(?=\S)|(?<=\S)\*{1,3}|`)"), ""),  # not the asterisk of `a * b`
    (re.compile(r"(?<!\\)\$(?=[^\s$]*[\^_])([^$]*)\$"), r"\1"),  # formulas
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def markdown_words(markdown: str) -> list[str]:
    """Return the words of Markdown without its marks."""
    # The odd parts are program texts, which have no marks.
    parts = FENCE.split(markdown)
    for number in range(0, len(parts), 2):
        parts[number] = unescape(unmarked(parts[number]))
    return normalized(" ".join(parts).split())


def unmarked(markdown: str) -> str:
    for pattern, replacement in MARKS:
        markdown = pattern.sub(replacement, markdown)
    return markdown


def normalized(words: list[str]) -> list[str]:
    return [unicodedata.normalize("NFC", word) for word in words]
