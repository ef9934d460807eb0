"""Grids of ruled tables, found by the horizontal and vertical lines drawn on a page.

A morphological opening erodes everything that is shorter than a line. Lines that touch make a grid. Adjacent
cells without a line between them are one cell that spans both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels
from .cells import Cell, drawn_cells
from .geometry import LayoutBox, PageFrame, Rect
from .sequences import group_runs

TEXT_PIXELS, MAX_SIDE_PIXELS = 18, 2400
"""Scale of the image in which lines are detected: height of running text, but at most this longer side."""
MIN_TEXT_PIXELS = 4.0
"""Assumed for smaller text, such as on a page of specks: strokes of smaller letters would count as lines."""
THRESHOLD_OFFSET, MIN_THRESHOLD_OFFSET = 8, 2
"""Grey levels, of 255, by which a line is darker than its surroundings; less on a page of low contrast."""
CONTRAST_STEP = 4
"""Distance of the pixels that contrast is measured at."""
FULL_CONTRAST = 150
"""Grey levels between the paper and the darkest hundredth of a page, below which its contrast is low."""
# In body heights.
MIN_HORIZONTAL_LINE, MIN_VERTICAL_LINE = 2.5, 1.5
"""Longer strokes are not part of a letter."""
MIN_RULE = 8.0
LINE_TOLERANCE = 0.45
"""Strokes nearer to each other are one line of the grid."""
MIN_DRAWN_SHARE = 0.5
"""A line separates two cells if this share of it is drawn."""

Mask = npt.NDArray[np.uint8]
"""(height, width), not 0 where a line is drawn."""


@dataclass(frozen=True)
class TableGrid:
    """Lines of a table in the frame, from left to right and top to bottom, and the cells between them."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[Cell, ...]

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def rect(self) -> Rect:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def contains(self, box: LayoutBox) -> bool:
        """Return whether the center of the box is inside."""
        left, top, right, bottom = self.rect
        return left < box.center_x < right and top < box.center_y < bottom

    def cells_level_with(self, box: LayoutBox) -> list[Cell]:
        """Return the cells of the row in which the center of the box is."""
        row = sum(y <= box.center_y for y in self.ys[1:-1])
        return [cell for cell in self.cells if cell.row <= row < cell.row_end]


@dataclass(frozen=True)
class RulingLine:
    """A horizontal line in the frame."""

    y: float
    left: float
    right: float


def detect_table_grids(
    pixels: Pixels, frame: PageFrame, body_height: float
) -> tuple[list[TableGrid], list[RulingLine]]:
    """Detect grids of at least two rows and two columns, and horizontal lines.

    Args:
        pixels: the page, (height, width, 3) uint8 BGR.
        body_height: height of running text, in pixels of the page.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = frame.bounds(width, height)
    scale = min(TEXT_PIXELS / body_height, MAX_SIDE_PIXELS / max(right - left, bottom - top))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    image = frame.render(pixels, size)
    horizontal, vertical = _detect_lines(image, max(MIN_TEXT_PIXELS, body_height * scale))
    grids = []
    for component in _connected_components(horizontal | vertical):
        grid = _grid(horizontal, vertical, component, LINE_TOLERANCE * body_height * scale)
        if grid is not None:
            xs = tuple(x / scale + left for x in grid.xs)
            ys = tuple(y / scale + top for y in grid.ys)
            grids.append(TableGrid(xs, ys, grid.cells))
    return grids, [
        RulingLine((y0 + y1) / 2 / scale + top, x0 / scale + left, x1 / scale + left)
        for x0, y0, x1, y1 in _connected_components(horizontal)
        if x1 - x0 > MIN_RULE * body_height * scale
    ]


def _detect_lines(image: Pixels, text_height: float) -> tuple[Mask, Mask]:
    """Return masks of the horizontal and the vertical lines, each a pixel thicker so that crossings touch."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    window = 2 * round(text_height) + 1
    darkest, paper = np.percentile(grey[::CONTRAST_STEP, ::CONTRAST_STEP], (1, 50))
    offset = THRESHOLD_OFFSET * min(1.0, (paper - darkest) / FULL_CONTRAST)
    dark = cv2.adaptiveThreshold(
        grey,
        255,
        cv2.ADAPTIVE_THRESH_MEAN_C,
        cv2.THRESH_BINARY_INV,
        window,
        max(MIN_THRESHOLD_OFFSET, offset),
    )
    thickening = np.ones((3, 3), np.uint8)
    masks = []
    for shape in (
        (1, round(MIN_HORIZONTAL_LINE * text_height)),
        (round(MIN_VERTICAL_LINE * text_height), 1),
    ):
        lines = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        masks.append(np.asarray(cv2.dilate(lines, thickening), np.uint8))
    return masks[0], masks[1]


