"""Captions and notes in the frame of a table: they are text beside it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from .table_markdown import FoundTable, TableContent
from .table_words import Word, words_rect

CAPTION = re.compile(
    r"(?:Table|Tab\.|Exhibit|Figure|Fig\.|Chart|Box|Tabelle|Abbildung|Tableau|Tabla|Tabella|Tabela|Таблица|جدول)"
    r"\s*[A-Z]?[-–.]?\d|[表图圖]\s*\d"
)
NOTE = re.compile(r"(?:Source|Sources|Notes?|Exhibit reads|Quelle|Fuente|Anmerkung)\s?[:.]|[*†‡]\s?\w{3}")
MIN_ROWS = 3
"""Rows of a table from which a caption is taken."""


def is_caption(words: Sequence[Word]) -> bool:
    """Return whether the text of a cell is a caption or a source."""
    text = " ".join(word.text for word in words)
    return bool(CAPTION.match(text) or NOTE.match(text))


def without_captions(table: FoundTable) -> FoundTable:
    """Return a table without the caption above its head, and the notes below its last row."""
    content = table.content
    first, last = 0, len(content.cells)
    while last - first > MIN_ROWS and CAPTION.match(_only_text(content, first)):
        first += 1
    while last - first > MIN_ROWS and NOTE.match(_only_text(content, last - 1)):
        last -= 1
    if last - first == len(content.cells):
        return table
    kept = content.kept(range(first, last), range(content.columns))
    left, _, right, _ = table.rect
    _, top, _, bottom = words_rect(kept.words())
    return replace(table, content=kept, rect=(left, top, right, bottom))


def _only_text(content: TableContent, row: int) -> str:
    """Return the text of a row with one cell over all columns; empty for any other row."""
    cells = [cell for cell in content.cells[row] if cell]
    if len(cells) != 1:
        return ""
    spans = [span.column_span for span in content.spans if span.row == row and span.row_span == 1]
    if content.columns > 1 and content.columns not in spans and not content.cells[row][0]:
        return ""
    return " ".join(word.text for word in cells[0])
