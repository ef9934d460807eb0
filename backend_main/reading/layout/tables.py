"""Tables from recognized text: by lines drawn on the page, or by the gaps between columns of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import inf
from statistics import median

from .cells import Cell, renumbered, spans_with_text
from .columns import split_columns
from .geometry import LayoutBox, Rect, bounding_rect
from .layout_model import Region
from .rows import (
    Row,
    gap,
    group_rows,
    median_gap,
)
from .ruled_tables import RulingLine, TableGrid
from .text_joining import estimated_width, is_figure, join_lines

Texts = Sequence[str]
"""Recognized texts, by the index of their box."""

MIN_ROWS, MIN_COLUMNS = 2, 2
MIN_UNRULED_ROWS = 3
"""Rows are the only evidence of a table without lines, so it needs more of them."""
MIN_FILLED_SHARE = 0.6
"""Share of a drawn grid's rows and columns that hold text; in a chart hardly any do."""
MAX_CROSSING_SHARE = 0.25
"""Share of a grid's boxes that may cross three cells or more, as texts in a chart do."""
MIN_FILLED_CELLS = 0.8
"""Share of filled cells with which a grid is a table, however many cells its boxes cross."""
MAX_CROSSED_ROW_SHARE = 0.12
"""Share of rows that may have text in the gap between two columns."""
MAX_SPARSE_SHARE = 0.5
"""Share of the columns that a row fills at most if it does not show them."""
MAX_HEAD_DISTANCE = 1.5
"""In body heights: between the head of a table and its first row."""
MAX_RULE_DISTANCE = 4.0
"""In body heights: between a ruling line and the end that the layout model gives the table."""
MIN_RULE_SHARE = 0.7
"""Share of their common width that a ruling line and a table overlap."""
# In text heights.
MIN_CELL_OVERLAP = 0.8
"""A box reaches into a cell if it overlaps more than this; boxes extend a little beyond their text."""
MIN_ROW_HEIGHT, MIN_COLUMN_WIDTH = 0.8, 1.5
"""Smaller rows and columns without text are the space between double lines, or a margin."""
GAP_TOLERANCE = 0.15
"""Gaps between rows that differ by less are equal."""
BOX_MARGIN = 0.2
MIN_COLUMN_GAP = 0.3


@dataclass(frozen=True)
class Table:
    """A table's texts by rows, all equally long, and the indices of the boxes that they come from.

    `spans`: cells larger than one row or column; their text is in `cells` at their first row and column.
    `order`: the boxes by cells; empty: by rows.
    """

    cells: tuple[tuple[str, ...], ...]
    boxes: frozenset[int]
    rect: Rect
    spans: tuple[Cell, ...] = ()
    order: tuple[int, ...] = ()


# --- ruled -------------------------------------------------------------------------------------------------


def from_grid(grid: TableGrid, boxes: Sequence[LayoutBox], texts: Texts) -> Table | None:
    """Fill a drawn grid with the text in it; return None if it is not a table, but a frame or a chart."""
    inside = [box for box in boxes if grid.contains(box)]
    parts: dict[Cell, list[tuple[LayoutBox, str]]] = {}
    for box in inside:
        for cell, text in _split_across_cells(grid, box, texts[box.index]):
            parts.setdefault(cell, []).append((box, text))
    cells = [[""] * grid.columns for _ in range(grid.rows)]
    order: dict[int, None] = {}
    for cell, part in sorted(parts.items(), key=lambda item: (item[0].row, item[0].column)):
        text_by_index = {box.index: text for box, text in part}
        for row in group_rows([box for box, _ in part]):
            order.update(dict.fromkeys(box.index for box in row))
            line = " ".join(text_by_index[box.index] for box in row)
            cells[cell.row][cell.column] = join_lines(cells[cell.row][cell.column], line)

    crossing = sum(len(_reached_cells(grid, box)) > 2 for box in inside)
    is_crossed = crossing > MAX_CROSSING_SHARE * len(inside)
    if is_crossed and len(parts) < MIN_FILLED_CELLS * len(grid.cells):
        return None
    rows, columns = _rows_and_columns_for_text(cells, grid, inside)
    cells = [[cells[row][column] for column in columns] for row in rows]
    if not _is_table(cells, len(parts)):
        return None
    spans = spans_with_text(cells, (renumbered(cell, rows, columns) for cell in grid.cells))
    return Table(tuple(map(tuple, cells)), frozenset(order), grid.rect, spans, tuple(order))


