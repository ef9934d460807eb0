"""Markdown (CommonMark with GitHub's tables and strikethrough) that shows exactly the recognized text.

Escapes are few, because people read the Markdown while it streams: a character stays bare where it cannot be
markup, and recognized list items stay list items.
"""

import re
from collections.abc import Iterable, Sequence

from ..layout.blocks import Block
from ..layout.text_joining import LETTER

PAGE_BREAK = "\n\n"
HARD_BREAK = "  \n"
INDENT = "    "
"""Nests an item below one with a bullet or a number of up to two digits."""

# Markup at any place. An underscore inside a word is not, nor an ampersand without an entity after it.
_INLINE = re.compile(rf"[\\`*<\[~]|(?<!{LETTER})_|_(?!{LETTER})|&(?=#?\w+;)")
# Markup at the start of a line only: heading, quote, thematic break, underline of a heading, delimiter row of
# a table, empty list item.
_BLOCK_START = re.compile(r"^(?=#{1,6}(?:\s|$)|>|=+\s*$|[-:|+][-:|\s]*$)")
# Markup after a list marker, which stays bare: "- # C" shows as a heading in a list item.
_NESTED_BLOCK_START = re.compile(r"^((?:(?:[-+]|\d{1,9}[.)])\s+)+?)(?=#{1,6}(?:\s|$)|>|(?:-\s*){3,}$)")
# A closing sequence: "# C #" shows as "C".
_CLOSING_MARKS = re.compile(r"(?<!\S)(?=#+$)")

_PREFIX = re.compile(r"^(\s*)(.*)$", re.DOTALL)


def join_pages(pages: Iterable[str]) -> str:
    """Join the texts of pages by one blank line; leave empty pages out."""
    return PAGE_BREAK.join(page for page in pages if page)


def escape(text: str, *, at_line_start: bool = True) -> str:
    """Put a backslash before each character of a line that Markdown or HTML would interpret."""
    escaped = _CLOSING_MARKS.sub(r"\\", _INLINE.sub(r"\\\g<0>", text))
    if at_line_start and not escaped.startswith("\\"):
        escaped = _NESTED_BLOCK_START.sub(r"\1\\", _BLOCK_START.sub(r"\\", escaped))
    return escaped


class MarkdownWriter:
    """Writes the lines of a page one by one, so that the Markdown so far only grows.

    A prefix is white space (a space, a newline, a blank line) and then perhaps marks ("## ").
    """

    def __init__(self) -> None:
        self._gap = ""
        self._is_empty = True

    def skip(self, prefix: str) -> None:
        """Omit a line. The next line keeps the larger gap of both, but not the marks of the omitted one."""
        self._gap = _larger_gap(self._gap, _split(prefix)[0])

    def write(self, prefix: str, text: str) -> str:
        """Return the Markdown of one line. The first line of a page has no gap before it."""
        gap, marks = _split(prefix)
        gap = "" if self._is_empty else _larger_gap(self._gap, gap)
        at_line_start = not marks and (self._is_empty or gap.endswith("\n"))
        self._gap = ""
        self._is_empty = False
        return gap + marks + escape(text, at_line_start=at_line_start)


def _split(prefix: str) -> tuple[str, str]:
    found = _PREFIX.match(prefix)
    assert found is not None  # the pattern matches every text
    return found[1], found[2]


def _larger_gap(left: str, right: str) -> str:
    return max(left, right, key=lambda gap: (gap.count("\n"), len(gap)))


# --- whole pages -------------------------------------------------------------------------------------------


def page_markdown(blocks: Sequence[Block]) -> str:
    """Return the Markdown of a page: blank lines between blocks, single newlines between list items."""
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            is_same_list = block.kind == "list_item" and blocks[number - 1].kind == "list_item"
            parts.append("\n" if is_same_list else "\n\n")
        parts.append(_block(block))
    return "".join(parts)


def _block(block: Block) -> str:
    match block.kind:
        case "heading":
            return "#" * block.level + " " + escape(block.lines[0], at_line_start=False)
        case "table":
            head, *rows = block.cells
            return "\n".join([_row(head), "|" + "---|" * len(head), *map(_row, rows)])
        case "figure":
            return f"![{escape(' '.join(block.lines), at_line_start=False)}]()"
        case "list_item":
            # A number is part of the text and stays as it is; every bullet becomes a dash.
            marker = block.marker if block.marker[0].isdigit() else "-"
            return f"{INDENT * block.level}{marker} {escape(block.lines[0])}"
        case "paragraph":
            return HARD_BREAK.join(map(escape, block.lines))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape(cell, at_line_start=False).replace("|", "\\|") for cell in cells) + " |"
