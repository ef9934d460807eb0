"""Cells of a table: the rows and columns that they span."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
