"""Cells of a table: the rows and columns that they span."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Cell:
    """Rows and columns that a cell spans, from 0; the ends are exclusive."""

    row: int
    column: int
    row_end: int
    column_end: int

    @property
    def row_span(self) -> int:
        return self.row_end - self.row

    @property
    def column_span(self) -> int:
        return self.column_end - self.column

    @property
    def is_spanning(self) -> bool:
        """Return whether the cell is larger than one row and one column."""
        return self.row_span > 1 or self.column_span > 1


class DrawnGrid(Protocol):
    """Rows and columns between lines, and which sides of their cells are drawn."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    def is_drawn_below(self, row: int, column: int) -> bool:
        """Return whether a line below a row separates it from the next, over the width of a column."""
        ...

    def is_drawn_right_of(self, row: int, column: int) -> bool:
        """Return whether a line right of a column separates it from the next, over the height of a row."""
        ...


def drawn_cells(grid: DrawnGrid) -> list[Cell]:
    """Merge cells without a line between them, as far as the result is a rectangle of free cells."""
    used: set[tuple[int, int]] = set()
    cells = []
    for row in range(grid.rows):
        for column in range(grid.columns):
            if (row, column) in used:
                continue
            cell = _spanning_cell(grid, row, column)
            covered = {(r, c) for r in range(row, cell.row_end) for c in range(column, cell.column_end)}
            if covered & used:
                cell, covered = Cell(row, column, row + 1, column + 1), {(row, column)}
            used |= covered
            cells.append(cell)
    return cells


def _spanning_cell(grid: DrawnGrid, row: int, column: int) -> Cell:
    """Extend a cell to the first line right of it, and to the first line below any of its columns."""
    right, bottom = column, row
    while right < grid.columns - 1 and not grid.is_drawn_right_of(row, right):
        right += 1
    columns = range(column, right + 1)
    while bottom < grid.rows - 1 and not any(grid.is_drawn_below(bottom, number) for number in columns):
        bottom += 1
    return Cell(row, column, bottom + 1, right + 1)


def renumbered(cell: Cell, rows: Sequence[int], columns: Sequence[int]) -> Cell:
    """Return a cell in a table that keeps only some rows and columns, which are sorted."""
    return Cell(
        bisect_left(rows, cell.row),
        bisect_left(columns, cell.column),
        bisect_left(rows, cell.row_end),
        bisect_left(columns, cell.column_end),
    )


def spans_with_text(texts: Sequence[Sequence[str]], cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return the cells that span rows or columns, or none if no such cell has text.

    An empty cell that spans others looks like several empty cells.
    """
    spans = tuple(cell for cell in cells if cell.is_spanning and cell.row_span > 0 and cell.column_span > 0)
    return spans if any(texts[cell.row][cell.column] for cell in spans) else ()
