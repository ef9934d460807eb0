"""Tables as CSV and as workbooks, which openpyxl opens."""

from __future__ import annotations

import csv
import io
import zipfile

import openpyxl
import pytest

from backend_main.core.errors import RequestError
from backend_main.core.exports.document import ExportOptions
from tests.support.export_documents import export_document, export_page, exported

FORMULAS = "|a|b|\n|-|-|\n|=1+1|+cmd|\n|@SUM(A1)|-x|\n|-1.234,56|+5%|\n|\t=x|\uff1d1|"


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_csv_archive_has_a_file_for_each_table() -> None:
    with zipfile.ZipFile(io.BytesIO(exported(export_document(), "csv"))) as archive:
        files = {name: rows_of(archive.read(name)) for name in archive.namelist()}
    assert files == {
        "table-1-page-1.csv": [["Name", "Sum"], ["Apple", "1.234,56 EUR"], ["'=SUM(A1)", "3"]],
        "table-2-page-1.csv": [["Head", ""], ["left < 5", "b"], ["", "c"]],
    }


def test_csv_of_one_table_counts_over_the_pages() -> None:
    pages = [export_page("|a|\n|-|"), export_page("|b|\n|-|", number=2)]
    assert rows_of(exported(export_document(pages, options=ExportOptions(table=2)), "csv")) == [["b"]]


@pytest.mark.parametrize("table", [2, 1_000_000])
def test_csv_of_a_table_that_is_not_there_is_an_error_on_table(table: int) -> None:
    document = export_document([export_page("|a|\n|-|")], options=ExportOptions(table=table))
    with pytest.raises(RequestError) as raised:
        exported(document, "csv")
    assert list(raised.value.fields) == ["table"]


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_tables_of_a_document_without_any_are_an_error_on_format(name: str) -> None:
    with pytest.raises(RequestError) as raised:
        exported(export_document([export_page("text")]), name)
    assert list(raised.value.fields) == ["format"]


def test_csv_cells_that_a_spreadsheet_could_run_are_text() -> None:
    document = export_document([export_page(FORMULAS)], options=ExportOptions(table=1))
    assert rows_of(exported(document, "csv"))[1:] == [
        ["'=1+1", "'+cmd"],
        ["'@SUM(A1)", "'-x"],
        ["-1.234,56", "+5%"],
        ["'=x", "'\uff1d1"],
    ]


def test_xlsx_has_a_sheet_for_each_table_with_its_spans() -> None:
    book = openpyxl.load_workbook(io.BytesIO(exported(export_document(), "xlsx")))
    assert book.sheetnames == ["Table 1, page 1", "Table 2, page 1"]
    plain, spanning = book.worksheets
    assert [[cell.value for cell in row] for row in plain] == [
        ["Name", "Sum"],
        ["Apple", "1.234,56 EUR"],
        ["=SUM(A1)", "3"],
    ]
    assert {str(merged) for merged in spanning.merged_cells.ranges} == {"A1:B1", "A2:A3"}


def test_xlsx_cells_are_text_never_formulas_or_links() -> None:
    markdown = FORMULAS + "\n|http://x.y/|0012|"
    book = openpyxl.load_workbook(io.BytesIO(exported(export_document([export_page(markdown)]), "xlsx")))
    cells = [cell for row in book.worksheets[0] for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)


def test_csv_rows_of_a_huge_grid_end_at_their_last_cell() -> None:
    wide = "<td colspan=1000>a</td>" * 2 + "<td>b</td>"
    rows = "".join(f"<tr><td>{number}</td></tr>" for number in range(1000))
    document = export_document(
        [export_page(f"<table><tr>{wide}</tr>{rows}</table>")], options=ExportOptions(table=1)
    )
    first, *others = rows_of(exported(document, "csv"))
    assert (len(first), first[1000], first[2000]) == (2001, "a", "b")
    assert others == [[str(number)] for number in range(1000)]
