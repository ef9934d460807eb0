"""Regions of a page (titles, tables, figures, headers, footers) that a small neural network detects.

The model is a PicoDet of PP-Structure for ten kinds of region, in `models/` (its README names the source). It
runs here directly: the package that contains it requires an OpenCV that conflicts with RapidOCR's. Its
regions are hints only: on pages unlike its training data, it detects the whole page as one table.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..documents.pixels import Pixels
from ..inference import Floats, InferenceSession, best_runtime
from .geometry import LayoutBox, PageFrame

MODEL_PATH = Path(__file__).parents[1] / "models" / "layout_cdla.onnx"
KINDS = (
    "text",
    "title",
    "figure",
    "figure_caption",
    "table",
    "table_caption",
    "header",
    "footer",
    "reference",
    "equation",
)
WIDTH, HEIGHT = 608, 800
# From the model's configuration: input normalization, the strides of its four outputs, and the number of
# steps in which it codes a distance.
MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
STRIDES = (8, 16, 32, 64)
DISTANCE_STEPS = 8
MIN_SCORE = 0.4
MAX_IOU = 0.5


@dataclass(frozen=True)
class Region:
    """A rectangle of one of `KINDS`, in the frame; `score` is the model's confidence, 0 to 1."""

    kind: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    def contains(self, box: LayoutBox) -> bool:
        """Return whether the center of the box is inside."""
        return self.left < box.center_x < self.right and self.top < box.center_y < self.bottom


def detect_regions(pixels: Pixels, frame: PageFrame, threads: int) -> list[Region]:
    """Detect the regions of a page, the highest score first.

    Args:
        pixels: the page, (height, width, 3) uint8 BGR.
        threads: threads of the model, 0 for all cores; the first call decides for the process.
    """
    image = frame.render(pixels, (WIDTH, HEIGHT))
    scores, rects = _session(threads).run(_to_input(image), _decode_outputs)
    left, top, right, bottom = frame.bounds(pixels.shape[1], pixels.shape[0])
    scale = np.array([(right - left) / WIDTH, (bottom - top) / HEIGHT] * 2)
    offset = np.array([left, top] * 2)
    regions = []
    for kind, name in enumerate(KINDS):
        for index in _non_max_suppression(rects, scores[:, kind]):
            rect = (rects[index] * scale + offset).tolist()
            regions.append(Region(name, float(scores[index, kind]), *rect))
    return sorted(regions, key=lambda region: -region.score)


@lru_cache(maxsize=1)
def _session(threads: int) -> InferenceSession:
    return best_runtime()(MODEL_PATH, threads or len(os.sched_getaffinity(0)))


def _to_input(image: Pixels) -> Floats:
    """Return the normalized image, (1, 3, height, width)."""
    import cv2

    planes = np.stack(cv2.split(image)).astype(np.float32)  # by planes: ten times as fast as by pixels
    planes *= 1 / (255 * DEVIATION)
    planes -= MEAN / DEVIATION
    return planes[np.newaxis]


def _decode_outputs(outputs: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return scores (n, kinds) and rectangles (n, 4) in the image, for all points of the four grids."""
    scores, distributions = outputs[: len(STRIDES)], outputs[len(STRIDES) :]
    rects = []
    for output, stride in zip(distributions, STRIDES, strict=True):
        # The distance from a grid point to a side is the mean of a distribution over `DISTANCE_STEPS`
        # (Generalized Focal Loss, Li et al. 2020).
        weights = np.exp(output[0].reshape(-1, 4, DISTANCE_STEPS))
        weights /= weights.sum(axis=2, keepdims=True)
        distances = (weights * np.arange(DISTANCE_STEPS)).sum(axis=2) * stride

        rows, columns = np.mgrid[0 : -(-HEIGHT // stride), 0 : -(-WIDTH // stride)]
        centers = np.stack([columns.ravel(), rows.ravel()] * 2, axis=1) * stride + stride / 2
        rects.append(np.asarray(centers + distances * np.array([-1, -1, 1, 1]), np.float32))
    return np.concatenate([output[0] for output in scores]), np.concatenate(rects)


def _non_max_suppression(rects: Floats, scores: Floats) -> list[int]:
    """Return indices by falling score, without rectangles that mostly cover one of higher score."""
    kept: list[int] = []
    for index in np.argsort(-scores):
        if scores[index] < MIN_SCORE:
            break
        if all(_iou(rects[index], rects[other]) <= MAX_IOU for other in kept):
            kept.append(int(index))
    return kept


def _iou(one: Floats, other: Floats) -> float:
    """Return intersection over union of two rectangles."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    intersection = float(sides.clip(0).prod())
    areas = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod())
    return intersection / max(areas - intersection, 1e-6)
