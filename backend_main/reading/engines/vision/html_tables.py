"""Step 10 - HTML tables, which most models write, → pipe tables.

What a cell over several columns or rows takes up beside its first place is left empty.
"""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

MAX_SPAN = 100
TABLE = re.compile(r"<table\b.*?(?:</table\s*>|\Z)", re.IGNORECASE | re.DOTALL)


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of Markdown cells; the first is the head. "" where there are none."""
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        return ""
    head, *body = [[*row, *[""] * (columns - len(row))] for row in rows]
    return "\n".join([_row(head), "|" + " --- |" * columns, *map(_row, body)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split())) for cell in cells) + " |"


def from_html(html: str) -> list[list[str]]:
    """The text of its cells."""
    parser = TableParser()
    parser.feed(html)
    parser.close()
    return parser.rows


class TableParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._hanging: dict[int, int] = {}
        """Column → for how many more rows a cell from above reaches into it."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            self._cell = []
            spans = dict(attrs)
            self._span = (_number(spans.get("colspan")), _number(spans.get("rowspan")))
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
        while self._hanging.get(len(row), 0) > 0:
            self._hanging[len(row)] -= 1
            row.append("")
        for column in range(columns):
            self._hanging[len(row)] = rows - 1
            row.append("".join(self._cell) if not column else "")
        self._cell = None


def _number(text: str | None) -> int:
    return min(MAX_SPAN, max(1, int(text))) if text and text.strip().isdecimal() else 1
