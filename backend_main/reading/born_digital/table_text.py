"""Tables by the alignment of their text, with or without lines between some of their rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import mean

from ..layout.cells import Cell
from ..layout.text_joining import CJK, list_marker
from .table_captions import is_caption
from .table_columns import Columns, RowLine, find_columns
from .table_drawing import has_lines_of_another_column, is_drawn_by_cells, is_text_drawn_by_columns
from .table_markdown import TableContent, with_joined_signs, without_empty
from .table_rows import table_rows
from .table_words import DIGIT, LEADER, LETTER, NUMBER, Word, WordLine, are_bold, word_lines

MIN_ROWS, MIN_RULED_ROWS = 3, 2
"""Rows with two cells or more; lines, a bold head and cells that are drawn one by one are evidence too."""
MIN_ROW_SHARE = 0.5
"""Share of the rows that have two cells or more."""
MIN_ALIGNED_SHARE = 0.7
"""Share of a column's cells with the same left edge, right edge or center."""
EDGE_TOLERANCE = 0.4
"""In font sizes."""
MAX_PROSE_WORDS = 4.0
"""Words of a line of a column, on average; more may be running text beside a table."""
MIN_PROSE_PAIRS = 3
MIN_FLOWING_SHARE = 0.5
"""Share of the rows whose text goes on in the next row, in a column of running text."""
MIN_LABEL_SHARE = 0.6
MIN_CONTENTS_ROWS = 3
MIN_BARE_ROWS = 6
"""Rows of a table of three columns or more without any labels."""
MIN_WIDE_COLUMNS, MIN_FILLED_SHARE = 4, 0.33
"""Columns of a wide table, and the share of its cells that have text."""
MAX_CELL_LINES = 2.5
"""Lines of a cell on average; running text has more."""
PAGE_NUMBER = re.compile(r"\d{1,4}|[ivxlc]{1,7}", re.IGNORECASE)


@dataclass(frozen=True)
class Drawing:
    """Lines in the region of a table: y of those between rows, x of those between columns.

    `has_joints`: the borders of cells meet at each x in `forced`, so columns are known.
    """

    separators: tuple[float, ...] = ()
    forced: tuple[float, ...] = ()
    has_joints: bool = False

    @property
    def is_evidence(self) -> bool:
        """Return whether lines make a table likely; two alone may be a frame around text."""
        return len(self.separators) > 2 or bool(self.forced)


NO_DRAWING = Drawing()


def text_table(lines: Sequence[WordLine], drawing: Drawing = NO_DRAWING) -> TableContent | None:
    """Return the table that lines of text make, or None."""
    lines = [line for line in map(_without_leaders, lines) if line]
    columns = find_columns(lines, drawing.forced)
    if columns.count < 2:
        return None
    rows = table_rows(lines, columns, drawing.separators)
    content = _content(rows, columns, has_all_spans=drawing.has_joints)
    table = with_joined_signs(without_empty(content))
    return table if _is_table(rows, table, drawing) else None


def _without_leaders(line: WordLine) -> WordLine | None:
    """Return a line without the dots between its labels and values, None if it has nothing else."""
    if not any(LEADER.search(word.text) for word in line.words):
        return line
    words = [word.without_leader() for word in line.words if not LEADER.fullmatch(word.text)]
    return WordLine(words) if words else None


def _content(rows: Sequence[Sequence[RowLine]], columns: Columns, *, has_all_spans: bool) -> TableContent:
    cells: list[list[list[Word]]] = [[[] for _ in range(columns.count)] for _ in rows]
    spans = []
    for number, row in enumerate(rows):
        filled = set[int]().union(*(line.filled for line in row))
        for line in row:
            for (first, last), words in line.cells.items():
                cells[number][first] += words
                if first < last and (has_all_spans or first > 0 or len(filled) > last + 1):
                    spans.append(Cell(number, first, number + 1, last + 1))
    return TableContent(cells, _disjoint(spans))


def _disjoint(spans: Sequence[Cell]) -> list[Cell]:
    """Return spans that do not overlap: of two lines of a row, the wider one."""
    kept: list[Cell] = []
    for span in sorted(spans, key=lambda span: -span.column_span):
        if not any(
            span.row == other.row and span.column < other.column_end and other.column < span.column_end
            for other in kept
        ):
            kept.append(span)
    return kept


