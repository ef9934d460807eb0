"""Tables as CSV and as a workbook (XLSX).

A cell that begins with a sign of a formula is text: a spreadsheet must not run what a scan says.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import xlsxwriter

from ..errors import RequestError
from .document import ExportDocument
from .files import iter_file, zip_entry
from .html_tables import MAX_PLACES
from .markup import MarkupBlock, parse_markdown
from .text_runs import MarkupCell

# OWASP, "CSV Injection": the signs that begin a formula, and characters that some programs skip before them.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[-+\u2212]?[\d.,\u00a0 ]*\d%?")
BYTE_ORDER_MARK = "\ufeff"
"""Without it, Excel does not read a CSV file as UTF-8."""
MAX_CELL_CHARACTERS = 32_767
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
"""Limits of a sheet (Microsoft, "Excel specifications and limits")."""


class Table(NamedTuple):
    """Table of a page."""

    page: int
    number: int
    """Place in the document, from 1."""
    cells: Sequence[MarkupCell]

    def rows(self) -> list[list[str]]:
        """Return the texts of the grid. A cell that spans places stands at its first one.

        A few spans make a huge grid. With more than `MAX_PLACES` places, each row ends at its last cell.
        """
        rows: list[list[str]] = [[] for _ in range(max(cell.row for cell in self.cells) + 1)]
        for cell in self.cells:
            row = rows[cell.row]
            row += [""] * (cell.column + 1 - len(row))
            row[cell.column] = cell.text
        width = max(map(len, rows))
        if width * len(rows) <= MAX_PLACES:
            for row in rows:
                row += [""] * (width - len(row))
        return rows


def iterate_tables(document: ExportDocument) -> Iterator[Table | None]:
    """Yield the tables, and None after each page."""
    number = 0
    for page in document.pages():
        for block in parse_markdown(page.markdown):
            if _is_table(block):
                number += 1
                yield Table(page.number, number, block.cells)
        yield None


def write_csv(document: ExportDocument) -> Iterator[bytes]:
    """Yield a ZIP archive with a CSV file for each table, or the one CSV file that the options name."""
    return (
        _all_csv(document) if document.options.table is None else _one_csv(document, document.options.table)
    )


def _one_csv(document: ExportDocument, wanted: int) -> Iterator[bytes]:
    for table in iterate_tables(document):
        if table is None:
            yield b""
        elif table.number == wanted:
            yield _csv(table)
            return
    raise RequestError({"table": f"The pages have no table {wanted}. Tables count from 1."})


def _all_csv(document: ExportDocument) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        count = 0
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for table in iterate_tables(document):
                if table is None:
                    yield b""
                    continue
                count += 1
                archive.writestr(zip_entry(f"table-{table.number}-page-{table.page}.csv"), _csv(table))
        _require_tables(count)
        yield from iter_file(file)


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[_safe(cell) for cell in row] for row in table.rows()])
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def _safe(text: str) -> str:
    """Return the text of a cell with an apostrophe before it if a spreadsheet could run it."""
    text = text.replace("\n", " ")
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) and not _NUMBER.fullmatch(text) else text


def write_xlsx(document: ExportDocument) -> Iterator[bytes]:
    """Yield a workbook with a sheet for each table. Every cell is text, and keeps its spans."""
    with tempfile.TemporaryFile() as file:
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        workbook = xlsxwriter.Workbook(file, options)
        formats = {
            is_header: workbook.add_format({"text_wrap": True, "valign": "top", "bold": is_header})
            for is_header in (False, True)
        }
        count = 0
        for table in iterate_tables(document):
            yield b""
            if table is not None:
                count += 1
                _add_sheet(workbook, table, formats)
        _require_tables(count)
        workbook.close()
        yield from iter_file(file)


def _add_sheet(workbook: xlsxwriter.Workbook, table: Table, formats: dict[bool, object]) -> None:
    sheet = workbook.add_worksheet(f"Table {table.number}, page {table.page}")
    for cell in table.cells:
        text, style = cell.text[:MAX_CELL_CHARACTERS], formats[cell.is_header]
        end_row = min(cell.row + cell.row_span, MAX_ROWS) - 1
        end_column = min(cell.column + cell.column_span, MAX_COLUMNS) - 1
        if cell.row > end_row or cell.column > end_column:
            continue
        if (end_row, end_column) != (cell.row, cell.column):
            sheet.merge_range(cell.row, cell.column, end_row, end_column, "", style)
        sheet.write_string(cell.row, cell.column, text, style)
    sheet.autofit()


def _require_tables(count: int) -> None:
    if not count:
        raise RequestError({"format": "The pages have no tables. Choose another format."})


def _is_table(block: MarkupBlock) -> bool:
    return block.kind == "table" and bool(block.cells)
