"""Converter from HTML tables, which most models write, to pipe tables.

A cell that spans columns or rows has its text in its first cell; the others are empty.
"""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

MAX_SPAN = 100
TABLE = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.IGNORECASE | re.DOTALL)
# The start of a tag that does not end before the next one. HTMLParser takes quadratic time for many of them.
_UNFINISHED_TAG = re.compile(r"<(?!!--)(?=[^<>]*<)")


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a pipe table; empty without cells.

    Args:
        rows: cells as Markdown; the first row is the header.
    """
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        return ""
    head, *body = [[*row, *[""] * (columns - len(row))] for row in rows]
    return "\n".join([_row(head), "|" + " --- |" * columns, *map(_row, body)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split())) for cell in cells) + " |"


def from_html(html: str) -> list[list[str]]:
    """Return the text of the cells of an HTML table, row by row."""
    parser = TableParser()
    parser.feed(_UNFINISHED_TAG.sub("&lt;", html))
    parser.close()
    return parser.rows


class TableParser(HTMLParser):
    """Parser of one HTML table. `rows` are the texts of its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._rows_spanned: dict[int, int] = {}
        """Number of further rows that a cell above spans, by column."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            self._cell = []
            spans = dict(attrs)
            self._span = (_parse_span(spans.get("colspan")), _parse_span(spans.get("rowspan")))
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        if not self.rows:
            self.rows.append([])
        row, (columns, rows) = self.rows[-1], self._span
        while self._rows_spanned.get(len(row), 0) > 0:
            self._rows_spanned[len(row)] -= 1
            row.append("")
        for column in range(columns):
            self._rows_spanned[len(row)] = rows - 1
            row.append("".join(self._cell) if not column else "")
        self._cell = None


def _parse_span(text: str | None) -> int:
    return min(MAX_SPAN, max(1, int(text))) if text and text.strip().isdecimal() else 1
