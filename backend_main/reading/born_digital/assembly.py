"""Assembly of a born-digital page: its text layer and its drawing → final Markdown and plain text."""

from collections.abc import Iterable, Mapping, Sequence

from ..documents.pdf_text_layer import TextLayer
from ..layout.document_furniture import find_furniture
from ..layout.geometry import LayoutBox, bounding_rect
from ..layout.rows import body_text_height
from ..output.formatted_page import FormattedPage
from ..output.plain_text import to_plain_text
from ..types import FurnitureOption, LineRole
from .blocks import DigitalBlock
from .captions import with_captions
from .column_blocks import column_blocks
from .document_context import DocumentContext
from .figures import DigitalFigure, find_figures, label_lines
from .frames import Frame, group_frames
from .markdown import blocks_markdown
from .notes import with_notes
from .order import OrderHints, reading_groups
from .page import DigitalPage
from .page_flow import page_blocks
from .tables import DigitalTable, find_tables

Inset = DigitalTable | DigitalFigure | Frame
"""A part of the page that divides its running text."""


def assemble_digital_page(
    layer: TextLayer, number: int, context: DocumentContext, furniture: FurnitureOption = "drop"
) -> FormattedPage:
    """Return the final Markdown and plain text of page `number`; `keep` leaves page furniture in them."""
    page = DigitalPage(number, layer)
    if not page.boxes:
        return _formatted(with_notes([], layer.notes), {})
    roles = find_furniture(page.furniture_page, context.pages_near(number))
    dropped = frozenset(roles) if furniture == "drop" else frozenset[int]()
    free = [box for box in page.boxes if box.index not in dropped]
    tables = find_tables(page, free)
    free = _without(free, [table.boxes for table in tables])
    figures = find_figures(page, free, [table.rect for table in tables])
    free = _without(free, [figure.boxes for figure in figures])
    flow = _Flow(page, context)
    blocks = page_blocks(flow.columns(free, [*tables, *figures]))
    return _formatted(with_notes(with_captions(blocks, flow.body_height), layer.notes), roles)


def _formatted(blocks: list[DigitalBlock], roles: Mapping[int, LineRole]) -> FormattedPage:
    markdown = blocks_markdown(blocks)
    return FormattedPage(markdown, to_plain_text(markdown), roles)


def _without(boxes: list[LayoutBox], used: list[frozenset[int]]) -> list[LayoutBox]:
    indices = frozenset[int]().union(*used)
    return [box for box in boxes if box.index not in indices]


class _Flow:
    """Running text of a page with its tables, figures and frames. Each of these is one box of the flow."""

    def __init__(self, page: DigitalPage, context: DocumentContext) -> None:
        self._page = page
        self._context = context
        self.body_height = body_text_height(page.boxes)
        self._insets: dict[int, Inset] = {}
        places = ((box.index, page.place(box)) for box in page.boxes)
        self._places = {index: place for index, place in places if place is not None}
        self._texts = {box.index: page.text(box) for box in page.boxes}

    def columns(
        self, free: Sequence[LayoutBox], insets: Sequence[DigitalTable | DigitalFigure]
    ) -> list[list[DigitalBlock]]:
        """Return the blocks of the page in reading order, by column."""
        flow = list(free)
        for index, inset in enumerate(insets, len(self._page.boxes)):
            self._insets[index] = inset
            self._set_place(index, inset.boxes)
            flow.append(LayoutBox(index, *inset.rect, text_height=self.body_height))
        next_index = len(self._page.boxes) + len(insets)
        flow, frames = group_frames(self._page, flow, self.body_height, next_index)
        for index, frame in frames.items():
            self._insets[index] = frame
            self._set_place(index, [box.index for box in frame.boxes])
        return self._ordered(flow)

    def _set_place(self, index: int, inside: Iterable[int]) -> None:
        if places := [self._places[each] for each in inside if each in self._places]:
            self._places[index] = min(places)

    def _ordered(self, boxes: Sequence[LayoutBox]) -> list[list[DigitalBlock]]:
        hints = OrderHints(
            self.body_height, self._places, self._texts, is_from_right=self._page.is_right_to_left
        )
        return [self._group(group) for group in reading_groups(boxes, hints)]

    def _group(self, group: Sequence[LayoutBox]) -> list[DigitalBlock]:
        """Return the blocks of a column.

        An inset with text above and below divides the text. One with text beside it does not: it comes before
        the first block that begins below its top.
        """
        blocks: list[DigitalBlock] = []
        beside: list[LayoutBox] = []
        text: list[LayoutBox] = []
        for box in sorted(group, key=lambda box: box.center_y):
            if box.index not in self._insets:
                text.append(box)
            elif any(box.top < other.center_y < box.bottom for other in group if other is not box):
                beside.append(box)
            else:
                blocks += [*self._text(text), *self._inset(box)]
                text = []
        blocks += self._text(text)
        for box in beside:
            below = (
                number
                for number, block in enumerate(blocks)
                if block.rect[1] > box.top - self.body_height / 2
            )
            number = next(below, len(blocks))
            blocks[number:number] = self._inset(box)
        return blocks

    def _text(self, boxes: Sequence[LayoutBox]) -> list[DigitalBlock]:
        return column_blocks(self._page, boxes, self._context.profile)

    def _inset(self, box: LayoutBox) -> list[DigitalBlock]:
        match self._insets[box.index]:
            case DigitalTable(rect, _, markdown):
                return [DigitalBlock("table", rect, markdown=markdown)]
            case Frame(_, boxes):
                return [block for column in self._ordered(boxes) for block in column]
            case DigitalFigure() as figure:
                return [DigitalBlock("figure", figure.rect), *self._labels(figure)]

    def _labels(self, figure: DigitalFigure) -> list[DigitalBlock]:
        """Return the text in a figure, a line for each label."""
        inside = [box for box in self._page.boxes if box.index in figure.boxes]
        lines = [self._page.row_pieces(line) for line in label_lines(self._page, inside)]
        return [DigitalBlock("labels", bounding_rect(inside), lines)] if lines else []
