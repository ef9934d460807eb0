"""Page furniture that repeats on other pages of a document: running heads, feet, margins, watermarks.

A row near an edge is furniture if other pages have its text in the same place. Numbers are masked, so that
“Page 3 of 9” matches “Page 4 of 9”. Left and right pages may differ: a few matches among the neighbours are
enough. The first lines of a text, headings, and the head of a table that continues are not furniture, though
they may repeat: they have larger print, no gap below, or columns that go on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .furniture_page import EdgeRow, FurniturePage, Place, Roles
from .furniture_text import is_page_number, letter_count
from .geometry import LayoutBox
from .layout_model import Region
from .line_numbers import find_line_numbers
from .page_furniture import HEADER_SHARE, MAX_HEIGHT_RATIO, find_page_furniture, side_margin_boxes
from .row_comparison import (
    MAX_DISTANCE_DIFFERENCE,
    MIN_CONSTANT_LETTERS,
    MIN_WORD_LETTERS,
    has_row,
    is_similar,
)
from .rows import Row, gap

MAX_COMPARED_PAGES = 8
"""Pages that a page is compared with, the nearest ones."""
STRONG_MATCHES = 3
"""Pages with a row that are enough without a gap between the row and the text."""
MIN_LARGE_MATCHES = 5
"""Pages, all that are compared, with a row in larger print than the text: slides repeat their titles."""
MIN_MATCH_SHARE = 0.5
"""Share of the compared pages with which two matches are as good."""
WEAK_SHARE = 0.1
"""Share of the page's height in which few matches are enough: further inside are titles, too."""
MAX_SKIPPED_ROWS = 1
"""Rows of a single page, such as a stamp, that may lie further outside than repeated ones."""
BAND_TOLERANCE = 0.008
"""In heights of a page: a row as far from the edge as the running heads of other pages."""
MIN_BAND_PAGES = 2
TABLE_GAP, MAX_TABLE_GAP = 0.8, 1.5
"""In body heights: the head of a table is nearer to its rows, with three cells or more also at the second."""
ALIGNMENT_TOLERANCE = 0.5
"""In body heights: cells of one column begin, end or have their center in the same place."""
MIN_ALIGNED_CELLS, MIN_TABLE_CELLS = 2, 3
"""Cells side by side that are a row of a table: if they are aligned with cells below, or anyway."""
MIN_LETTERHEAD_ROWS = 3
"""Rows at the top of a document's first page that are a letterhead: it stays on that page."""
MAX_TWIN_SHARE, MIN_TWIN_WORDS = 0.3, 3
"""Two pages with more common rows in their middle are copies of one form, and not compared.

Their rows begin with several words: those of a bank statement may all begin with the name of a month.
"""
SAME_PLACE = 0.03
"""In widths or heights of a page: the same place of vertical or oblique text on two pages."""
MIN_REPEATED_WATERMARK_HEIGHT = 2.5
"""In body heights: repeated print that lies behind text."""


def find_document_furniture(pages: Sequence[FurniturePage]) -> dict[int, Roles]:
    """Return the roles of the page furniture of several pages, by the number of the page."""
    return {page.number: find_furniture(page, pages) for page in pages}


def find_furniture(
    page: FurniturePage, others: Iterable[FurniturePage] = (), regions: Sequence[Region] = ()
) -> Roles:
    """Return the roles of a page's furniture, by the index of the box; empty if nothing else is on the page.

    Args:
        others: other pages of the document, as many as are known; the page itself may be among them.
        regions: regions of the layout model, in the page's frame.
    """
    repeated = repeated_furniture(page, others)
    return furniture_beside_text(page, find_page_furniture(page, regions, repeated))


def furniture_beside_text(page: FurniturePage, roles: Roles) -> Roles:
    """Return the roles, or none if no other text is on the page."""
    return (
        roles if any(box.index not in roles and page.texts[box.index].strip() for box in page.boxes) else {}
    )


def repeated_furniture(page: FurniturePage, others: Iterable[FurniturePage]) -> Roles:
    """Return the roles of line numbers, and of what other pages have too."""
    lines: Roles = dict.fromkeys(find_line_numbers(page), "line_number")
    return lines | _repeated_elsewhere(page.without(lines), others)


