"""Escapes of characters that Markdown or HTML would interpret.

Escapes are few, because people read the Markdown while it streams: a character stays bare where it cannot be
markup, and recognized list items stay list items.
"""

import re

from ..layout.text_joining import LETTER
from .latex import FORMULA

# Markup at any place. An underscore inside a word is not, nor an ampersand without an entity after it.
_INLINE = re.compile(rf"[\\`*<\[~]|(?<!{LETTER})_|_(?!{LETTER})|&(?=#?\w+;)")
# Markup at the start of a line only: heading, quote, thematic break, underline of a heading, delimiter row of
# a table, empty list item.
_BLOCK_START = re.compile(r"^(?=#{1,6}(?:\s|$)|>|=+\s*$|[-:|+][-:|\s]*$)")
# Markup after a list marker, which stays bare: "- # C" shows as a heading in a list item.
_NESTED_BLOCK_START = re.compile(r"^((?:(?:[-+]|\d{1,9}[.)])\s+){1,5}?)(?=#{1,6}(?:\s|$)|>|(?:-\s*){3,}$)")
# A line of many list markers is a nested list, of which Markdown parsers take quadratic time.
MAX_NESTED_LISTS = 5
_LIST_MARKER = r"(?:[-+]|\d{1,9}[.)])"
_TOO_NESTED = re.compile(rf"^((?:{_LIST_MARKER}\s+){{{MAX_NESTED_LISTS}}}\d{{0,9}})(?=[-+.)](?:\s|$))")
# A closing sequence: "# C #" shows as "C".
_CLOSING_MARKS = re.compile(r"(?<!\S)(?=#+$)")

# A dollar sign that may open a formula, which it does only if another one ends it (output/latex.py).
_FORMULA_START = re.compile(r"(?<![\w\\$])\$(?=[^\s$])|(?<!\\)\$(?=\$)")

# Inside a block of HTML, Markdown is not interpreted, only tags and entities.
_ENTITY = re.compile(r"&(?=#?\w+;)")

_CHECK_BOXES = str.maketrans({"\u2610": "[ ]", "\u2611": "[x]", "\u2612": "[x]"})
"""Ballot boxes, as the check boxes of task lists."""


def escape(text: str, *, at_line_start: bool = True) -> str:
    """Put a backslash before each character of a line that Markdown or HTML would interpret.

    Ballot boxes become `[ ]` and `[x]`.
    """
    escaped = _CLOSING_MARKS.sub(r"\\", _INLINE.sub(r"\\\g<0>", text))
    if FORMULA.search(escaped):
        escaped = escape_dollars(escaped)
    if at_line_start and not escaped.startswith("\\"):
        escaped = _NESTED_BLOCK_START.sub(r"\1\\", _BLOCK_START.sub(r"\\", escaped))
        escaped = _TOO_NESTED.sub(r"\1\\", escaped)
    return escaped.translate(_CHECK_BOXES)


def escape_dollars(text: str) -> str:
    """Put a backslash before each dollar sign that may open a formula."""
    return _FORMULA_START.sub(r"\\$", text)


def escape_html(text: str) -> str:
    """Escape what HTML would interpret in the text of an element."""
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;")


def unescape_html(text: str) -> str:
    """Undo `escape_html`."""
    return text.replace("&lt;", "<").replace("&amp;", "&")
