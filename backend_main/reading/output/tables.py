"""Tables in Markdown: a pipe table, or an HTML table if any cell spans rows or columns."""

from collections.abc import Sequence

from ..layout.cells import Cell
from .escaping import escape, escape_html

Rows = Sequence[Sequence[str]]
"""Texts of the cells by rows, all equally long."""


def table_markup(cells: Rows, spans: Sequence[Cell] = ()) -> str:
    """Return a table. The first row is its head.

    Args:
        cells: texts of the cells.
        spans: cells that are larger than one row or column. They do not overlap.
    """
    if spans:
        return html_table([[escape_html(text) for text in row] for row in cells], spans)
    return pipe_table([[escape(text, at_line_start=False) for text in row] for row in cells])


def pipe_table(cells: Rows) -> str:
    """Return a pipe table of cells with inline Markdown."""
    head, *rows = cells
    return "\n".join([_pipe_row(head), "|" + "---|" * len(head), *map(_pipe_row, rows)])


def _pipe_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def html_table(cells: Rows, spans: Sequence[Cell]) -> str:
    """Return an HTML table of cells with inline HTML."""
    by_start = {(span.row, span.column): span for span in spans}
    covered = {
        (row, column)
        for span in spans
        for row in range(span.row, span.row_end)
        for column in range(span.column, span.column_end)
    } - by_start.keys()
    rows = [
        "".join(
            _html_cell("th" if row == 0 else "td", text, by_start.get((row, column)))
            for column, text in enumerate(texts)
            if (row, column) not in covered
        )
        for row, texts in enumerate(cells)
    ]
    return "\n".join(["<table>", *(f"<tr>{row}</tr>" for row in rows), "</table>"])


def _html_cell(tag: str, text: str, span: Cell | None) -> str:
    sizes = {"rowspan": span.row_span, "colspan": span.column_span} if span else {}
    attributes = "".join(f' {name}="{size}"' for name, size in sizes.items() if size > 1)
    return f"<{tag}{attributes}>{text}</{tag}>"
