"""Assembly of a finished page: from its lines and its image to the final Markdown and plain text.

Live text is ordered by boxes alone. The final text also uses the words, the lines drawn on the page, and the
regions that the layout model detects (docs/decisions/0040-two-stage-layout.md).
"""

import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace

from ..control_characters import remove_controls
from .documents.document import PageImage
from .documents.pixels import Pixels
from .engines import Engine
from .layout.blocks import Block, ColumnBlocks, LayoutHints
from .layout.check_boxes import find_check_boxes, with_check_boxes
from .layout.columns import prose_boxes, split_columns
from .layout.document_furniture import furniture_beside_text, repeated_furniture
from .layout.furniture_history import FurnitureHistory
from .layout.furniture_page import Roles
from .layout.geometry import LayoutBox, PageFrame, bounding_rect, overlaps
from .layout.layout_model import detect_regions
from .layout.overprint import overprinted_boxes
from .layout.page_furniture import MIN_PROSE_SHARE, find_page_furniture
from .layout.print_styles import emphasized_boxes
from .layout.rows import Row, group_rows
from .layout.ruled_tables import detect_table_grids
from .layout.text_joining import FIGURE_CAPTION
from .layout_page import Figure, LayoutPage, build_layout_page, detect_tables_and_figures
from .output.formatted_page import BlockMarkdown, FormattedPage, join_blocks
from .output.markdown import block_markdown
from .output.plain_text import to_plain_text
from .types import FurnitureOption, Line, Options, PageWarning
from .warning_codes import WarningCode

MIN_TITLE_SCORE = 0.5
"""Score of the layout model."""
MIN_FIGURE_OVERLAP = 0.3
"""Share of the narrower width that a figure and a block above or below it have in common."""
MAX_BLOCKS_TO_CAPTION = 6
"""A figure's own words may stand in blocks between it and its caption."""
_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class Inset:
    """A table, or blocks side by side: its box in the order, the indices of the boxes in it, its blocks."""

    box: LayoutBox
    boxes: frozenset[int]
    blocks: list[Block]


@dataclass(frozen=True)
class AssemblySettings:
    """What the assembly of a page depends on, beside the page.

    `threads` are those of the layout model, 0 for all cores. `history` has the pages of the document so far.
    """

    threads: int = 0
    furniture: FurnitureOption = "drop"
    history: FurnitureHistory = field(default_factory=FurnitureHistory)

    @classmethod
    def of(cls, options: Options, history: FurnitureHistory | None = None) -> "AssemblySettings":
        return cls(options.threads, options.furniture, history or FurnitureHistory())


# --- entry points ------------------------------------------------------------------------------------------


def finalize_page(
    engine: Engine, page: PageImage, lines: Sequence[Line], settings: AssemblySettings
) -> tuple[FormattedPage, list[PageWarning]]:
    """Return the final text of a page, and its warnings.

    Args:
        lines: those with text, in the order in which the engine gave them.
    """
    if engine.uses_layout_analysis:
        return assemble_or_fall_back(page.number, lambda: page.pixels, lines, settings)
    if engine.has_final_markdown:
        markdown = remove_controls(engine.final_markdown(page, lines))
        return FormattedPage(markdown, to_plain_text(markdown)), []
    return from_streamed_lines(lines), []


def assemble_or_fall_back(
    number: int, pixels: Callable[[], Pixels], lines: Sequence[Line], settings: AssemblySettings
) -> tuple[FormattedPage, list[PageWarning]]:
    """Assemble a page; if its image or layout raises any error, return the streamed text and a warning."""
    try:
        return assemble_page(pixels(), lines, settings), []
    except Exception:
        _log.exception("The layout analysis of page %d failed; its streamed text is used.", number)
        return from_streamed_lines(lines), [layout_failed(number)]


def layout_failed(number: int) -> PageWarning:
    """Return the warning for a page whose lines are as they were streamed."""
    return PageWarning(
        WarningCode.LAYOUT_FAILED,
        f"The layout analysis of page {number} failed. Its lines are in plain order, without tables and "
        "headings.",
    )


def layout_too_dense(number: int) -> PageWarning:
    """Return the warning for a page with more lines than have a layout."""
    return PageWarning(
        WarningCode.LAYOUT_FAILED,
        f"Page {number} has thousands of separate texts. They are in plain order, without tables and "
        "headings.",
    )


def from_streamed_lines(lines: Sequence[Line]) -> FormattedPage:
    """Return the page as it was streamed."""
    markdown = "".join(line.markdown for line in lines)
    return FormattedPage(markdown, to_plain_text(markdown))


