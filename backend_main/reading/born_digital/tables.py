"""Tables of a born-digital page: by its ruling lines and fills, and by the alignment of its text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..documents.pdf_graphics import Fill
from ..layout.geometry import LayoutBox, Rect
from .joined_rows import NO_VOCABULARY, Vocabulary
from .page import DigitalPage
from .table_blocks import unruled_tables
from .table_captions import without_captions
from .table_centered import centered_tables
from .table_columns import find_columns
from .table_grids import grid_table
from .table_markdown import (
    FoundTable,
    TableContent,
    is_right_to_left_words,
    mirrored,
    table_markdown,
    with_whole_spans,
)
from .table_regions import column_line_tables, level_lines, region_tables
from .table_rules import (
    MIN_CROSSING_SHARE,
    Line,
    LineGroup,
    PageLines,
    RuledGrid,
    line_groups,
    page_lines,
)
from .table_terms import term_tables
from .table_words import LEADER, Word, page_words, word_lines

LINE_MARGIN = 4.0
"""In pixels: lines of a table are as near to its bounds."""
MAX_OPEN_COLUMNS = 2
"""A grid with more columns that is not a table divides a page."""
MIN_GRID_LINES = 2
"""Lines of each direction, of a group that makes a grid."""
MIN_HALVED_LINES = 3
"""Level lines that one upright line crosses; fewer may be the lines above and below two columns of a page."""


@dataclass(frozen=True)
class DigitalTable:
    """A table, and the boxes in it."""

    rect: Rect
    boxes: frozenset[int]
    content: TableContent
    has_clear_rows: bool = False
    """The text is not that of columns, whatever its order."""

    @cached_property
    def cell_boxes(self) -> dict[tuple[int, int], tuple[int, ...]]:
        """Indices of the boxes of each cell with text, by row and column, in the order of the text."""
        return {
            (row, column): tuple(dict.fromkeys(word.box for line in word_lines(cell) for word in line.words))
            for row, cells in enumerate(self.content.cells)
            for column, cell in enumerate(cells)
            if cell
        }

    @property
    def box_order(self) -> tuple[int, ...]:
        """Indices of the boxes by cells; drawn lines last."""
        order = dict.fromkeys(box for boxes in self.cell_boxes.values() for box in boxes)
        return (*order, *sorted(self.boxes - order.keys()))

    def markdown(self, vocabulary: Vocabulary = NO_VOCABULARY) -> str:
        """Return a pipe table, or HTML if cells span.

        Args:
            vocabulary: words of the document, by which the lines of a cell are joined.
        """
        return table_markdown(self.content, vocabulary)


def find_tables(page: DigitalPage, boxes: Sequence[LayoutBox]) -> list[DigitalTable]:
    """Return the tables that the free boxes of a page make; a box belongs to at most one of them."""
    words = page_words(page, boxes)
    if not words:
        return []
    lines = page_lines(page.graphics)
    found, areas = _grid_tables(lines, page.graphics.fills, words)
    words = _free(words, found)
    lines = _free_lines(lines, found, areas)
    level = level_lines(lines, page.graphics.fills)
    if is_right_to_left_words(words):
        level = [line.mirrored() for line in level]
        upright = [replace(line, position=-line.position) for line in lines.vertical]
        found += map(_upright, _text_tables(level, upright, [word.mirrored() for word in words]))
    else:
        found += _text_tables(level, lines.vertical, words)
    found = [without_captions(table) for table in found]
    _add_rest_of_runs(found, page_words(page, boxes))
    return [_digital_table(table) for table in found]


def _text_tables(level: Sequence[Line], upright: Sequence[Line], words: Sequence[Word]) -> list[FoundTable]:
    found = region_tables(level, words)
    found += column_line_tables(upright, _free(words, found))
    found += centered_tables(_free(words, found))
    found += term_tables(_free(words, found))
    return found + unruled_tables(level, upright, _free(words, found))


def _free_lines(lines: PageLines, found: Sequence[FoundTable], areas: Sequence[RuledGrid]) -> PageLines:
    """Return the lines outside of tables; those between areas of a page are not between rows."""
    tables = [table.rect for table in found]
    level = tables + [area.rect for area in areas]
    return PageLines(
        tuple(one for one in lines.horizontal if not _is_in(level, (one.start + one.end) / 2, one.position)),
        tuple(one for one in lines.vertical if not _is_in(tables, one.position, (one.start + one.end) / 2)),
    )


def _is_in(rects: Sequence[Rect], x: float, y: float) -> bool:
    return any(
        left - LINE_MARGIN <= x <= right + LINE_MARGIN and top - LINE_MARGIN <= y <= bottom + LINE_MARGIN
        for left, top, right, bottom in rects
    )


def _add_rest_of_runs(found: Sequence[FoundTable], words: Sequence[Word]) -> None:
    """Add the words of runs that are in a table only in part to the cell of the nearest word of their run.

    A run belongs to a table as a whole, so they would be lost.
    """
    placed = {(word.box, word.order) for table in found for word in table.content.words()}
    cells = {word.box: cell for table in found for cell in table.content.all_cells() for word in cell}
    for word in words:
        if word.box in cells and (word.box, word.order) not in placed and not LEADER.fullmatch(word.text):
            cell = cells[word.box]
            is_mirrored = cell[0].left < 0
            cell.append(word.mirrored() if is_mirrored else word)


def _upright(table: FoundTable) -> FoundTable:
    """Return a table of mirrored words with its place on the page."""
    left, top, right, bottom = table.rect
    return replace(table, rect=(-right, top, -left, bottom))


def _digital_table(table: FoundTable) -> DigitalTable:
    return DigitalTable(table.rect, table.boxes, with_whole_spans(table.content), table.has_clear_rows)


def _free(words: Sequence[Word], found: Sequence[FoundTable]) -> list[Word]:
    used = frozenset[int]().union(*(table.boxes for table in found))
    return [word for word in words if word.box not in used]


def _is_halved(group: LineGroup, words: Sequence[Word]) -> bool:
    """Return whether a group is level lines with common ends and one upright line through all of them.

    It makes two columns that are open at their sides, as LaTeX draws them. The text has no more columns.
    """
    if len(group.vertical) != 1 or len(group.horizontal) < MIN_HALVED_LINES:
        return False
    (upright,) = group.vertical
    left, top, right, bottom = group.rect
    is_inside = left + LINE_MARGIN < upright.position < right - LINE_MARGIN
    have_common_ends = all(
        line.start - left < LINE_MARGIN and right - line.end < LINE_MARGIN for line in group.horizontal
    )
    if not (is_inside and have_common_ends and upright.length > MIN_CROSSING_SHARE * (bottom - top)):
        return False
    return find_columns(word_lines(_words_inside(group.rect, words))).count <= MAX_OPEN_COLUMNS


def _grid_tables(
    lines: PageLines, fills: Sequence[Fill], words: Sequence[Word]
) -> tuple[list[FoundTable], list[RuledGrid]]:
    """Return the tables that grids of lines make, and the grids that are areas of a page."""
    grids = [
        RuledGrid(group, fills)
        for group in line_groups(lines)
        if min(len(group.horizontal), len(group.vertical)) >= MIN_GRID_LINES or _is_halved(group, words)
    ]
    found, areas = [], []
    for grid in sorted(grids, key=lambda grid: grid.columns * grid.rows):
        inside = _words_inside(grid.rect, words)
        if content := grid_table(grid, inside):
            is_mirrored = is_right_to_left_words(inside)
            table = FoundTable(mirrored(content) if is_mirrored else content, grid.rect)
            used = table.boxes
            words = [word for word in words if word.box not in used]
            found.append(table)
        elif min(grid.rows, grid.columns) > 1 and grid.columns > MAX_OPEN_COLUMNS:
            areas.append(grid)
    return found, areas


def _words_inside(rect: Rect, words: Sequence[Word]) -> list[Word]:
    """Return the words of the runs with most of their words in a rectangle."""
    left, top, right, bottom = rect
    counts: dict[int, int] = {}
    for word in words:
        inside = left < word.center_x < right and top < word.center_y < bottom
        counts[word.box] = counts.get(word.box, 0) + (1 if inside else -1)
    return [word for word in words if counts[word.box] >= 0]