def _repeated_elsewhere(page: FurniturePage, others: Iterable[FurniturePage]) -> Roles:
    nearest = sorted(
        (other for other in others if other.number != page.number),
        key=lambda other: abs(other.number - page.number),
    )[:MAX_COMPARED_PAGES]
    compared = [other for other in nearest if not _is_twin(page, other)]
    roles: Roles = {}
    for is_top in (True, False):
        for row in _repeated_rows(page, compared, is_top=is_top):
            roles |= row.roles(is_top=is_top)
    return roles | _repeated_margins(page, compared) | _repeated_watermarks(page, compared)


# --- rows at the edges -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Evidence:
    """How many of the compared pages have the row."""

    row: EdgeRow
    matches: int
    compared: int

    @property
    def is_strong(self) -> bool:
        if self.matches >= STRONG_MATCHES:
            return True
        return self.matches >= 2 and self.matches >= MIN_MATCH_SHARE * self.compared

    @property
    def is_numbered(self) -> bool:
        return self.is_strong and any(map(is_page_number, self.row.texts))

    @property
    def is_everywhere(self) -> bool:
        """Return whether all the compared pages have the row; large print is a heading otherwise."""
        return self.matches == self.compared >= MIN_LARGE_MATCHES


def _repeated_rows(page: FurniturePage, others: Sequence[FurniturePage], *, is_top: bool) -> list[EdgeRow]:
    """Return the rows at an edge that are furniture, from the edge inwards."""
    evidence = [
        _Evidence(row, sum(has_row(other, row, page.number, is_top=is_top) for other in others), len(others))
        for row in page.edge_rows(is_top=is_top)
    ]
    found: list[EdgeRow] = []
    skipped = 0
    for place, each in enumerate(evidence):
        if _is_furniture(page, evidence, place, skipped, is_top=is_top) or (
            not found and _is_in_band(page, each.row, others, is_top=is_top)
        ):
            found.append(each.row)
        else:
            skipped += 1
            if skipped > MAX_SKIPPED_ROWS:
                break
    if is_top and page.number == 1 and len(found) >= MIN_LETTERHEAD_ROWS:
        return [row for row in found if row.has_page_number]
    return found


def _is_furniture(
    page: FurniturePage, evidence: Sequence[_Evidence], place: int, skipped: int, *, is_top: bool
) -> bool:
    each = evidence[place]
    is_large = each.row.height > MAX_HEIGHT_RATIO * page.body_height
    if not each.matches or (is_large and not (each.is_everywhere or each.is_numbered)):
        return False
    if _is_table_head(page, place, is_top=is_top) and not each.row.has_page_number:
        return False
    is_in_margin = each.row.distance < WEAK_SHARE
    if each.is_strong:
        return is_in_margin or not skipped
    return is_in_margin and not skipped and _is_outside_text(evidence, place)


def _is_outside_text(evidence: Sequence[_Evidence], place: int) -> bool:
    """Return whether the row is in the margin; or a gap follows it, or the repeated rows beside it."""
    row = evidence[place].row
    if place == 0 and row.distance < HEADER_SHARE and row.letters >= MIN_CONSTANT_LETTERS:
        return True
    while not evidence[place].row.is_apart and place + 1 < len(evidence) and evidence[place + 1].matches:
        place += 1
    return evidence[place].row.is_apart


def _is_in_band(page: FurniturePage, row: EdgeRow, others: Sequence[FurniturePage], *, is_top: bool) -> bool:
    """Return whether the row is level with running heads of other pages, such as a section's title."""
    is_large = row.height > MAX_HEIGHT_RATIO * page.body_height
    if not row.is_apart or is_large or row.distance > WEAK_SHARE:
        return False
    pages = 0
    for other in others:
        for candidate in other.edge_rows(is_top=is_top)[:1]:
            is_level = abs(candidate.distance - row.distance) < BAND_TOLERANCE
            smaller, larger = sorted((row.height, candidate.height))
            if is_level and candidate.is_apart and larger <= MAX_HEIGHT_RATIO * smaller:
                rest = [each for each in others if each is not other]
                pages += any(has_row(each, candidate, other.number, is_top=is_top) for each in rest)
    return pages >= MIN_BAND_PAGES and 2 * pages >= len(others)