def assemble_page(
    pixels: Pixels, lines: Sequence[Line], settings: AssemblySettings | None = None
) -> FormattedPage:
    """Assemble a page from its lines; lines without a box are left out.

    Args:
        pixels: the page that the boxes are on, (height, width, 3) uint8 BGR.
    """
    boxes = [line.box for line in lines if line.box is not None]
    if not boxes:
        return FormattedPage("", "", blocks=[])
    settings = settings or AssemblySettings()
    frame = PageFrame.from_boxes(boxes)
    edges = frame.bounds(pixels.shape[1], pixels.shape[0])
    page = build_layout_page(frame, lines, edges, detect_regions(pixels, frame, settings.threads))
    page.emphasized = emphasized_boxes(pixels, boxes, page.boxes)
    page.overprinted = overprinted_boxes(pixels, boxes)
    check_boxes = find_check_boxes(pixels, frame, page.body.height)
    page.texts = with_check_boxes(page.texts, page.boxes, check_boxes, page.body.height)
    whole_page = page.furniture_page(lines[0].page)
    page.furniture = repeated_furniture(whole_page, settings.history.add(whole_page))
    detect_tables_and_figures(page, *detect_table_grids(pixels, frame, page.body.height))
    return render_page(page, settings.furniture)


def render_page(page: LayoutPage, furniture: FurnitureOption = "drop") -> FormattedPage:
    """Return the final text of a page, and the roles of its furniture; `keep` leaves that in the text."""
    page.furniture = _furniture(page)
    dropped = frozenset(page.furniture) if furniture == "drop" else frozenset[int]()
    blocks = [_block_markdown(page, block) for block in _with_captions(_blocks(page, dropped))]
    markdown, placed = join_blocks(blocks)
    roles = {page.line_places[index]: role for index, role in page.furniture.items()}
    return FormattedPage(markdown, to_plain_text(markdown), roles, placed)


def _block_markdown(page: LayoutPage, block: Block) -> BlockMarkdown:
    by_rows = group_rows([page.boxes[index] for index in block.boxes])
    order = block.order or [box.index for row in by_rows for box in row]
    lines = tuple(page.line_places[index] for index in order)
    box = page.frame.page_box(block.rect) if block.kind == "figure" else None
    return BlockMarkdown(block.kind, block_markdown(block), lines, box, is_item=block.kind == "list_item")


# --- blocks ------------------------------------------------------------------------------------------------


def _furniture(page: LayoutPage) -> Roles:
    """Return the furniture of the finished page: also what its text beside tables and figures shows."""
    insets = page.boxes_in_tables() | page.boxes_in_figures() | page.overprinted
    beside_insets = page.furniture_page(without=insets)
    roles = find_page_furniture(beside_insets, page.regions, page.furniture)
    return furniture_beside_text(page.furniture_page(), roles)


def _blocks(page: LayoutPage, dropped: frozenset[int]) -> list[Block]:
    """Return blocks in reading order, without the dropped boxes.

    A table is a single box in the order, and a figure follows the text above it.
    """
    without = page.boxes_in_figures() | page.overprinted | dropped
    hints = _hints(page, [box for box in page.boxes if box.index not in without | page.boxes_in_tables()])
    insets = _insets(page, without, hints)
    tables, others = insets[: len(page.tables)], insets[len(page.tables) :]
    flow = _with_insets([box for box in page.boxes if box.index not in without], tables)
    pending = {inset.box: inset.blocks for inset in insets}
    blocks: list[Block] = []
    for column in split_columns(flow, page.body.height):
        rows = group_rows(_with_insets(column, others))
        blocks += _column_blocks(page, rows, pending, hints)
    for figure in sorted(page.figures, key=lambda figure: figure.rect[1]):
        index = _insert_index(figure, blocks)
        inside = [box for box in page.boxes if box.index in figure.boxes]
        own_text = _text_blocks(page, group_rows(inside), replace(hints, emphasized=frozenset()))
        blocks[index:index] = [Block("figure", frozenset(), figure.rect), *own_text]
    _insert_overprint(page, page.overprinted - page.boxes_in_figures() - dropped, blocks)
    return blocks


def _insert_overprint(page: LayoutPage, indices: frozenset[int], blocks: list[Block]) -> None:
    """Insert the boxes across other lines, each as a paragraph after the last block that it crosses."""
    for box in sorted((page.boxes[index] for index in indices), key=lambda box: box.top):
        rect = bounding_rect([box])
        crossed = [number for number, block in enumerate(blocks) if overlaps(block.rect, rect)]
        paragraph = Block("paragraph", frozenset({box.index}), rect, lines=[page.texts[box.index]])
        blocks.insert(crossed[-1] + 1 if crossed else len(blocks), paragraph)


