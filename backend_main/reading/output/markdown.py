"""Step 10 - recognised text → Markdown that shows exactly that text (CommonMark with GitHub's additions).

Escapes are kept few, because people read the Markdown as it streams: what cannot be taken for a mark where it
stands stays bare, and recognised list items stay list items.
"""

import re
from collections.abc import Iterable, Sequence

from ..layout.blocks import Block

PAGE_BREAK = "\n\n"
HARD_BREAK = "  \n"
# What is nested may stand as deep as the text of a bullet or of a number of two digits above it.
INDENT = "    "

_LETTER = r"[^\W_]"
# What is a mark wherever it stands. An underscore inside a word is not, nor an ampersand before no entity.
_INLINE = re.compile(rf"[\\`*<\[~]|(?<!{_LETTER})_|_(?!{_LETTER})|&(?=#?\w+;)")
# What is a mark at the start of a line only: heading, quote, rule, underline of a heading, rule of a table,
# empty list item.
_BLOCK_START = re.compile(r"^(?=#{1,6}(?:\s|$)|>|=+\s*$|[-:|+][-:|\s]*$)")
# "# C #" shows as "C": a heading may be closed by marks.
_CLOSING_MARKS = re.compile(r"(?<!\S)(?=#+$)")

_LEAD = re.compile(r"^(\s*)(.*)$", re.DOTALL)


def join_pages(pages: Iterable[str]) -> str:
    """Join the texts of pages by one blank line; leave empty pages out."""
    return PAGE_BREAK.join(page for page in pages if page)


def escape(text: str, at_line_start: bool = True) -> str:
    """One line of text with a backslash before what Markdown or HTML would interpret."""
    escaped = _CLOSING_MARKS.sub(r"\\", _INLINE.sub(r"\\\g<0>", text))
    if at_line_start and not escaped.startswith("\\"):
        escaped = _BLOCK_START.sub(r"\\", escaped)
    return escaped


class MarkdownWriter:
    """Puts leads and texts together, so that dropped lines leave no trace but their gap.

    A lead is white space (a space, a newline, a blank line) and then perhaps marks ("## ").
    """

    def __init__(self) -> None:
        self._gap = ""
        self._empty = True

    def skip(self, lead: str) -> None:
        """A line that is not shown: the gap before it passes on to the next, its marks do not."""
        self._gap = _larger_gap(self._gap, _split(lead)[0])

    def write(self, lead: str, text: str) -> str:
        """The Markdown of one line. The first of a page has no gap before it."""
        gap, marks = _split(lead)
        gap = "" if self._empty else _larger_gap(self._gap, gap)
        at_line_start = not marks and (self._empty or gap.endswith("\n"))
        self._gap, self._empty = "", False
        return gap + marks + escape(text, at_line_start)


def _split(lead: str) -> tuple[str, str]:
    found = _LEAD.match(lead)
    assert found is not None  # the pattern matches everything
    return found[1], found[2]


def _larger_gap(left: str, right: str) -> str:
    return max(left, right, key=lambda gap: (gap.count("\n"), len(gap)))


# --- whole pages -------------------------------------------------------------------------------------------


def page_markdown(blocks: Sequence[Block]) -> str:
    """Blocks parted by blank lines; a list's items stand close, and lines that stay lines are broken hard."""
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            close = block.kind == "item" and blocks[number - 1].kind == "item"
            parts.append("\n" if close else "\n\n")
        parts.append(_block(block))
    return "".join(parts)


def _block(block: Block) -> str:
    match block.kind:
        case "heading":
            return "#" * block.level + " " + escape(block.lines[0], at_line_start=False)
        case "table":
            return _table(block.cells)
        case "figure":
            return f"![{escape(' '.join(block.lines), at_line_start=False)}]()"
        case "item":
            return f"{_marker(block)} {escape(block.lines[0])}"
    return HARD_BREAK.join(escape(line) for line in block.lines)


def _marker(block: Block) -> str:
    """Numbers stay as they are, for they are read; any bullet is Markdown's."""
    return INDENT * block.level + (block.marker if block.marker[0].isdigit() else "-")


def _table(cells: Sequence[Sequence[str]]) -> str:
    head, *rows = cells
    return "\n".join([_row(head), "|" + "---|" * len(head), *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape(cell, at_line_start=False).replace("|", "\\|") for cell in cells) + " |"
