"""Heads above the first of the lines that stand below each row, which consist of the borders of cells."""

from bisect import bisect_right
from collections.abc import Sequence

from .table_rules import Line
from .table_text_cells import TextCell, level_groups, text_cells
from .table_words import Word

JOINT_TOLERANCE = 4.0
"""In pixels: joints of two lines are as near to each other."""
MIN_JOINT_SHARE = 0.5
"""Share of the lines of a table that have a joint between two columns."""
MIN_LINES = 2
# In font sizes.
PADDING_TOLERANCE = 0.4
"""Difference of the distances of rows from the lines below them."""
MIN_INDENT = 0.2
"""Text of a cell is as far from the end of the line; a paragraph above a table is not."""


def common_joints(lines: Sequence[Line]) -> tuple[float, ...]:
    """Return the x at which most lines have a joint."""
    found: list[float] = []
    for line in lines:
        for x in line.joints:
            near = sum(any(abs(x - other) < JOINT_TOLERANCE for other in one.joints) for one in lines)
            is_new = all(abs(x - other) >= JOINT_TOLERANCE for other in found)
            if is_new and near >= max(MIN_LINES, MIN_JOINT_SHARE * len(lines)):
                found.append(x)
    return tuple(sorted(found))


def head_above(lines: Sequence[Line], inside: Sequence[Word], near: Sequence[Word]) -> list[Word]:
    """Return the words of the row above the first line.

    It is as far from the line as other rows from theirs. It has several cells, or is indented like others.

    Args:
        lines: level lines below rows.
        inside: the words between the lines.
        near: all words in the width of the lines.
    """
    above = [word for word in near if word.center_y < lines[0].position]
    groups = level_groups(text_cells(above))
    if not groups or not inside:
        return []
    row = groups[-1]
    size = row[0].size
    distance = lines[0].position - max(cell.bottom for cell in row)
    if abs(distance - _padding(lines, inside)) > PADDING_TOLERANCE * size:
        return []
    if len(row) == 1 and not _is_indented(row[0], lines[0], inside):
        return []
    return [word for cell in row for word in cell.words]


def _padding(lines: Sequence[Line], inside: Sequence[Word]) -> float:
    """Return the smallest distance of text from the line below it."""
    ys = [line.position for line in lines]
    return min(ys[min(bisect_right(ys, word.center_y), len(ys) - 1)] - word.bottom for word in inside)


def _is_indented(cell: TextCell, line: Line, inside: Sequence[Word]) -> bool:
    first = min(word.left for word in inside)
    return abs(cell.left - first) < MIN_INDENT * cell.size < cell.left - line.start
