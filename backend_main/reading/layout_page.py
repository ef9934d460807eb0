"""A recognized page in its frame: its boxes and texts, and the tables, figures and side blocks among them."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from .layout.aligned_tables import aligned_table_regions
from .layout.blocks import FontMetrics
from .layout.columns import prose_boxes, split_columns
from .layout.furniture_page import FurniturePage, Roles, oblique_heights
from .layout.geometry import MIN_TEXT_HEIGHT, LayoutBox, PageFrame, Rect
from .layout.layout_model import Region
from .layout.rows import body_text_height
from .layout.rule_stacks import stacked_rule_regions
from .layout.ruled_tables import RulingLine, TableGrid
from .layout.sequences import weighted_median
from .layout.side_blocks import blocks_side_by_side
from .layout.tables import Table, from_grid, from_region
from .layout.text_joining import estimated_width
from .types import Line

MIN_TABLE_SCORE = 0.5
MIN_FIGURE_SCORE = 0.6
MAX_TABLE_OVERLAP = 0.5
"""Scores of the layout model."""
MAX_FIGURE_SHARE = 0.3
"""A figure with more of the page's boxes than this share is a picture behind the text."""


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
    `emphasized` are the indices of the boxes in bold or colored print. `tables` are those that lines or the
    layout model show, `aligned_tables` those that only the places of their boxes show. `side_blocks` are
    groups of blocks side by side. `overprinted` are the indices of the boxes across other lines.
    """

    frame: PageFrame
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
    aligned_tables: list[Table] = field(default_factory=list)
    side_blocks: list[list[list[LayoutBox]]] = field(default_factory=list)
    emphasized: frozenset[int] = frozenset()
    overprinted: frozenset[int] = frozenset()

    def boxes_in_tables(self) -> frozenset[int]:
        """Return the indices of the boxes that are part of a table."""
        return frozenset[int]().union(*(table.boxes for table in (*self.tables, *self.aligned_tables)))

    def boxes_in_figures(self) -> frozenset[int]:
        """Return the indices of the boxes that are words of a figure."""
        return frozenset[int]().union(*(figure.boxes for figure in self.figures))

    def furniture_page(self, number: int = 1, without: Container[int] = ()) -> FurniturePage:
        """Return the page as the detection of furniture compares it, without some boxes."""
        boxes = [box for box in self.boxes if box.index not in without]
        return FurniturePage(number, self.edges, boxes, self.texts, self.oblique)


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
        frame,
        boxes,
        texts,
        body,
        edges,
        [place for place, _, _ in with_box],
        oblique_heights(frame, quads),
        regions=list(regions),
    )


def detect_tables_and_figures(
    page: LayoutPage, grids: Sequence[TableGrid], rules: Sequence[RulingLine] = ()
) -> None:
    """Add tables, side blocks and figures to the page; a box belongs to at most one of them.

    Tables with drawn lines come first, those with the most cells before others. Side blocks follow.
    """
    beside = page.furniture.keys() | page.overprinted
    free = [box for box in page.boxes if box.index not in beside]
    for grid in sorted(grids, key=lambda grid: -len(grid.cells)):
        free = _add_table(page, from_grid(grid, free, page.texts), free)
    free = _add_side_blocks(page, free)
    for region in stacked_rule_regions(rules, page.body.height):
        free = _add_table(page, from_region(region, free, page.texts, page.body.height, ()), free)
    for region in page.regions:
        if region.kind == "table" and region.score >= MIN_TABLE_SCORE and not _overlaps_table(region, page):
            free = _add_table(page, from_region(region, free, page.texts, page.body.height, rules), free)
    _add_aligned_tables(page, free)
    _add_figures(page)


def _add_side_blocks(page: LayoutPage, free: Sequence[LayoutBox]) -> list[LayoutBox]:
    """Add blocks side by side to the page, and return the boxes that are still free."""
    in_figures = {box for _, inside in _figures(page) for box in inside}
    outside = [box for box in free if box not in in_figures]
    for column in split_columns(outside, page.body.height):
        page.side_blocks += blocks_side_by_side(column, page.texts, page.body)
    used = {box.index for group in page.side_blocks for side in group for box in side}
    return [box for box in free if box.index not in used]


def _add_aligned_tables(page: LayoutPage, free: Sequence[LayoutBox]) -> None:
    """Add tables without lines and regions."""
    body_height = page.body.height
    for column in split_columns(free, body_height):
        left = column
        for region in list(aligned_table_regions(column, page.texts, body_height)):
            if table := from_region(region, left, page.texts, body_height, ()):
                page.aligned_tables.append(table)
                left = [box for box in left if box.index not in table.boxes]


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
    for region, inside in _figures(page):
        indices = frozenset(box.index for box in inside)
        if indices & used or prose.intersection(inside):
            continue
        used |= indices
        page.figures.append(Figure(indices, (region.left, region.top, region.right, region.bottom)))


def _figures(page: LayoutPage) -> Iterator[tuple[Region, list[LayoutBox]]]:
    """Yield the regions of figures with a high score, and the boxes in them; a background is left out."""
    for region in page.regions:
        if region.kind == "figure" and region.score >= MIN_FIGURE_SCORE:
            inside = [box for box in page.boxes if region.contains(box)]
            if len(inside) <= MAX_FIGURE_SHARE * len(page.boxes):
                yield region, inside
