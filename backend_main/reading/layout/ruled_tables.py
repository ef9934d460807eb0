"""Step 10 - ruled tables: the lines drawn on a page → cells.

Long level and upright strokes are what is left of the page when everything shorter is eroded away. Strokes
that touch make a grid. Where a stroke between two neighbours is missing, they are one cell that spans.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels
from .geometry import PageFrame

# Strokes are looked for in a picture in which running text is so high, and no side longer than that.
TEXT_PIXELS = 18
MAX_SIDE = 2400
# Below this nothing can be told from letters; it is what a page of specks comes to.
MIN_TEXT_PIXELS = 4.0
# In heights of running text: what is longer than that is no part of a letter.
LEVEL_STROKE, UPRIGHT_STROKE = 2.5, 1.5
MIN_RULE = 8.0
# Strokes nearer to each other than this, in heights of text, are one line of the grid.
SAME_LINE = 0.45
# A line parts two cells where this share of it is drawn.
DRAWN_SHARE = 0.5

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Cell:
    """Rows and columns count from 0; the ends are exclusive."""

    row: int
    column: int
    row_end: int
    column_end: int


@dataclass(frozen=True)
class TableGrid:
    """`xs` and `ys` are the lines in the frame, from left to right and from top to bottom."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[Cell, ...]

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        return len(self.ys) - 1


@dataclass(frozen=True)
class RulingLine:
    """A level line in the frame."""

    y: float
    left: float
    right: float


def detect_table_grids(
    pixels: Pixels, frame: PageFrame, usual: float
) -> tuple[list[TableGrid], list[RulingLine]]:
    """Grids of two rows and two columns at least, and level lines. `usual` is the height of running text."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = frame.bounds(width, height)
    scale = min(TEXT_PIXELS / usual, MAX_SIDE / max(right - left, bottom - top))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    level, upright = _detect_lines(frame.render(pixels, size), max(MIN_TEXT_PIXELS, usual * scale))
    grids = []
    for box in _touching(level, upright):
        grid = _grid(level, upright, box, SAME_LINE * usual * scale)
        if grid is not None:
            grids.append(_to_frame(grid, scale, left, top))
    return grids, [
        RulingLine((y0 + y1) / 2 / scale + top, x0 / scale + left, x1 / scale + left)
        for x0, y0, x1, y1 in _touching(level, level)
        if x1 - x0 > MIN_RULE * usual * scale
    ]


def _to_frame(grid: TableGrid, scale: float, left: float, top: float) -> TableGrid:
    xs = tuple(x / scale + left for x in grid.xs)
    return TableGrid(xs, tuple(y / scale + top for y in grid.ys), grid.cells)


def _detect_lines(picture: Pixels, text: float) -> tuple[Mask, Mask]:
    """Masks of the level and the upright strokes, each made a little thicker so that they meet."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    window = 2 * round(text) + 1
    dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 8)
    thick = np.ones((3, 3), np.uint8)
    masks = []
    for size in ((round(LEVEL_STROKE * text), 1), (1, round(UPRIGHT_STROKE * text))):
        kernel = np.ones(
            (max(3, size[1]) if size[1] > 1 else 1, max(3, size[0]) if size[0] > 1 else 1), np.uint8
        )
        masks.append(np.asarray(cv2.dilate(cv2.morphologyEx(dark, cv2.MORPH_OPEN, kernel), thick), np.uint8))
    return masks[0], masks[1]


def _touching(level: Mask, upright: Mask) -> list[tuple[int, int, int, int]]:
    """Bounding boxes (x0, y0, x1, y1) of what hangs together."""
    import cv2

    count, _, stats, _ = cv2.connectedComponentsWithStats(level | upright, connectivity=8)
    boxes = []
    for x, y, width, height, _ in stats[1:count].tolist():
        boxes.append((x, y, x + width, y + height))
    return boxes


def _grid(level: Mask, upright: Mask, box: tuple[int, int, int, int], near: float) -> TableGrid | None:
    x0, y0, x1, y1 = box
    if min(x1 - x0, y1 - y0) < 2 * near:
        return None  # there is no room for three lines: mostly a single stroke
    level, upright = level[y0:y1, x0:x1], upright[y0:y1, x0:x1]
    ys, xs = _lines(level, near), _lines(upright.T, near)
    xs, ys = _with_ends(xs, x1 - x0, near), _with_ends(ys, y1 - y0, near)
    if len(xs) < 3 or len(ys) < 3:
        return None
    cells = _cells(level, upright, xs, ys, near)
    return TableGrid(tuple(x + x0 for x in xs), tuple(y + y0 for y in ys), cells)


def _lines(mask: Mask, near: float) -> list[float]:
    """Where lines run along the mask's rows: means of the strokes' positions that are near one another."""
    import cv2

    count, _, _, centers = cv2.connectedComponentsWithStats(mask, connectivity=8)
    lines: list[list[float]] = []
    for position in sorted(centers[1:count, 1].tolist()):
        if lines and position - lines[-1][-1] < near:
            lines[-1].append(position)
        else:
            lines.append([position])
    return [sum(line) / len(line) for line in lines]


def _with_ends(lines: Sequence[float], length: int, near: float) -> list[float]:
    """Tables are often open at their sides: then where the other lines end is a side."""
    ends = list(lines)
    if not ends or ends[0] > 2 * near:
        ends.insert(0, 0.0)
    if length - ends[-1] > 2 * near:
        ends.append(float(length))
    return ends


def _cells(
    level: Mask, upright: Mask, xs: Sequence[float], ys: Sequence[float], near: float
) -> tuple[Cell, ...]:
    """Neighbours without a line between them are one cell, as long as that is a rectangle."""
    taken: set[tuple[int, int]] = set()
    cells = []
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            if (row, column) in taken:
                continue
            cell = _cell(level, upright, xs, ys, near, row, column)
            spots = {(r, c) for r in range(row, cell.row_end) for c in range(column, cell.column_end)}
            if spots & taken:
                cell, spots = Cell(row, column, row + 1, column + 1), {(row, column)}
            taken |= spots
            cells.append(cell)
    return tuple(cells)


def _cell(
    level: Mask, upright: Mask, xs: Sequence[float], ys: Sequence[float], near: float, row: int, column: int
) -> Cell:
    right, bottom = column + 1, row + 1
    while right < len(xs) - 1 and not _is_drawn(upright.T, xs[right], ys[row], ys[row + 1], near):
        right += 1
    while bottom < len(ys) - 1 and not _is_drawn(level, ys[bottom], xs[column], xs[column + 1], near):
        bottom += 1
    return Cell(row, column, bottom, right)


def _is_drawn(mask: Mask, position: float, start: float, end: float, near: float) -> bool:
    """Whether there is a stroke along the mask's row `position`, from `start` to `end`."""
    low, high = max(0, round(position - near)), round(position + near) + 1
    # The corners belong to the lines that cross.
    first, last = round(start + near), round(end - near)
    if last <= first:
        return True
    return bool(mask[low:high, first:last].any(axis=0).mean() >= DRAWN_SHARE)
