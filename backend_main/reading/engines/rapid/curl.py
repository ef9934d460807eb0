"""Flattening of curled pages: photographs of an open book, or of paper that does not lie flat.

Lines of such a page are curves. The rectangle around a curve also has parts of the lines above and below, so
that the recognizer reads neither. The cores of the lines in the detector's map give the curves: one smooth
vertical displacement, a polynomial of both coordinates, makes all of them level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...documents.document import PageImage
from ...inference import Floats
from ...layout.displacement import POWERS_OF_CURVES, Displacement, Points
from ...layout.sequences import weighted_median
from .detector import Quads

MIN_ASPECT_RATIO, MIN_SLOPE_RATIO = 8.0, 4.0
"""Length by height of a core that shows how its line curves, and of one that shows its slope."""
MIN_LINES = 5
MIN_CURVATURE = 0.09
"""Root mean square distance of a core from its straight line, in heights of the core.

On flat pages it is 0.02 to 0.05. From about 0.1, lines are read worse.
"""
MIN_SLOPES, MIN_SLOPE_DIFFERENCE, SLOPE_PERCENTILE = 12, 0.38, 75
"""Cores that show a curl by their slopes, and how far a quarter of them rise against the common slope.

In heights of the core, it is 0.12 to 0.32 on flat pages, and from 0.4 on curled ones. Cells of a table are
too short to curve, but slant in different ways.
"""
MAX_RESIDUAL_SHARE = 0.6
"""Share of the lines' rise and fall that may be left: other curves are not those of a page."""
SAMPLE_STEP = 8
"""Pixels of the detector's map between two samples of a core."""
MIN_SINGULAR_VALUE = 1e-6
"""The samples of a core hardly err, so that nearly all combinations of terms are known."""


@dataclass(frozen=True)
class Core:
    """Points of the core of a line as shares of the page's width and height, and its height."""

    samples: Points
    height: float
    is_long: bool = True

    @property
    def middle(self) -> Points:
        middle: Points = self.samples[len(self.samples) // 2]
        return middle


@dataclass(frozen=True)
class Curl:
    """Displacement that makes the lines of a page level; `width` and `height` of the page are in pixels."""

    displacement: Displacement
    width: int
    height: int

    @classmethod
    def detect(cls, cores: Sequence[Core], width: int, height: int) -> Self | None:
        """Return the curl of a page; None if its lines are straight, or curve without a common form."""
        slope = weighted_median((_slope(core.samples), len(core.samples)) for core in cores)
        if not _is_curved(cores) and not _is_slanted(cores, slope):
            return None
        samples = np.concatenate([core.samples for core in cores])
        middles = np.concatenate([np.broadcast_to(core.middle, core.samples.shape) for core in cores])
        rect = (*samples.min(axis=0).tolist(), *samples.max(axis=0).tolist())
        displacement = Displacement.fit(middles, samples, rect, POWERS_OF_CURVES, MIN_SINGULAR_VALUE)
        slant = _weighted_median(cores, [float(_against(core.samples, slope).std()) for core in cores])
        flat = [displacement.to_flat(core.samples) for core in cores]
        left = _weighted_median(cores, [float(points[:, 1].std()) for points in flat])
        is_curl = left < MAX_RESIDUAL_SHARE * slant and displacement.is_possible()
        return cls(displacement, width, height) if is_curl else None

    def flatten(self, page: PageImage) -> PageImage:
        """Return the page with level lines."""
        pixels = self.displacement.scaled(page.width, page.height).flatten(page.pixels)
        return PageImage(page.number, pixels, page.width, page.height, page.info, page.warnings)

    def to_flat_page(self, quad: Quads) -> Quads:
        """Convert corners on the curled page to the flat one."""
        return np.asarray(self.displacement.to_flat(quad / self._size) * self._size, np.float32)

    def to_curled_page(self, quad: Quads) -> Quads:
        """Convert corners on the flat page to the curled one."""
        return np.asarray(self.displacement.to_curled(quad / self._size) * self._size, np.float32)

    @property
    def _size(self) -> Points:
        return np.array([self.width, self.height], np.float64)


def line_cores(probabilities: Floats, min_probability: float) -> list[Core]:
    """Return the cores of lines that are not short in a probability map, (height, width)."""
    import cv2

    height, width = probabilities.shape
    mask = (probabilities > min_probability).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    cores: list[Core] = []
    for label, (x, y, w, h, area) in enumerate(stats[:count].tolist()):
        core_height = area / w
        if not label or w < MIN_SLOPE_RATIO * core_height:
            continue
        part = labels[y : y + h, x : x + w : SAMPLE_STEP] == label
        heights = part.sum(axis=0)
        centers = (part * np.arange(h)[:, np.newaxis]).sum(axis=0) / np.maximum(heights, 1)
        xs = x + SAMPLE_STEP * np.arange(len(heights))
        samples = np.column_stack([xs / width, (y + centers) / height])[heights > 0]
        cores.append(Core(samples, core_height / height, w >= MIN_ASPECT_RATIO * core_height))
    return cores


def _is_curved(cores: Sequence[Core]) -> bool:
    """Return whether long lines are curves."""
    long = [core for core in cores if core.is_long]
    curvatures = [_curvature(core.samples) for core in long]
    return len(long) >= MIN_LINES and _weighted_median(long, curvatures) >= MIN_CURVATURE


def _is_slanted(cores: Sequence[Core], slope: float) -> bool:
    """Return whether lines slant against each other."""
    if len(cores) < MIN_SLOPES:
        return False
    rises = [float(np.ptp(_against(core.samples, slope))) / core.height for core in cores]
    return float(np.percentile(rises, SLOPE_PERCENTILE)) >= MIN_SLOPE_DIFFERENCE


def _against(samples: Points, slope: float) -> Points:
    """Return the heights of samples above a line of a slope."""
    heights: Points = samples[:, 1] - slope * samples[:, 0]
    return heights


def _slope(samples: Points) -> float:
    if len(samples) < 2:
        return 0.0
    return float(np.polyfit(samples[:, 0], samples[:, 1], 1)[0])


def _weighted_median(cores: Sequence[Core], distances: Sequence[float]) -> float:
    """Return the median distance in heights of the core; a core has the weight of its length."""
    ratios = (distance / core.height for core, distance in zip(cores, distances, strict=True))
    return weighted_median(zip(ratios, (len(core.samples) for core in cores), strict=True))


def _curvature(samples: Points) -> float:
    """Return the root mean square distance of samples from a straight line."""
    if len(samples) < 3:
        return 0.0
    xs, ys = samples.T
    return float(np.sqrt(np.mean((ys - np.polyval(np.polyfit(xs, ys, 1), xs)) ** 2)))
