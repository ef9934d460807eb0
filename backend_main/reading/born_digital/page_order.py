"""Order of everything on a born-digital page: columns of text with tables, figures, formulas and frames.

Each of these is one box in the column that contains it.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from ..layout.geometry import MIN_TEXT_HEIGHT, LayoutBox, Rect
from ..layout.reading_order import OrderedBox, ordered_boxes
from ..layout.rows import Row, body_text_height, group_rows
from .figure_labels import label_lines
from .figures import DigitalFigure, find_figures
from .formulas import DigitalFormula, find_formulas, is_formula
from .frames import Frame, group_frames
from .order import OrderHints, are_text_columns, reading_groups
from .page import DigitalPage
from .tables import DigitalTable, find_tables

Inset = DigitalTable | DigitalFigure | DigitalFormula | Frame
"""A part of the page that divides its running text."""

MIN_DRAWING_SEEDS, MAX_DRAWING_SHARE = 10, 0.5
"""Seeds of a drawing, and the share of its area that a table in it has at least, to be one."""
MIN_TABLE_LINES = 2
"""With as many lines in it, a table is one, in whatever order it is drawn."""


class PageOrder:
    """Boxes of a page in reading order, without those of its page furniture.

    Args:
        page: the page.
        dropped: indices of boxes that are left out.
    """

    def __init__(self, page: DigitalPage, dropped: frozenset[int] = frozenset()) -> None:
        self._page = page
        self.body_height = body_text_height(page.boxes) if page.boxes else MIN_TEXT_HEIGHT
        free = [box for box in page.boxes if box.index not in dropped]
        places = ((box.index, page.place(box)) for box in page.boxes)
        self._places = {index: place for index, place in places if place is not None}
        self._texts = {box.index: page.text(box) for box in page.boxes}
        tables = [table for table in find_tables(page, free) if not self._is_text(table)]
        if tables:
            drawings = [figure for figure in find_figures(page, free) if figure.seeds >= MIN_DRAWING_SEEDS]
            tables = [table for table in tables if not any(_is_part(table, one) for one in drawings)]
        free = _without(free, [table.boxes for table in tables])
        figures = find_figures(page, free, [table.rect for table in tables])
        free = _without(free, [figure.boxes for figure in figures])
        formulas = find_formulas(page, free)
        self._free = _without(free, [formula.boxes for formula in formulas])
        insets: list[Inset] = [*tables, *figures, *formulas]
        self.insets = dict(enumerate(insets, len(page.boxes)))

    @cached_property
    def columns(self) -> list[list[LayoutBox]]:
        """The columns in reading order; `insets` has the tables, figures and frames among the boxes."""
        flow = list(self._free)
        for index, inset in self.insets.items():
            if isinstance(inset, Frame):
                continue
            self._set_place(index, inset.boxes)
            rect = _beside_text(inset.rect, self._free)
            flow.append(LayoutBox(index, *rect, text_height=self.body_height))
        next_index = len(self._page.boxes) + len(self.insets)
        flow, frames = group_frames(self._page, flow, self.body_height, next_index)
        for index, frame in frames.items():
            self.insets[index] = frame
            self._set_place(index, [box.index for box in frame.boxes])
        return self._groups(flow)

    def columns_in(self, frame: Frame) -> list[list[LayoutBox]]:
        """Return the columns in a frame."""
        return self._groups(frame.boxes)

    def live(self) -> list[OrderedBox]:
        """Return every box that is not left out, once, in the order of the final Markdown."""
        return ordered_boxes(self._text_parts(), self.body_height)

    def _text_parts(self) -> Iterator[list[Row]]:
        """Yield the rows of each part of the page that is read without interruption."""
        for column in self.columns:
            yield from self._rows(column)

    def _rows(self, column: Sequence[LayoutBox]) -> Iterator[list[Row]]:
        text: list[LayoutBox] = []
        for box in sorted(column, key=lambda box: box.center_y):
            inset = self.insets.get(box.index)
            if inset is None:
                text.append(box)
                continue
            if text:
                yield self._text_rows(text)
            text = []
            if isinstance(inset, Frame):
                for inner in self.columns_in(inset):
                    yield from self._rows(inner)
            elif inset.boxes:
                inside = [each for each in self._page.boxes if each.index in inset.boxes]
                is_figure = isinstance(inset, DigitalFigure)
                yield label_lines(self._page, inside) if is_figure else self._text_rows(inside)
        if text:
            yield self._text_rows(text)

    def _text_rows(self, boxes: Sequence[LayoutBox]) -> list[Row]:
        rows = group_rows(boxes)
        return [row[::-1] for row in rows] if self._page.is_right_to_left else rows

    def _groups(self, boxes: Sequence[LayoutBox]) -> list[list[LayoutBox]]:
        return reading_groups(boxes, self._hints)

    @property
    def _hints(self) -> OrderHints:
        from_right = self._page.is_right_to_left
        return OrderHints(self.body_height, self._places, self._texts, is_from_right=from_right)

    def _is_text(self, table: DigitalTable) -> bool:
        """Return whether a table without lines is a formula, or columns of text by the content's order."""
        if self._lines_in(table) >= MIN_TABLE_LINES:
            return False
        inside = [box for box in self._page.boxes if box.index in table.boxes]
        if is_formula(self._page, inside):  # a matrix
            return True
        return not table.has_clear_rows and are_text_columns(inside, self._hints)

    def _lines_in(self, table: DigitalTable) -> int:
        left, top, right, bottom = table.rect
        return sum(
            left <= (rule.x0 + rule.x1) / 2 <= right and top <= (rule.y0 + rule.y1) / 2 <= bottom
            for rule in self._page.graphics.rules
        )

    def _set_place(self, index: int, inside: Iterable[int]) -> None:
        if places := [self._places[each] for each in inside if each in self._places]:
            self._places[index] = min(places)


def _beside_text(rect: Rect, boxes: Sequence[LayoutBox]) -> Rect:
    """Return the rectangle of a table or figure without the sides of it that lie over the text beside it."""
    left, top, right, bottom = rect
    middle = (left + right) / 2
    level = [box for box in boxes if top < box.center_y < bottom]
    starts = [box.left for box in level if middle < box.left < right < box.right]
    ends = [box.right for box in level if box.left < left < box.right < middle]
    return max([left, *ends]), top, min([right, *starts]), bottom


def _is_part(table: DigitalTable, drawing: DigitalFigure) -> bool:
    """Return whether a table is a part of a much larger drawing: labels that stand in rows."""
    left, top, right, bottom = table.rect
    x, y = (left + right) / 2, (top + bottom) / 2
    rect = drawing.rect
    is_in = rect[0] <= x <= rect[2] and rect[1] <= y <= rect[3]
    area = (rect[2] - rect[0]) * (rect[3] - rect[1])
    return is_in and (right - left) * (bottom - top) < MAX_DRAWING_SHARE * area


def _without(boxes: list[LayoutBox], used: list[frozenset[int]]) -> list[LayoutBox]:
    indices = frozenset[int]().union(*used)
    return [box for box in boxes if box.index not in indices]
