"""Order in which a table is drawn: evidence of its rows where text alone does not show them.

Most programs draw a table cell by cell, each cell with all its lines. So text that goes on in a cell is drawn
before the next cell of the row above it. The text of the next row is drawn after all of that row.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from .table_columns import Columns, RowLine, line_pitch
from .table_words import Word, WordLine

MIN_ROW_STARTS = 2
"""Starts of rows that the order shows in a table that is drawn cell by cell. Drawn column by column, a table
has none, or one after a head."""

MAX_COLUMN_CHANGES = 2
"""Times the number of columns: changes between columns that are drawn one after the other, with a head."""
MAX_UPWARD_SHARE = 0.4
"""Share of the lines that are drawn before the one above: half in two columns of text, a third in a table."""
MIN_TEXT_WORDS = 3.0
"""Words of a line of a column at the mean. Cells of a table that is drawn by columns have less."""
MAX_PITCH = 2.0
"""In font sizes: lines of a cell are not further apart."""
MIN_TURNS_SHARE = 0.5
"""Share of the lines with text on both sides of a strip after which the content changes sides, if it is drawn
in turns: twice for each line, or less if a cell has several lines."""


def is_drawn_by_cells(lines: Sequence[RowLine]) -> bool:
    """Return whether a table is drawn cell by cell, and some of its cells have several lines."""
    row = list(lines[:1])
    continued = starts = 0
    for line in lines[1:]:
        if _starts_row(row, line):
            starts += 1
            row = [line]
            continue
        continued += continues_row(row, line)
        row.append(line)
    return continued > 0 and starts >= MIN_ROW_STARTS


def continues_row(row: Sequence[RowLine], line: RowLine) -> bool:
    """Return whether a line goes on in a cell of the row above it, before the next cell of that row is drawn.

    Args:
        row: the lines of the row so far.
    """
    if line.spans or any(above.spans for above in row) or line_pitch(row[-1], line) > MAX_PITCH:
        return False
    above, own = _drawn_places(row), _drawn_places([line])
    return bool(above and own) and own[0] < above[-1] and not _has_step_back([*above, *own])


def _starts_row(row: Sequence[RowLine], line: RowLine) -> bool:
    """Return whether a line is drawn after a row, and begins further left than the row ends."""
    above, own = _drawn_places(row), _drawn_places([line])
    return bool(above and own) and own[0] > above[-1] and _has_step_back([*above, *own])


def _has_step_back(places: Iterable[tuple[int, int]]) -> bool:
    """Return whether one text is drawn left of the one before it."""
    return any(column > other for (_, column), (_, other) in pairwise(sorted(places)))


def _drawn_places(lines: Iterable[RowLine]) -> list[tuple[int, int]]:
    """Return place in the content and column of each text of some lines, in the order of the content."""
    return sorted(
        {
            (word.place, first)
            for line in lines
            for (first, _), words in line.cells.items()
            for word in words
            if word.place is not None
        }
    )


def column_changes(cells: Iterable[Sequence[Word]], columns: Columns) -> int:
    """Return how often the content changes between columns: once a column in text, once a cell in a table."""
    places = sorted(
        (cell[0].place, columns.index(cell[0].center_x)) for cell in cells if cell[0].place is not None
    )
    return sum(one != other for (_, one), (_, other) in pairwise(places))


def is_drawn_by_columns(lines: Sequence[WordLine], columns: Columns) -> bool:
    """Return whether lines are drawn one column after the other, as columns of text are."""
    cells = [phrase.words for line in lines for phrase in line.phrases]
    return columns.count > 1 and column_changes(cells, columns) < MAX_COLUMN_CHANGES * columns.count


def is_text_drawn_by_columns(lines: Sequence[RowLine]) -> bool:
    """Return whether lines with several words in each column are drawn one column after the other."""
    places = _drawn_places(lines)
    changes = sum(one != other for (_, one), (_, other) in pairwise(places))
    columns = len({column for _, column in places})
    words = sum(len(words) for line in lines for words in line.cells.values())
    cells = sum(len(line.cells) for line in lines)
    return changes < MAX_COLUMN_CHANGES * columns and words > MIN_TEXT_WORDS * cells


def has_lines_of_another_column(lines: Sequence[RowLine]) -> bool:
    """Return whether lines are drawn before the one above them, in columns that are all empty there.

    They are text, in two columns of the page whose lines are not level. In a table, a cell with one line may
    stand between the lines of the cells beside it.
    """
    found = 0
    for above, line in pairwise(lines):
        upper, lower = _drawn_places([above]), _drawn_places([line])
        found += bool(upper and lower and lower[-1] < upper[0] and not above.filled & line.filled)
    return found > MAX_UPWARD_SHARE * (len(lines) - 1)


def is_drawn_in_turns(lines: Iterable[WordLine], x: float) -> bool:
    """Return whether text on both sides of an x is drawn line by line, and not one side after the other."""
    both = [line for line in lines if _has_gap_at(line, x)]
    places = sorted(
        (word.place, word.center_x < x) for line in both for word in line.words if word.place is not None
    )
    changes = sum(one[1] != other[1] for one, other in pairwise(places))
    return changes > max(1, MIN_TURNS_SHARE * len(both))


def _has_gap_at(line: WordLine, x: float) -> bool:
    """Return whether a line has text on both sides of an x, and no phrase across it."""
    return line.left < x < line.right and not any(one.left < x < one.right for one in line.phrases)
