"""Tables of a born-digital page: by its ruling lines and fills, and by the alignment of its text."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..layout.geometry import LayoutBox, Rect
from .page import DigitalPage


@dataclass(frozen=True)
class DigitalTable:
    """A table: its finished Markdown (a pipe table, or HTML if cells span), and the boxes in it."""

    rect: Rect
    boxes: frozenset[int]
    markdown: str


def find_tables(page: DigitalPage, boxes: Sequence[LayoutBox]) -> list[DigitalTable]:
    """Return the tables that the free boxes of a page make; a box belongs to at most one of them."""
    return []
