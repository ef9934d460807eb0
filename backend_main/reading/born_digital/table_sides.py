"""Tables side by side whose rows are level: one is drawn after the other, each of them row by row."""

from itertools import pairwise

from .table_markdown import FoundTable, TableContent, without_empty
from .table_words import LETTER, words_rect

MIN_COLUMNS = 2
"""Columns of each of two tables."""


def divided(table: FoundTable) -> list[FoundTable]:
    """Return the tables that a table without lines consists of, from left to right."""
    content = table.content
    for column in range(MIN_COLUMNS, content.columns - MIN_COLUMNS + 1):
        sides = _part(content, 0, column), _part(content, column, content.columns)
        if _is_drawn_before(*sides) and all(map(_is_drawn_by_rows, sides)) and _has_labels(sides[1]):
            if any(span.column < column < span.column_end for span in content.spans):
                continue
            tables = [FoundTable(side, words_rect(side.words())) for side in map(without_empty, sides)]
            return [tables[0], *divided(tables[1])]
    return [table]


def _part(content: TableContent, start: int, end: int) -> TableContent:
    return content.kept(range(len(content.cells)), range(start, end))


def _places(content: TableContent) -> list[tuple[int, int]]:
    """Return the place in the content and the column of each word, in the order of the content."""
    return sorted(
        (word.place, column)
        for row in content.cells
        for column, cell in enumerate(row)
        for word in cell
        if word.place is not None
    )


def _is_drawn_before(left: TableContent, right: TableContent) -> bool:
    before, after = _places(left), _places(right)
    return bool(before and after) and before[-1][0] < after[0][0]


def _is_drawn_by_rows(content: TableContent) -> bool:
    changes = sum(one != other for (_, one), (_, other) in pairwise(_places(content)))
    return changes >= len(content.cells)


def _has_labels(content: TableContent) -> bool:
    """Return whether most cells of the first column have letters; numbers belong to labels left of them."""
    first = [row[0] for row in content.cells if row[0]]
    return 2 * sum(any(LETTER.search(word.text) for word in cell) for cell in first) > len(first)
