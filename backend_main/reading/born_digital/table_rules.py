"""Ruling lines of a page: the pieces that a PDF draws, put together, and the grids that they make."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..documents.pdf_graphics import Fill, Graphics
from ..layout.geometry import Rect

# In pixels of the rendered page; a point is about 2.8.
POSITION_TOLERANCE = 4.0
"""Pieces of one line are as near to each other across it, such as the two lines of a double border."""
MAX_PIECE_GAP = 12.0
"""Gap between the pieces of a dashed line, or between the borders of two cells."""
CROSSING_TOLERANCE = 8.0
"""Lines whose ends miss each other by less touch."""
MAX_JOINT_GAP = 3.0
"""Gap or overlap of the borders of two cells."""
MIN_LINE_LENGTH = 14.0
"""Shorter lines are marks, such as ticks of an axis, or parts of a letter."""
MAX_LINES = 600
"""Lines of one direction; a page with more is a drawing."""
MIN_CROSSING_SHARE = 0.8
"""Share of a grid that the sides of filled cells cross where they are a line of it."""
MIN_DRAWN_SHARE = 0.6
"""A line separates two cells if this share of their common side is drawn."""


@dataclass(frozen=True, slots=True)
class Line:
    """A level or upright line: its position across, and its ends.

    `is_side`: the side of a filled rectangle. `joints`: where long pieces meet, as borders of cells do.
    """

    position: float
    start: float
    end: float
    is_side: bool = False
    joints: tuple[float, ...] = ()

    @property
    def length(self) -> float:
        return self.end - self.start

    def mirrored(self) -> "Line":
        """Return a level line on an axis from right to left."""
        joints = tuple(-x for x in reversed(self.joints))
        return replace(self, start=-self.end, end=-self.start, joints=joints)


@dataclass(frozen=True)
class PageLines:
    """The lines of a page, each direction sorted by position."""

    horizontal: tuple[Line, ...] = ()
    vertical: tuple[Line, ...] = ()


def page_lines(graphics: Graphics) -> PageLines:
    """Return the lines of a page, put together from their pieces."""
    horizontal = [Line((r.y0 + r.y1) / 2, r.x0, r.x1) for r in graphics.rules if r.is_horizontal]
    vertical = [Line((r.x0 + r.x1) / 2, r.y0, r.y1) for r in graphics.rules if not r.is_horizontal]
    return PageLines(merged_lines(horizontal), merged_lines(vertical))


def merged_lines(pieces: Iterable[Line]) -> tuple[Line, ...]:
    """Return lines from pieces in a row; short ones are left out."""
    lines: list[Line] = []
    for group in _near_groups(sorted(pieces, key=lambda piece: piece.position)):
        group.sort(key=lambda piece: piece.start)
        position = sum(piece.position for piece in group) / len(group)
        for run in _touching_runs(group):
            start, end = run[0].start, max(piece.end for piece in run)
            lines.append(Line(position, start, end, joints=_joints(run)))
    lines = [line for line in lines if line.length >= MIN_LINE_LENGTH]
    return tuple(lines) if len(lines) <= MAX_LINES else ()


def _touching_runs(pieces: Sequence[Line]) -> list[list[Line]]:
    runs = [[pieces[0]]]
    end = pieces[0].end
    for piece in pieces[1:]:
        if piece.start > end + MAX_PIECE_GAP:
            runs.append([])
        runs[-1].append(piece)
        end = max(end, piece.end) if len(runs[-1]) > 1 else piece.end
    return runs


def _joints(pieces: Sequence[Line]) -> tuple[float, ...]:
    """Return where pieces of the width of a cell meet; dashes have gaps between them."""
    return tuple(
        (left.end + right.start) / 2
        for left, right in pairwise(pieces)
        if abs(right.start - left.end) <= MAX_JOINT_GAP and min(left.length, right.length) >= MIN_LINE_LENGTH
    )


def _near_groups(pieces: Sequence[Line]) -> list[list[Line]]:
    groups: list[list[Line]] = []
    for piece in pieces:
        group = groups[-1] if groups else None
        if (
            group
            and piece.position - group[-1].position <= POSITION_TOLERANCE
            and piece.position - group[0].position <= 2 * POSITION_TOLERANCE
        ):
            group.append(piece)
        else:
            groups.append([piece])
    return groups


@dataclass
class LineGroup:
    """Lines that touch each other."""

    horizontal: list[Line] = field(default_factory=list)
    vertical: list[Line] = field(default_factory=list)

    @property
    def rect(self) -> Rect:
        """Return left, top, right and bottom of all lines."""
        xs = [x for line in self.horizontal for x in (line.start, line.end)]
        xs += [line.position for line in self.vertical]
        ys = [y for line in self.vertical for y in (line.start, line.end)]
        ys += [line.position for line in self.horizontal]
        return min(xs), min(ys), max(xs), max(ys)


def line_groups(lines: PageLines) -> list[LineGroup]:
    """Return the groups of lines that touch, by union of the lines that cross."""
    parents = list(range(len(lines.horizontal) + len(lines.vertical)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    xs = [line.position for line in lines.vertical]
    for number, line in enumerate(lines.horizontal):
        first = bisect_left(xs, line.start - CROSSING_TOLERANCE)
        last = bisect_right(xs, line.end + CROSSING_TOLERANCE)
        for other in range(first, last):
            upright = lines.vertical[other]
            if upright.start - CROSSING_TOLERANCE <= line.position <= upright.end + CROSSING_TOLERANCE:
                parents[root(number)] = root(len(lines.horizontal) + other)
    groups: dict[int, LineGroup] = {}
    for number, line in enumerate(lines.horizontal):
        groups.setdefault(root(number), LineGroup()).horizontal.append(line)
    for number, line in enumerate(lines.vertical, len(lines.horizontal)):
        groups.setdefault(root(number), LineGroup()).vertical.append(line)
    return list(groups.values())


class RuledGrid:
    """Rows and columns between the lines of a group, and which sides of its cells are drawn."""

    def __init__(self, group: LineGroup, fills: Sequence[Fill] = ()) -> None:
        left, top, right, bottom = group.rect
        inside = [
            fill
            for fill in fills
            if fill.rect[0] < right and fill.rect[2] > left and fill.rect[1] < bottom and fill.rect[3] > top
        ]
        areas = _joined_below(inside)
        level = [Line(y, x0, x1) for x0, y0, x1, y1 in areas for y in (y0, y1) if top < y < bottom]
        sides = [(x, fill.rect) for fill in inside for x in (fill.rect[0], fill.rect[2])]
        upright = [Line(x, rect[1], rect[3]) for x, rect in sides if left < x < right]
        self.xs = _positions([*group.vertical, *_long(upright, bottom - top)], left, right)
        self.ys = _positions([*group.horizontal, *_long(level, right - left)], top, bottom)
        # Sides of a few filled cells are not lines of the grid, but separate cells where they lie on one.
        self._below = _drawn_sides([*group.horizontal, *_on(level, self.ys)], self.ys, self.xs)
        self._right = _drawn_sides([*group.vertical, *_on(upright, self.xs)], self.xs, self.ys)

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def rect(self) -> Rect:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def is_drawn_below(self, row: int, column: int) -> bool:
        """Return whether a line below a row separates a column's cell from the next."""
        return column in self._below[row + 1]

    def is_drawn_right_of(self, row: int, column: int) -> bool:
        """Return whether a line right of a column separates a row's cell from the next."""
        return row in self._right[column + 1]


