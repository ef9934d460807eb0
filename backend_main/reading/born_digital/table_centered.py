"""Tables without lines whose cells are centered in the height of their rows, as a browser prints them.

Lines of such a table are level only by chance. Lines of a cell are nearer to each other than rows are.
Cells come first; rows are cells that overlap in height. Common centers of cells with different numbers of
lines are evidence that running text in columns does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..layout.cells import Cell
from .table_columns import MIN_COLUMN_GAP, Columns, Gap, find_gutters, free_strips
from .table_drawing import column_changes
from .table_markdown import FoundTable, TableContent, without_empty
from .table_text import has_table_text, is_aligned
from .table_text_cells import TextCell, level_groups, same_size_groups, text_cells
from .table_words import LETTER, Phrase, Word, word_lines, words_rect

# In font sizes.
MAX_ROW_GAP = 1.8
"""Between two rows."""
MAX_CENTER_DISTANCE = 0.2
"""Between the centers of two cells of a row."""
MIN_ROW_OVERLAP = 0.4
"""Height of a cell in each row that it spans."""
EDGE_TOLERANCE = 0.4
"""Between the left edges of a column."""
EDGE_INSET = 0.25
"""Cells may reach as far over the middle of the gap beside them."""
MIN_ROWS = 3
MIN_CENTERED_ROWS = 2
"""Rows with different numbers of lines, with common centers."""
MIN_CENTERED_PAIRS = 4
"""Minimum for a table of two columns: labels of charts make two columns too."""
MIN_CENTERED_SHARE = 0.75
MAX_CROSSED_SHARE = 0.25
"""Share of the rows with a cell over a gap between columns."""
MIN_LETTER_SHARE = 0.5
"""Share of the cells with several lines whose words have letters; the rest are fractions."""


def centered_tables(words: Sequence[Word]) -> list[FoundTable]:
    """Return the tables that centered cells show."""
    found = []
    for group in same_size_groups(words):
        for side in _sides(group):
            found += _tables(side, splits=1)
    return found


def _sides(words: Sequence[Word]) -> list[list[Word]]:
    """Divide words at the gutters between columns of running text."""
    xs = [gutter.center for gutter in find_gutters(word_lines(words))]
    columns = Columns(tuple(Gap(x, x) for x in xs))
    return [
        [word for word in words if columns.index(word.center_x) == number] for number in range(len(xs) + 1)
    ]


def _tables(words: Sequence[Word], splits: int) -> list[FoundTable]:
    found = []
    for run in _runs(level_groups(text_cells(words))):
        if table := _centered_table(run):
            found.append(table)
        elif splits and (gap := _widest_gap(run)):
            inside = [word for group in run for cell in group for word in cell.words]
            for is_left in (True, False):
                side = [word for word in inside if (word.center_x < gap.center) == is_left]
                found += _tables(side, splits - 1)
    return found


def _runs(groups: Sequence[list[TextCell]]) -> list[list[list[TextCell]]]:
    """Return runs of rows, with single cells between them."""
    runs: list[list[list[TextCell]]] = []
    run: list[list[TextCell]] = []
    for group in groups:
        above = run[-1] if run else None
        if above and not _continues(above, group):
            runs.append(run)
            run = []
        if run or len(group) > 1:
            run.append(group)
    runs.append(run)
    for run in runs:
        while run and len(run[-1]) == 1 and not _is_below_values(run[-2:]):
            run.pop()
    return [run for run in runs if len(run) >= MIN_ROWS]


def _continues(above: Sequence[TextCell], group: Sequence[TextCell]) -> bool:
    size = group[0].size
    if group[0].top - max(cell.bottom for cell in above) > MAX_ROW_GAP * size:
        return False
    if len(group) > 1:
        return True
    return _is_below_values([above, group]) or (len(above) > 1 and len(group[0].phrases) == 1)


def _is_below_values(groups: Sequence[Sequence[TextCell]]) -> bool:
    """Return whether the only cell of a group begins below one that is not the first of its row."""
    if len(groups) < 2:
        return False
    above, (cell, *_) = groups
    lefts = sorted(other.left for other in above)[1:]
    return any(abs(left - cell.left) < EDGE_TOLERANCE * cell.size for left in lefts)


def _widest_gap(run: Sequence[Sequence[TextCell]]) -> Gap | None:
    strips = free_strips(_lines(run), 0)
    return max(strips, key=lambda strip: strip.right - strip.left, default=None)


def _lines(run: Sequence[Sequence[TextCell]]) -> list[list[Phrase]]:
    """Return the phrases of each cell, by left edge."""
    return [sorted(cell.phrases, key=lambda phrase: phrase.left) for group in run for cell in group]


def _find_columns(run: Sequence[Sequence[TextCell]]) -> Columns:
    """Return the columns of rows: strips that the fewest cells cross."""
    lines = _lines(run)
    min_gap = MIN_COLUMN_GAP * run[0][0].size
    gaps: list[Gap] = []
    for crossing in range(int(MAX_CROSSED_SHARE * len(run)) + 1):
        gaps += [
            strip
            for strip in free_strips(lines, crossing)
            if strip.right - strip.left >= min_gap
            and not any(strip.left <= gap.right and gap.left <= strip.right for gap in gaps)
        ]
    return Columns(tuple(sorted(gaps, key=lambda gap: gap.left)))


@dataclass(frozen=True)
class _PlacedCell:
    """A cell with its rows and columns in its group."""

    cell: TextCell
    place: Cell


def _centered_table(run: Sequence[Sequence[TextCell]]) -> FoundTable | None:
    columns = _find_columns(run)
    if columns.count < 2:
        return None
    if column_changes([cell.words for group in run for cell in group], columns) < len(run):
        return None  # columns of text
    groups = [_placed(group, columns) for group in run]
    groups[0] = _with_wide_heads(groups[0], columns.count)
    if not _are_centered(groups, MIN_CENTERED_ROWS if columns.count > 2 else MIN_CENTERED_PAIRS):
        return None
    content = without_empty(_content(groups, columns.count))
    if not has_table_text(content) or not is_aligned(content):
        return None
    return FoundTable(content, words_rect(content.words()), has_clear_rows=True)


def _placed(group: Sequence[TextCell], columns: Columns) -> list[_PlacedCell]:
    """Return the cells of a group with their columns, and the rows if columns have several cells."""
    spans = [_column_span(cell, columns) for cell in group]
    stacks: dict[int, list[TextCell]] = {}
    for cell, (first, last) in zip(group, spans, strict=True):
        for column in range(first, last + 1):
            stacks.setdefault(column, []).append(cell)
    count = max(map(len, stacks.values()))
    bands = _bands([stack for stack in stacks.values() if len(stack) == count])
    placed = []
    for cell, (first, last) in zip(group, spans, strict=True):
        is_alone = all(len(stacks[column]) == 1 for column in range(first, last + 1))
        top, bottom = _row_span(cell, bands, is_alone=is_alone)
        placed.append(_PlacedCell(cell, Cell(top, first, bottom + 1, last + 1)))
    return placed


def _with_wide_heads(head: Sequence[_PlacedCell], columns: int) -> list[_PlacedCell]:
    """Return a head of several rows whose cells reach over the empty ones, except in its last row."""
    rows = max(placed.place.row_end for placed in head)
    taken = {
        (row, column)
        for place in (placed.place for placed in head)
        for row in range(place.row, place.row_end)
        for column in range(place.column, place.column_end)
    }
    wide = []
    for placed in head:
        place, end = placed.place, placed.place.column_end
        while place.row_end < rows and end < columns and (place.row, end) not in taken:
            end += 1
        wide.append(replace(placed, place=replace(place, column_end=end)))
    return wide


def _column_span(cell: TextCell, columns: Columns) -> tuple[int, int]:
    inset = min(EDGE_INSET * cell.size, (cell.right - cell.left) / 2)
    return columns.index(cell.left + inset), columns.index(cell.right - inset)


def _bands(stacks: Sequence[Sequence[TextCell]]) -> list[tuple[float, float]]:
    """Return top and bottom of each row, given columns with a cell in each."""
    return [
        (min(cell.top for cell in row), max(cell.bottom for cell in row)) for row in zip(*stacks, strict=True)
    ]


def _row_span(cell: TextCell, bands: Sequence[tuple[float, float]], *, is_alone: bool) -> tuple[int, int]:
    """Return the first and the last row of a cell; one alone in its column may be centered on all rows."""
    middle = (cell.top + cell.bottom) / 2
    centers = [(top + bottom) / 2 for top, bottom in bands]
    nearest = min(range(len(bands)), key=lambda number: abs(centers[number] - middle))
    tolerance = MAX_CENTER_DISTANCE * cell.size
    is_off_center = abs(middle - centers[nearest]) > tolerance
    if is_alone and is_off_center and abs(middle - (bands[0][0] + bands[-1][1]) / 2) < tolerance:
        return 0, len(bands) - 1
    over = [
        number
        for number, (top, bottom) in enumerate(bands)
        if min(bottom, cell.bottom) - max(top, cell.top) > MIN_ROW_OVERLAP * min(cell.size, bottom - top)
    ]
    return (over[0], over[-1]) if is_alone and over else (nearest, nearest)


def _are_centered(groups: Sequence[Sequence[_PlacedCell]], min_rows: int) -> bool:
    """Return whether cells with different numbers of lines have common centers, in as many rows."""
    rows = [row for group in groups for row in _single_rows(group)]
    mixed = [row for row in rows if len({len(cell.phrases) for cell in row}) > 1]
    centered = sum(map(_is_centered, mixed))
    several = [cell for row in mixed for cell in row if len(cell.phrases) > 1]
    texts = sum(
        any(LETTER.search(word.text) and len(word.text) > 2 for word in cell.words) for cell in several
    )
    full = sum(len(row) > 1 for row in rows)
    return (
        full >= MIN_ROWS
        and centered >= max(min_rows, MIN_CENTERED_SHARE * len(mixed))
        and texts >= MIN_LETTER_SHARE * len(several)
    )


def _has_text(cell: TextCell) -> bool:
    return any(LETTER.search(word.text) and len(word.text) > 2 for word in cell.words)


def _single_rows(group: Sequence[_PlacedCell]) -> list[list[TextCell]]:
    rows: dict[int, list[TextCell]] = {}
    for placed in group:
        if placed.place.row_span == 1:
            rows.setdefault(placed.place.row, []).append(placed.cell)
    return list(rows.values())


def _is_centered(row: Sequence[TextCell]) -> bool:
    centers = [cell.center for cell in row]
    return max(centers) - min(centers) < MAX_CENTER_DISTANCE * row[0].size


def _content(groups: Sequence[Sequence[_PlacedCell]], columns: int) -> TableContent:
    cells: list[list[list[Word]]] = []
    spans: list[Cell] = []
    for group in groups:
        start = len(cells)
        cells += [[[] for _ in range(columns)] for _ in range(max(placed.place.row_end for placed in group))]
        for placed in group:
            place = placed.place
            cells[start + place.row][place.column] += placed.cell.words
            is_section = len(group) == 1 and place.column == 0 and place.column_span > 1
            end = columns if is_section else place.column_end
            span = Cell(start + place.row, place.column, start + place.row_end, end)
            if span.is_spanning:
                spans.append(span)
    return TableContent(cells, spans)