def _insets(page: LayoutPage, without: Container[int], hints: LayoutHints) -> list[Inset]:
    """Return the tables of a page, those that lines or the model show first, and its blocks side by side."""
    found = [
        (
            table.boxes,
            table.rect,
            [
                Block(
                    "table", table.boxes, table.rect, cells=table.cells, spans=table.spans, order=table.order
                )
            ],
        )
        for table in (*page.tables, *page.aligned_tables)
    ]
    for group in page.side_blocks:
        sides = [[box for box in side if box.index not in without] for side in group]
        if boxes := [box for side in sides for box in side]:
            blocks = [block for side in sides for block in _text_blocks(page, group_rows(side), hints)]
            found.append((frozenset(box.index for box in boxes), bounding_rect(boxes), blocks))
    first = len(page.boxes)
    return [
        Inset(LayoutBox(index, *rect, page.body.height), boxes, blocks)
        for index, (boxes, rect, blocks) in enumerate(found, first)
    ]


def _with_insets(boxes: Sequence[LayoutBox], insets: Sequence[Inset]) -> list[LayoutBox]:
    """Replace the boxes of insets by one box for each inset."""
    inside = {index: inset for inset in insets for index in inset.boxes}
    replaced = {inside[box.index].box: None for box in boxes if box.index in inside}
    return [*(box for box in boxes if box.index not in inside), *replaced]


def _column_blocks(
    page: LayoutPage, rows: Sequence[Row], insets: dict[LayoutBox, list[Block]], hints: LayoutHints
) -> list[Block]:
    blocks: list[Block] = []
    text_rows: list[Row] = []
    for row in rows:
        if text_row := [box for box in row if box not in insets]:
            text_rows.append(text_row)
        for box in row:
            if box in insets:
                blocks += _text_blocks(page, text_rows, hints)
                text_rows = []
                blocks += insets.pop(box)  # an inset over two columns belongs to the first
    return blocks + _text_blocks(page, text_rows, hints)


def _text_blocks(page: LayoutPage, rows: Sequence[Row], hints: LayoutHints) -> list[Block]:
    return ColumnBlocks(rows, page.texts, page.body, hints).blocks() if rows else []


def _insert_index(figure: Figure, blocks: Sequence[Block]) -> int:
    """Return the index after the lowest block above the figure, or else that of the first block below it."""
    figure_left, figure_top, figure_right, figure_bottom = figure.rect
    above: list[tuple[float, int]] = []
    below: list[tuple[float, int]] = []
    for number, block in enumerate(blocks):
        left, top, right, bottom = block.rect
        overlap = min(right, figure_right) - max(left, figure_left)
        if overlap > MIN_FIGURE_OVERLAP * min(right - left, figure_right - figure_left):
            is_above = (top + bottom) / 2 < (figure_top + figure_bottom) / 2
            (above if is_above else below).append((bottom, number))
    if above:
        return max(above)[1] + 1
    return min(below)[1] if below else len(blocks)


def _hints(page: LayoutPage, flow: Sequence[LayoutBox]) -> LayoutHints:
    titles = [region for region in page.regions if region.kind == "title" and region.score >= MIN_TITLE_SCORE]
    titled = frozenset(box.index for box in flow if any(region.contains(box) for region in titles))
    furniture = frozenset(page.furniture)
    # Bold labels of a form are not headings.
    is_prose = len(prose_boxes(flow)) >= MIN_PROSE_SHARE * len(flow)
    emphasized = page.emphasized if is_prose else frozenset[int]()
    return LayoutHints(titled - furniture, furniture, emphasized - furniture)


def _with_captions(blocks: Sequence[Block]) -> list[Block]:
    """Move a paragraph that begins like a caption, and is next to a figure, into the figure."""
    merged = list(blocks)
    for block in blocks:
        if block.kind != "figure":
            continue
        index = merged.index(block)
        for candidate in (*range(index + 1, index + 1 + MAX_BLOCKS_TO_CAPTION), index - 1):
            if not 0 <= candidate < len(merged):
                continue
            caption = merged[candidate]
            if caption.kind == "paragraph" and FIGURE_CAPTION.match(caption.lines[0]):
                del merged[candidate]
                block.lines, block.boxes = caption.lines, caption.boxes
                break
    return merged