def _is_table(rows: Sequence[Sequence[RowLine]], table: TableContent, drawing: Drawing) -> bool:
    if table.columns < 2:
        return False
    full = sum(sum(map(bool, row)) > 1 for row in table.cells)
    lines = [line for row in rows for line in row]
    by_cells = is_drawn_by_cells(lines)
    is_clear = drawing.is_evidence or by_cells or (table.columns > 2 and _has_bold_head(table))
    min_rows = MIN_RULED_ROWS if is_clear else MIN_ROWS
    has_empty_rows = drawing.has_joints and full > 0 and len(drawing.separators) > MIN_RULED_ROWS  # a form
    if not has_empty_rows and (full < min_rows or full < MIN_ROW_SHARE * len(table.cells)):
        return False
    if not has_table_text(table):
        return False
    if not by_cells and any(map(partial(_flows_on, rows), range(table.columns))):
        return False
    if drawing.is_evidence:
        return True
    if has_lines_of_another_column(lines) or is_text_drawn_by_columns(lines):
        return False
    words = table.words()
    if _is_code(table, words) or (table.columns == 2 and not _is_pairs(table)):
        return False
    return is_aligned(table) and not _is_vertical(words) and not _is_running_text(table)


def has_table_text(table: TableContent) -> bool:
    """Return whether the text of cells is one of a table: not contents, a list, or labels of a chart."""
    return (
        _is_filled(table)
        and not any(sum(map(is_caption, row)) > 1 for row in table.cells)  # figures side by side
        and not _is_contents(table)
        and not _is_list(table)
        and _has_labels(table)
    )


def _is_filled(table: TableContent) -> bool:
    """Return whether enough cells have text; among the labels of a chart's axes, few have."""
    filled = sum(bool(cell) for row in table.cells for cell in row)
    filled += sum(span.column_span - 1 for span in table.spans)
    return table.columns < MIN_WIDE_COLUMNS or filled >= MIN_FILLED_SHARE * table.columns * len(table.cells)


def _has_labels(table: TableContent) -> bool:
    """Return whether the first row or column has words; the labels of a chart's axes are numbers."""
    for cells in (table.cells[0], [row[0] for row in table.cells]):
        filled = [cell for cell in cells if cell]
        named = sum(any(LETTER.search(word.text) for word in cell) for cell in filled)
        if filled and 2 * named >= len(filled):
            return True
    return len(table.cells) >= MIN_BARE_ROWS and table.columns > 2


def _is_code(table: TableContent, words: Sequence[Word]) -> bool:
    """Return whether the text is monospaced, and not one of numbers."""
    if not all(piece.style.font.is_monospaced for word in words for piece in word.pieces):
        return False
    numeric = sum(
        sum(bool(NUMBER.fullmatch(text)) for text in texts) >= MIN_LABEL_SHARE * len(texts)
        for texts in (_texts(table, column) for column in range(1, table.columns))
    )
    return 2 * numeric < table.columns - 1


def _is_running_text(table: TableContent) -> bool:
    """Return whether two columns have cells of many lines, as columns of running text have."""
    columns = [
        [word_lines(row[column]) for row in table.cells if row[column]] for column in range(table.columns)
    ]
    prose = [
        column
        for column in columns
        if mean(map(len, column)) > MAX_CELL_LINES
        and mean(len(line.words) for lines in column for line in lines) > MAX_PROSE_WORDS
    ]
    return len(prose) > 1


def _flows_on(rows: Sequence[Sequence[RowLine]], column: int) -> bool:
    """Return whether the text of a column flows on from row to row, as in running text beside a table."""
    pairs = [
        (above[-1], below[0])
        for above, below in pairwise(rows)
        if column in above[-1].filled and column in below[0].filled
    ]
    pairs = [pair for pair in pairs if all((column, column) in line.cells for line in pair)]
    if len(pairs) < MIN_PROSE_PAIRS:
        return False
    words = mean(len(above.cells[column, column]) for above, _ in pairs)
    right = max(word.right for pair in pairs for line in pair for word in line.cells[column, column])
    lefts = [line.cells[column, column][0].left for pair in pairs for line in pair]
    if _most_near(lefts, EDGE_TOLERANCE * pairs[0][0].line.size) < MIN_FLOWING_SHARE * len(lefts):
        return False  # right-aligned labels
    flowing = sum(
        above.cells[column, column][-1].right + width(below.cells[column, column][0]) > right
        for above, below in pairs
    )
    return words > MAX_PROSE_WORDS and flowing >= MIN_FLOWING_SHARE * len(pairs)


