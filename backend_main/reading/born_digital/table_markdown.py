"""Contents of a table's cells → a pipe table, or an HTML table if cells span rows or columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from ..documents.pdf_bidi import direction, is_right_to_left
from ..documents.styled_text import TextPiece
from ..layout.cells import Cell, renumbered
from ..layout.geometry import Rect
from ..layout.text_joining import BULLETS
from ..output.escaping import escape_html
from ..output.tables import html_table, pipe_table
from .inline import InlineOptions, inline_markdown
from .joined_rows import NO_VOCABULARY, Vocabulary, join_rows
from .table_words import Word, word_lines

SIGNS_BEFORE = re.compile(r"[$€£¥₹+\-−–(±~<>≤≥*]{1,3}|US\$|EUR|USD|GBP|CHF")
"""Texts of a column that belongs to the numbers right of it."""
SIGNS_AFTER = re.compile(r"[)%*†‡°]{1,3}|[a-z]?\)|%\)|pp|bps")
"""Texts of a column that belongs to the numbers left of it."""
MARKS = f"{BULLETS}□\uf0b7"
"""A column of these alone is part of the column beside it."""
JOINED_BEFORE = re.compile(r"[(+\-−–±~<>≤≥]")
HEAD = InlineOptions(ignores_bold=True)


@dataclass
class TableContent:
    """Words of each cell by row and column, all rows equally long; a spanning cell has them in its first."""

    cells: list[list[list[Word]]]
    spans: list[Cell] = field(default_factory=list)

    @property
    def columns(self) -> int:
        return len(self.cells[0]) if self.cells else 0

    def all_cells(self) -> list[list[Word]]:
        return [cell for row in self.cells for cell in row]

    def words(self) -> list[Word]:
        return [word for cell in self.all_cells() for word in cell]

    def kept(self, rows: Sequence[int], columns: Sequence[int]) -> "TableContent":
        """Return the table with only some rows and columns."""
        spans = [renumbered(span, rows, columns) for span in self.spans]
        return TableContent(
            [[self.cells[row][column] for column in columns] for row in rows],
            [span for span in spans if span.is_spanning and span.row_span > 0 and span.column_span > 0],
        )


@dataclass(frozen=True)
class FoundTable:
    """The content of a table, and its place on the page."""

    content: TableContent
    rect: Rect
    drawn: frozenset[int] = frozenset()
    """Boxes of lines that are drawn with characters."""
    has_clear_rows: bool = False
    """Common centers of cells, or the order of the content, show rows that columns of text do not have."""

    @property
    def boxes(self) -> frozenset[int]:
        return self.drawn.union(word.box for word in self.content.words())


def mirrored(table: TableContent) -> TableContent:
    """Return a table with its columns from right to left."""
    cells = [[[word.mirrored() for word in cell] for cell in reversed(row)] for row in table.cells]
    count = table.columns
    spans = [
        Cell(span.row, count - span.column_end, span.row_end, count - span.column) for span in table.spans
    ]
    # The words of a spanning cell are in its first column.
    for span, old in zip(spans, table.spans, strict=True):
        last = count - 1 - old.column
        if last != span.column:
            cells[span.row][span.column], cells[span.row][last] = cells[span.row][last], []
    return TableContent(cells, spans)


def with_whole_spans(table: TableContent) -> TableContent:
    """Return a table whose spans do not overlap, and have all words of the cells that they cover."""
    spans: list[Cell] = []
    taken: set[tuple[int, int]] = set()
    for span in table.spans:
        covered = [(r, c) for r in range(span.row, span.row_end) for c in range(span.column, span.column_end)]
        if taken.intersection(covered):
            continue
        taken.update(covered)
        spans.append(span)
        for row, column in covered[1:]:
            table.cells[span.row][span.column] += table.cells[row][column]
            table.cells[row][column] = []
    return _without_covered_rows(TableContent(table.cells, spans))


def _without_covered_rows(table: TableContent) -> TableContent:
    """Return a table without the rows in which no cell begins: a line in a cell, such as an underline."""
    covered = {
        (row, column)
        for span in table.spans
        for row in range(span.row + 1, span.row_end)
        for column in range(span.column, span.column_end)
    }
    columns = range(table.columns)
    rows = [row for row in range(len(table.cells)) if any((row, column) not in covered for column in columns)]
    return table if len(rows) == len(table.cells) else table.kept(rows, columns)


def without_empty(table: TableContent) -> TableContent:
    """Return a table without its empty rows and columns."""
    rows = [number for number, row in enumerate(table.cells) if any(row)]
    columns = [column for column in range(table.columns) if any(row[column] for row in table.cells)]
    return table.kept(rows, columns) if rows and columns else TableContent([])


def with_joined_signs(table: TableContent) -> TableContent:
    """Return a table whose columns of signs, such as `$` or `%`, are joined to their numbers."""
    column = 0
    while column < table.columns:
        texts = [_text(row[column]) for row in table.cells if row[column]]
        signs = [text for text in texts if text]
        are_before = all(SIGNS_BEFORE.fullmatch(sign) or _are_bullets(sign) for sign in signs)
        if signs and column + 1 < table.columns and are_before:
            table = _joined(table, column, column + 1)
        elif signs and column > 0 and all(map(SIGNS_AFTER.fullmatch, signs)):
            table = _joined(table, column - 1, column)
            column -= 1
        else:
            column += 1
    return table


def _are_bullets(text: str) -> bool:
    return all(mark in MARKS for mark in text if not mark.isspace())


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _joined(table: TableContent, left: int, right: int) -> TableContent:
    for row in table.cells:
        row[left] = [*row[left], *row[right]]
    spans = []
    for span in table.spans:
        start = span.column - (span.column >= right)
        end = span.column_end - (span.column_end >= right + 1)
        spans.append(Cell(span.row, start, span.row_end, max(end, start + 1)))
    cells = [[cell for number, cell in enumerate(row) if number != right] for row in table.cells]
    return TableContent(cells, [span for span in spans if span.is_spanning])


def table_markdown(table: TableContent, vocabulary: Vocabulary = NO_VOCABULARY) -> str:
    """Return a table whose columns are in reading order."""
    is_plain = not table.spans
    if all(piece.style.font.is_monospaced for word in table.words() for piece in word.pieces):
        table = _without_code(table)  # a typewriter's table is not code
    rows = [
        [
            _cell_markup(
                cell_pieces(words, vocabulary), HEAD if number == 0 else InlineOptions(), is_plain=is_plain
            )
            for words in row
        ]
        for number, row in enumerate(table.cells)
    ]
    return pipe_table(rows) if is_plain else html_table(rows, table.spans)


def _without_code(table: TableContent) -> TableContent:
    cells = [[[_in_text_font(word) for word in cell] for cell in row] for row in table.cells]
    return TableContent(cells, table.spans)


def _in_text_font(word: Word) -> Word:
    pieces = []
    for piece in word.pieces:
        font = replace(piece.style.font, is_monospaced=False)
        pieces.append(replace(piece, style=replace(piece.style, font=font)))
    return replace(word, pieces=tuple(pieces))


def is_right_to_left_words(words: Sequence[Word]) -> bool:
    return is_right_to_left([direction(letter) for word in words for letter in word.text])


def cell_pieces(words: Sequence[Word], vocabulary: Vocabulary = NO_VOCABULARY) -> list[TextPiece]:
    """Return the pieces of a cell in reading order, without leader dots."""
    rows = []
    for line in word_lines(words):
        runs = [list(run) for _, run in groupby(line.words, key=lambda word: word.box)]
        row: list[TextPiece] = []
        for run in runs:
            for word in sorted(run, key=lambda word: word.order):
                row += _word_pieces(word, row)
        rows.append(row)
    return _without_leaders(join_rows(rows, vocabulary))


def _word_pieces(word: Word, row: Sequence[TextPiece]) -> list[TextPiece]:
    first = word.pieces[0]
    is_joined = bool(row) and (
        SIGNS_AFTER.fullmatch(word.text) is not None or JOINED_BEFORE.fullmatch(row[-1].text) is not None
    )
    return [replace(first, starts_word=not is_joined), *word.pieces[1:]]


def _without_leaders(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return pieces without leader dots. A single dot at a word may be a full stop in a font of its own."""
    dots = [bool(_DOTS.fullmatch(piece.text)) for piece in pieces]
    leaders = [
        is_dot and (piece.starts_word or is_before_dot)
        for piece, is_dot, is_before_dot in zip(pieces, dots, [*dots[1:], False], strict=False)
    ]
    shown = [piece for piece, is_leader in zip(pieces, leaders, strict=True) if not is_leader]
    found = [replace(piece, text=_LEADER_END.sub("", piece.text)) for piece in shown]
    return [piece for piece in found if piece.text]


