"""A born-digital page in the frame of the layout: boxes of its runs, their pieces and styles, its drawing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..documents.pdf_bidi import direction, is_right_to_left
from ..documents.pdf_graphics import Graphics
from ..documents.pdf_text_layer import TextLayer
from ..documents.styled_text import TextPiece, TextStyle
from ..layout.furniture_page import FurniturePage, oblique_heights
from ..layout.geometry import LayoutBox, PageFrame

MAX_OUTSIDE = 2.0
"""In pixels: a box whose centre is so far outside of an area is in it."""
StyleKey = tuple[float, bool]
"""Font size in pixels, to a tenth, and whether the font is bold: what makes headings differ from text."""


def style_key(style: TextStyle) -> StyleKey:
    return round(style.size, 1), style.font.is_bold


@dataclass(frozen=True)
class DigitalPage:
    """The runs of a page with their boxes; `boxes[index]` belongs to `runs[index]`."""

    number: int
    layer: TextLayer

    @cached_property
    def boxes(self) -> tuple[LayoutBox, ...]:
        return tuple(PageFrame(0.0).layout_boxes([run.box for run in self.layer.runs]))

    @cached_property
    def furniture_page(self) -> FurniturePage:
        """The page as the detection of furniture compares it with others."""
        edges = (0.0, 0.0, float(self.layer.width), float(self.layer.height))
        oblique = oblique_heights(PageFrame(0.0), [run.box for run in self.layer.runs])
        styles = [_middle_style(run.pieces) for run in self.layer.runs]
        texts = [run.text for run in self.layer.runs]
        return FurniturePage(self.number, edges, self.boxes, texts, oblique, styles)

    @cached_property
    def is_right_to_left(self) -> bool:
        """Whether most letters of the page are of a right-to-left script."""
        return is_right_to_left([direction(letter) for run in self.layer.runs for letter in run.text])

    @cached_property
    def values(self) -> frozenset[int]:
        """Indices of the boxes that are values of form fields."""
        x = np.array([box.center_x for box in self.boxes])
        y = np.array([box.center_y for box in self.boxes])
        found: set[int] = set()
        for left, top, right, bottom in self.layer.fields:
            is_level = (top - MAX_OUTSIDE <= y) & (y <= bottom + MAX_OUTSIDE)
            inside = is_level & (left - MAX_OUTSIDE <= x) & (x <= right + MAX_OUTSIDE)
            found.update(np.flatnonzero(inside).tolist())
        return frozenset(found)

    @property
    def graphics(self) -> Graphics:
        return self.layer.graphics

    def text(self, box: LayoutBox) -> str:
        return self.layer.runs[box.index].text

    def place(self, box: LayoutBox) -> int | None:
        """Return the place of a box in the content of the page; None for recognized text."""
        return self.layer.runs[box.index].place

    def pieces(self, box: LayoutBox) -> tuple[TextPiece, ...]:
        return self.layer.runs[box.index].pieces

    def row_pieces(self, row: Iterable[LayoutBox]) -> list[TextPiece]:
        """Return the pieces of a row, whose boxes are separated by spaces."""
        return [piece for box in row for piece in self.pieces(box)]


def _middle_style(pieces: Sequence[TextPiece]) -> TextStyle:
    """Return the style in the middle of a line, which is that of most letters with few exceptions."""
    return pieces[len(pieces) // 2].style if pieces else TextStyle()


def main_style(pieces: Sequence[TextPiece]) -> TextStyle:
    """Return the style of most letters; scripts count only where nothing else is."""
    counts: Counter[TextStyle] = Counter()
    for piece in pieces:
        if not piece.script:
            counts[piece.style] += len(piece.text)
    if not counts:
        for piece in pieces:
            counts[piece.style] += len(piece.text)
    return counts.most_common(1)[0][0] if counts else TextStyle()
