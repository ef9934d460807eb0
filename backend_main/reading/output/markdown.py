"""Markdown (CommonMark with GitHub's tables and strikethrough) that shows exactly the recognized text.

Escapes are few, because people read the Markdown while it streams: a character stays bare where it cannot be
markup, and recognized list items stay list items.
"""

import re
from collections.abc import Iterable

from ...control_characters import remove_controls
from ..layout.blocks import Block
from .escaping import escape
from .tables import table_markup

PAGE_BREAK = "\n\n"
HARD_BREAK = "  \n"
INDENT = "    "
"""Nests an item below one with a bullet or a number of up to two digits."""

_PREFIX = re.compile(r"^(\s*)(.*)$", re.DOTALL)


def join_pages(pages: Iterable[str]) -> str:
    """Join the texts of pages by one blank line; leave empty pages out."""
    return PAGE_BREAK.join(page for page in pages if page)


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
        text = remove_controls(text)  # before it is escaped: what remains may be markup
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


def block_markdown(block: Block) -> str:
    """Return the Markdown of a block of a recognized page."""
    match block.kind:
        case "heading":
            return "#" * block.level + " " + escape(block.lines[0], at_line_start=False)
        case "table":
            return table_markup(block.cells, block.spans)
        case "figure":
            return f"![{escape(' '.join(block.lines), at_line_start=False)}]()"
        case "list_item":
            # A number is part of the text and stays as it is; every bullet becomes a dash.
            marker = block.marker if block.marker[0].isdigit() else "-"
            return f"{INDENT * block.level}{marker} {escape(block.lines[0])}"
        case "paragraph":
            return HARD_BREAK.join(map(escape, block.lines))
