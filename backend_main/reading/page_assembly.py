"""Assembly of a finished page: from its lines and its image to the final Markdown and plain text.

Live text is ordered by boxes alone. The final text also uses the words, the lines drawn on the page, and the
regions that the layout model detects (docs/decisions/0040-two-stage-layout.md).
"""

import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace

from .documents.document import PageImage
from .documents.pixels import Pixels
from .engines import Engine
from .layout.aligned_tables import aligned_table_regions
from .layout.blocks import (
    Block,
    ColumnBlocks,
    FontMetrics,
    LayoutHints,
)
from .layout.columns import prose_boxes, split_columns
from .layout.document_furniture import furniture_beside_text, repeated_furniture
from .layout.furniture_history import FurnitureHistory
from .layout.furniture_page import FurniturePage, Roles, oblique_heights
from .layout.geometry import MIN_TEXT_HEIGHT, LayoutBox, PageFrame, Rect, overlaps
from .layout.layout_model import Region, detect_regions
from .layout.overprint import overprinted_boxes
from .layout.page_furniture import MIN_PROSE_SHARE, find_page_furniture
from .layout.print_styles import emphasized_boxes
from .layout.rows import Row, body_text_height, group_rows
from .layout.rule_stacks import stacked_rule_regions
from .layout.ruled_tables import RulingLine, TableGrid, detect_table_grids
from .layout.sequences import weighted_median
from .layout.tables import Table, from_grid, from_region
from .layout.text_joining import FIGURE_CAPTION, estimated_width
from .output.formatted_page import FormattedPage
from .output.markdown import page_markdown
from .output.plain_text import to_plain_text
from .types import FurnitureOption, Line, Options, PageWarning
from .warning_codes import WarningCode

MIN_TITLE_SCORE = 0.5
MIN_TABLE_SCORE = 0.5
MIN_FIGURE_SCORE = 0.6
MAX_TABLE_OVERLAP = 0.5
"""Scores of the layout model."""
MAX_FIGURE_SHARE = 0.3
"""A figure with more of the page's boxes than this share is a picture behind the text."""
MIN_FIGURE_OVERLAP = 0.3
"""Share of the narrower width that a figure and a block above or below it have in common."""
MAX_BLOCKS_TO_CAPTION = 6
"""A figure's own words may stand in blocks between it and its caption."""
_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class Figure:
    """A figure's rectangle, and the indices of the boxes of its own words."""

    boxes: frozenset[int]
    rect: Rect


@dataclass
class LayoutPage:
    """The boxes and texts of a page in its frame, and what is detected around them.

    `texts` are by the index of the box, and so are `line_places`, the places of their lines in the page's
    lines. `edges` are left, top, right and bottom of the page. `furniture` has the roles of page furniture.
    `emphasized` are the indices of the boxes in bold or colored print, `overprinted` those across others.
    """

    boxes: list[LayoutBox]
    texts: list[str]
    body: FontMetrics
    edges: Rect
    line_places: list[int]
    oblique: dict[int, float] = field(default_factory=dict)
    furniture: Roles = field(default_factory=dict)
    regions: list[Region] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    emphasized: frozenset[int] = frozenset()
    overprinted: frozenset[int] = frozenset()

    def boxes_in_tables(self) -> frozenset[int]:
        """Return the indices of the boxes that are part of a table."""
        return frozenset[int]().union(*(table.boxes for table in self.tables))

    def furniture_page(self, number: int = 1, without: Container[int] = ()) -> FurniturePage:
        """Return the page as the detection of furniture compares it, without some boxes."""
        boxes = [box for box in self.boxes if box.index not in without]
        return FurniturePage(number, self.edges, boxes, self.texts, self.oblique)


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
        markdown = engine.final_markdown(page, lines)
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
        return FormattedPage("", "")
    settings = settings or AssemblySettings()
    frame = PageFrame.from_boxes(boxes)
    edges = frame.bounds(pixels.shape[1], pixels.shape[0])
    page = build_layout_page(frame, lines, edges, detect_regions(pixels, frame, settings.threads))
    page.emphasized = emphasized_boxes(pixels, boxes, page.boxes)
    page.overprinted = overprinted_boxes(pixels, boxes)
    whole_page = page.furniture_page(lines[0].page)
    page.furniture = repeated_furniture(whole_page, settings.history.add(whole_page))
    detect_tables_and_figures(page, *detect_table_grids(pixels, frame, page.body.height))
    return render_page(page, settings.furniture)


