"""Cells of a table in Markdown: a pipe table, or an HTML table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_PIPE = re.compile(r"(?<!\\)\|")
_LINE = re.compile(r"[^\n]+")
_ROW = re.compile(r"<tr\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"<t([dh])\b([^<>]*)>|</t[dhr]\s*>|</table\s*>", re.IGNORECASE)
_SPAN = re.compile(r"\b(row|col)span\s*=\s*[\"']?(\d{1,4})", re.IGNORECASE)
MAX_COLUMNS = 1000
"""Columns of a table; browsers limit those of a cell (HTML standard, 4.9.11)."""


@dataclass(frozen=True)
class MarkdownCell:
    """A cell with its place in the table, and its content from `start` to `end` of the Markdown."""

    row: int
    column: int
    start: int
    end: int
    row_span: int = 1
    column_span: int = 1
    is_header: bool = False


def is_html_table(markdown: str, start: int) -> bool:
    """Return whether a table at a place of Markdown is HTML."""
    return markdown.startswith("<", start)


def markdown_cells(markdown: str, start: int, end: int) -> list[MarkdownCell]:
    """Return the cells of the table that stands from `start` to `end` of Markdown, by rows."""
    cells = _html_cells if is_html_table(markdown, start) else _pipe_cells
    return list(cells(markdown, start, end))


def _pipe_cells(markdown: str, start: int, end: int) -> Iterator[MarkdownCell]:
    """Yield the cells of a pipe table. Its second line is the delimiter row."""
    for number, line in enumerate(_LINE.finditer(markdown, start, end)):
        if number == 1:
            continue
        first, last = _trimmed(markdown, *line.span())
        bars = [found.start() for found in _PIPE.finditer(markdown, first, last)]
        first += first in bars
        last -= last - 1 in bars
        edges = [first - 1, *(bar for bar in bars if first <= bar < last), last]
        row = max(0, number - 1)
        for column, (left, right) in enumerate(pairwise(edges)):
            yield MarkdownCell(row, column, *_trimmed(markdown, left + 1, right), is_header=number == 0)


def _html_cells(markdown: str, start: int, end: int) -> Iterator[MarkdownCell]:
    """Yield the cells of an HTML table, each at the first free column of its row (HTML standard, 4.9.12)."""
    rows = [found.end() for found in _ROW.finditer(markdown, start, end)]
    row_ends = [0] * MAX_COLUMNS
    """Row at which each column is free."""
    for row, row_start in enumerate(rows):
        row_end = rows[row + 1] if row + 1 < len(rows) else end
        column = 0
        tags = list(_CELL.finditer(markdown, row_start, row_end))
        for tag, after in zip(tags, [*tags[1:], None], strict=True):
            while column < MAX_COLUMNS and row_ends[column] > row:
                column += 1
            if tag[1] is None or column == MAX_COLUMNS:
                continue
            sizes = {name.lower(): int(size) for name, size in _SPAN.findall(tag[2])}
            row_span = min(max(1, sizes.get("row", 1)), len(rows) - row)
            column_span = min(max(1, sizes.get("col", 1)), MAX_COLUMNS - column)
            row_ends[column : column + column_span] = [row + row_span] * column_span
            content = _trimmed(markdown, tag.end(), after.start() if after else row_end)
            yield MarkdownCell(row, column, *content, row_span, column_span, is_header=tag[1] in "hH")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a range of a text without the white space at its ends."""
    content = text[start:end]
    start += len(content) - len(content.lstrip())
    return start, max(start, start + len(content.strip()))
