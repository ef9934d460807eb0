"""Rows near an edge of a page that belong to its text, though other pages may have them: text and tables.

A reader misses a lost line more than a running head that is left. So a row is text if it looks like that.
"""

from collections.abc import Iterator

from .furniture_page import FurniturePage
from .furniture_text import letter_count
from .geometry import LayoutBox
from .rows import Row

MIN_LINE_SHARE, MAX_LINE_SHARE = 0.8, 1.15
"""In widths of most lines: a line that fills its column."""
MIN_LINE_WIDTH = 12.0
"""In body heights: the lines of narrower columns are as long as titles."""
MIN_SMALL_LETTER_SHARE = 0.5
"""Share of the letters of a script with capitals. A running head is often set in capitals."""
MIN_ALIGNED_LINES = 2
"""Other lines that begin, or end, where a line of text does."""
ALIGNMENT_TOLERANCE = 0.5
"""In body heights: lines, and cells of one column, begin, end or have their center in the same place."""
MAX_INDENT = 3.0
"""In text heights: the first line of a paragraph may begin this much further inside."""
TABLE_GAP, MAX_TABLE_GAP = 0.8, 1.5
"""In body heights: the head of a table is nearer to its rows, with three cells or more also at the second."""
MIN_ALIGNED_CELLS, MIN_TABLE_CELLS = 2, 3
"""Cells side by side that are a row of a table: if they are aligned with cells below, or anyway."""
MAX_PITCH_DIFFERENCE = 0.15
"""Share of the distance between two rows by which another distance in their table may differ."""


def is_text_row(page: FurniturePage, place: int) -> bool:
    """Return whether `rows[place]` of the page is a full line of running text, or in a paragraph with one."""
    row = page.rows[place]
    if any(_is_full_line(page, box) for box in row):
        return True
    return any(
        _is_full_line(page, line) and any(_continues(page, box, line) for box in row)
        for neighbor in _neighbors(page, place)
        if not page.is_apart(row, neighbor)
        for line in neighbor
    )


def adjoins_text(page: FurniturePage, place: int, neighbor: int) -> bool:
    """Return whether nothing sets `rows[place]` apart from the row beside it: no gap, print or indent."""
    if not page.is_beside(place, neighbor):
        return False
    row, other = page.rows[place], page.rows[neighbor]
    if len(row) != len(other) or not _has_letters(page.text_of(other)):
        return False
    return all(_continues(page, box, line) for box, line in zip(row, other, strict=True))


def is_table_head(page: FurniturePage, place: int) -> bool:
    """Return whether `rows[place]`, at the top, is the head of a table, or a row of the head."""
    if place + 1 >= len(page.rows):
        return False
    row, below = page.rows[place], page.rows[place + 1]
    distance = page.distance(row, below)
    if distance > MAX_TABLE_GAP * page.body_height:
        return False
    if min(len(row), len(below)) >= MIN_TABLE_CELLS:
        return True
    return distance <= TABLE_GAP * page.body_height and _has_aligned_cells(page, row, below)


def is_grid_row(page: FurniturePage, place: int, step: int) -> bool:
    """Return whether `rows[place]` and the next two are at even distances, with aligned cells in one print.

    Args:
        step: 1 if the next rows inwards are below, -1 if they are above.
    """
    if not 0 <= place + 2 * step < len(page.rows):
        return False
    row, inner, next_inner = (page.rows[place + count * step] for count in range(3))
    first, second = abs(_center(row) - _center(inner)), abs(_center(inner) - _center(next_inner))
    if abs(first - second) > MAX_PITCH_DIFFERENCE * max(first, second):
        return False
    if not (_has_aligned_cells(page, row, inner) and _has_aligned_cells(page, inner, next_inner)):
        return False
    # Two columns of text are aligned, too.
    return page.has_same_print(row[0], inner[0]) and not any(_is_full_line(page, box) for box in inner)


def _neighbors(page: FurniturePage, place: int) -> Iterator[Row]:
    for each in (place - 1, place + 1):
        if 0 <= each < len(page.rows):
            yield page.rows[each]


def _is_full_line(page: FurniturePage, box: LayoutBox) -> bool:
    """Return whether a box is as wide as the column, in the print of the text, and aligned with its lines."""
    share = box.width / max(1.0, page.line_width)
    if not MIN_LINE_SHARE < share < MAX_LINE_SHARE or box.width < MIN_LINE_WIDTH * page.body_height:
        return False
    if page.size_ratio(box) != 1 or not _has_small_letters(page.texts[box.index]):
        return False
    tolerance = ALIGNMENT_TOLERANCE * page.body_height
    aligned = sum(
        min(abs(other.left - box.left), abs(other.right - box.right)) < tolerance
        for other in page.level_boxes
        if page.size_ratio(other) == 1
    )
    return aligned > MIN_ALIGNED_LINES  # the box itself counts, too


def _has_small_letters(text: str) -> bool:
    cased = [letter for letter in text if letter.lower() != letter.upper()]
    if not cased:
        return letter_count(text) > 0
    return sum(letter.islower() for letter in cased) >= MIN_SMALL_LETTER_SHARE * len(cased)


def _continues(page: FurniturePage, box: LayoutBox, line: LayoutBox) -> bool:
    """Return whether a box has the print of a line, and begins (right to left: ends) near where it does."""
    if not page.has_same_print(box, line):
        return False
    return min(abs(box.left - line.left), abs(box.right - line.right)) < MAX_INDENT * box.text_height


def _has_letters(text: str) -> bool:
    """Return whether a text is more than a rule of dashes or underscores."""
    return any(map(str.isalnum, text))


def _center(row: Row) -> float:
    return sum(box.center_y for box in row) / len(row)


def _has_aligned_cells(page: FurniturePage, row: Row, other: Row) -> bool:
    tolerance = ALIGNMENT_TOLERANCE * page.body_height
    cells = {cell.index for box in row for cell in other if _is_aligned(box, cell, tolerance)}
    boxes = sum(any(_is_aligned(box, cell, tolerance) for cell in other) for box in row)
    return min(len(cells), boxes) >= MIN_ALIGNED_CELLS


def _is_aligned(box: LayoutBox, cell: LayoutBox, tolerance: float) -> bool:
    distances = (box.left - cell.left, box.right - cell.right, box.center_x - cell.center_x)
    return min(map(abs, distances)) < tolerance
