"""Paragraphs and tables in the XML of Word documents (WordprocessingML, ISO/IEC 29500-1, 17).

The schema gives the order of elements. The package around them is in `docx_document`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .text_runs import MarkupCell, TextRun, is_from_right
from .xml_text import xml_attributes, xml_text

TEXT_WIDTH_TWIPS = 9411
"""Width of the text on A4 with margins of 22 mm."""
CHARACTER_TWIPS, CELL_MARGINS_TWIPS = 100, 216
"""Width of a bold character of 9 points, and of the left and right margins of a cell of Word."""
MAX_LINE_CHARACTERS = 40
"""Length of a text in a cell from which it is divided into lines."""
TABLE_STYLE, CODE_STYLE = "TableText", "CodeText"
"""Ids of the styles of paragraphs in tables, and of code."""
MAX_COLUMNS = 63
"""Columns of a table (Microsoft Word's limit)."""
_SCRIPTS = {"sup": "superscript", "sub": "subscript"}


class ParagraphFormat(NamedTuple):
    """Format of a paragraph."""

    style: str = ""
    """Id of the style."""
    numbering: int | None = None
    """Id of the list that it is an item of."""
    level: int = 0
    """Depth of a list item, from 0."""
    is_after_page_break: bool = False
    is_centered: bool = False


NO_FORMAT = ParagraphFormat()


def paragraph(content: str, text: str = "", form: ParagraphFormat = NO_FORMAT) -> str:
    """Return a paragraph.

    Args:
        content: Runs, as XML.
        text: Text of the runs, which decides the direction.
        form: The format.
    """
    numbering = ""
    if form.numbering is not None:
        numbering = f'<w:numPr><w:ilvl w:val="{form.level}"/><w:numId w:val="{form.numbering}"/></w:numPr>'
    properties = "".join(
        (
            f'<w:pStyle w:val="{form.style}"/>' if form.style else "",
            "<w:pageBreakBefore/>" if form.is_after_page_break else "",
            numbering,
            "<w:bidi/>" if is_from_right(text) else "",
            '<w:jc w:val="center"/>' if form.is_centered else "",
        )
    )
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{content}</w:p>"


def run(text_run: TextRun) -> str:
    """Return a run of text. A newline in it is a line break, and text from right to left has its mark."""
    properties = "".join(
        (
            '<w:rStyle w:val="CodeText"/>' if text_run.is_code else "",
            "<w:b/><w:bCs/>" if text_run.is_bold else "",
            "<w:i/><w:iCs/>" if text_run.is_italic else "",
            "<w:strike/>" if text_run.is_struck else "",
            '<w:color w:val="0B4D94"/><w:u w:val="single"/>' if text_run.href else "",
            f'<w:vertAlign w:val="{_SCRIPTS[text_run.script]}"/>' if text_run.script else "",
            "<w:rtl/>" if is_from_right(text_run.text) else "",
        )
    )
    lines = "<w:br/>".join(
        f'<w:t xml:space="preserve">{xml_text(line)}</w:t>' for line in text_run.text.split("\n")
    )
    return f"<w:r>{f'<w:rPr>{properties}</w:rPr>' if properties else ''}{lines}</w:r>"


def table(cells: Sequence[MarkupCell], runs: Callable[[Sequence[TextRun]], str]) -> str:
    """Return a table with its spans.

    Args:
        cells: The cells.
        runs: Returns the XML of the runs of a cell.
    """
    width = min(max(cell.column + cell.column_span for cell in cells), MAX_COLUMNS)
    height = max(cell.row for cell in cells) + 1
    starts = {(cell.row, cell.column): cell for cell in cells if cell.column < width}
    above = _continued(starts.values(), height)
    top = [cell for cell in cells if cell.row == 0]
    has_head = bool(top) and all(cell.is_header for cell in top)
    rows = "".join(
        _row(row, width, starts, above[row], runs, is_head=has_head and row == 0) for row in range(height)
    )
    direction = "<w:bidiVisual/>" if is_from_right("".join(cell.text for cell in cells)) else ""
    grid = "".join(f'<w:gridCol w:w="{size}"/>' for size in _column_widths(cells, width))
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/>{direction}<w:tblW w:w="0" w:type="auto"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"
    )


def _column_widths(cells: Sequence[MarkupCell], width: int) -> list[int]:
    """Return the widths of columns in twips: the longest words first, then the texts."""
    words, texts = [1] * width, [1] * width
    for cell in cells:
        if cell.column_span == 1 and cell.column < width:
            at = cell.column
            words[at] = max(words[at], *(len(word) for word in cell.text.split()), 1)
            texts[at] = max(texts[at], min(len(cell.text), MAX_LINE_CHARACTERS))
    least = [CHARACTER_TWIPS * longest + CELL_MARGINS_TWIPS for longest in words]
    rest = TEXT_WIDTH_TWIPS - sum(least)
    if rest < 0:
        return [TEXT_WIDTH_TWIPS * one // sum(least) for one in least]
    wanted = [
        CHARACTER_TWIPS * (text - word) if text > word else 0 for text, word in zip(texts, words, strict=True)
    ]
    share = min(1.0, rest / max(1, sum(wanted)))
    return [round(one + share * more) for one, more in zip(least, wanted, strict=True)]


def _continued(cells: object, height: int) -> dict[int, dict[int, MarkupCell]]:
    """Return the cells that go on from rows above, by row and column."""
    continued: dict[int, dict[int, MarkupCell]] = defaultdict(dict)
    for cell in cells:  # type: ignore[attr-defined]
        for row in range(cell.row + 1, min(cell.row + cell.row_span, height)):
            continued[row][cell.column] = cell
    return continued


def _row(
    row: int,
    width: int,
    starts: dict[tuple[int, int], MarkupCell],
    above: dict[int, MarkupCell],
    runs: Callable[[Sequence[TextRun]], str],
    *,
    is_head: bool,
) -> str:
    parts, column = [], 0
    while column < width:
        cell = starts.get((row, column)) or above.get(column)
        span = min(cell.column_span, width - column) if cell else 1
        parts.append(_cell(cell, span, runs, is_start=cell is None or cell.row == row))
        column += span
    properties = "<w:trPr><w:tblHeader/></w:trPr>" if is_head else ""
    return f"<w:tr>{properties}{''.join(parts)}</w:tr>"


def _cell(
    cell: MarkupCell | None, span: int, runs: Callable[[Sequence[TextRun]], str], *, is_start: bool
) -> str:
    if cell is None:
        return "<w:tc><w:tcPr/><w:p/></w:tc>"
    merge = ""
    if cell.row_span > 1:
        merge = '<w:vMerge w:val="restart"/>' if is_start else "<w:vMerge/>"
    width = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    content = "<w:p/>"
    if is_start:
        shown = [one._replace(is_bold=True) for one in cell.runs] if cell.is_header else cell.runs
        content = paragraph(runs(shown), cell.text, ParagraphFormat(TABLE_STYLE))
    return f"<w:tc><w:tcPr>{width}{merge}</w:tcPr>{content}</w:tc>"


def hyperlink(relation: str, content: str) -> str:
    """Return runs as a link to the target of a relationship."""
    return f"<w:hyperlink{xml_attributes(**{'r:id': relation})}>{content}</w:hyperlink>"
