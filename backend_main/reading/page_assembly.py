"""Step 10 - a page's lines, once all are recognised → its final Markdown and its reading text.

What streams is ordered by boxes alone, which are known before anything is recognised. Here the words are
known too, the lines drawn on the page are looked for, and the layout model is asked what it sees.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .documents.document import PageImage
from .documents.pixels import Pixels
from .engines import Engine
from .layout.blocks import (
    Block,
    ColumnBlocks,
    FontMetrics,
    LayoutHints,
)
from .layout.columns import prose_items, split_columns
from .layout.geometry import LayoutBox, PageFrame
from .layout.layout_model import Region, detect_regions
from .layout.page_furniture import find_page_furniture
from .layout.rows import Row, group_rows, weighted_median
from .layout.ruled_tables import RulingLine, TableGrid, detect_table_grids
from .layout.tables import Table, from_grid, from_region
from .layout.text_joining import estimated_width
from .output.markdown import page_markdown
from .output.plain_text import to_plain_text
from .types import Line

MIN_TITLE_SCORE = 0.5
MIN_TABLE_SCORE = 0.5
MIN_FIGURE_SCORE = 0.6
# A figure that holds more of the page's boxes than this share is a picture behind the text.
MAX_FIGURE_SHARE = 0.3
# A figure's own words may stand between it and its caption, in so many blocks.
MAX_BLOCKS_TO_CAPTION = 6
_CAPTION = re.compile(
    r"(?:fig(?:ure|\.)?|abb(?:ildung|\.)?|photo|chart|diagram|bild|图|圖|図)\s*[\d.:A-Z-]+", re.IGNORECASE
)


@dataclass(frozen=True)
class FormattedPage:
    """A page's Markdown, with every word that was recognised, and what a reader reads of it."""

    markdown: str
    text: str


@dataclass(frozen=True)
class Figure:
    indices: frozenset[int]
    left: float
    top: float
    right: float
    bottom: float


@dataclass
class LayoutPage:
    """A page in its frame: its boxes and texts, and what is seen on it around them."""

    items: list[LayoutBox]
    texts: list[str]
    body: FontMetrics
    page_edges: tuple[float, float]
    regions: list[Region] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


def assemble_page(pixels: Pixels, lines: Sequence[Line], threads: int) -> FormattedPage:
    """The lines of one page, with the picture that their boxes are on."""
    boxes = [line.box for line in lines if line.box is not None]
    if not boxes:
        return FormattedPage("", "")
    frame = PageFrame.from_boxes(boxes)
    _, top, _, bottom = frame.bounds(pixels.shape[1], pixels.shape[0])
    page = build_layout_page(frame, lines, (top, bottom), detect_regions(pixels, frame, threads))
    return render_page(detect_tables_and_figures(page, *detect_table_grids(pixels, frame, page.body.height)))


def build_layout_page(
    frame: PageFrame, lines: Sequence[Line], edges: tuple[float, float], regions: Sequence[Region] = ()
) -> LayoutPage:
    """A page without its tables and figures. `edges` are its top and bottom in the frame."""
    texts = [line.text for line in lines if line.box is not None]
    items = frame.layout_boxes([line.box for line in lines if line.box is not None])
    return LayoutPage(items, texts, _body_font_metrics(items, texts), edges, list(regions))


def render_page(page: LayoutPage) -> FormattedPage:
    blocks = _with_captions(_blocks(page))
    read = [block for block in blocks if not block.is_furniture]
    return FormattedPage(page_markdown(blocks), to_plain_text(page_markdown(read)))


def _body_font_metrics(items: Sequence[LayoutBox], texts: Sequence[str]) -> FontMetrics:
    """Medians over boxes, each counted by its letters."""
    widths = [estimated_width(texts[item.index]) for item in items]
    advances = [(item.width / max(1.0, width), width) for item, width in zip(items, widths, strict=True)]
    size = weighted_median((item.text_height, item.width) for item in items)
    return FontMetrics(max(size, 1e-6), max(weighted_median(advances), 1e-6))


# --- tables and figures ------------------------------------------------------------------------------------


def detect_tables_and_figures(
    page: LayoutPage, grids: Sequence[TableGrid], rules: Sequence[RulingLine] = ()
) -> LayoutPage:
    """And figures. Tables with lines come first, the most cells first; a box goes to one of all at most."""
    free = list(page.items)
    for grid in sorted(grids, key=lambda grid: -len(grid.cells)):
        free = _add_table(page, from_grid(grid, free, page.texts), free)
    for region in page.regions:
        if region.kind == "table" and region.score >= MIN_TABLE_SCORE:
            free = _add_table(page, from_region(region, free, page.texts, page.body.height, rules), free)
    _find_figures(page)
    return page


def _add_table(page: LayoutPage, table: Table | None, free: list[LayoutBox]) -> list[LayoutBox]:
    if table is None:
        return free
    page.tables.append(table)
    return [item for item in free if item.index not in table.indices]


def _find_figures(page: LayoutPage) -> None:
    used = frozenset[int]().union(*(table.indices for table in page.tables))
    prose = prose_items(page.items)
    for region in page.regions:
        if region.kind != "figure" or region.score < MIN_FIGURE_SCORE:
            continue
        inside = [item for item in page.items if region.contains(item)]
        indices = frozenset(item.index for item in inside)
        if len(inside) > MAX_FIGURE_SHARE * len(page.items) or indices & used or prose.intersection(inside):
            continue
        used |= indices
        page.figures.append(Figure(indices, region.left, region.top, region.right, region.bottom))


