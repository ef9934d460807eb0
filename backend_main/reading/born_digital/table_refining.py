"""Rows and columns of a ruled table that no line separates, but its text shows.

Some tables have a line below every fifth row only, or lines between columns only. In others, heads over
several columns lack the lines between the heads below them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..layout.cells import Cell
from .table_columns import Columns, find_columns, line_cells
from .table_markdown import TableContent
from .table_words import NUMBER, Phrase, Word, WordLine, word_lines

MIN_LEVEL_SHARE = 0.6
"""Share of the cells of a row that have text on each line of it."""
MIN_FORCED_SHARE = 0.8
"""Share of the line ends of a row at which the next word would have fitted."""
MIN_NUMBER_SHARE = 0.5
MIN_NUMBER_CELLS = 2
MIN_TEXT_LINES = 3
"""Lines of a row without numbers; two may be an address or a name."""
MIN_TALL_ROWS, MIN_TALL_SHARE, MAX_TALL_LINES = 4, 0.8, 1.2
"""Rows of a cell whose lines are in rows of their own, the share of these rows, and the lines in each."""
MIN_WIDE_LINES, MIN_WIDE_SHARE = 3, 0.6
"""Lines of a cell over several columns, and the share of them with texts in most of these columns."""
MAX_LAYOUT_SHARE = 0.4
"""Share of the words in cells that are tables themselves; more are not cells of a table."""
MIN_LAYOUT_LINES = 3
MIN_ROW_PHRASES = 3
MIN_DIVIDED_SHARE = 0.6
"""Share of the lines of a column that have a number in each of its parts."""
SPACE = 0.3
"""Width of a space, in font sizes."""


@dataclass
class GridTable:
    """A table, and the x and y of the lines between its columns and rows."""

    content: TableContent
    xs: list[float]
    ys: list[float]

    def width(self, column: int) -> float:
        return self.xs[column + 1] - self.xs[column]


def refined(table: GridTable) -> TableContent | None:
    """Return a table with all its rows and columns, or None if its cells are areas of a page."""
    _split_tall_cells(table)
    _split_wide_cells(table)
    _split_heads(table)
    _split_rows(table)
    _split_columns(table)
    return None if _is_layout(table.content) else table.content


def _split_tall_cells(table: GridTable) -> None:
    """Divide cells over several rows that have a line of text in most of these rows."""
    content = table.content
    for span in list(content.spans):
        if span.row_span < MIN_TALL_ROWS or span.column_span > 1:
            continue
        rows: dict[int, list[Word]] = {}
        lines = word_lines(content.cells[span.row][span.column])
        for line in lines:
            row = bisect_right(table.ys, line.baseline - line.size / 3) - 1
            rows.setdefault(min(max(row, span.row), span.row_end - 1), []).extend(line.words)
        if len(rows) < MIN_TALL_SHARE * span.row_span or len(lines) > MAX_TALL_LINES * len(rows):
            continue
        for row in range(span.row, span.row_end):
            content.cells[row][span.column] = rows.get(row, [])
        content.spans.remove(span)


def _split_wide_cells(table: GridTable) -> None:
    """Divide cells over several columns whose lines have their texts in these columns."""
    content = table.content
    for span in list(content.spans):
        if span.column_span < 2 or span.row_span > 1:
            continue
        lines = word_lines(content.cells[span.row][span.column])
        if len(lines) < MIN_WIDE_LINES:
            continue
        parts = [_column_parts(table, span, line) for line in lines]
        if sum(map(bool, parts)) < MIN_WIDE_SHARE * len(lines):
            continue
        content.cells[span.row][span.column] = []
        for line in lines:
            for word in line.words:
                column = bisect_right(table.xs, word.center_x) - 1
                content.cells[span.row][min(max(column, span.column), span.column_end - 1)].append(word)
        content.spans.remove(span)


# --- heads -------------------------------------------------------------------------------------------------


def _split_heads(table: GridTable) -> None:
    """Divide cells over several columns whose last line has a text in most of these columns."""
    for row in reversed(range(len(table.content.cells))):
        heads = []
        for span in table.content.spans:
            if span.row == row and span.row_span == 1:
                lines = word_lines(table.content.cells[row][span.column])
                if lines and (parts := _column_parts(table, span, lines[-1])):
                    heads.append(_Head(span, lines[:-1], parts))
        if heads:
            _divide_heads(table.content, row, heads)


@dataclass(frozen=True)
class _Head:
    """A head over several columns: the lines above the heads of single columns, and these."""

    span: Cell
    lines: list[WordLine]
    parts: dict[int, list[Word]]


def _divide_heads(content: TableContent, row: int, heads: Sequence[_Head]) -> None:
    is_divided = any(head.lines for head in heads)
    if is_divided:
        _insert_row(content, row, {head.span.column for head in heads})
    for head in heads:
        span = head.span
        content.cells[row][span.column] = [word for line in head.lines for word in line.words]
        for column, words in head.parts.items():
            content.cells[row + bool(head.lines)][column] = words
        if not head.lines:
            content.spans = [other for other in content.spans if other != span]
            if is_divided:
                columns = range(span.column, span.column_end)
                content.spans += [Cell(row, column, row + 2, column + 1) for column in columns]


def _column_parts(table: GridTable, span: Cell, line: WordLine) -> dict[int, list[Word]]:
    """Return the words of a line by column, if its phrases are in different columns."""
    parts: dict[int, list[Word]] = {}
    for phrase in line.phrases:
        column = _column_of(table, span, phrase)
        if column is None or column in parts:
            return {}
        parts[column] = list(phrase.words)
    return parts if 2 * len(parts) > span.column_span and len(parts) > 1 else {}


def _column_of(table: GridTable, span: Cell, phrase: Phrase) -> int | None:
    """Return the column that contains a phrase, None if it reaches over a line."""
    slack = SPACE * phrase.words[0].size
    for column in range(span.column, span.column_end):
        if table.xs[column] - slack <= phrase.left and phrase.right <= table.xs[column + 1] + slack:
            return column
    return None


def _insert_row(content: TableContent, row: int, divided: set[int]) -> None:
    """Insert an empty row below a row; only the divided cells end above it."""
    single = {span.column for span in content.spans if span.row <= row < span.row_end}
    spans = []
    for span in content.spans:
        is_divided = span.row == row and span.column in divided
        start = span.row + (span.row > row)
        end = span.row_end + (span.row_end > row and not is_divided)
        spans.append(Cell(start, span.column, end, span.column_end))
    covered = {
        column
        for span in content.spans
        if span.row <= row < span.row_end
        for column in range(span.column, span.column_end)
    }
    spans += [
        Cell(row, column, row + 2, column + 1)
        for column in range(content.columns)
        if column not in covered and column not in single
    ]
    content.cells.insert(row + 1, [[] for _ in range(content.columns)])
    content.spans = spans


# --- rows --------------------------------------------------------------------------------------------------


def _split_rows(table: GridTable) -> None:
    """Divide rows whose cells have several lines that are rows themselves."""
    content = table.content
    for row in reversed(range(len(content.cells))):
        spanned = {
            column
            for span in content.spans
            if span.row <= row < span.row_end
            for column in range(span.column, span.column_end)
        }
        columns = [
            column
            for column in range(content.columns)
            if content.cells[row][column] and column not in spanned
        ]
        cells = {column: word_lines(content.cells[row][column]) for column in columns}
        lines = word_lines(word for column in columns for word in content.cells[row][column])
        if len(columns) > 1 and len(lines) > 1 and _are_rows(table, cells, lines):
            _divide_row(content, row, cells, [line.baseline for line in lines])
        elif baselines := _number_baselines(list(cells.values())):
            _divide_row(content, row, cells, baselines)


def _are_rows(table: GridTable, cells: dict[int, list[WordLine]], lines: Sequence[WordLine]) -> bool:
    if sum(map(len, cells.values())) < MIN_LEVEL_SHARE * len(lines) * len(cells):
        return False
    numeric = sum(all(NUMBER.fullmatch(_text(line)) for line in own) for own in cells.values())
    ends = [
        _is_forced(above, line, _inner_width(table, column, own))
        for column, own in cells.items()
        for above, line in pairwise(own)
    ]
    forced, wrapped = ends.count(True), ends.count(False)
    if not forced or forced < MIN_FORCED_SHARE * (forced + wrapped):
        return False
    return len(lines) >= MIN_TEXT_LINES or numeric >= MIN_NUMBER_SHARE * len(cells)


def _number_baselines(cells: Sequence[Sequence[WordLine]]) -> list[float]:
    """Return the baselines of the numbers, if most cells have several, one below the other."""
    numbers = [own for own in cells if all(NUMBER.fullmatch(_text(line)) for line in own)]
    count = len(numbers[0]) if numbers else 0
    if count < 2 or len(numbers) < MIN_NUMBER_CELLS or 2 * len(numbers) < len(cells):
        return []
    return [line.baseline for line in numbers[0]] if all(len(own) == count for own in numbers) else []


def _inner_width(table: GridTable, column: int, lines: Sequence[WordLine]) -> float:
    """Return the width of a column without the margins of its cells."""
    left = min(line.left for line in lines) - table.xs[column]
    right = table.xs[column + 1] - max(line.right for line in lines)
    return table.width(column) - 2 * max(0.0, min(left, right))


def _is_forced(above: WordLine, line: WordLine, width: float) -> bool | None:
    """Return whether a line ends although the next word would fit, or both are numbers.

    None: a line of one word may be either.
    """
    if NUMBER.fullmatch(_text(above)) and NUMBER.fullmatch(_text(line)):
        return True
    first = line.words[0]
    if above.right - above.left + SPACE * line.size + first.right - first.left <= width:
        return True
    return None if len(above.words) == 1 and not first.text[:1].islower() else False


def _text(line: WordLine) -> str:
    return " ".join(word.text for word in line.words)


def _divide_row(
    content: TableContent, row: int, cells: dict[int, list[WordLine]], baselines: Sequence[float]
) -> None:
    """Divide a row at baselines; other lines belong to the one above them, or below if text begins higher."""
    count = len(baselines)
    tolerance = cells[min(cells)][0].size / 2
    is_top = all(own[0].baseline > baselines[0] - tolerance for own in cells.values())
    spans = [
        Cell(
            span.row + (count - 1) * (span.row > row),
            span.column,
            span.row_end + (count - 1) * (span.row_end > row),
            span.column_end,
        )
        for span in content.spans
    ]
    rows: list[list[list[Word]]] = [[[] for _ in range(content.columns)] for _ in baselines]
    kept = [cell if column not in cells else [] for column, cell in enumerate(content.cells[row])]
    rows[0] = kept
    for column, own in cells.items():
        for line in own:
            if is_top:
                at = sum(baseline <= line.baseline + tolerance for baseline in baselines) - 1
            else:
                at = sum(baseline < line.baseline - tolerance for baseline in baselines)
            at = min(max(at, 0), count - 1)
            rows[at][column] = [*rows[at][column], *line.words]
    content.cells[row : row + 1] = rows
    content.spans = spans


def _is_row_of_numbers(line: WordLine) -> bool:
    """Return whether a line has a text and several numbers apart from each other."""
    numbers = sum(bool(NUMBER.fullmatch(phrase.text)) for phrase in line.phrases)
    return len(line.phrases) >= MIN_ROW_PHRASES and numbers > 1


# --- columns -----------------------------------------------------------------------------------------------


def _split_columns(table: GridTable) -> None:
    """Divide columns whose cells have two numbers or more, one below the other."""
    content = table.content
    for column in reversed(range(content.columns)):
        spanned = {
            span.row
            for span in content.spans
            if span.column <= column < span.column_end and span.column_span > 1
        }
        cells = [row[column] for number, row in enumerate(content.cells) if number not in spanned]
        lines = word_lines(word for cell in cells for word in cell)
        columns = find_columns(lines)
        if columns.count < 2:
            continue
        parts = [line_cells(line, columns) for line in lines]
        full = [part for part in parts if len(part) == columns.count]
        numeric = [
            part
            for part in full
            if all(NUMBER.fullmatch(" ".join(word.text for word in words)) for words in part.values())
        ]
        if len(numeric) >= MIN_DIVIDED_SHARE * len(lines) and len(numeric) >= MIN_TEXT_LINES:
            _divide_column(content, column, columns)


def _divide_column(content: TableContent, column: int, columns: Columns) -> None:
    count = columns.count
    spans = []
    for span in content.spans:
        start = span.column + (count - 1) * (span.column > column)
        end = span.column_end + (count - 1) * (span.column_end > column)
        spans.append(Cell(span.row, start, span.row_end, end))
    owned = {
        row
        for span in content.spans
        if span.column <= column < span.column_end
        for row in range(span.row, span.row_end)
    }
    for number, row in enumerate(content.cells):
        divided: list[list[Word]] = [[] for _ in range(count)]
        if number in owned:
            divided[0] = row[column]
        else:
            for line in word_lines(row[column]):
                for (first, last), words in line_cells(line, columns).items():
                    divided[first] += words
                    if first < last:
                        spans.append(Cell(number, column + first, number + 1, column + last + 1))
            if len(word_lines(row[column])) == 1 and sum(map(bool, divided)) == 1:
                divided = [row[column], *([[]] * (count - 1))]
                spans = [span for span in spans if (span.row, span.column) != (number, column)]
                spans.append(Cell(number, column, number + 1, column + count))
        row[column : column + 1] = divided
    content.spans = spans


def _is_layout(content: TableContent) -> bool:
    """Return whether much of the text is in cells with several lines in columns of their own."""
    total = inside = 0
    for row in content.cells:
        for cell in row:
            lines = word_lines(cell)
            total += len(cell)
            has_rows = sum(len(line.phrases) > 1 for line in lines) >= MIN_LAYOUT_LINES
            if (has_rows and find_columns(lines).count > 1) or (
                lines and all(map(_is_row_of_numbers, lines))
            ):
                inside += len(cell)
    return inside > MAX_LAYOUT_SHARE * total
