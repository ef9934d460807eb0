"""Figures of a born-digital page: images and drawings, and the text in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..layout.geometry import LayoutBox, Rect
from .page import DigitalPage


@dataclass(frozen=True)
class DigitalFigure:
    """A figure, and the boxes of its own words."""

    rect: Rect
    boxes: frozenset[int]


def find_figures(page: DigitalPage, boxes: Sequence[LayoutBox]) -> list[DigitalFigure]:
    """Return the figures of a page; the free boxes in them are labels, not running text."""
    return []
