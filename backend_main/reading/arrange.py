"""Step 10 - a page's lines, once all are recognised → its final Markdown and its reading text.

What streams is ordered by boxes alone, which are known before anything is recognised. Here the words are
known too, the lines drawn on the page are looked for, and the layout model is asked what it sees.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .blocks import Block, Column, Hints, Print
from .columns import in_columns, prose_of
from .frame import Frame, Item
from .furniture import furniture
from .grids import Grid, Rule, find_grids
from .letters import text_width
from .markdown import page_markdown
from .pixels import Pixels
from .plain import reading_text
from .regions import Region, find_regions
from .rows import Row, rows_of, weighted_median
from .tables import Table, from_grid, from_region
from .types import Line

MIN_TITLE_SCORE = 0.5
MIN_TABLE_SCORE = 0.5
MIN_FIGURE_SCORE = 0.6
# A figure that holds more of the page's boxes than this share is a picture behind the text.
MAX_FIGURE_SHARE = 0.3
# A figure's own words may stand between it and its caption, in so many blocks.
CAPTION_REACH = 6
_CAPTION = re.compile(
    r"(?:fig(?:ure|\.)?|abb(?:ildung|\.)?|photo|chart|diagram|bild|图|圖|図)\s*[\d.:A-Z-]+", re.IGNORECASE
)


@dataclass(frozen=True)
class Arranged:
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
class Page:
    """A page in its frame: its boxes and texts, and what is seen on it around them."""

    items: list[Item]
    texts: list[str]
    body: Print
    edges: tuple[float, float]
    regions: list[Region] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


def arrange(pixels: Pixels, lines: Sequence[Line], threads: int) -> Arranged:
    """The lines of one page, with the picture that their boxes are on."""
    boxes = [line.box for line in lines if line.box is not None]
    if not boxes:
        return Arranged("", "")
    frame = Frame.of(boxes)
    _, top, _, bottom = frame.bounds(pixels.shape[1], pixels.shape[0])
    page = page_in(frame, lines, (top, bottom), find_regions(pixels, frame, threads))
    return compose(with_tables(page, *find_grids(pixels, frame, page.body.size)))


def page_in(
    frame: Frame, lines: Sequence[Line], edges: tuple[float, float], regions: Sequence[Region] = ()
) -> Page:
    """A page without its tables and figures. `edges` are its top and bottom in the frame."""
    texts = [line.text for line in lines if line.box is not None]
    items = frame.items([line.box for line in lines if line.box is not None])
    return Page(items, texts, _print(items, texts), edges, list(regions))


def compose(page: Page) -> Arranged:
    blocks = _with_captions(_blocks(page))
    read = [block for block in blocks if not block.is_furniture]
    return Arranged(page_markdown(blocks), reading_text(page_markdown(read)))


def _print(items: Sequence[Item], texts: Sequence[str]) -> Print:
    """Medians over boxes, each counted by its letters."""
    widths = [text_width(texts[item.index]) for item in items]
    advances = [(item.width / max(1.0, width), width) for item, width in zip(items, widths, strict=True)]
    size = weighted_median((item.size, item.width) for item in items)
    return Print(max(size, 1e-6), max(weighted_median(advances), 1e-6))


# --- tables and figures ------------------------------------------------------------------------------------


def with_tables(page: Page, grids: Sequence[Grid], rules: Sequence[Rule] = ()) -> Page:
    """And figures. Tables with lines come first, the most cells first; a box goes to one of all at most."""
    free = list(page.items)
    for grid in sorted(grids, key=lambda grid: -len(grid.cells)):
        free = _take(page, from_grid(grid, free, page.texts), free)
    for region in page.regions:
        if region.kind == "table" and region.score >= MIN_TABLE_SCORE:
            free = _take(page, from_region(region, free, page.texts, page.body.size, rules), free)
    _find_figures(page)
    return page


def _take(page: Page, table: Table | None, free: list[Item]) -> list[Item]:
    if table is None:
        return free
    page.tables.append(table)
    return [item for item in free if item.index not in table.indices]


def _find_figures(page: Page) -> None:
    used = frozenset[int]().union(*(table.indices for table in page.tables))
    prose = prose_of(page.items)
    for region in page.regions:
        if region.kind != "figure" or region.score < MIN_FIGURE_SCORE:
            continue
        inside = [item for item in page.items if region.holds(item)]
        indices = frozenset(item.index for item in inside)
        if len(inside) > MAX_FIGURE_SHARE * len(page.items) or indices & used or prose.intersection(inside):
            continue
        used |= indices
        page.figures.append(Figure(indices, region.left, region.top, region.right, region.bottom))


# --- blocks ------------------------------------------------------------------------------------------------


def _blocks(page: Page) -> list[Block]:
    """In reading order. A table stands in it as a single box; figures are put below what is above them."""
    stand_ins = {len(page.items) + number: table for number, table in enumerate(page.tables)}
    used = frozenset[int]().union(*(table.indices for table in page.tables))
    used = used.union(*(figure.indices for figure in page.figures))
    flow = [item for item in page.items if item.index not in used]
    hints = _hints(page, flow)
    for index, table in stand_ins.items():
        flow.append(Item(index, table.left, table.top, table.right, table.bottom, page.body.size))
    blocks: list[Block] = []
    for group in in_columns(flow, page.body.size):
        blocks += _group_blocks(page, rows_of(group), stand_ins, hints)
    for figure in sorted(page.figures, key=lambda figure: figure.top):
        place = _place_of(figure, blocks)
        blocks[place:place] = _figure_blocks(page, figure, hints)
    return blocks


def _group_blocks(page: Page, rows: Sequence[Row], stand_ins: dict[int, Table], hints: Hints) -> list[Block]:
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


def _text_blocks(page: Page, rows: Sequence[Row], hints: Hints) -> list[Block]:
    return Column(rows, page.texts, page.body, hints).blocks() if rows else []


def _figure_blocks(page: Page, figure: Figure, hints: Hints) -> list[Block]:
    inside = [item for item in page.items if item.index in figure.indices]
    reach = (figure.left, figure.top, figure.right, figure.bottom)
    return [Block("figure", frozenset(), reach), *_text_blocks(page, rows_of(inside), hints)]


def _place_of(figure: Figure, blocks: Sequence[Block]) -> int:
    """Behind the lowest block that is above the figure and reaches over it, else before the first below."""
    middle = (figure.top + figure.bottom) / 2
    over, under = list[tuple[float, int]](), list[tuple[float, int]]()
    for number, block in enumerate(blocks):
        left, top, right, bottom = block.reach
        if min(right, figure.right) - max(left, figure.left) > 0.3 * min(
            right - left, figure.right - figure.left
        ):
            (over if (top + bottom) / 2 < middle else under).append((bottom, number))
    if over:
        return max(over)[1] + 1
    return min(under)[1] if under else len(blocks)


def _hints(page: Page, flow: Sequence[Item]) -> Hints:
    titles = [region for region in page.regions if region.kind == "title" and region.score >= MIN_TITLE_SCORE]
    titled = frozenset(item.index for item in flow if any(region.holds(item) for region in titles))
    share = len(prose_of(flow)) / max(1, len(flow))
    edges = furniture(flow, page.texts, page.regions, page.edges, page.body.size, share)
    return Hints(titled - edges, edges)


def _with_captions(blocks: Sequence[Block]) -> list[Block]:
    """A paragraph that says it is a figure's caption, and stands next to one, becomes that."""
    made = list(blocks)
    for block in blocks:
        if block.kind != "figure":
            continue
        place = made.index(block)
        for near in (*range(place + 1, place + 1 + CAPTION_REACH), place - 1):
            if 0 <= near < len(made) and _is_caption(made[near]):
                caption = made.pop(near)
                block.lines, block.indices = caption.lines, caption.indices
                break
    return made


def _is_caption(block: Block) -> bool:
    return block.kind == "paragraph" and bool(_CAPTION.match(block.lines[0]))
