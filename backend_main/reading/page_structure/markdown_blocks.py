"""Markdown → blocks, for pages whose assembly gives none: those of some engines, and of earlier versions.

The blocks are those of our own Markdown, and of what models write. All text is in one of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..types import BlockType

_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}#{1,6}(?:\s|$)")
_ITEM = re.compile(r"(\s*)([-+*]|\d{1,9}[.)])\s+(?=\S)")
_QUOTE = re.compile(r"\s{0,3}>")
_FIGURE = re.compile(r"\s*!\[.*\]\([^()]*\)\s*$")
_FOOTNOTE = re.compile(r"\s{0,3}\[\^[^\[\]\s]{1,30}\]:")
_BREAK = re.compile(r"\s*([-*_])\s*(?:\1\s*){2,}$")
_DELIMITER_ROW = re.compile(r"\s*+[ :|]*+-[ :-]*+(?:\|[ :|-]*)$")
_HTML_TABLE = re.compile(r"\s*<table\b", re.IGNORECASE)
_HTML_TABLE_END = re.compile(r"</table\s*>", re.IGNORECASE)
_FORMULA_MARK, _FORMULA_END = "$$", re.compile(r"\$\$")
_TEXT_KINDS = frozenset({"paragraph", "footnote", "formula"})


@dataclass(frozen=True)
class MarkdownBlock:
    """A block from `start` to `end` of Markdown, without the line breaks around it.

    `depth` is that of a list item.
    """

    type: BlockType
    start: int
    end: int
    depth: int | None = None


def markdown_blocks(markdown: str) -> list[MarkdownBlock]:
    """Return the blocks of Markdown in their order."""
    lines = [(found.start(), found[0]) for found in _LINE.finditer(markdown) if found[0]]
    return list(_Parser(lines).blocks())


class _Parser:
    def __init__(self, lines: list[tuple[int, str]]) -> None:
        self._lines = lines
        self._absent: set[re.Pattern[str]] = set()
        """Patterns that no line below has, or else each would be searched to the end of the page again."""
        self._indents: list[int] = []
        """Indents of the items around the last one, and its own."""

    def blocks(self) -> Iterator[MarkdownBlock]:
        number = 0
        above: BlockType | None = None
        while number < len(self._lines):
            if not self._text(number).strip() or self._is_break(number):
                number, above = number + 1, None
                continue
            kind = self._kind(number, above)
            end = self._end(number, kind)
            yield self._block(kind, number, end)
            number, above = end, kind

    def _text(self, number: int) -> str:
        return self._lines[number][1] if number < len(self._lines) else ""

    def _is_break(self, number: int) -> bool:
        return _BREAK.match(self._text(number).rstrip("\n")) is not None

    def _block(self, kind: BlockType, first: int, end: int) -> MarkdownBlock:
        last_start, last = self._lines[end - 1]
        depth = self._depth(first) if kind == "list_item" else None
        if depth is None:
            self._indents.clear()
        return MarkdownBlock(kind, self._lines[first][0], last_start + len(last.rstrip()), depth)

    def _depth(self, number: int) -> int:
        """Return the depth of a list item by its indent and those of the items before it."""
        text = self._text(number)
        indent = len(text) - len(text.lstrip())
        while self._indents and self._indents[-1] >= indent:
            self._indents.pop()
        self._indents.append(indent)
        return len(self._indents) - 1

    def _kind(self, number: int, above: BlockType | None) -> BlockType:
        """Return the kind of the block that begins at a line; `above`: that of the line before."""
        text = self._text(number)
        patterns: tuple[tuple[re.Pattern[str], BlockType], ...] = (
            (_FENCE, "code"),
            (_HEADING, "heading"),
            (_QUOTE, "quote"),
            (_HTML_TABLE, "table"),
            (_FIGURE, "figure"),
            (_FOOTNOTE, "footnote"),
        )
        for pattern, kind in patterns:
            if pattern.match(text):
                return kind
        if text.lstrip().startswith(_FORMULA_MARK):
            return "formula"
        if "|" in text and _DELIMITER_ROW.match(self._text(number + 1).rstrip("\n")):
            return "table"
        item = _ITEM.match(text)
        # A number in the middle of a paragraph begins no list, unless it is 1 (CommonMark 0.31, 5.3).
        if item and (above != "paragraph" or not item[2][0].isdigit() or item[2][:-1] == "1"):
            return "list_item"
        return "paragraph"

    def _end(self, first: int, kind: BlockType) -> int:
        """Return the number of the line behind a block."""
        text = self._text(first)
        if kind in ("heading", "figure"):
            return first + 1
        if fence := _FENCE.match(text):
            closing = re.compile(rf"\s{{0,3}}{fence[1][0]}{{{len(fence[1])},}}\s*$")
            return self._line_with(closing, first + 1) or len(self._lines)
        if kind == "formula" and text.count(_FORMULA_MARK) > 1:
            return first + 1
        if kind == "formula" and (end := self._line_with(_FORMULA_END, first + 1)):
            return end
        if _HTML_TABLE.match(text) and (end := self._line_with(_HTML_TABLE_END, first)):
            return end
        number = first + 1
        while self._text(number).strip() and self._continues(number, kind):
            number += 1
        return number

    def _line_with(self, pattern: re.Pattern[str], first: int) -> int | None:
        """Return the number behind the first line that has a pattern; None if there is none."""
        if pattern in self._absent:
            return None
        numbers = range(first, len(self._lines))
        end = next((number + 1 for number in numbers if pattern.search(self._text(number))), None)
        if end is None:
            self._absent.add(pattern)
        return end

    def _continues(self, number: int, kind: BlockType) -> bool:
        """Return whether a line belongs to the block of the line above."""
        if kind == "table":
            return True
        if kind == "quote":
            return _QUOTE.match(self._text(number)) is not None
        following = self._kind(number, "paragraph" if kind in _TEXT_KINDS else kind)
        return following == "paragraph" and not self._is_break(number)