def _connected_components(mask: Mask) -> list[tuple[int, int, int, int]]:
    """Return the bounding boxes (x0, y0, x1, y1) of strokes that touch each other."""
    import cv2

    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return [(x, y, x + width, y + height) for x, y, width, height, _ in stats[1:count].tolist()]


def _grid(
    horizontal: Mask, vertical: Mask, component: tuple[int, int, int, int], tolerance: float
) -> TableGrid | None:
    """Return the grid of a connected component in pixels of the masks; None if it is not a grid."""
    x0, y0, x1, y1 = component
    if min(x1 - x0, y1 - y0) < 2 * tolerance:
        return None  # too small for three lines, mostly a single stroke
    horizontal, vertical = horizontal[y0:y1, x0:x1], vertical[y0:y1, x0:x1]
    ys = _with_sides(_line_positions(horizontal, tolerance), y1 - y0, tolerance)
    xs = _with_sides(_line_positions(vertical.T, tolerance), x1 - x0, tolerance)
    if len(xs) < 3 or len(ys) < 3:
        return None
    cells = tuple(drawn_cells(_Lines(horizontal, vertical, xs, ys, tolerance)))
    return TableGrid(tuple(x + x0 for x in xs), tuple(y + y0 for y in ys), cells)


def _line_positions(mask: Mask, tolerance: float) -> list[float]:
    """Return the position of each line along the mask's rows: the mean of strokes near each other."""
    import cv2

    count, _, _, centers = cv2.connectedComponentsWithStats(mask, connectivity=8)
    positions: list[float] = sorted(centers[1:count, 1].tolist())
    lines = group_runs(positions, lambda line, position: position - line[-1] < tolerance)
    return [sum(line) / len(line) for line in lines]


def _with_sides(lines: Sequence[float], length: int, tolerance: float) -> list[float]:
    """Add the sides of an open table, where the crossing lines end."""
    positions = list(lines)
    if not positions or positions[0] > 2 * tolerance:
        positions.insert(0, 0.0)
    if length - positions[-1] > 2 * tolerance:
        positions.append(float(length))
    return positions


@dataclass(frozen=True)
class _Lines:
    """Masks of a grid's strokes, and the positions of its lines in them."""

    horizontal: Mask
    vertical: Mask
    xs: Sequence[float]
    ys: Sequence[float]
    tolerance: float

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    def is_drawn_below(self, row: int, column: int) -> bool:
        """Return whether a line below a row separates it from the next, over the width of a column."""
        return self._is_drawn(self.horizontal, self.ys[row + 1], self.xs[column], self.xs[column + 1])

    def is_drawn_right_of(self, row: int, column: int) -> bool:
        """Return whether a line right of a column separates it from the next, over the height of a row."""
        return self._is_drawn(self.vertical.T, self.xs[column + 1], self.ys[row], self.ys[row + 1])

    def _is_drawn(self, mask: Mask, position: float, start: float, end: float) -> bool:
        """Return whether the mask has a stroke along its row `position`, from `start` to `end`."""
        low, high = max(0, round(position - self.tolerance)), round(position + self.tolerance) + 1
        # The corners belong to the lines that cross.
        first, last = round(start + self.tolerance), round(end - self.tolerance)
        if last <= first:
            return True
        return bool(mask[low:high, first:last].any(axis=0).mean() >= MIN_DRAWN_SHARE)