def _split_across_cells(grid: TableGrid, box: LayoutBox, text: str) -> Iterator[tuple[Cell, str]]:
    """Assign a box to its cell, and the words of a box that was detected over several cells to theirs."""
    reached = _reached_cells(grid, box)
    if len(reached) < 2:
        yield max(grid.cells_level_with(box), key=lambda cell: _overlap(grid, cell, box)), text
        return
    reached.sort(key=lambda cell: cell.column)
    parts = split_at(box, text, [grid.xs[cell.column] for cell in reached[1:]])
    yield from ((cell, part) for cell, part in zip(reached, parts, strict=True) if part)


def _reached_cells(grid: TableGrid, box: LayoutBox) -> list[Cell]:
    min_overlap = MIN_CELL_OVERLAP * box.text_height
    return [cell for cell in grid.cells_level_with(box) if _overlap(grid, cell, box) > min_overlap]


def _overlap(grid: TableGrid, cell: Cell, box: LayoutBox) -> float:
    """Return how much of the x axis a cell and a box have in common."""
    return min(box.right, grid.xs[cell.column_end]) - max(box.left, grid.xs[cell.column])


def split_at(box: LayoutBox, text: str, lines: Sequence[float]) -> list[str]:
    """Split a text at vertical lines through its box; each line takes the space nearest to it.

    With fewer spaces than lines, each word goes between the lines around its center.
    """
    words = list(_word_positions(box, text))
    if len(words) <= len(lines):
        return [
            " ".join(word for word, x in words if left <= x < right)
            for left, right in pairwise([-inf, *lines, inf])
        ]
    spaces = _space_positions(box, text)
    ends = [0, *_nearest_in_order(spaces, lines), len(words)]
    return [" ".join(word for word, _ in words[start:end]) for start, end in pairwise(ends)]


def _space_positions(box: LayoutBox, text: str) -> list[float]:
    """Return the x of each space, by the estimated widths of the letters."""
    width = box.width / max(1.0, estimated_width(text))
    starts = accumulate(map(estimated_width, text), initial=0.0)
    return [
        box.left + (start + 0.3) * width for start, letter in zip(starts, text, strict=False) if letter == " "
    ]


def _nearest_in_order(spaces: Sequence[float], lines: Sequence[float]) -> list[int]:
    """Return the number of words before each line: the choice of increasing spaces nearest to the lines."""
    best: list[tuple[float, list[int]]] = [(0.0, [])] * (len(spaces) + 1)
    for line in lines:
        following: list[tuple[float, list[int]]] = [(inf, [])]
        for number, space in enumerate(spaces):
            distance, chosen = best[number]
            candidate = (distance + abs(space - line), [*chosen, number + 1])
            following.append(min(following[-1], candidate, key=lambda entry: entry[0]))
        best = following
    return best[-1][1]


def _word_positions(box: LayoutBox, text: str) -> Iterator[tuple[str, float]]:
    """Yield each word and the x of its center, as if all letters were equally wide."""
    letter_width, start = box.width / max(1, len(text)), 0
    for word in text.split(" "):
        yield word, box.left + (start + len(word) / 2) * letter_width
        start += len(word) + 1


