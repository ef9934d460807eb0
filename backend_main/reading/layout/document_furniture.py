"""Page furniture that repeats on other pages of a document: running heads, feet, margins, watermarks.

A row near an edge is furniture if other pages have its text in the same place. Numbers are masked, so that
“Page 3 of 9” matches “Page 4 of 9”. Left and right pages may differ: a few matches among the neighbours are
enough. The first lines of a text, headings, and the head of a table that continues are not furniture, though
they may repeat: they have larger print, no gap below, or columns that go on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .body_rows import adjoins_text, is_grid_row, is_table_head, is_text_row
from .furniture_page import EdgeRow, FurniturePage, Place, Roles
from .furniture_text import is_page_number
from .geometry import LayoutBox
from .layout_model import Region
from .letterheads import is_letterhead, is_running_head, number_roles
from .line_numbers import find_line_numbers
from .page_furniture import HEADER_SHARE, MAX_HEIGHT_RATIO, find_page_furniture, side_margin_boxes
from .row_comparison import MAX_DISTANCE_DIFFERENCE, MIN_CONSTANT_LETTERS, has_row, is_similar

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
MAX_TWIN_SHARE, MIN_TWIN_WORDS = 0.3, 3
"""Two pages with more common rows in their middle are copies of one form, and not compared.

Their rows begin with several words: those of a bank statement may all begin with the name of a month.
"""
SAME_PLACE = 0.03
"""In widths or heights of a page: the same place of vertical or oblique text on two pages."""
MIN_REPEATED_WATERMARK_HEIGHT = 2.5
"""In body heights: repeated print that lies behind text."""


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
        rows = _repeated_rows(page, compared, is_top=is_top)
        earlier = [other for other in nearest if other.number < page.number]
        is_first = _is_new(rows, earlier, page.number, is_top=is_top)
        roles |= _edge_roles(page, rows, is_top=is_top, is_first=is_first)
    return roles | _repeated_margins(page, compared) | _repeated_watermarks(page, compared)


def _edge_roles(page: FurniturePage, rows: Sequence[EdgeRow], *, is_top: bool, is_first: bool) -> Roles:
    """Return the roles of repeated rows at an edge; the first page that has a letterhead keeps it."""
    kept: Sequence[EdgeRow] = ()
    if is_first and is_letterhead(rows, is_top=is_top):
        kept = rows
    else:
        rows = _without_text(page, rows, is_top=is_top)
        if is_first and is_top and page.number == 1:
            kept = [row for row in rows if not is_running_head(page, row)]
    roles: Roles = {}
    for row in rows:
        roles |= number_roles(row) if row in kept else row.roles(is_top=is_top)
    return roles


def _is_new(rows: Sequence[EdgeRow], earlier: Sequence[FurniturePage], number: int, *, is_top: bool) -> bool:
    """Return whether most of the rows of page `number`, but page numbers, are not on an earlier page."""
    unnumbered = [row for row in rows if not row.is_page_number]
    known = sum(any(has_row(other, row, number, is_top=is_top) for other in earlier) for row in unnumbered)
    return 2 * known < len(unnumbered)


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
        if is_text_row(page, place if is_top else len(page.rows) - 1 - place):
            break
        if _is_furniture(page, evidence, place, skipped, is_top=is_top) or (
            not found and _is_in_band(page, each.row, others, is_top=is_top)
        ):
            found.append(each.row)
        else:
            skipped += 1
            if skipped > MAX_SKIPPED_ROWS:
                break
    return found


def _without_text(page: FurniturePage, found: Sequence[EdgeRow], *, is_top: bool) -> list[EdgeRow]:
    """Return the rows without those that continue text that does not repeat, or a table."""
    places = {page.rows.index(row.row): row for row in found}
    kept = list(places)
    step = 1 if is_top else -1

    def is_bound(place: int) -> bool:
        if places[place].has_page_number:
            return False
        if place == kept[-1] and is_grid_row(page, place, step):
            return True
        if any(each not in kept and adjoins_text(page, place, each) for each in (place - 1, place + 1)):
            return True
        # A row under a line that does not repeat: only a foot in small print is a block of several parts.
        is_under = place - step not in kept and page.is_beside(place, place - step)
        return is_under and all(page.size_ratio(box) >= 1 for box in page.rows[place])

    while bound := set(filter(is_bound, kept)):
        kept = [place for place in kept if place not in bound]
    return [places[place] for place in kept]


def _is_furniture(
    page: FurniturePage, evidence: Sequence[_Evidence], place: int, skipped: int, *, is_top: bool
) -> bool:
    each = evidence[place]
    is_large = each.row.height > MAX_HEIGHT_RATIO * page.body_height
    if not each.matches or (is_large and not (each.is_everywhere or each.is_numbered)):
        return False
    if is_top and is_table_head(page, place) and not each.row.has_page_number:
        return False
    is_in_margin = each.row.distance < WEAK_SHARE or page.is_small_print(each.row.row)
    if each.is_strong:
        return is_in_margin or not skipped
    return is_in_margin and not skipped and _is_outside_text(page, evidence, place)


def _is_outside_text(page: FurniturePage, evidence: Sequence[_Evidence], place: int) -> bool:
    """Return whether the row is in the margin; or a gap follows it, or the repeated rows beside it."""
    row = evidence[place].row
    inner = evidence[place + 1].row if place + 1 < len(evidence) else None
    is_one_text = inner and page.styles and not row.is_apart and page.has_same_print(row.row[0], inner.row[0])
    if place == 0 and row.distance < HEADER_SHARE and row.letters >= MIN_CONSTANT_LETTERS and not is_one_text:
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


def _is_twin(page: FurniturePage, other: FurniturePage) -> bool:
    """Return whether two pages are copies of one form: many rows between the edges begin alike."""
    here, there = page.middle_words, other.middle_words
    common = [word for word, place in here if any(word == each and _is_near(place, at) for each, at in there)]
    return len(set(common)) >= MIN_TWIN_WORDS and len(common) > MAX_TWIN_SHARE * len(here)


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
