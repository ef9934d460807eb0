"""Texts of a page that are one displayed formula: its parts are near each other, and have no words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .geometry import LayoutBox, Rect, bounding_rect

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
    clusters: list[FormulaCluster] = []
    wordless = [box for box in boxes if kinds[box.index] != "text"]
    for box in sorted(wordless, key=lambda box: box.top):
        near = [cluster for cluster in clusters if any(_is_near(box, other) for other in cluster.boxes)]
        merged = FormulaCluster([box], kinds[box.index] == "formula")
        for cluster in near:
            merged.boxes += cluster.boxes
            merged.is_formula |= cluster.is_formula
            clusters.remove(cluster)
        clusters.append(merged)
    return clusters


def _is_near(box: LayoutBox, other: LayoutBox) -> bool:
    height = max(box.bottom - box.top, other.bottom - other.top)
    gap_x = max(box.left, other.left) - min(box.right, other.right)
    gap_y = max(box.top, other.top) - min(box.bottom, other.bottom)
    is_over = min(box.width, other.width) < MAX_LIMIT_WIDTH * height and gap_x < 0
    return gap_x < MAX_GAP_X * height and gap_y < (MAX_LIMIT_GAP if is_over else MAX_GAP_Y) * height
