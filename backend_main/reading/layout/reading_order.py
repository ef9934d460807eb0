"""Reading order and paragraphs of live text, known from boxes before anything is recognized."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ..types import Box
from .columns import split_columns
from .geometry import PageFrame
from .headings import (
    LIVE_HEADING_THRESHOLDS,
    MAX_HEADING_ROWS,
    heading_level,
    is_after_wide_gap,
    is_indented,
)
from .rows import (
    Row,
    body_text_height,
    gap,
    group_rows,
    height,
    median_gap,
)
from .sequences import group_runs

SPACE, NEW_LINE, NEW_PARAGRAPH = " ", "\n", "\n\n"
MAX_HEIGHT_RATIO = 1.25
"""Rows of one paragraph or heading differ less in height."""
MIN_HEADING_WIDTH, MAX_HEADING_WIDTH = 2, 40
"""In text heights: shorter rows are single letters, longer ones are running text."""


@dataclass(frozen=True)
class OrderedBox:
    """A box in reading order: its index, and the Markdown between the text before and its own."""

    index: int
    prefix: str


def reading_order(boxes: Sequence[Box]) -> list[OrderedBox]:
    """Return every box once, in reading order.

    The result does not depend on the order of `boxes`, nor on position, scale and rotation of the page.
    """
    layout_boxes = PageFrame.from_boxes(boxes).layout_boxes(boxes)
    if not layout_boxes:
        return []
    body_height = body_text_height(layout_boxes)
    columns = (group_rows(column) for column in split_columns(layout_boxes, body_height))
    return ordered_boxes(columns, body_height)


def level_order(boxes: Sequence[Box]) -> list[OrderedBox]:
    """Return every box once, from top to bottom in rows of equal height, for more boxes than have a layout.

    It takes time for each box, and not for each pair.
    """
    layout_boxes = PageFrame(0.0).layout_boxes(boxes)
    row_height = body_text_height(layout_boxes)
    rows: dict[int, Row] = {}
    for box in layout_boxes:
        rows.setdefault(int(box.center_y // row_height), []).append(box)
    ordered = [
        OrderedBox(box.index, SPACE if place else NEW_LINE)
        for _, row in sorted(rows.items())
        for place, box in enumerate(sorted(row, key=lambda box: box.left))
    ]
    return [replace(one, prefix="") if not place else one for place, one in enumerate(ordered)]


def ordered_boxes(columns: Iterable[Sequence[Row]], body_height: float) -> list[OrderedBox]:
    """Return the boxes of columns in the given order; each column has its rows in reading order."""
    ordered: list[OrderedBox] = []
    for rows in columns:
        for row, prefix in zip(rows, _row_prefixes(rows, body_height), strict=True):
            ordered.append(OrderedBox(row[0].index, prefix if ordered else prefix.lstrip()))
            ordered += [OrderedBox(box.index, SPACE) for box in row[1:]]
    return ordered


def _row_prefixes(rows: Sequence[Row], body_height: float) -> list[str]:
    """Return the prefix of each row of a column; a row begins a paragraph after a wide gap or if indented."""
    usual_gap = median_gap(rows)
    edge = median(row[0].left for row in rows)
    marks = _heading_marks(rows, body_height)
    prefixes = [NEW_PARAGRAPH + marks[0]]
    for number in range(1, len(rows)):
        above, row = rows[number - 1], rows[number]
        if marks[number] and marks[number - 1] and _continues(above, row, body_height):
            prefixes.append(SPACE)  # a heading of two rows is one heading
        elif (
            marks[number]
            or marks[number - 1]
            or is_after_wide_gap(above, row, usual_gap, body_height)
            or is_indented(above, row, edge, body_height)
        ):
            prefixes.append(NEW_PARAGRAPH + marks[number])
        else:
            prefixes.append(NEW_LINE)
    return prefixes


def _heading_marks(rows: Sequence[Row], body_height: float) -> list[str]:
    """Return "# " or "## " for each row of a heading: few short rows, markedly higher than running text."""
    marks: list[str] = []
    # A run is a paragraph of running text, or a heading.
    for run in group_runs(rows, lambda run, row: _continues(run[-1], row, body_height)):
        level = heading_level(median(map(height, run)) / body_height, LIVE_HEADING_THRESHOLDS)
        is_heading = level and len(run) <= MAX_HEADING_ROWS and all(map(_is_short, run))
        marks += ["#" * level + " " if is_heading else ""] * len(run)
    return marks


def _continues(above: Row, row: Row, body_height: float) -> bool:
    smaller, larger = sorted((height(above), height(row)))
    return larger < MAX_HEIGHT_RATIO * smaller and gap(above, row) < max(larger, body_height)


def _is_short(row: Row) -> bool:
    box = row[0]
    return (
        len(row) == 1
        and MIN_HEADING_WIDTH * box.text_height < box.width < MAX_HEADING_WIDTH * box.text_height
    )
