"""Assembly of a born-digital page: its text layer and its drawing → final Markdown and plain text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from ..documents.pdf_text_layer import TextLayer
from ..documents.turned_page import upright_layer
from ..layout.document_furniture import find_furniture
from ..layout.geometry import LayoutBox, bounding_rect
from ..layout.rows import group_rows
from ..output.formatted_page import FormattedPage, join_blocks
from ..output.plain_text import to_plain_text
from ..types import FurnitureOption, LineRole
from .blocks import DigitalBlock
from .captions import with_captions
from .column_blocks import column_blocks
from .crossing_rules import without_crossing_rules
from .document_context import DocumentContext
from .document_profile import DocumentProfile
from .figure_labels import label_lines
from .figures import DigitalFigure
from .formula_share import plain_formula_share
from .formulas import DigitalFormula
from .frames import Frame
from .inline_fractions import find_inline_fractions
from .markdown import blocks_markdown
from .matrices import find_matrices
from .notes import with_notes
from .page import DigitalPage
from .page_flow import page_blocks
from .page_order import PageOrder
from .strikethrough import with_strikethrough
from .tables import DigitalTable

MAX_LEVEL_DISTANCE = 1.5
"""In heights of running text: from the top of a frame to the text beside it on its first line."""


class DigitalAssembly:
    """Assembly of one page: the order of its boxes, for live text, and its final text."""

    def __init__(
        self, layer: TextLayer, number: int, context: DocumentContext, furniture: FurnitureOption = "drop"
    ) -> None:
        """Args: `furniture`: `keep` leaves page furniture in the text."""
        page = DigitalPage(number, without_crossing_rules(with_strikethrough(upright_layer(layer))))
        self._page, self._in_other_runs = _with_joined_formulas(page)
        self._context = context
        self._is_furniture_dropped = furniture == "drop"

    @cached_property
    def _roles(self) -> Mapping[int, LineRole]:
        if not self._page.boxes:
            return {}
        return find_furniture(self._page.furniture_page, self._context.pages_near(self._page.number))

    @property
    def dropped(self) -> frozenset[int]:
        """Indices of the runs that are not in the text, or are in that of another run."""
        furniture = frozenset(self._roles) if self._is_furniture_dropped else frozenset[int]()
        return furniture | self._in_other_runs

    def text(self, index: int) -> str:
        """Return the text of a run, with the fractions in it."""
        return self._page.layer.runs[index].text

    @cached_property
    def order(self) -> PageOrder:
        """Order of the runs in the final text."""
        return PageOrder(self._page, self.dropped)

    @property
    def plain_formula_share(self) -> float:
        """Share of the area of the text that is in formulas without LaTeX, from 0 to 1."""
        formulas = [inset for inset in self.order.insets.values() if isinstance(inset, DigitalFormula)]
        boxes = [box for box in self._page.boxes if box.index not in self.dropped]
        return plain_formula_share(self._page, boxes, formulas)

    def formatted(self) -> FormattedPage:
        """Return the final Markdown and plain text."""
        notes = self._page.layer.notes
        if not self._page.boxes:
            return _formatted(with_notes([], notes), {})
        profile = self._context.profile
        columns = _Assembler(self._page, self.order, profile).columns(self.order.columns)
        blocks = with_captions(page_blocks(columns, profile.vocabulary), self.order.body_height)
        return _formatted(with_notes(blocks, notes), self._roles)


def _with_joined_formulas(page: DigitalPage) -> tuple[DigitalPage, frozenset[int]]:
    """Return the page with matrices and fractions in their lines, and the boxes of their parts."""
    used: frozenset[int] = frozenset()
    for find in (find_matrices, find_inline_fractions):
        changed, parts = find(page)
        used |= parts
        if changed:
            runs = tuple(changed.get(index, run) for index, run in enumerate(page.layer.runs))
            page = DigitalPage(page.number, replace(page.layer, runs=runs))
    return page, used


def _formatted(blocks: list[DigitalBlock], roles: Mapping[int, LineRole]) -> FormattedPage:
    markdown, placed = join_blocks(blocks_markdown(blocks))
    return FormattedPage(markdown, to_plain_text(markdown), roles, placed)


class _Assembler:
    """Assembler of the blocks of a page."""

    def __init__(self, page: DigitalPage, order: PageOrder, profile: DocumentProfile) -> None:
        self._page = page
        self._order = order
        self._profile = profile

    def columns(self, columns: Iterable[Sequence[LayoutBox]]) -> list[list[DigitalBlock]]:
        """Return the blocks of columns."""
        return [self._column(column) for column in columns]

    def _column(self, column: Sequence[LayoutBox]) -> list[DigitalBlock]:
        """Return the blocks of a column.

        An inset with text above and below divides the text. One with text beside it does not: it comes before
        the first block that begins below its top.
        """
        blocks: list[DigitalBlock] = []
        beside: list[LayoutBox] = []
        text: list[LayoutBox] = []
        for box in sorted(column, key=lambda box: box.center_y):
            if box.index not in self._order.insets:
                text.append(box)
            elif any(box.top < other.center_y < box.bottom for other in column if other is not box):
                beside.append(box)
            else:
                blocks += [*self._text(text), *self._inset(box)]
                text = []
        blocks += self._text(text)
        for box in beside:
            number = self._place_beside(box, blocks)
            blocks[number:number] = self._inset(box)
        return blocks

    def _place_beside(self, box: LayoutBox, blocks: Sequence[DigitalBlock]) -> int:
        """Return the number of the first block below the top of an inset, and not beside it at its start."""
        edge = box.top - self._order.body_height / 2
        for number, block in enumerate(blocks):
            left, top, right, _ = block.rect
            is_before = left >= box.right if self._page.is_right_to_left else right <= box.left
            if top > edge and not (
                is_before and top < box.top + MAX_LEVEL_DISTANCE * self._order.body_height
            ):
                return number
        return len(blocks)

    def _text(self, boxes: Sequence[LayoutBox]) -> list[DigitalBlock]:
        return column_blocks(self._page, boxes, self._profile)

    def _inset(self, box: LayoutBox) -> list[DigitalBlock]:
        inset = self._order.insets[box.index]
        if isinstance(inset, DigitalTable):
            markdown = inset.markdown(self._profile.vocabulary)
            boxes, cells = inset.box_order, inset.cell_boxes
            return [DigitalBlock("table", inset.rect, markdown=markdown, boxes=boxes, cells=cells)]
        if isinstance(inset, DigitalFormula):
            boxes = self._by_rows(inset.boxes)
            return [DigitalBlock("formula", inset.rect, markdown=inset.markdown, boxes=boxes)]
        if isinstance(inset, Frame):
            return [block for column in self.columns(self._order.columns_in(inset)) for block in column]
        return [DigitalBlock("figure", inset.rect), *self._labels(inset)]

    def _by_rows(self, indices: frozenset[int]) -> tuple[int, ...]:
        """Return boxes in the order of their rows."""
        rows = group_rows([self._page.boxes[index] for index in indices])
        ordered = (reversed(row) if self._page.is_right_to_left else row for row in rows)
        return tuple(box.index for row in ordered for box in row)

    def _labels(self, figure: DigitalFigure) -> list[DigitalBlock]:
        """Return the text in a figure, a line for each label."""
        inside = [box for box in self._page.boxes if box.index in figure.boxes]
        rows = label_lines(self._page, inside)
        if not rows:
            return []
        lines = [self._page.row_pieces(row) for row in rows]
        boxes = tuple(box.index for row in rows for box in row)
        return [DigitalBlock("labels", bounding_rect(inside), lines, boxes=boxes)]