def _is_table_head(page: FurniturePage, place: int, *, is_top: bool) -> bool:
    """Return whether a row at the top belongs to a table that follows at once, as its head or title."""
    if not is_top:
        return False
    row = page.rows[place]
    below = page.row_beyond(place + 1, is_top=True)
    if below is None or gap(row, below) > MAX_TABLE_GAP * page.body_height:
        return False
    if min(len(row), len(below)) >= MIN_TABLE_CELLS:
        return True
    if gap(row, below) > TABLE_GAP * page.body_height:
        return False
    if len(row) >= MIN_ALIGNED_CELLS and _aligned_cells(row, below, page) >= MIN_ALIGNED_CELLS:
        return True
    return place + 1 < len(page.top_rows) and _is_table_head(page, place + 1, is_top=True)


def _aligned_cells(row: Row, below: Row, page: FurniturePage) -> int:
    tolerance = ALIGNMENT_TOLERANCE * page.body_height
    cells = {cell.index for box in row for cell in below if _is_aligned(box, cell, tolerance)}
    return min(len(cells), sum(any(_is_aligned(box, cell, tolerance) for cell in below) for box in row))


def _is_aligned(box: LayoutBox, cell: LayoutBox, tolerance: float) -> bool:
    distances = (box.left - cell.left, box.right - cell.right, box.center_x - cell.center_x)
    return min(map(abs, distances)) < tolerance


def _is_twin(page: FurniturePage, other: FurniturePage) -> bool:
    """Return whether two pages are copies of one form: many rows between the edges begin alike."""
    here, there = _middle_words(page), _middle_words(other)
    common = [word for word, place in here if any(word == each and _is_near(place, at) for each, at in there)]
    return len(set(common)) >= MIN_TWIN_WORDS and len(common) > MAX_TWIN_SHARE * len(here)


def _middle_words(page: FurniturePage) -> list[tuple[str, Place]]:
    """Return the first words of the rows that are not at an edge, with their places. They may be labels."""
    words = []
    for row in page.rows[len(page.top_rows) : len(page.rows) - len(page.bottom_rows)]:
        word, *_ = page.texts[row[0].index].casefold().split(maxsplit=1) or [""]
        if letter_count(word) >= MIN_WORD_LETTERS:
            words.append((word, page.place(row[0])))
    return words


def _is_near(one: Place, other: Place) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) < MAX_DISTANCE_DIFFERENCE


# --- margins and watermarks --------------------------------------------------------------------------------


def _repeated_margins(page: FurniturePage, others: Sequence[FurniturePage]) -> Roles:
    """Return the vertical texts at the sides that other pages have too."""
    return {
        box.index: "margin"
        for box in side_margin_boxes(page)
        if any(_has_text(other, side_margin_boxes(other), page, box) for other in others)
    }


def _repeated_watermarks(page: FurniturePage, others: Sequence[FurniturePage]) -> Roles:
    """Return the oblique texts, and the large ones behind the text, that other pages have too."""
    return {
        box.index: "watermark"
        for box in _marks(page)
        if any(_has_text(other, _marks(other), page, box) for other in others)
    }


def _marks(page: FurniturePage) -> list[LayoutBox]:
    """Return the boxes that are oblique, or large and in the middle of the text."""
    smallest = MIN_REPEATED_WATERMARK_HEIGHT * page.body_height
    found = []
    for box in page.boxes:
        is_large = box.text_height > smallest and sum(
            box.left < other.center_x < box.right and box.top < other.center_y < box.bottom
            for other in page.boxes
            if other is not box
        )
        if box.index in page.oblique or is_large:
            found.append(box)
    return found


def _has_text(
    other: FurniturePage, candidates: Iterable[LayoutBox], page: FurniturePage, box: LayoutBox
) -> bool:
    """Return whether one of another page's boxes has the text of the box, in the same place."""
    text = page.texts[box.index].casefold()
    for candidate in candidates:
        distances = (a - b for a, b in zip(page.place(box), other.place(candidate), strict=True))
        there = other.texts[candidate.index].casefold()
        if max(map(abs, distances)) < SAME_PLACE and (text == there or is_similar(text, there)):
            return True
    return False
