"""Ruled tables: text in the grid that lines draw."""

from bisect import bisect_right
from collections.abc import Sequence
from statistics import median

from ..layout.cells import drawn_cells
from .table_markdown import TableContent
from .table_refining import GridTable, refined
from .table_rules import RuledGrid
from .table_words import Word

MIN_ROWS, MIN_COLUMNS = 2, 2
MIN_FILLED_SHARE = 0.6
"""Share of the rows and columns that have text; in a chart hardly any do."""
MIN_FILLED_CELLS = 0.25
"""Share of the drawn cells that have text."""
# In text heights.
MIN_ROW_HEIGHT, MIN_COLUMN_WIDTH = 0.8, 1.2
"""Smaller rows and columns without text are the space between double lines, or a margin."""


def grid_table(grid: RuledGrid, words: Sequence[Word]) -> TableContent | None:
    """Return the table of a grid, or None for a frame or a chart."""
    if not words or grid.rows < MIN_ROWS or grid.columns < MIN_COLUMNS:
        return None
    cells = drawn_cells(grid)
    owners = {
        (row, column): cell
        for cell in cells
        for row in range(cell.row, cell.row_end)
        for column in range(cell.column, cell.column_end)
    }
    content: list[list[list[Word]]] = [[[] for _ in range(grid.columns)] for _ in range(grid.rows)]
    for word in words:
        owner = owners[_interval(grid.ys, word.center_y), _interval(grid.xs, word.center_x)]
        content[owner.row][owner.column].append(word)
    table = _without_slivers(TableContent(content, [c for c in cells if c.is_spanning]), grid, words)
    return refined(table) if _is_filled(table.content) else None


def _interval(positions: Sequence[float], value: float) -> int:
    return min(max(bisect_right(positions, value) - 1, 0), len(positions) - 2)


def _without_slivers(table: TableContent, grid: RuledGrid, words: Sequence[Word]) -> GridTable:
    """Leave out rows and columns without text that are too small for it."""
    size = median(word.size for word in words)
    rows = [
        number
        for number, row in enumerate(table.cells)
        if any(row) or grid.ys[number + 1] - grid.ys[number] > MIN_ROW_HEIGHT * size
    ]
    columns = [
        number
        for number in range(grid.columns)
        if any(row[number] for row in table.cells)
        or grid.xs[number + 1] - grid.xs[number] > MIN_COLUMN_WIDTH * size
    ]
    xs = [*(grid.xs[column] for column in columns), grid.xs[columns[-1] + 1]]
    ys = [*(grid.ys[row] for row in rows), grid.ys[rows[-1] + 1]]
    return GridTable(table.kept(rows, columns), xs, ys)


def _is_filled(table: TableContent) -> bool:
    if len(table.cells) < MIN_ROWS or table.columns < MIN_COLUMNS:
        return False
    owned = {
        (row, column): table.cells[span.row][span.column]
        for span in table.spans
        for row in range(span.row, span.row_end)
        for column in range(span.column, span.column_end)
    }
    filled = [
        [bool(owned.get((row, column), cell)) for column, cell in enumerate(cells)]
        for row, cells in enumerate(table.cells)
    ]
    rows = sum(map(any, filled))
    columns = sum(map(any, zip(*filled, strict=True)))
    owners = [cell for cells in table.cells for cell in cells]
    covered = sum(span.row_span * span.column_span - 1 for span in table.spans)
    if sum(map(bool, owners)) < MIN_FILLED_CELLS * (len(owners) - covered):
        return False
    is_wide = any(sum(map(bool, row)) > 1 for row in table.cells)
    is_high = any(sum(map(bool, column)) > 1 for column in zip(*table.cells, strict=True))
    return (
        is_wide
        and is_high
        and rows >= MIN_FILLED_SHARE * len(table.cells)
        and columns >= max(MIN_COLUMNS, MIN_FILLED_SHARE * table.columns)
    )
