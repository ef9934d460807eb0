"""Columns of a table without lines between them: the strips of a region that stay free of words."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from statistics import median

from .table_words import NUMBER, Phrase, Word, WordLine

# In font sizes.
MIN_COLUMN_GAP = 0.55
"""Wider than a space, also than most stretched ones of justified text."""
MIN_ALIGNED_GAP = 0.22
"""A narrower gap is never one between columns, even if all lines go on at one place behind it."""
ALIGNMENT_TOLERANCE, MIN_END_DIFFERENCE = 0.02, 0.04
"""Between the places at which lines go on behind a narrow gap, and between the ends of the texts before it.
A space is as wide on each line, so that both differ alike."""
MIN_GAP_RATIO = 1.25
"""A space between two columns to the usual one, if all texts before it end at one place."""
MIN_ALIGNED_LINES = 3
MAX_SPACE_RATIO = 1.3
"""A space of monospaced text is wider than the narrowest gap by less."""
MIN_BODY_SHARE = 0.6
"""Lines with this share of the usual number of phrases have a cell in most columns."""
USUAL_QUANTILE = 0.75
MAX_CROSSED_SHARE = 0.34
"""Share of the lines that may cross a gap between columns: heads and section rows span columns."""
MAX_BODY_CROSSED_SHARE = 0.08
MIN_PROSE_WORDS = 5
"""Words of a line of running text."""
MIN_PROSE_LINES = 4
"""Lines of running text on each side of a gutter."""
MIN_LINES_OF_COLUMNS = 4
"""Lines of a table from which each column has text on two."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A free strip between two columns."""

    left: float
    right: float

    @property
    def center(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Columns:
    """Columns in x, given by the gaps between them."""

    gaps: tuple[Gap, ...]

    @property
    def count(self) -> int:
        return len(self.gaps) + 1

    def index(self, x: float) -> int:
        return bisect_right(self._centers, x)

    @property
    def _centers(self) -> list[float]:
        return [gap.center for gap in self.gaps]

    def span(self, phrase: Phrase) -> tuple[int, int]:
        """Return the first and the last column that a phrase reaches."""
        first = last = self.index(phrase.words[0].center_x)
        for word in phrase.words:
            first = min(first, self.index(max(word.left, min(word.right, word.left + word.size / 2))))
            last = max(last, self.index(max(word.left, word.right - word.size / 2)))
        return first, last


def find_columns(lines: Sequence[WordLine], forced: Sequence[float] = ()) -> Columns:
    """Return the columns of lines; `forced` are positions of drawn lines between columns."""
    body = _body_lines(lines)
    if len(body) < 2:
        return Columns(tuple(Gap(x, x) for x in forced))
    min_gap = MIN_COLUMN_GAP * median(line.size for line in body)
    found = []
    for gap in free_strips([line.words for line in body], int(MAX_BODY_CROSSED_SHARE * len(body))):
        if _is_aligned_gap(body, gap) and not any(gap.left <= x <= gap.right for x in forced):
            found.append(gap)
            continue
        if gap.right - gap.left < min_gap or any(gap.left <= x <= gap.right for x in forced):
            continue
        if gap.right - gap.left < min_gap * MAX_SPACE_RATIO and _is_monospaced_space(body, gap):
            continue
        crossing = sum(_crosses(line, gap) for line in lines if len(line.phrases) > 1)
        if crossing <= MAX_CROSSED_SHARE * len(lines):
            found.append(gap)
    found += [Gap(x, x) for x in forced]
    return _without_single_cells(Columns(tuple(sorted(found, key=lambda gap: gap.left))), lines)


def _is_aligned_gap(lines: Sequence[WordLine], gap: Gap) -> bool:
    """Return whether all lines go on at one place behind a narrow gap, after texts of different widths."""
    size = lines[0].size
    if not MIN_ALIGNED_GAP * size <= gap.right - gap.left < MIN_COLUMN_GAP * size:
        return False
    before = [[word for word in line.words if word.right <= gap.left + 1] for line in lines]
    after = [[word for word in line.words if word.left >= gap.right - 1] for line in lines]
    ends = [max(word.right for word in words) for words in before if words]
    starts = [words[0] for words in after if words]
    if min(len(ends), len(starts)) < MIN_ALIGNED_LINES or starts[0].pieces[0].style.font.is_monospaced:
        return False
    lefts = [word.left for word in starts]
    if max(lefts) - min(lefts) >= ALIGNMENT_TOLERANCE * size:
        return False
    has_wide_space = gap.right - gap.left > MIN_GAP_RATIO * _space_width(lines, gap)
    return has_wide_space or max(ends) - min(ends) > MIN_END_DIFFERENCE * size


def _space_width(lines: Sequence[WordLine], gap: Gap) -> float:
    """Return the usual distance between words elsewhere than at the gap; infinity if there is none."""
    distances = [
        after.left - before.right
        for line in lines
        for before, after in pairwise(line.words)
        if 0 < after.left - before.right < MIN_COLUMN_GAP * line.size
        and not (before.right <= gap.center <= after.left)
    ]
    return median(distances) if distances else inf


def _is_monospaced_space(lines: Sequence[WordLine], gap: Gap) -> bool:
    """Return whether a gap is one letter of monospaced text wide, and not followed by numbers."""
    after = [word for line in lines for word in line.words if word.left >= gap.right - 1]
    first = [min(group, key=lambda word: word.left) for group in _by_line(after)]
    if not all(word.pieces[0].style.font.is_monospaced for word in first):
        return False
    return 2 * sum(bool(NUMBER.fullmatch(word.text)) for word in first) < len(first)


def _by_line(words: Sequence[Word]) -> list[list[Word]]:
    groups: dict[float, list[Word]] = {}
    for word in words:
        groups.setdefault(word.baseline, []).append(word)
    return list(groups.values())


def _without_single_cells(columns: Columns, lines: Sequence[WordLine]) -> Columns:
    """Return columns that have text on two lines or more; others are words of the column beside them."""
    if len(lines) < MIN_LINES_OF_COLUMNS:
        return columns
    counts = [0] * columns.count
    for line in lines:
        for number in {columns.index(word.center_x) for word in line.words}:
            counts[number] += 1
    gaps = list(columns.gaps)
    for number in reversed(range(columns.count)):
        if counts[number] < 2:
            beside = [gap for gap in columns.gaps[max(0, number - 1) : number + 1] if gap in gaps]
            beside = [gap for gap in beside if gap.left < gap.right]  # not drawn
            if narrow := min(beside, key=lambda gap: gap.right - gap.left, default=None):
                gaps.remove(narrow)
    return Columns(tuple(gaps))


def _body_lines(lines: Sequence[WordLine]) -> list[WordLine]:
    """Return the lines with a cell in most columns; heads over several columns have fewer."""
    counts = sorted(len(line.phrases) for line in lines if len(line.phrases) > 1)
    if not counts:
        return []
    usual = counts[int(USUAL_QUANTILE * (len(counts) - 1))]
    return [line for line in lines if len(line.phrases) >= max(2, MIN_BODY_SHARE * usual)]


def free_strips(lines: Sequence[Sequence[Word | Phrase]], max_crossing: int) -> list[Gap]:
    """Return the strips in x that at most some of the lines cover; each line is sorted by left edge."""
    edges: list[tuple[float, int]] = []
    for line in lines:
        right = None
        for word in line:
            if right is None or word.left > right:
                if right is not None:
                    edges.append((right, -1))
                edges.append((word.left, 1))
                right = word.right
            else:
                right = max(right, word.right)
        if right is not None:
            edges.append((right, -1))
    strips: list[Gap] = []
    covering, start = 0, None
    for x, change in sorted(edges):
        covering += change
        if covering <= max_crossing and change < 0 and start is None:
            start = x
        elif covering > max_crossing and start is not None:
            strips.append(Gap(start, x))
            start = None
    return strips


def _crosses(line: WordLine, gap: Gap) -> bool:
    """Return whether a phrase of the line reaches over a gap, with its words or with a usual space."""
    return any(phrase.left < gap.left and phrase.right > gap.right for phrase in line.phrases)


def find_gutters(lines: Sequence[WordLine]) -> list[Gap]:
    """Return the strips between columns of running text, none for a page of one column."""
    prose = [phrase for line in lines for phrase in line.phrases if len(phrase.words) >= MIN_PROSE_WORDS]
    if len(prose) < 2 * MIN_PROSE_LINES:
        return []
    strips = free_strips([[phrase] for phrase in prose], max_crossing=len(prose) // 10)
    return [
        strip
        for strip in strips
        if sum(phrase.right <= strip.center for phrase in prose) >= MIN_PROSE_LINES
        and sum(phrase.left >= strip.center for phrase in prose) >= MIN_PROSE_LINES
    ]


Cells = dict[tuple[int, int], list[Word]]
"""Words by the first and the last column that they span."""


def line_cells(line: WordLine, columns: Columns) -> Cells:
    """Return the words of a line by column; a phrase that reaches over a gap is one cell of several."""
    cells: Cells = {}
    for phrase in line.phrases:
        first, last = columns.span(phrase)
        if first == last or not _is_glued(phrase, columns):
            for word in phrase.words:
                number = columns.index(word.center_x)
                cells.setdefault((number, number), []).append(word)
        else:
            cells.setdefault((first, last), []).extend(phrase.words)
    return cells


def _is_glued(phrase: Phrase, columns: Columns) -> bool:
    """Return whether a phrase reaches over a gap between columns that its own space does not fill."""
    for gap in columns.gaps:
        if not (phrase.left < gap.center < phrase.right):
            continue
        left = max((word.right for word in phrase.words if word.center_x < gap.center), default=gap.left)
        right = min((word.left for word in phrase.words if word.center_x >= gap.center), default=gap.right)
        min_gap = MIN_COLUMN_GAP * phrase.words[0].size
        if gap.left < gap.right:  # not drawn
            min_gap = min(min_gap, gap.right - gap.left)
        if right - left < min_gap:
            return True
    return False


@dataclass
class RowLine:
    """A line of a table with its words by column."""

    line: WordLine
    cells: Cells
    number: int
    filled: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.filled = {column for first, last in self.cells for column in range(first, last + 1)}

    @property
    def spans(self) -> bool:
        return any(first != last for first, last in self.cells)

    def text(self, column: int) -> str:
        words = self.cells.get((column, column), [])
        return " ".join(word.text for word in words)


def line_pitch(above: RowLine, line: RowLine) -> float:
    """Return the distance of two lines in font sizes."""
    return (line.line.baseline - above.line.baseline) / max(above.line.size, line.line.size)
