"""Flattening of curled pages: photographs of an open book, or of paper that does not lie flat.

Lines of such a page are curves. The rectangle around a curve also has parts of the lines above and below, so
that the recognizer reads neither. The cores of the lines in the detector's map give the curves: one smooth
vertical displacement, a polynomial of both coordinates, makes all of them level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ...documents.document import PageImage
from ...documents.pixels import Pixels
from ...inference import Floats
from ...layout.sequences import weighted_median
from .detector import Quads

MIN_ASPECT_RATIO = 8.0
"""Length by height of a core that shows how its line curves."""
MIN_LINES = 5
MIN_CURVATURE = 0.09
"""Root mean square distance of a core from its straight line, in heights of the core.

On flat pages it is 0.02 to 0.05. From about 0.1, lines are read worse.
"""
MAX_RESIDUAL_SHARE = 0.6
"""Share of the lines' rise and fall that may be left: other curves are not those of a page."""
MAX_DISPLACEMENT = 0.15
"""In heights of the page. Outside of the lines, the polynomial may grow without limit."""
MAX_STRETCH = 0.5
"""Change of the displacement per height: from 1 on, two places of the page would become one."""
SAMPLE_STEP = 8
"""Pixels of the detector's map between two samples of a core."""
POWERS = tuple((x, y) for x in (1, 2, 3, 4) for y in (0, 1, 2))
"""Powers of x and y in the displacement. Those of y let the curl change down the page."""
ITERATIONS = 5
"""Steps of the inversion, each several times more exact than the one before."""
CHECKED_PLACES = 21
"""Places along each side of the page where the displacement is checked."""
STRIP_ROWS, GRID_STEP = 256, 16
"""Rows that are flattened at once, and pixels between two computed displacements."""

Samples = npt.NDArray[np.float64]
"""Points along the middle of a core, (n, 2): x and y."""


@dataclass(frozen=True)
class Core:
    """Samples of the core of a line as shares of the page's width and height, and its height."""

    samples: Samples
    height: float


@dataclass(frozen=True)
class Curl:
    """Vertical displacement that makes the lines of a page level.

    coefficients: by `POWERS`, of coordinates from -1 to 1.
    width, height: size of the page in pixels.
    """

    coefficients: Samples
    width: int
    height: int

    @classmethod
    def detect(cls, cores: Sequence[Core], width: int, height: int) -> Self | None:
        """Return the curl of a page; None if its lines are straight, or curve without a common form."""
        if len(cores) < MIN_LINES:
            return None
        curvature = _weighted_median(cores, [_curvature(core.samples) for core in cores])
        if curvature < MIN_CURVATURE:
            return None
        terms = [_terms(core.samples) for core in cores]
        slopes = np.concatenate([term - term.mean(axis=0) for term in terms])
        rises = np.concatenate([core.samples[:, 1] - core.samples[:, 1].mean() for core in cores])
        coefficients, *_ = np.linalg.lstsq(slopes, -rises, rcond=1e-6)
        curl = cls(coefficients, width, height)
        slant = _weighted_median(cores, [float(core.samples[:, 1].std()) for core in cores])
        left = _weighted_median(cores, [float(curl._flat(core.samples)[:, 1].std()) for core in cores])
        return curl if left < MAX_RESIDUAL_SHARE * slant and curl._is_possible() else None

    def flatten(self, page: PageImage) -> PageImage:
        """Return the page with level lines."""
        return PageImage(
            page.number, self._flat_pixels(page.pixels), page.width, page.height, page.info, page.warnings
        )

    def to_flat_page(self, quad: Quads) -> Quads:
        """Convert corners on the curled page to the flat one."""
        return np.asarray(self._flat(quad / self._size) * self._size, np.float32)

    def to_curled_page(self, quad: Quads) -> Quads:
        """Convert corners on the flat page to the curled one."""
        return np.asarray(self._curled(quad / self._size) * self._size, np.float32)

    def _is_possible(self) -> bool:
        """Return whether paper can curl like this, everywhere on the page and not only at its lines."""
        grid = np.linspace(0, 1, CHECKED_PLACES)
        xs, ys = np.meshgrid(grid, grid)
        displacement = self._displacement(np.column_stack([xs.ravel(), ys.ravel()])).reshape(xs.shape)
        stretch = np.diff(displacement, axis=0) * (CHECKED_PLACES - 1)
        return bool(np.abs(displacement).max() <= MAX_DISPLACEMENT and np.abs(stretch).max() <= MAX_STRETCH)

    @property
    def _size(self) -> Samples:
        return np.array([self.width, self.height], np.float64)

    def _displacement(self, points: Samples) -> Samples:
        displaced: Samples = _terms(points) @ self.coefficients
        return displaced

    def _flat(self, points: Samples) -> Samples:
        return np.column_stack([points[:, 0], points[:, 1] + self._displacement(points)])

    def _curled(self, points: Samples) -> Samples:
        curled = np.array(points, np.float64)
        for _ in range(ITERATIONS):
            curled[:, 1] = points[:, 1] - self._displacement(curled)
        return curled

    def _flat_pixels(self, pixels: Pixels) -> Pixels:
        import cv2

        height, width = pixels.shape[:2]
        flat = np.empty_like(pixels)
        columns = np.arange(width, dtype=np.float32)
        grid_xs = np.linspace(0, 1, max(2, width // GRID_STEP))
        for top in range(0, height, STRIP_ROWS):
            rows = min(STRIP_ROWS, height - top)
            grid_ys = (top + np.linspace(0, rows, max(2, rows // GRID_STEP))) / height
            grid = np.stack(np.meshgrid(grid_xs, grid_ys), axis=-1)
            source = self._curled(grid.reshape(-1, 2))[:, 1].reshape(grid.shape[:2]) * height
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


def line_cores(probabilities: Floats, min_probability: float) -> list[Core]:
    """Return the cores of long lines in a probability map, (height, width)."""
    import cv2

    height, width = probabilities.shape
    mask = (probabilities > min_probability).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    cores: list[Core] = []
    for label, (x, y, w, h, area) in enumerate(stats[:count].tolist()):
        core_height = area / w
        if not label or w < MIN_ASPECT_RATIO * core_height:
            continue
        part = labels[y : y + h, x : x + w : SAMPLE_STEP] == label
        heights = part.sum(axis=0)
        centers = (part * np.arange(h)[:, np.newaxis]).sum(axis=0) / np.maximum(heights, 1)
        xs = x + SAMPLE_STEP * np.arange(len(heights))
        samples = np.column_stack([xs / width, (y + centers) / height])[heights > 0]
        cores.append(Core(samples, core_height / height))
    return cores


def _weighted_median(cores: Sequence[Core], distances: Sequence[float]) -> float:
    """Return the median distance in heights of the core; a core has the weight of its length."""
    ratios = (distance / core.height for core, distance in zip(cores, distances, strict=True))
    return weighted_median(zip(ratios, (len(core.samples) for core in cores), strict=True))


def _curvature(samples: Samples) -> float:
    """Return the root mean square distance of samples from a straight line."""
    if len(samples) < 3:
        return 0.0
    xs, ys = samples.T
    return float(np.sqrt(np.mean((ys - np.polyval(np.polyfit(xs, ys, 1), xs)) ** 2)))


def _terms(points: Samples) -> Samples:
    xs, ys = 2 * points.T - 1
    return np.stack([xs**x * ys**y for x, y in POWERS], axis=-1)