def _positions(lines: Sequence[Line], low: float, high: float) -> list[float]:
    """Return the positions of lines, and the open sides where the lines across them end."""
    positions: list[float] = []
    for position in sorted(line.position for line in lines):
        if not positions or position - positions[-1] > POSITION_TOLERANCE:
            positions.append(position)
    if not positions or positions[0] - low > MAX_PIECE_GAP:
        positions.insert(0, low)
    if high - positions[-1] > MAX_PIECE_GAP:
        positions.append(high)
    return positions


def _joined_below(fills: Sequence[Fill]) -> list[Rect]:
    """Return filled rectangles; those of one color below each other are one, as behind lines of text."""

    def column(fill: Fill) -> tuple[int, int, int]:
        return fill.color, round(fill.rect[0] / MAX_PIECE_GAP), round(fill.rect[2] / MAX_PIECE_GAP)

    found: list[Rect] = []
    last = None
    for fill in sorted(fills, key=lambda fill: (*column(fill), fill.rect[1])):
        left, top, right, bottom = fill.rect
        if last == column(fill) and top - found[-1][3] < MAX_PIECE_GAP:
            found[-1] = (found[-1][0], found[-1][1], right, max(bottom, found[-1][3]))
        else:
            found.append((left, top, right, bottom))
        last = column(fill)
    return found


def _long(sides: Sequence[Line], length: float) -> list[Line]:
    """Return the sides of filled cells that together cross most of a grid."""
    return [line for line in merged_lines(sides) if line.length > MIN_CROSSING_SHARE * length]


def _on(sides: Sequence[Line], positions: Sequence[float]) -> list[Line]:
    """Return the sides that lie on one of the positions, moved to it."""
    found = []
    for side in sides:
        number = bisect_left(positions, side.position - POSITION_TOLERANCE)
        if number < len(positions) and positions[number] <= side.position + POSITION_TOLERANCE:
            found.append(Line(positions[number], side.start, side.end))
    return found


def _drawn_sides(
    lines: Sequence[Line], positions: Sequence[float], across: Sequence[float]
) -> list[set[int]]:
    """Return, for each position, the intervals of `across` that lines there cover for the most part."""
    covered: list[dict[int, float]] = [{} for _ in positions]
    for line in lines:
        number = min(bisect_right(positions, line.position + 0.01), len(positions)) - 1
        first = max(0, bisect_right(across, line.start) - 1)
        for interval in range(first, len(across) - 1):
            low, high = max(line.start, across[interval]), min(line.end, across[interval + 1])
            if across[interval] > line.end:
                break
            covered[number][interval] = covered[number].get(interval, 0.0) + max(0.0, high - low)
    return [
        {
            interval
            for interval, length in found.items()
            if length >= MIN_DRAWN_SHARE * (across[interval + 1] - across[interval])
        }
        for found in covered
    ]
