"""Step 10 - recognised text → Markdown that shows exactly that text (CommonMark with GitHub's additions).

Escapes are kept few, because people read the Markdown as it streams: what cannot be taken for a mark where it
stands stays bare, and recognised list items stay list items.
"""

import re

_LETTER = r"[^\W_]"
# What is a mark wherever it stands. An underscore inside a word is not, nor an ampersand before no entity.
_INLINE = re.compile(rf"[\\`*<\[~]|(?<!{_LETTER})_|_(?!{_LETTER})|&(?=#?\w+;)")
# What is a mark at the start of a line only: heading, quote, rule, underline of a heading, rule of a table,
# empty list item.
_BLOCK_START = re.compile(r"^(?=#{1,6}(?:\s|$)|>|=+\s*$|[-:|+][-:|\s]*$)")
# "# C #" shows as "C": a heading may be closed by marks.
_CLOSING_MARKS = re.compile(r"(?<!\S)(?=#+$)")

_LEAD = re.compile(r"^(\s*)(.*)$", re.DOTALL)


def escape(text: str, at_line_start: bool = True) -> str:
    """One line of text with a backslash before what Markdown or HTML would interpret."""
    escaped = _CLOSING_MARKS.sub(r"\\", _INLINE.sub(r"\\\g<0>", text))
    if at_line_start and not escaped.startswith("\\"):
        escaped = _BLOCK_START.sub(r"\\", escaped)
    return escaped


class Writer:
    """Puts leads and texts together, so that dropped lines leave no trace but their gap.

    A lead is white space (a space, a newline, a blank line) and then perhaps marks ("## ").
    """

    def __init__(self) -> None:
        self._gap = ""
        self._empty = True

    def skip(self, lead: str) -> None:
        """A line that is not shown: the gap before it passes on to the next, its marks do not."""
        self._gap = _wider(self._gap, _split(lead)[0])

    def write(self, lead: str, text: str) -> str:
        """The Markdown of one line. The first of a page has no gap before it."""
        gap, marks = _split(lead)
        gap = "" if self._empty else _wider(self._gap, gap)
        at_line_start = not marks and (self._empty or gap.endswith("\n"))
        self._gap, self._empty = "", False
        return gap + marks + escape(text, at_line_start)


def _split(lead: str) -> tuple[str, str]:
    found = _LEAD.match(lead)
    assert found is not None  # the pattern matches everything
    return found[1], found[2]


def _wider(left: str, right: str) -> str:
    return max(left, right, key=lambda gap: (gap.count("\n"), len(gap)))
