"""Assembly of a born-digital page: its text layer and its drawing → final Markdown and plain text."""

from collections.abc import Iterable, Sequence

from ..documents.pdf_text_layer import TextLayer
from ..layout.geometry import LayoutBox, bounding_rect
from ..layout.page_furniture import find_page_furniture
from ..layout.rows import body_text_height
from ..output.formatted_page import FormattedPage
from ..output.plain_text import to_plain_text
from .blocks import DigitalBlock, column_blocks
from .captions import with_captions
from .document_context import DocumentContext
from .figures import DigitalFigure, find_figures, label_lines
from .frames import Frame, group_frames
from .markdown import blocks_markdown
from .order import OrderHints, reading_groups
from .page import DigitalPage
from .tables import DigitalTable, find_tables

Inset = DigitalTable | DigitalFigure | Frame
"""A part of the page that divides its running text."""


def assemble_digital_page(layer: TextLayer, number: int, context: DocumentContext) -> FormattedPage:
    """Return the final Markdown and plain text of page `number`."""
    page = DigitalPage(number, layer)
    if not page.boxes:
        return FormattedPage("", "")
    markdown = blocks_markdown(_page_blocks(page, context))
    return FormattedPage(markdown, to_plain_text(markdown))


def _page_blocks(page: DigitalPage, context: DocumentContext) -> list[DigitalBlock]:
    furniture = _furniture(page)
    free = [box for box in page.boxes if box.index not in furniture]
    tables = find_tables(page, free)
    free = _without(free, [table.boxes for table in tables])
    figures = find_figures(page, free, [table.rect for table in tables])
    free = _without(free, [figure.boxes for figure in figures])
    return _Flow(page, context).blocks(free, [*tables, *figures])


def _without(boxes: list[LayoutBox], used: list[frozenset[int]]) -> list[LayoutBox]:
    indices = frozenset[int]().union(*used)
    return [box for box in boxes if box.index not in indices]


class _Flow:
    """Running text of a page with its tables, figures and frames. Each of these is one box of the flow."""

    def __init__(self, page: DigitalPage, context: DocumentContext) -> None:
        self._page = page
        self._context = context
        self._body_height = body_text_height(page.boxes)
        self._insets: dict[int, Inset] = {}
        self._places = {box.index: page.layer.runs[box.index].place for box in page.boxes}
        self._texts = {box.index: page.text(box) for box in page.boxes}

    def blocks(
        self, free: Sequence[LayoutBox], insets: Sequence[DigitalTable | DigitalFigure]
    ) -> list[DigitalBlock]:
        """Return the blocks of the page in reading order."""
        flow = list(free)
        for index, inset in enumerate(insets, len(self._page.boxes)):
            self._insets[index] = inset
            self._set_place(index, inset.boxes)
            flow.append(LayoutBox(index, *inset.rect, text_height=self._body_height))
        next_index = len(self._page.boxes) + len(insets)
        flow, frames = group_frames(self._page, flow, self._body_height, next_index)
        for index, frame in frames.items():
            self._insets[index] = frame
            self._set_place(index, [box.index for box in frame.boxes])
        return with_captions(self._ordered(flow), self._body_height)

    def _set_place(self, index: int, inside: Iterable[int]) -> None:
        if places := [self._places[each] for each in inside if each in self._places]:
            self._places[index] = min(places)

    def _ordered(self, boxes: Sequence[LayoutBox]) -> list[DigitalBlock]:
        hints = OrderHints(
            self._body_height, self._places, self._texts, is_from_right=self._page.is_right_to_left
        )
        return [block for group in reading_groups(boxes, hints) for block in self._group(group)]

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
                if block.rect[1] > box.top - self._body_height / 2
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
                return self._ordered(boxes)
            case DigitalFigure() as figure:
                return [DigitalBlock("figure", figure.rect), *self._labels(figure)]

    def _labels(self, figure: DigitalFigure) -> list[DigitalBlock]:
        """Return the text in a figure, a line for each label."""
        inside = [box for box in self._page.boxes if box.index in figure.boxes]
        lines = [self._page.row_pieces(line) for line in label_lines(self._page, inside)]
        return [DigitalBlock("labels", bounding_rect(inside), lines)] if lines else []


def _furniture(page: DigitalPage) -> frozenset[int]:
    texts = [run.text for run in page.layer.runs]
    body_height = body_text_height(page.boxes)
    return find_page_furniture(page.boxes, texts, [], (0.0, float(page.layer.height)), body_height, 1.0)
