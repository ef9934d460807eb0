"""Step 10 - recognised text → tables: by lines drawn on the page, or by how the text stands in columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from .columns import split_columns
from .geometry import LayoutBox
from .layout_model import Region
from .rows import (
    Row,
    gap,
    group_rows,
    median_gap,
)
from .ruled_tables import Cell, RulingLine, TableGrid
from .text_joining import join_lines

Texts = Sequence[str]
MIN_ROWS, MIN_COLUMNS = 2, 2
# A table without lines says that it is one by its rows alone, so there must be more of them.
MIN_UNRULED_ROWS = 3
# The share of a drawn grid's rows and columns that hold text; a chart's hold next to none.
MIN_FILLED = 0.6
MAX_CROSSED_SHARE = 0.25
# The share of rows that may have text where a gap between two columns is.
CROSSED_SHARE = 0.12
# In heights of running text: how far a rule of a table may be from where the layout model ends the table.
MAX_RULE_DISTANCE = 4.0


@dataclass(frozen=True)
class Table:
    """`cells` are the texts by rows, each row as long as the others. `indices` are the boxes used up."""

    cells: tuple[tuple[str, ...], ...]
    indices: frozenset[int]
    left: float
    top: float
    right: float
    bottom: float


# --- ruled -------------------------------------------------------------------------------------------------


def from_grid(grid: TableGrid, items: Sequence[LayoutBox], texts: Texts) -> Table | None:
    """The grid with the text that stands in it, or None where it is no table: a frame, a chart."""
    inside = [item for item in items if _holds(grid, item)]
    if _count_crossing_boxes(grid, inside) > MAX_CROSSED_SHARE * len(inside):
        return None
    parts: dict[Cell, list[tuple[LayoutBox, str]]] = {}
    for item in inside:
        for cell, text in _split_across_cells(grid, item, texts[item.index]):
            parts.setdefault(cell, []).append((item, text))
    cells = [[""] * grid.columns for _ in range(grid.rows)]
    for cell, found in parts.items():
        cells[cell.row][cell.column] = _cell_text(found)
    cells = _drop_empty_rows_and_columns(cells, grid, inside)
    if not _is_table(cells, len(parts)):
        return None
    indices = frozenset(item.index for item in inside)
    return Table(tuple(map(tuple, cells)), indices, grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1])


def _holds(grid: TableGrid, item: LayoutBox) -> bool:
    return grid.xs[0] < item.center_x < grid.xs[-1] and grid.ys[0] < item.center_y < grid.ys[-1]


def _split_across_cells(grid: TableGrid, item: LayoutBox, text: str) -> Iterator[tuple[Cell, str]]:
    """A box that was found over two or more cells: its words go where they stand."""
    row = _between(grid.ys, item.center_y)
    cells = [cell for cell in grid.cells if cell.row <= row < cell.row_end]
    reached = [cell for cell in cells if _common(grid, cell, item) > 0.8 * item.text_height]
    if len(reached) < 2:
        yield max(cells, key=lambda cell: _common(grid, cell, item)), text
        return
    reached.sort(key=lambda cell: cell.column)
    ends = [grid.xs[cell.column_end] for cell in reached[:-1]] + [float("inf")]
    shares: list[list[str]] = [[] for _ in reached]
    for word, place in _word_places(item, text):
        shares[next(number for number, end in enumerate(ends) if place < end)].append(word)
    yield from ((cell, " ".join(words)) for cell, words in zip(reached, shares, strict=True) if words)


def _count_crossing_boxes(grid: TableGrid, items: Sequence[LayoutBox]) -> int:
    """How many boxes reach over three cells or more, as nothing does where the lines part texts."""
    count = 0
    for item in items:
        row = _between(grid.ys, item.center_y)
        cells = [cell for cell in grid.cells if cell.row <= row < cell.row_end]
        count += sum(_common(grid, cell, item) > 0.8 * item.text_height for cell in cells) > 2
    return count


def _common(grid: TableGrid, cell: Cell, item: LayoutBox) -> float:
    return min(item.right, grid.xs[cell.column_end]) - max(item.left, grid.xs[cell.column])


def _word_places(item: LayoutBox, text: str) -> Iterator[tuple[str, float]]:
    """Each word and the x of its middle, as if all letters were as wide."""
    step, start = item.width / max(1, len(text)), 0
    for word in text.split(" "):
        yield word, item.left + (start + len(word) / 2) * step
        start += len(word) + 1


def _between(lines: Sequence[float], place: float) -> int:
    return sum(line <= place for line in lines[1:-1])


def _cell_text(found: Sequence[tuple[LayoutBox, str]]) -> str:
    by_index = {item.index: text for item, text in found}
    text = ""
    for row in group_rows([item for item, _ in found]):
        text = join_lines(text, " ".join(by_index[item.index] for item in row))
    return text


def _drop_empty_rows_and_columns(
    cells: list[list[str]], grid: TableGrid, inside: Sequence[LayoutBox]
) -> list[list[str]]:
    """Between double lines there is no row and no column, and at the sides of a table no margin."""
    if not inside:
        return cells
    thin = median(item.text_height for item in inside)
    rows = [
        row
        for number, row in enumerate(cells)
        if any(row) or grid.ys[number + 1] - grid.ys[number] > 0.8 * thin
    ]
    columns = [
        column
        for column in range(grid.columns)
        if any(row[column] for row in rows) or grid.xs[column + 1] - grid.xs[column] > 1.5 * thin
    ]
    return [[row[column] for column in columns] for row in rows]


def _is_table(cells: Sequence[Sequence[str]], filled: int) -> bool:
    if len(cells) < MIN_ROWS or len(cells[0]) < MIN_COLUMNS or filled < len(cells):
        return False
    rows = sum(any(row) for row in cells)
    columns = sum(any(column) for column in zip(*cells, strict=True))
    return rows >= MIN_FILLED * len(cells) and columns >= max(MIN_COLUMNS, MIN_FILLED * len(cells[0]))


# --- unruled -----------------------------------------------------------------------------------------------


def from_region(
    region: Region, items: Sequence[LayoutBox], texts: Texts, usual: float, rules: Sequence[RulingLine]
) -> Table | None:
    """What the layout model calls a table, where its text stands in columns and is no page of columns."""
    region = _snap_to_ruling_lines(region, rules, usual)
    inside = [item for item in items if region.contains(item)]
    rows = group_rows(inside)
    if len(rows) < MIN_UNRULED_ROWS or len(split_columns(inside, usual)) > 1:
        return None
    bounds = _column_bounds(inside, len(rows))
    if not bounds or sum(len(_filled(row, bounds)) > 1 for row in rows) < MIN_FILLED * len(rows):
        return None
    cells = _joined_rows([_row_cells(row, bounds, texts) for row in rows], rows)
    left, right = min(item.left for item in inside), max(item.right for item in inside)
    top, bottom = min(item.top for item in inside), max(item.bottom for item in inside)
    return Table(cells, frozenset(item.index for item in inside), left, top, right, bottom)


def _snap_to_ruling_lines(region: Region, rules: Sequence[RulingLine], usual: float) -> Region:
    """The model often leaves out a table's head or last row; a rule above or below says where it ends."""
    near = MAX_RULE_DISTANCE * usual
    wide = [rule for rule in rules if _reaches_over(rule, region)]
    above = [rule.y for rule in wide if region.top - near < rule.y < region.top]
    below = [rule.y for rule in wide if region.bottom < rule.y < region.bottom + near]
    return replace(region, top=min(above, default=region.top), bottom=max(below, default=region.bottom))


