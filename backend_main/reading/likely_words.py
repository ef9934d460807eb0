"""Likely words in place of the unsure words of a page in English.

Only the words of the whole page show its language: “Staates” is a German word, and nearly “States”.
"""

import re
from collections.abc import Mapping, Sequence

from .english_words import is_english
from .other_scripts import replaced
from .types import Line


def with_likely_words(lines: Sequence[Line], likely: Mapping[str, str]) -> list[Line]:
    """Return the lines of a page with the likely word for each unsure one, if the page is in English.

    Args:
        lines: lines of the page, with text.
        likely: likely word for each unsure one, as in `Engine.unsure_words`.
    """
    if not likely or not is_english(line.text for line in lines):
        return list(lines)
    return [_with_likely_words(line, likely) for line in lines]


def _with_likely_words(line: Line, likely: Mapping[str, str]) -> Line:
    text = re.sub(r"\S+", lambda word: likely.get(word[0], word[0]), line.text)
    return line if text == line.text else replaced(line, text, line.confidence)