def width(word: Word) -> float:
    """Return the width of a word with the space before it."""
    return word.right - word.left + 0.3 * word.size


def _is_vertical(words: Sequence[Word]) -> bool:
    """Return whether most words are single letters, as in vertical text that is read by lines."""
    single = sum(len(word.text) == 1 and CJK.match(word.text) is not None for word in words)
    return 2 * single > len(words)


def _is_pairs(table: TableContent) -> bool:
    """Return whether two columns belong together: a head, numbers, or labels.

    Two address blocks side by side have none of them.
    """
    labels, values = _texts(table, 0), _texts(table, 1)
    if sum(text.endswith(":") for text in labels) >= MIN_LABEL_SHARE * len(labels):
        return True
    numbers = sum(bool(NUMBER.fullmatch(text)) for text in values)
    if numbers >= MIN_LABEL_SHARE * len(values):
        return True
    bold = _bold_cells(table)
    return _has_bold_head(table) or all(row[0] and not any(row[1:]) for row in bold if row)


def _has_bold_head(table: TableContent) -> bool:
    """Return whether the cells of the first row are bold, and no others."""
    bold = _bold_cells(table)
    return all(bold[0]) and not any(any(row) for row in bold[1:])


def _bold_cells(table: TableContent) -> list[list[bool]]:
    """Return for each row whether its cells with text are bold."""
    return [[are_bold(cell) for cell in row if cell] for row in table.cells]


def _texts(table: TableContent, column: int) -> list[str]:
    return [" ".join(word.text for word in row[column]) for row in table.cells if row[column]]


def _is_contents(table: TableContent) -> bool:
    """Return whether the table is one of contents: labels and rising page numbers."""
    pages = _texts(table, table.columns - 1)
    has_leaders = any(
        LEADER.search(text) for column in range(table.columns) for text in _texts(table, column)
    )
    numbers = [int(text) for text in pages if text.isdecimal()]
    if table.columns > 3 or len(pages) < MIN_CONTENTS_ROWS:
        return False
    if not all(PAGE_NUMBER.fullmatch(text) for text in pages):
        return False
    return numbers == sorted(numbers) and (has_leaders or table.columns == 2)


def _is_list(table: TableContent) -> bool:
    """Return whether the first of two columns has only markers of list items."""
    return table.columns == 2 and all(
        list_marker(f"{text} x") or not any(map(str.isalnum, text)) for text in _texts(table, 0)
    )


def is_aligned(table: TableContent) -> bool:
    """Return whether the cells of every column have a common edge or center, or numbers."""
    return all(_is_aligned_column(table, column) for column in range(table.columns))


def _is_aligned_column(table: TableContent, column: int) -> bool:
    cells = [row[column] for row in table.cells if row[column]]
    if len(cells) < 3:
        return True
    lefts = [min(word.left for word in cell) for cell in cells]
    rights = [max(word.right for word in cell) for cell in cells]
    centers = [(left + right) / 2 for left, right in zip(lefts, rights, strict=True)]
    tolerance = EDGE_TOLERANCE * cells[0][0].size
    needed = MIN_ALIGNED_SHARE * len(cells)
    if any(_most_near(values, tolerance) >= needed for values in (lefts, rights, centers)):
        return True
    # Numbers may be aligned at their decimal points.
    return sum(bool(DIGIT.search("".join(word.text for word in cell))) for cell in cells) >= needed


def _most_near(values: Sequence[float], tolerance: float) -> int:
    """Return how many values are within the tolerance of one of them."""
    ranked = sorted(values)
    best = first = 0
    for last, value in enumerate(ranked):
        while value - ranked[first] > tolerance:
            first += 1
        best = max(best, last - first + 1)
    return best