def _rows_and_columns_for_text(
    cells: Sequence[Sequence[str]], grid: TableGrid, inside: Sequence[LayoutBox]
) -> tuple[list[int], list[int]]:
    """Return the rows and columns but those too small for text: between double lines, and at the sides."""
    if not inside:
        return list(range(grid.rows)), list(range(grid.columns))
    text_height = median(box.text_height for box in inside)
    rows = [
        row
        for row, texts in enumerate(cells)
        if any(texts) or grid.ys[row + 1] - grid.ys[row] > MIN_ROW_HEIGHT * text_height
    ]
    columns = [
        column
        for column in range(grid.columns)
        if any(texts[column] for texts in cells)
        or grid.xs[column + 1] - grid.xs[column] > MIN_COLUMN_WIDTH * text_height
    ]
    return rows, columns


def _is_table(cells: Sequence[Sequence[str]], filled_cells: int) -> bool:
    if len(cells) < MIN_ROWS or len(cells[0]) < MIN_COLUMNS or filled_cells < len(cells):
        return False
    rows = sum(any(row) for row in cells)
    columns = sum(any(column) for column in zip(*cells, strict=True))
    return rows >= MIN_FILLED_SHARE * len(cells) and columns >= max(
        MIN_COLUMNS, MIN_FILLED_SHARE * len(cells[0])
    )


# --- unruled -----------------------------------------------------------------------------------------------


def from_region(
    region: Region,
    boxes: Sequence[LayoutBox],
    texts: Texts,
    body_height: float,
    rules: Sequence[RulingLine],
) -> Table | None:
    """Build a table from a region that the layout model detected.

    Returns None if its text does not stand in columns, or if these are columns of a page.
    """
    region = _snap_to_ruling_lines(region, rules, body_height)
    inside = [box for box in boxes if region.contains(box)]
    rows = group_rows(inside)
    if len(rows) < MIN_UNRULED_ROWS or len(split_columns(inside, body_height)) > 1:
        return None
    dense = _dense_rows(rows)
    bounds = _column_bounds([box for row in dense for box in row], len(dense))
    if not bounds:
        return None
    if head := _head_above(rows[0], boxes, bounds, body_height):
        rows, dense, inside = [head, *rows], [head, *dense], [*head, *inside]
    rows_with_cells = sum(len({_column_index(bounds, box.center_x) for box in row}) > 1 for row in rows)
    if rows_with_cells < MIN_FILLED_SHARE * len(rows):
        return None
    row_cells = [_row_cells(row, bounds, texts, is_split=row in dense) for row in rows]
    cells = _merge_continuation_rows(row_cells, rows)
    return Table(cells, frozenset(box.index for box in inside), bounding_rect(inside))


def _snap_to_ruling_lines(region: Region, rules: Sequence[RulingLine], body_height: float) -> Region:
    """Extend a region to ruling lines nearby: the model often leaves out a table's first or last row."""
    distance = MAX_RULE_DISTANCE * body_height
    wide = [rule for rule in rules if _covers(rule, region)]
    above = [rule.y for rule in wide if region.top - distance < rule.y < region.top]
    below = [rule.y for rule in wide if region.bottom < rule.y < region.bottom + distance]
    return replace(region, top=min(above, default=region.top), bottom=max(below, default=region.bottom))


def _covers(rule: RulingLine, region: Region) -> bool:
    common = min(rule.right, region.right) - max(rule.left, region.left)
    return common > MIN_RULE_SHARE * max(rule.right - rule.left, region.right - region.left)


def _dense_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that show the columns: a label before a sum may stand over several of them."""
    usual = sorted(map(len, rows))[-MIN_UNRULED_ROWS]
    dense = [row for row in rows if len(row) > MAX_SPARSE_SHARE * usual]
    return dense if len(dense) >= MIN_UNRULED_ROWS else list(rows)


def _head_above(
    first: Row, boxes: Sequence[LayoutBox], bounds: Sequence[float], body_height: float
) -> Row | None:
    """Return the row above a table's first row if it stands in the columns: the line below a head ends it."""
    top, left, right = min(box.top for box in first), bounds[0], bounds[-1]
    above = [
        box for box in boxes if box.center_y < top and top - box.bottom < MAX_HEAD_DISTANCE * body_height
    ]
    row = next(iter(group_rows(above)[-1:]), [])
    columns = [_column_index(bounds, box.center_x) for box in row]
    is_in_columns = len(set(columns)) == len(columns) > MAX_SPARSE_SHARE * (len(bounds) + 1)
    is_beside = any(box.right < left for box in row) or any(box.left > right for box in row)
    crosses = any(_is_crossed(box, bounds) for box in row)
    return row if is_in_columns and is_beside and not crosses else None


