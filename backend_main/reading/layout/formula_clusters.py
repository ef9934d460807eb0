"""Texts of a page that are one displayed formula: its parts are near each other, and have no words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .geometry import LayoutBox, Rect, bounding_rect

Rects = npt.NDArray[np.float64]
TextKind = Literal["formula", "neutral", "text"]
"""Kind of a text: a formula, numbers and signs that may be a part of one, or words."""

# In text heights.
MAX_GAP_X, MAX_GAP_Y = 1.6, 0.5
MAX_LIMIT_GAP, MAX_LIMIT_WIDTH = 0.8, 6.0
"""A limit or a short numerator is farther from its operator or bar."""


@dataclass
class FormulaCluster:
    """Texts that are near each other; `is_formula` if one of them is a formula."""

    boxes: list[LayoutBox]
    is_formula: bool

    @property
    def rect(self) -> Rect:
        return bounding_rect(self.boxes)


def formula_clusters(boxes: Sequence[LayoutBox], kinds: Mapping[int, TextKind]) -> list[FormulaCluster]:
    """Group the texts without words that are near each other.

    Args:
        boxes: the texts of a page.
        kinds: their kinds, by the index of the box.
    """
    wordless = sorted((box for box in boxes if kinds[box.index] != "text"), key=lambda box: box.top)
    rects = np.array([bounding_rect([box]) for box in wordless], np.float64).reshape(-1, 4)
    # A cluster has the number of its last box.
    clusters: dict[int, FormulaCluster] = {}
    cluster_of = np.arange(len(wordless))
    for number, box in enumerate(wordless):
        above = cluster_of[:number]
        near = np.unique(above[_are_near(rects[number], rects[:number])])
        merged = FormulaCluster([box], kinds[box.index] == "formula")
        for cluster in map(clusters.pop, near.tolist()):
            merged.boxes += cluster.boxes
            merged.is_formula |= cluster.is_formula
        above[np.isin(above, near)] = number
        clusters[number] = merged
    return list(clusters.values())


def _are_near(rect: Rects, others: Rects) -> npt.NDArray[np.bool_]:
    """Return which of (n, 4) rectangles are near a rectangle; all have left, top, right and bottom."""
    left, top, right, bottom = rect
    lefts, tops, rights, bottoms = others.T
    heights = np.maximum(bottom - top, bottoms - tops)
    gaps_x = np.maximum(left, lefts) - np.minimum(right, rights)
    gaps_y = np.maximum(top, tops) - np.minimum(bottom, bottoms)
    is_over = (np.minimum(right - left, rights - lefts) < MAX_LIMIT_WIDTH * heights) & (gaps_x < 0)
    is_level = gaps_y < np.where(is_over, MAX_LIMIT_GAP, MAX_GAP_Y) * heights
    return np.asarray((gaps_x < MAX_GAP_X * heights) & is_level, np.bool_)