def build_layout_page(
    frame: PageFrame, lines: Sequence[Line], edges: Rect, regions: Sequence[Region] = ()
) -> LayoutPage:
    """Build a page without tables, figures and furniture; `edges` are those of the page in the frame."""
    with_box = [(place, line.text, line.box) for place, line in enumerate(lines) if line.box is not None]
    texts = [text for _, text, _ in with_box]
    quads = [box for _, _, box in with_box]
    boxes = frame.layout_boxes(quads)

    widths = map(estimated_width, texts)
    letter_widths = ((box.width / max(1.0, width), width) for box, width in zip(boxes, widths, strict=True))
    body = FontMetrics(body_text_height(boxes), max(weighted_median(letter_widths), MIN_TEXT_HEIGHT))
    return LayoutPage(
        boxes,
        texts,
        body,
        edges,
        [place for place, _, _ in with_box],
        oblique_heights(frame, quads),
        regions=list(regions),
    )


def render_page(page: LayoutPage, furniture: FurnitureOption = "drop") -> FormattedPage:
    """Return the final text of a page, and the roles of its furniture; `keep` leaves that in the text."""
    page.furniture = _furniture(page)
    dropped = frozenset(page.furniture) if furniture == "drop" else frozenset[int]()
    markdown = page_markdown(_with_captions(_blocks(page, dropped)))
    roles = {page.line_places[index]: role for index, role in page.furniture.items()}
    return FormattedPage(markdown, to_plain_text(markdown), roles)


# --- tables and figures ------------------------------------------------------------------------------------


def detect_tables_and_figures(
    page: LayoutPage, grids: Sequence[TableGrid], rules: Sequence[RulingLine] = ()
) -> None:
    """Add tables and figures to the page; a box belongs to at most one of them.

    Tables with drawn lines take precedence, those with the most cells first.
    """
    beside = page.furniture.keys() | page.overprinted
    free = [box for box in page.boxes if box.index not in beside]
    for grid in sorted(grids, key=lambda grid: -len(grid.cells)):
        free = _add_table(page, from_grid(grid, free, page.texts), free)
    for region in stacked_rule_regions(rules, page.body.height):
        free = _add_table(page, from_region(region, free, page.texts, page.body.height, ()), free)
    for region in page.regions:
        if region.kind == "table" and region.score >= MIN_TABLE_SCORE and not _overlaps_table(region, page):
            free = _add_table(page, from_region(region, free, page.texts, page.body.height, rules), free)
    _add_aligned_tables(page, free)
    _add_figures(page)


def _add_aligned_tables(page: LayoutPage, free: Sequence[LayoutBox]) -> None:
    """Add tables without lines and regions."""
    body_height = page.body.height
    for column in split_columns(free, body_height):
        left = column
        for region in list(aligned_table_regions(column, page.texts, body_height)):
            left = _add_table(page, from_region(region, left, page.texts, body_height, ()), left)


def _overlaps_table(region: Region, page: LayoutPage) -> bool:
    """Return whether most boxes of a region are part of a table."""
    inside = {box.index for box in page.boxes if region.contains(box)}
    return len(inside & page.boxes_in_tables()) > MAX_TABLE_OVERLAP * len(inside)