def _column_bounds(boxes: Sequence[LayoutBox], rows: int) -> list[float]:
    """Return the middle x of each gap in which hardly any row has text."""
    edges = sorted(
        [(box.left + BOX_MARGIN * box.text_height, 1) for box in boxes]
        + [(box.right - BOX_MARGIN * box.text_height, -1) for box in boxes]
    )
    min_gap = MIN_COLUMN_GAP * median(box.text_height for box in boxes)
    max_crossed = MAX_CROSSED_ROW_SHARE * rows
    bounds, covering, start = list[float](), 0, None
    for x, change in edges:
        covering += change
        if covering <= max_crossed and start is None:
            start = x
        elif covering > max_crossed and start is not None:
            if start > edges[0][0] and x - start > min_gap:
                bounds.append((start + x) / 2)
            start = None
    return bounds


def _column_index(bounds: Sequence[float], x: float) -> int:
    return sum(bound <= x for bound in bounds)


def _is_crossed(box: LayoutBox, bounds: Sequence[float]) -> bool:
    return any(box.left + box.text_height < bound < box.right - box.text_height for bound in bounds)


def _row_cells(row: Row, bounds: Sequence[float], texts: Texts, *, is_split: bool) -> list[str]:
    """Return the texts of a row by columns; `is_split` divides texts that lie over several cells."""
    cells: list[list[str]] = [[] for _ in range(len(bounds) + 1)]
    for box in row:
        text = texts[box.index]
        crosses = is_split and _is_crossed(box, bounds)
        for part, x in _word_positions(box, text) if crosses else [(text, box.center_x)]:
            cells[_column_index(bounds, x)].append(part)
    return [" ".join(cell) for cell in cells]


def _merge_continuation_rows(cells: Sequence[list[str]], rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    """Merge a row into the one above if it is close, has an empty first cell and few others.

    A row with a figure below another one is a row of its own, such as a sum. So is a row of several texts as
    far from the row above as a full row, such as the title of a section; a head may have wider lines.
    """
    merged: list[list[str]] = []
    max_gap, full_gap = median_gap(rows), _full_row_gap(cells, rows)
    for number, row in enumerate(cells):
        row_gap = gap(rows[number - 1], rows[number]) if number else inf
        filled = sum(map(bool, row))
        is_short = not row[0] and 2 * filled <= len(row)
        is_part = filled == 1 or len(merged) == 1 or row_gap < full_gap
        if row_gap <= max_gap and is_short and is_part and not _has_figure_below_figure(merged[-1], row):
            merged[-1] = [join_lines(above, below) for above, below in zip(merged[-1], row, strict=True)]
        else:
            merged.append(row)
    return tuple(map(tuple, merged))


def _full_row_gap(cells: Sequence[list[str]], rows: Sequence[Row]) -> float:
    """Return the least gap that is usual above rows with most cells filled."""
    gaps = [
        gap(above, row)
        for texts, (above, row) in zip(cells[1:], pairwise(rows), strict=True)
        if 2 * sum(map(bool, texts)) > len(texts)
    ]
    tolerance = GAP_TOLERANCE * median(box.text_height for row in rows for box in row)
    return median(gaps) - tolerance if gaps else inf


def _has_figure_below_figure(above: Sequence[str], row: Sequence[str]) -> bool:
    return any(is_figure(one) and is_figure(other) for one, other in zip(above, row, strict=True))