def _reaches_over(rule: RulingLine, region: Region) -> bool:
    common = min(rule.right, region.right) - max(rule.left, region.left)
    return common > 0.7 * max(rule.right - rule.left, region.right - region.left)


def _column_bounds(items: Sequence[LayoutBox], rows: int) -> list[float]:
    """Middles of the gaps that hardly any row has text in."""
    edges = sorted(
        [(item.left + 0.2 * item.text_height, 1) for item in items]
        + [(item.right - 0.2 * item.text_height, -1) for item in items]
    )
    size = median(item.text_height for item in items)
    allowed = CROSSED_SHARE * rows
    bounds, covering, start = list[float](), 0, None
    for x, change in edges:
        covering += change
        if covering <= allowed and start is None:
            start = x
        elif covering > allowed and start is not None:
            if start > edges[0][0] and x - start > 0.3 * size:
                bounds.append((start + x) / 2)
            start = None
    return bounds


def _filled(row: Row, bounds: Sequence[float]) -> set[int]:
    return {sum(bound <= item.center_x for bound in bounds) for item in row}


def _row_cells(row: Row, bounds: Sequence[float], texts: Texts) -> list[str]:
    cells: list[list[str]] = [[] for _ in range(len(bounds) + 1)]
    for item in row:
        text = texts[item.index]
        crossed = [
            bound for bound in bounds if item.left + item.text_height < bound < item.right - item.text_height
        ]
        pieces = _word_places(item, text) if crossed else [(text, item.center_x)]
        for piece, place in pieces:
            cells[sum(bound <= place for bound in bounds)].append(piece)
    return [" ".join(cell) for cell in cells]


def _joined_rows(cells: Sequence[list[str]], rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    """A row that begins with nothing and stands close under another goes on with its cells."""
    made: list[list[str]] = []
    usual = median_gap(rows)
    for number, row in enumerate(cells):
        close = number > 0 and gap(rows[number - 1], rows[number]) <= usual
        if close and made and not row[0] and 2 * sum(map(bool, row)) <= len(row):
            made[-1] = [join_lines(above, below) for above, below in zip(made[-1], row, strict=True)]
        else:
            made.append(row)
    return tuple(map(tuple, made))