def _add_table(page: LayoutPage, table: Table | None, free: list[LayoutBox]) -> list[LayoutBox]:
    """Add a table to the page, and return the boxes that are still free."""
    if table is None:
        return free
    page.tables.append(table)
    return [box for box in free if box.index not in table.boxes]


def _add_figures(page: LayoutPage) -> None:
    used = page.boxes_in_tables() | page.furniture.keys()
    prose = prose_boxes(page.boxes)
    for region in page.regions:
        if region.kind != "figure" or region.score < MIN_FIGURE_SCORE:
            continue
        inside = [box for box in page.boxes if region.contains(box)]
        indices = frozenset(box.index for box in inside)
        if len(inside) > MAX_FIGURE_SHARE * len(page.boxes) or indices & used or prose.intersection(inside):
            continue
        used |= indices
        page.figures.append(Figure(indices, (region.left, region.top, region.right, region.bottom)))


# --- blocks ------------------------------------------------------------------------------------------------


def _boxes_in_insets(page: LayoutPage) -> frozenset[int]:
    """Return the indices of the boxes beside the flow of text."""
    return page.boxes_in_tables().union(page.overprinted, *(figure.boxes for figure in page.figures))


def _furniture(page: LayoutPage) -> Roles:
    """Return the furniture of the finished page: also what its text beside tables and figures shows."""
    beside_insets = page.furniture_page(without=_boxes_in_insets(page))
    roles = find_page_furniture(beside_insets, page.regions, page.furniture)
    return furniture_beside_text(page.furniture_page(), roles)


def _blocks(page: LayoutPage, dropped: frozenset[int]) -> list[Block]:
    """Return blocks in reading order, without the dropped boxes.

    A table is a single box in the order, and a figure follows the text above it.
    """
    used = _boxes_in_insets(page) | dropped
    flow = [box for box in page.boxes if box.index not in used]
    hints = _hints(page, flow)
    table_boxes = {len(page.boxes) + number: table for number, table in enumerate(page.tables)}
    flow += [LayoutBox(index, *table.rect, page.body.height) for index, table in table_boxes.items()]
    blocks: list[Block] = []
    for column in split_columns(flow, page.body.height):
        blocks += _column_blocks(page, group_rows(column), table_boxes, hints)
    for figure in sorted(page.figures, key=lambda figure: figure.rect[1]):
        index = _insert_index(figure, blocks)
        inside = [box for box in page.boxes if box.index in figure.boxes]
        own_text = _text_blocks(page, group_rows(inside), replace(hints, emphasized=frozenset()))
        blocks[index:index] = [Block("figure", frozenset(), figure.rect), *own_text]
    _insert_overprint(page, dropped, blocks)
    return blocks


def _insert_overprint(page: LayoutPage, dropped: frozenset[int], blocks: list[Block]) -> None:
    """Insert the words across other lines, each as a paragraph after the last block that it crosses."""
    indices = page.overprinted - dropped - frozenset().union(*(figure.boxes for figure in page.figures))
    for box in sorted((page.boxes[index] for index in indices), key=lambda box: box.top):
        rect = (box.left, box.top, box.right, box.bottom)
        crossed = [number for number, block in enumerate(blocks) if overlaps(block.rect, rect)]
        place = crossed[-1] + 1 if crossed else len(blocks)
        paragraph = Block("paragraph", frozenset({box.index}), rect, lines=[page.texts[box.index]])
        blocks.insert(place, paragraph)


def _column_blocks(
    page: LayoutPage, rows: Sequence[Row], table_boxes: dict[int, Table], hints: LayoutHints
) -> list[Block]:
    blocks: list[Block] = []
    text_rows: list[Row] = []
    for row in rows:
        if text_row := [box for box in row if box.index not in table_boxes]:
            text_rows.append(text_row)
        for box in row:
            if table := table_boxes.get(box.index):
                blocks += _text_blocks(page, text_rows, hints)
                text_rows = []
                blocks.append(Block("table", table.boxes, table.rect, cells=table.cells, spans=table.spans))
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
