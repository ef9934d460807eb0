"""A smooth vertical displacement: a polynomial of both coordinates that makes curved lines level.

Beside the rectangle that it is fitted in, the displacement is that of the rectangle's edge: the polynomial
may grow without limit there.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels

Points = npt.NDArray[np.float64]
"""Points, (n, 2): x and y."""

Powers = tuple[tuple[int, int], ...]
"""Powers of x and y in the terms of a displacement. Those of y let the curl change down the page."""
POWERS_OF_CURVES: Powers = tuple((x, y) for x in (1, 2, 3, 4) for y in (0, 1, 2))
POWERS_OF_ENDS: Powers = tuple((x, y) for x in (1, 2, 3, 4) for y in (0, 1))
"""With fewer terms for the ends of lines alone, which show less."""
MAX_DISPLACEMENT = 0.15
"""In longer sides of the rectangle."""
MAX_STRETCH = 0.5
"""Change of the displacement per height: from 1 on, two places of the page would become one."""
ITERATIONS = 5
"""Steps of the inversion, each several times more exact than the one before."""
CHECKED_PLACES = 21
"""Places along each side of the page where the displacement is checked."""
STRIP_ROWS, GRID_STEP = 256, 16
"""Rows that are flattened at once, and pixels between two computed displacements."""


@dataclass(frozen=True)
class Displacement:
    """Coefficients by `powers`, and the rectangle that they hold in: its coordinates are -1 to 1 for them.

    `rect` has left, top, right and bottom. The displacement is in heights of the rectangle.
    """

    powers: Powers
    coefficients: Points
    rect: tuple[float, float, float, float]

    @classmethod
    def fit(
        cls,
        starts: Points,
        ends: Points,
        rect: tuple[float, float, float, float],
        powers: Powers,
        min_singular_value: float,
    ) -> Self:
        """Return the displacement that makes points level with each other.

        Args:
            starts: points; `ends` has the point that must be level with each.
            min_singular_value: share of the largest one, below which a combination of terms is left out.
        """
        slopes = _terms(ends, powers, rect) - _terms(starts, powers, rect)
        rises = (ends[:, 1] - starts[:, 1]) / (rect[3] - rect[1])
        coefficients, *_ = np.linalg.lstsq(slopes, -rises, rcond=min_singular_value)
        return cls(powers, np.asarray(coefficients, np.float64), rect)

    def scaled(self, x_scale: float, y_scale: float, left: float = 0.0, top: float = 0.0) -> Self:
        """Return the displacement for points that are moved to the left and the top, and then scaled."""
        x0, y0, x1, y1 = self.rect
        rect = (x0 - left) * x_scale, (y0 - top) * y_scale, (x1 - left) * x_scale, (y1 - top) * y_scale
        return replace(self, rect=rect)

    def at(self, points: Points) -> Points:
        """Return by how much points of the curled page move down."""
        height = self.rect[3] - self.rect[1]
        displaced: Points = _terms(points, self.powers, self.rect) @ self.coefficients * height
        return displaced

    def to_flat(self, points: Points) -> Points:
        return np.column_stack([points[:, 0], points[:, 1] + self.at(points)])

    def to_curled(self, points: Points) -> Points:
        curled = np.array(points, np.float64)
        for _ in range(ITERATIONS):
            curled[:, 1] = points[:, 1] - self.at(curled)
        return curled

    def is_possible(self) -> bool:
        """Return whether paper can curl like this, everywhere in the rectangle and not only at the lines."""
        left, top, right, bottom = self.rect
        xs, ys = np.meshgrid(
            np.linspace(left, right, CHECKED_PLACES), np.linspace(top, bottom, CHECKED_PLACES)
        )
        displacement = self.at(np.column_stack([xs.ravel(), ys.ravel()])).reshape(xs.shape)
        stretch = np.diff(displacement, axis=0) * (CHECKED_PLACES - 1) / (bottom - top)
        max_displacement = MAX_DISPLACEMENT * max(right - left, bottom - top)
        return bool(np.abs(displacement).max() <= max_displacement and np.abs(stretch).max() <= MAX_STRETCH)

    def flatten(self, pixels: Pixels) -> Pixels:
        """Return an image with level lines."""
        import cv2

        height, width = pixels.shape[:2]
        flat = np.empty_like(pixels)
        columns = np.arange(width, dtype=np.float32)
        grid_xs = np.linspace(0, width, max(2, width // GRID_STEP))
        for top in range(0, height, STRIP_ROWS):
            rows = min(STRIP_ROWS, height - top)
            grid_ys = top + np.linspace(0, rows, max(2, rows // GRID_STEP))
            grid = np.stack(np.meshgrid(grid_xs, grid_ys), axis=-1)
            source = self.to_curled(grid.reshape(-1, 2))[:, 1].reshape(grid.shape[:2])
            ys = cv2.resize(source.astype(np.float32), (width, rows), interpolation=cv2.INTER_LINEAR)
            xs = np.broadcast_to(columns, (rows, width)).copy()
            cv2.remap(
                pixels,
                xs,
                ys,
                cv2.INTER_LINEAR,
                dst=flat[top : top + rows],
                borderMode=cv2.BORDER_REPLICATE,
            )
        return flat


def _terms(points: Points, powers: Powers, rect: tuple[float, float, float, float]) -> Points:
    """Return the terms of the polynomial at points, (n, len(powers))."""
    left, top, right, bottom = rect
    shares = (points - [left, top]) / [right - left, bottom - top]
    xs, ys = 2 * np.clip(shares, 0, 1).T - 1
    return np.stack([xs**x * ys**y for x, y in powers], axis=-1)