_DOTS = re.compile(r"[.·․…‥]+")
_LEADER_END = re.compile(r"(?<![.·․…_‥])[.·․…_‥]{3,}$")


def _cell_markup(pieces: Sequence[TextPiece], options: InlineOptions, *, is_plain: bool) -> str:
    if is_plain:
        return inline_markdown(pieces, options, at_line_start=False)
    return inline_html(pieces, options)


def inline_html(pieces: Sequence[TextPiece], options: InlineOptions) -> str:
    """Return pieces as inline HTML, for cells that Markdown cannot hold."""
    parts: list[str] = []
    for tags, group in groupby(pieces, key=lambda piece: _tags(piece, options)):
        run = list(group)
        text = ""
        for piece in run:
            text += (" " if text and piece.starts_word else "") + piece.text
        opening = "".join(f"<{tag}>" for tag in tags)
        closing = "".join(f"</{tag.split(' ')[0]}>" for tag in reversed(tags))
        space = " " if parts and run[0].starts_word else ""
        parts.append(f"{space}{opening}{escape_html(text)}{closing}")
    return "".join(parts)


def _tags(piece: TextPiece, options: InlineOptions) -> tuple[str, ...]:
    font = piece.style.font
    named = (
        ("s", piece.is_struck),
        ("b", font.is_bold and not options.ignores_bold),
        ("i", font.is_italic and not options.ignores_italic),
        ("code", font.is_monospaced),
        ({"super": "sup", "sub": "sub"}.get(piece.script, ""), bool(piece.script)),
    )
    tags = [tag for tag, is_set in named if is_set]
    if piece.link:
        tags.insert(0, f'a href="{escape_html(piece.link).replace(chr(34), "%22")}"')
    return tuple(tags)
