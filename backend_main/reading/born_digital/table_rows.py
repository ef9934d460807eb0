"""Rows of a table whose rows are not all separated by lines: which lines of text are one row."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from .table_columns import Columns, RowLine, line_cells, line_pitch
from .table_drawing import continues_row, is_drawn_by_cells
from .table_words import DIGIT, LETTER, NUMBER, WordLine, are_bold

# In font sizes.
MIN_PITCH = 0.8
"""Baselines that are nearer belong to one row: its cells are centered or at its bottom."""
MIN_PITCH_STEP = 0.2
"""Difference of distances by which lines of a cell and rows differ."""
MAX_INNER_PITCH = 1.6
"""The lines of a cell are not further apart."""
WRAP_SLACK = 0.3
MIN_NEW_NUMBERS = 2
"""Columns with a second number, which begins another row."""
MAX_SEVERAL_SHARE, MAX_SHORT_SHARE = 0.1, 0.25
"""Share of the bands between lines that may look like several rows, if each is one; and if they are short."""
MAX_CELL_LINES = 3
"""Lines of a short band."""


def table_rows(
    lines: Sequence[WordLine], columns: Columns, separators: Sequence[float]
) -> list[list[RowLine]]:
    """Return the lines of each row. `separators` are the y of drawn lines between rows."""
    return _Rows(lines, columns, separators).rows()


class _Rows:
    def __init__(self, lines: Sequence[WordLine], columns: Columns, separators: Sequence[float]) -> None:
        self._lines = [RowLine(line, line_cells(line, columns), number) for number, line in enumerate(lines)]
        self._columns = columns
        self._separators = sorted(separators)
        self._rights = self._column_rights()
        self._head_end = self._find_head_end()
        self._bands = self._find_bands()
        self._max_inner = self._find_max_inner_pitch()
        self._is_banded = self._has_row_per_band()
        self._is_drawn_by_cells = is_drawn_by_cells(self._lines)

    def rows(self) -> list[list[RowLine]]:
        rows: list[list[RowLine]] = []
        for band in self._bands:
            row = [band[0]]
            for line in band[1:]:
                if self._is_drawn_on(row, line):
                    row.append(line)
                elif self._has_new_numbers(row, line):
                    row, start = self._parted(row)
                    rows.append(row)
                    row = [*start, line]
                elif self._continues(row, line):
                    row.append(line)
                else:
                    rows.append(row)
                    row = [line]
            rows.append(row)
        return rows

    @staticmethod
    def _parted(row: list[RowLine]) -> tuple[list[RowLine], list[RowLine]]:
        """Divide the lines of a row from those above the numbers of the next row.

        Keys of several lines begin above their numbers if these are centered, in each row alike.
        """
        above = next((number for number, line in enumerate(row) if line.filled != {0}), 0)
        below = next((number for number, line in enumerate(reversed(row)) if line.filled != {0}), 0)
        at = len(row) - min(above, below)
        return row[:at], row[at:]

    def _column_rights(self) -> list[float]:
        """Return how far the text of each column reaches."""
        rights = [-inf] * self._columns.count
        for line in self._lines:
            for (first, last), words in line.cells.items():
                if first == last:
                    rights[first] = max(rights[first], *(word.right for word in words))
        return rights

    def _find_head_end(self) -> int:
        """Return the number of the first line with a key and a number, or else with a key and a value.

        The lines above it are the head.
        """
        full = [line for line in self._lines if 0 in line.filled and len(line.filled) > 1 and not line.spans]
        numeric = [line for line in full if any(NUMBER.fullmatch(line.text(c)) for c in line.filled if c)]
        return next((line.number for line in (*numeric, *full)), 0)

    def _find_bands(self) -> list[list[RowLine]]:
        bands: list[list[RowLine]] = []
        number = -1
        for line in self._lines:
            band = sum(y <= line.line.baseline - 0.3 * line.line.size for y in self._separators)
            if band != number:
                bands.append([])
                number = band
            bands[-1].append(line)
        return bands

    def _has_row_per_band(self) -> bool:
        """Return whether the drawn lines separate every row."""
        if len(self._bands) < 3:
            return False
        several = [band for band in self._bands if self._is_several_rows(band)]
        are_short = all(len(band) <= MAX_CELL_LINES for band in several)
        return len(several) <= (MAX_SHORT_SHARE if are_short else MAX_SEVERAL_SHARE) * len(self._bands)

    def _is_several_rows(self, band: Sequence[RowLine]) -> bool:
        """Return whether most lines of a band do not continue the line above."""
        starts = sum(
            self._starts_row(above, line)
            for above, line in pairwise(band)
            if line_pitch(above, line) > MIN_PITCH
        )
        return len(band) > 1 and 2 * starts >= len(band) - 1

    def _find_max_inner_pitch(self) -> float | None:
        """Return the largest distance of lines in a row, None if distances do not tell."""
        pairs = [
            (line_pitch(above, line), above, line)
            for band in self._bands
            for above, line in pairwise(band)
            if above.number >= self._head_end
        ]
        far = sorted({round(pitch, 2) for pitch, _, _ in pairs if pitch > MIN_PITCH})
        steps = [(high - low, low, high) for low, high in pairwise(far) if low <= MAX_INNER_PITCH]
        step, low, high = max(steps, default=(0.0, 0.0, 0.0))
        if step < MIN_PITCH_STEP:
            return None
        near = [(above, line) for pitch, above, line in pairs if MIN_PITCH < pitch <= low]
        starts = sum(self._starts_row(above, line) for above, line in near)
        return (low + high) / 2 if near and starts <= 0.4 * len(near) else None

    def _starts_row(self, above: RowLine, line: RowLine) -> bool:
        """Return whether a line has a key and a value, and does not continue the text of the line above."""
        if 0 not in line.filled or len(line.filled) < 2:
            return False
        common = [column for column in line.filled & above.filled if line.text(column)]
        wrapped = sum(self._wraps(above, line, column) for column in common)
        return 2 * wrapped <= len(common)

    def _wraps(self, above: RowLine, line: RowLine, column: int) -> bool:
        """Return whether the first word of a cell would not have fitted into the line above."""
        upper, lower = above.cells.get((column, column)), line.cells.get((column, column))
        if not upper or not lower or not LETTER.search(line.text(column) + above.text(column)):
            return False
        first = lower[0]
        if len(upper) == 1 and not (first.text[:1].islower() or upper[0].text.endswith("-")):
            return False
        width = self._rights[column] - min(upper[0].left, first.left)
        if width < 3 * first.size:
            return False
        slack = WRAP_SLACK * first.size
        return upper[-1].right + slack + first.right - first.left > self._rights[column]

    def _is_drawn_on(self, row: Sequence[RowLine], line: RowLine) -> bool:
        """Return whether a line belongs to a row by the order in which they are drawn."""
        if self._is_banded or not continues_row(row, line):
            return False
        return self._is_drawn_by_cells or self._is_in_bold_head(row[-1], line)

    def _is_in_bold_head(self, above: RowLine, line: RowLine) -> bool:
        """Return whether all lines down to this one are bold, and others are not."""
        bold = [are_bold(one.line.words) for one in self._lines]
        return line.number == above.number + 1 and all(bold[: line.number + 1]) and not all(bold)

    def _continues(self, row: Sequence[RowLine], line: RowLine) -> bool:
        above = row[-1]
        pitch = line_pitch(above, line)
        if self._is_banded or pitch <= MIN_PITCH:
            return True
        if line.spans or above.spans:
            return False
        if self._max_inner is not None and line.number >= self._head_end:
            return pitch <= self._max_inner
        if pitch > MAX_INNER_PITCH:
            return False
        if line.number <= self._head_end:
            return self._continues_head(above, line)
        return self._continues_text(row, line)

    def _has_new_numbers(self, row: Sequence[RowLine], line: RowLine) -> bool:
        """Return whether most columns have a number on the line and already one in the row."""
        last = next((other for other in reversed(row) if other.filled != {0}), row[-1])
        if line_pitch(last, line) <= MIN_PITCH:
            return False
        numbers = [
            column
            for column in line.filled
            if NUMBER.fullmatch(line.text(column))
            and any(NUMBER.fullmatch(other.text(column)) for other in row)
        ]
        return len(numbers) >= MIN_NEW_NUMBERS and 2 * len(numbers) >= len(line.filled)

    def _continues_head(self, above: RowLine, line: RowLine) -> bool:
        """Return whether a line of the head continues the one above."""
        if line.number < self._head_end:
            if line.filled == {0}:
                return False
            if 0 not in above.filled or 0 not in line.filled:
                return True
            return 2 * sum(line.text(column).startswith("(") for column in line.filled) > len(line.filled)
        texts = [above.text(column) for column in above.filled & line.filled]
        return 0 not in above.filled and any(text.endswith((",", "-", "/", "&")) for text in texts)

    def _continues_text(self, row: Sequence[RowLine], line: RowLine) -> bool:
        above = row[-1]
        if 0 in line.filled:
            if not self._wraps(above, line, 0) or above.number < self._head_end:
                return False
            has_values = any(len(other.filled) > 1 for other in row)
            return not (has_values and len(line.filled) > 1) and self._is_lower(line, 0)
        if any(DIGIT.search(line.text(column)) for column in line.filled):
            return all(self._wraps(above, line, column) for column in line.filled)
        return all(any(column in other.filled for other in row) for column in line.filled)

    @staticmethod
    def _is_lower(line: RowLine, column: int) -> bool:
        return line.text(column)[:1].islower()