# --- blocks ------------------------------------------------------------------------------------------------


def _blocks(page: LayoutPage) -> list[Block]:
    """In reading order. A table stands in it as a single box; figures are put below what is above them."""
    stand_ins = {len(page.items) + number: table for number, table in enumerate(page.tables)}
    used = frozenset[int]().union(*(table.indices for table in page.tables))
    used = used.union(*(figure.indices for figure in page.figures))
    flow = [item for item in page.items if item.index not in used]
    hints = _hints(page, flow)
    for index, table in stand_ins.items():
        flow.append(LayoutBox(index, table.left, table.top, table.right, table.bottom, page.body.height))
    blocks: list[Block] = []
    for group in split_columns(flow, page.body.height):
        blocks += _group_blocks(page, group_rows(group), stand_ins, hints)
    for figure in sorted(page.figures, key=lambda figure: figure.top):
        place = _insert_index(figure, blocks)
        blocks[place:place] = _figure_blocks(page, figure, hints)
    return blocks


def _group_blocks(
    page: LayoutPage, rows: Sequence[Row], stand_ins: dict[int, Table], hints: LayoutHints
) -> list[Block]:
    blocks: list[Block] = []
    text_rows: list[Row] = []
    for row in rows:
        if inner := [item for item in row if item.index not in stand_ins]:
            text_rows.append(inner)
        for item in row:
            if table := stand_ins.get(item.index):
                blocks += _text_blocks(page, text_rows, hints)
                text_rows = []
                reach = (table.left, table.top, table.right, table.bottom)
                blocks.append(Block("table", table.indices, reach, cells=table.cells))
    return blocks + _text_blocks(page, text_rows, hints)


def _text_blocks(page: LayoutPage, rows: Sequence[Row], hints: LayoutHints) -> list[Block]:
    return ColumnBlocks(rows, page.texts, page.body, hints).blocks() if rows else []


def _figure_blocks(page: LayoutPage, figure: Figure, hints: LayoutHints) -> list[Block]:
    inside = [item for item in page.items if item.index in figure.indices]
    reach = (figure.left, figure.top, figure.right, figure.bottom)
    return [Block("figure", frozenset(), reach), *_text_blocks(page, group_rows(inside), hints)]


def _insert_index(figure: Figure, blocks: Sequence[Block]) -> int:
    """Behind the lowest block that is above the figure and reaches over it, else before the first below."""
    middle = (figure.top + figure.bottom) / 2
    over, under = list[tuple[float, int]](), list[tuple[float, int]]()
    for number, block in enumerate(blocks):
        left, top, right, bottom = block.rect
        if min(right, figure.right) - max(left, figure.left) > 0.3 * min(
            right - left, figure.right - figure.left
        ):
            (over if (top + bottom) / 2 < middle else under).append((bottom, number))
    if over:
        return max(over)[1] + 1
    return min(under)[1] if under else len(blocks)


def _hints(page: LayoutPage, flow: Sequence[LayoutBox]) -> LayoutHints:
    titles = [region for region in page.regions if region.kind == "title" and region.score >= MIN_TITLE_SCORE]
    titled = frozenset(item.index for item in flow if any(region.contains(item) for region in titles))
    share = len(prose_items(flow)) / max(1, len(flow))
    edges = find_page_furniture(flow, page.texts, page.regions, page.page_edges, page.body.height, share)
    return LayoutHints(titled - edges, edges)


def _with_captions(blocks: Sequence[Block]) -> list[Block]:
    """A paragraph that says it is a figure's caption, and stands next to one, becomes that."""
    made = list(blocks)
    for block in blocks:
        if block.kind != "figure":
            continue
        place = made.index(block)
        for near in (*range(place + 1, place + 1 + MAX_BLOCKS_TO_CAPTION), place - 1):
            if 0 <= near < len(made) and _is_caption(made[near]):
                caption = made.pop(near)
                block.lines, block.indices = caption.lines, caption.indices
                break
    return made


def _is_caption(block: Block) -> bool:
    return block.kind == "paragraph" and bool(_CAPTION.match(block.lines[0]))


LAYOUT_FAILED_WARNING = (
    "Page {number} could not be laid out; its lines stand in plain order, without tables and headings."
)


_log = logging.getLogger("scanrill.reading")


def finalize_page(
    engine: Engine, page: PageImage, lines: Sequence[Line], threads: int
) -> tuple[FormattedPage, list[str]]:
    """Of lines with text; and what is to be warned of. `threads` are those of the layout model."""
    if engine.uses_layout_analysis:
        return assemble_or_fall_back(page.number, lambda: page.pixels, lines, threads)
    if engine.has_final_markdown:
        markdown = engine.final_markdown(page, lines)
        return FormattedPage(markdown, to_plain_text(markdown)), []
    return from_streamed_lines(lines), []


def assemble_or_fall_back(
    number: int, pixels: Callable[[], Pixels], lines: Sequence[Line], threads: int
) -> tuple[FormattedPage, list[str]]:
    """A page's text is there whatever is wrong with its picture or its layout: then as it was shown."""
    try:
        return assemble_page(pixels(), lines, threads), []
    except Exception:
        _log.exception("page %d could not be laid out", number)
        return from_streamed_lines(lines), [LAYOUT_FAILED_WARNING.format(number=number)]


def from_streamed_lines(lines: Sequence[Line]) -> FormattedPage:
    """The lines one after the other, as they were shown while the page was read."""
    markdown = "".join(line.markdown for line in lines)
    return FormattedPage(markdown, to_plain_text(markdown))
