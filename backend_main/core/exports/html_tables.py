"""Cells of an HTML table in Markdown: a table whose cells span rows or columns is one."""

from __future__ import annotations

from html.parser import HTMLParser

from .text_runs import MarkupCell, TagStyles, TextRun, merge_runs

MAX_SPAN = 1000
MAX_PLACES = 1_000_000
"""Places of a grid that spans may cover, so that a few tags cannot take any amount of memory."""


def table_cells(html: str) -> tuple[MarkupCell, ...]:
    """Return the cells of a table by rows."""
    reader = _TableReader()
    reader.feed(html)
    reader.close()
    return tuple(reader.cells)


class _TableReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[MarkupCell] = []
        self._row, self._column = -1, 0
        self._taken: set[tuple[int, int]] = set()  # places that cells of rows above cover
        self._runs: list[TextRun] | None = None
        self._styles = TagStyles()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_cell()
            self._row, self._column = self._row + 1, 0
        elif tag in ("td", "th"):
            self._end_cell()
            self._begin_cell(dict(attrs), is_header=tag == "th")
        elif tag == "br":
            self.handle_data("\n")
        else:
            self._styles.open(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        else:
            self._styles.close(tag)

    def handle_data(self, data: str) -> None:
        if self._runs is not None:
            self._runs.append(self._styles.style._replace(text=data))

    def _begin_cell(self, attributes: dict[str, str | None], *, is_header: bool) -> None:
        row = max(0, self._row)
        while (row, self._column) in self._taken:
            self._column += 1
        row_span, column_span = _span(attributes.get("rowspan")), _span(attributes.get("colspan"))
        while column_span > 1 and any((row, self._column + at) in self._taken for at in range(column_span)):
            column_span -= 1  # cells overlap, which no format can show
        if len(self._taken) + row_span * column_span > MAX_PLACES:
            row_span = column_span = 1
        for below in range(row + 1, row + row_span):
            self._taken.update((below, self._column + at) for at in range(column_span))
        self.cells.append(MarkupCell(row, self._column, row_span, column_span, is_header=is_header))
        self._column += column_span
        self._runs, self._styles = [], TagStyles()

    def _end_cell(self) -> None:
        if self._runs is not None:
            self.cells[-1] = self.cells[-1]._replace(runs=merge_runs(self._runs))
            self._runs = None


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(MAX_SPAN))
    return min(max(1, int(digits)), MAX_SPAN) if is_number else 1
