"""Tables without lines, found by alignment alone: the positions of an invoice, or the figures of a report.

Rows of boxes side by side are such a table if their gaps are below each other, and if one of the columns
holds figures. Text beside a label and columns of running text have no such column.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from .geometry import LayoutBox
from .layout_model import Region
from .rows import Row, gap, group_rows, has_wide_gap
from .sequences import group_runs
from .text_joining import is_figure

MIN_ROWS, MIN_COLUMNS = 3, 3
MIN_LIST_ROWS = 8
"""Rows of a table of two columns, such as names and prices."""
MIN_FIGURES_SHARE = 0.6
"""Share of figures in the cells of a column of figures, without its head."""
MIN_LABELS_SHARE, MIN_LABEL_LETTERS = 0.6, 2
"""Share of words in the cells of a column of names, and letters of such a word."""
MIN_FULL_ROW_SHARE = 0.5
"""Share of the rows with text in all columns but one."""
# In body heights.
MAX_ROW_GAP = 1.6
MAX_EDGE_DISTANCE = 0.8
"""Between the right edges, or the left ones, of the cells of a column."""


@dataclass(frozen=True)
class _Column:
    """Cells below each other, and the sides between which they are."""

    left: float
    right: float
    cells: tuple[LayoutBox, ...]


def aligned_table_regions(
    boxes: Sequence[LayoutBox], texts: Sequence[str], body_height: float
) -> Iterator[Region]:
    """Yield the regions of tables in a column of a page, from top to bottom."""
    rows = group_rows(boxes)
    for run in group_runs(rows, lambda run, row: gap(run[-1], row) < MAX_ROW_GAP * body_height):
        for part in _without_running_text(run):
            if _is_table(part, texts, body_height):
                cells = [box for row in part for box in row]
                yield Region(
                    "table",
                    1.0,
                    min(box.left for box in cells),
                    min(box.top for box in cells),
                    max(box.right for box in cells),
                    max(box.bottom for box in cells),
                )


def _without_running_text(run: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield the parts of a run between lines that no row of cells has beside them.

    A row of one box belongs to a part if it continues a cell above it.
    """
    part: list[Row] = []
    for row in run:
        if has_wide_gap(row) or (part and _continues_cell(part[-1], row)):
            part.append(row)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _continues_cell(above: Row, row: Row) -> bool:
    """Return whether a single box is below a cell, and reaches into no other."""
    covered = [box for box in above if min(box.right, row[0].right) - max(box.left, row[0].left) > 0]
    return (
        len(row) == 1
        and len(covered) == 1
        and abs(covered[0].left - row[0].left) < MAX_EDGE_DISTANCE * row[0].text_height
    )


def _is_table(rows: Sequence[Row], texts: Sequence[str], body_height: float) -> bool:
    columns = _columns(rows)
    full = [row for row in rows if len(row) >= len(columns) - 1 and len(row) > 1]
    if len(columns) < 2 or len(full) < max(MIN_ROWS, MIN_FULL_ROW_SHARE * len(rows)):
        return False
    if len(columns) < MIN_COLUMNS and len(full) < MIN_LIST_ROWS:
        return False
    has_labels = any(_holds_labels(column, texts) for column in columns)
    return has_labels and any(_holds_figures(column, texts, body_height) for column in columns[1:])


def _columns(rows: Sequence[Row]) -> list[_Column]:
    """Group boxes that overlap from left to right."""
    boxes = sorted((box for row in rows for box in row), key=lambda box: box.left)
    groups = group_runs(boxes, lambda group, box: box.left < max(other.right for other in group))
    return [
        _Column(group[0].left, max(box.right for box in group), tuple(sorted(group, key=lambda box: box.top)))
        for group in groups
    ]


def _holds_labels(column: _Column, texts: Sequence[str]) -> bool:
    """Return whether most cells have a word; those of multiple choice have a letter only."""
    worded = sum(
        sum(map(str.isalpha, texts[box.index])) >= MIN_LABEL_LETTERS and not is_figure(texts[box.index])
        for box in column.cells
    )
    return worded >= MIN_LABELS_SHARE * len(column.cells)


def _holds_figures(column: _Column, texts: Sequence[str], body_height: float) -> bool:
    """Return whether most cells of a column are figures, with their right or left edges below each other."""
    figures = [box for box in column.cells if is_figure(texts[box.index])]
    if len(figures) < max(2, MIN_FIGURES_SHARE * (len(column.cells) - 1)):
        return False
    return any(
        sum(abs(edge - median(edges)) < MAX_EDGE_DISTANCE * body_height for edge in edges)
        >= MIN_FIGURES_SHARE * len(edges)
        for edges in ([box.right for box in figures], [box.left for box in figures])
    )
