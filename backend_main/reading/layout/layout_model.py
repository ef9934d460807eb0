"""Step 10 - what stands where on a page, as a small layout model sees it.

The model is a PicoDet of PP-Structure for ten kinds of region, in `models/` (its README says where it comes
from). It is run here directly: the package that brings it wants an OpenCV that cannot stand beside
RapidOCR's. What it says is taken as a hint; on pages unlike those of its training it takes all of a page for
a table.
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

MODEL = Path(__file__).parents[1] / "models" / "layout_cdla.onnx"
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
# Of the model's own configuration: strides of its four outputs, and how its distances are coded.
STRIDES = (8, 16, 32, 64)
DISTANCE_STEPS = 8
MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
MIN_SCORE = 0.4
MAX_OVERLAP = 0.5


@dataclass(frozen=True)
class Region:
    """A rectangle of one kind, in the frame."""

    kind: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    def contains(self, item: LayoutBox) -> bool:
        return self.left < item.center_x < self.right and self.top < item.center_y < self.bottom


def detect_regions(pixels: Pixels, frame: PageFrame, threads: int) -> list[Region]:
    """The page's regions, the surest first."""
    picture = frame.render(pixels, (WIDTH, HEIGHT))
    scores, boxes = _network(threads).run(_as_input(picture), _decode_outputs)
    left, top, right, bottom = frame.bounds(pixels.shape[1], pixels.shape[0])
    scale = np.array([(right - left) / WIDTH, (bottom - top) / HEIGHT] * 2)
    offset = np.array([left, top] * 2)
    regions = []
    for kind, name in enumerate(KINDS):
        for index in _non_max_suppression(boxes, scores[:, kind]):
            corners = (boxes[index] * scale + offset).tolist()
            regions.append(Region(name, float(scores[index, kind]), *corners))
    return sorted(regions, key=lambda region: -region.score)


@lru_cache(maxsize=1)
def _network(threads: int) -> InferenceSession:
    return best_runtime()(MODEL, threads or len(os.sched_getaffinity(0)))


def _as_input(picture: Pixels) -> Floats:
    import cv2

    planes = np.stack(cv2.split(picture)).astype(np.float32)  # by planes: ten times as quick as by pixels
    planes *= 1 / (255 * DEVIATION)
    planes -= MEAN / DEVIATION
    return planes[np.newaxis]


def _decode_outputs(outputs: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Scores by kind and corners in the picture, of every point of the four lattices."""
    scores, coded = outputs[: len(STRIDES)], outputs[len(STRIDES) :]
    boxes = [_boxes(output[0], stride) for output, stride in zip(coded, STRIDES, strict=True)]
    return np.concatenate([output[0] for output in scores]), np.concatenate(boxes)


def _boxes(coded: Floats, stride: int) -> Floats:
    """Distances from each point of the stride's lattice to four sides, each the mean of a distribution."""
    weights = np.exp(coded.reshape(-1, 4, DISTANCE_STEPS))
    weights /= weights.sum(axis=2, keepdims=True)
    distances = (weights * np.arange(DISTANCE_STEPS)).sum(axis=2) * stride
    rows, columns = np.mgrid[0 : -(-HEIGHT // stride), 0 : -(-WIDTH // stride)]
    centers = np.stack([columns.ravel(), rows.ravel()] * 2, axis=1) * stride + stride / 2
    return np.asarray(centers + distances * np.array([-1, -1, 1, 1]), np.float32)


def _non_max_suppression(boxes: Floats, scores: Floats) -> list[int]:
    """Indices of the boxes sure enough, without those that mostly cover a surer one."""
    kept: list[int] = []
    for index in np.argsort(-scores):
        if scores[index] < MIN_SCORE:
            break
        if all(_iou(boxes[index], boxes[other]) <= MAX_OVERLAP for other in kept):
            kept.append(int(index))
    return kept


def _iou(one: Floats, other: Floats) -> float:
    """Intersection over union."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(sides.clip(0).prod())
    areas = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod())
    return common / max(areas - common, 1e-6)
