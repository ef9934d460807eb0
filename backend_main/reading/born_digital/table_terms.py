"""Tables of terms and their definitions: two columns without lines, drawn row by row.

Definitions have several lines and terms have few, so that lines of both are level only by chance. The order
of the content shows the rows: a term, all lines of its definition, the next term. Columns of running text are
drawn one after the other.
"""

from collections.abc import Iterator, Sequence
from statistics import mean

from .table_markdown import FoundTable, TableContent
from .table_text import has_table_text
from .table_text_cells import MAX_LEADING, SIZE_RATIO, TextCell
from .table_words import LETTER, Phrase, Word, word_lines, words_rect

# In font sizes.
EDGE_TOLERANCE = 0.2
"""Between the left edges of a column."""
MIN_COLUMN_GAP = 0.5
"""From the widest term to the definitions."""
MAX_ROW_GAP = 1.8
"""Between two rows, and between two paragraphs of a definition."""
MIN_ROWS = 3
MAX_TERM_WORDS = 6.0
"""Words of a term at the mean."""
MIN_WORD_RATIO = 2.0
"""Words of a definition for each word of a term, at the mean; in a grid of short texts both have as many."""
MAX_DEFINITION_LINES = 12.0
"""Lines of a definition at the mean; more are the text of a section beside its heading."""
MAX_NUMBER_DIGITS = 3
"""Digits of a term that is the number of a list item or of a line."""


def term_tables(words: Sequence[Word]) -> list[FoundTable]:
    """Return the tables of terms and definitions that the order of the content shows."""
    return [table for rows in _runs(_drawn_cells(words)) if (table := _table(rows, words))]


_Row = tuple[TextCell, TextCell]


def _left(cell: TextCell) -> float:
    """Return the left edge of the first line, from which all others are within `EDGE_TOLERANCE`."""
    return cell.phrases[0].left


def _goes_on(cell: TextCell, phrase: Phrase, *, max_pitch: float = MAX_LEADING) -> bool:
    """Return whether a phrase is the next line of a cell."""
    word, last = phrase.words[0], cell.phrases[-1].words[0]
    return (
        abs(phrase.left - _left(cell)) < EDGE_TOLERANCE * last.size
        and 0 < word.baseline - last.baseline < max_pitch * last.size
        and _is_same_size(word.size, last.size)
    )


def _is_same_size(one: float, other: float) -> bool:
    return max(one, other) <= SIZE_RATIO * min(one, other)


def _drawn_cells(words: Sequence[Word]) -> list[TextCell]:
    """Return lines below each other with a common left edge, drawn one after the other, in that order."""
    phrases = [phrase for line in word_lines(words) for phrase in line.phrases if _place(phrase) is not None]
    cells: list[TextCell] = []
    for phrase in sorted(phrases, key=lambda phrase: (_place(phrase), phrase.left)):
        if cells and _goes_on(cells[-1], phrase):
            cells[-1] = TextCell((*cells[-1].phrases, phrase))
        else:
            cells.append(TextCell((phrase,)))
    return cells


def _place(phrase: Phrase) -> int | None:
    return phrase.words[0].place


def _runs(cells: Sequence[TextCell]) -> Iterator[list[_Row]]:
    """Yield runs of rows: a term, and its definition right of it, drawn one after the other."""
    run: list[_Row] = []
    number = 0
    while number < len(cells) - 1:
        row = (cells[number], cells[number + 1])
        if not _is_row(row) or (run and not _follows(run[-1], row)):
            if run:
                yield run
            if not run or not _is_row(row):
                number += 1
            run = []
            continue
        number += 2
        while number < len(cells) and _goes_on(row[1], cells[number].phrases[0], max_pitch=MAX_ROW_GAP + 1):
            row = (row[0], TextCell(row[1].phrases + cells[number].phrases))
            number += 1
        run.append(row)
    if run:
        yield run


def _is_row(row: _Row) -> bool:
    """Return whether one cell is left of another, and level with its first line or its middle."""
    term, definition = row
    if not _is_same_size(term.size, definition.size):
        return False
    if _left(definition) - term.right < MIN_COLUMN_GAP * term.size:
        return False
    tolerance = EDGE_TOLERANCE * term.size
    centers = [cell.center for cell in row]
    tops = [cell.phrases[0].words[0].baseline for cell in row]
    return any(abs(one - other) < tolerance for one, other in (tops, centers))


def _follows(above: _Row, row: _Row) -> bool:
    """Return whether a row is right below another, in the same columns."""
    size = row[0].size
    tolerance = EDGE_TOLERANCE * size
    gap = min(cell.top for cell in row) - max(cell.bottom for cell in above)
    has_common_edge = any(
        abs(one - other) < tolerance
        for one, other in ((_left(above[0]), _left(row[0])), (above[0].right, row[0].right))
    )
    return (
        has_common_edge
        and abs(_left(above[1]) - _left(row[1])) < tolerance
        and -tolerance < gap < MAX_ROW_GAP * size
        and _is_same_size(above[0].size, row[0].size)
    )


def _table(rows: Sequence[_Row], words: Sequence[Word]) -> FoundTable | None:
    content = TableContent([[cell.words for cell in row] for row in rows])
    if not _are_definitions(rows) or not has_table_text(content):
        return None
    rect = words_rect(content.words())
    inside = {word.box for word in content.words()}
    if any(word.box not in inside and _is_in(rect, word) for word in words):
        return None
    return FoundTable(content, rect, has_clear_rows=True)


def _is_in(rect: tuple[float, float, float, float], word: Word) -> bool:
    left, top, right, bottom = rect
    return left < word.center_x < right and top < word.center_y < bottom


def _are_definitions(rows: Sequence[_Row]) -> bool:
    if len(rows) < MIN_ROWS:
        return False
    # Lines show the rows if each cell has one.
    has_long_cell = any(len(cell.phrases) > 1 for row in rows for cell in row)
    terms, definitions = zip(*rows, strict=True)
    term_words, words = (mean(len(cell.words) for cell in column) for column in (terms, definitions))
    return (
        has_long_cell
        and term_words <= MAX_TERM_WORDS
        and words >= MIN_WORD_RATIO * term_words
        and mean(len(cell.phrases) for cell in definitions) <= MAX_DEFINITION_LINES
        and not all(map(_is_marker, terms))
        and max(cell.right for cell in terms) < min(map(_left, definitions))
    )


def _is_marker(cell: TextCell) -> bool:
    """Return whether a term is a number of a list item or of a line, or a bullet, which may be a letter."""
    text = "".join(word.text for word in cell.words)
    return len(text) == 1 or (not LETTER.search(text) and sum(map(str.isdigit, text)) <= MAX_NUMBER_DIGITS)
