"""Page furniture that repeats on other pages of a document: running heads, feet, margins, watermarks.

A row near an edge is furniture if other pages have its text in the same place. Numbers are masked, so that
“Page 3 of 9” matches “Page 4 of 9”. Left and right pages may differ: a few matches among the neighbours are
enough. The first lines of a text, headings, and the head of a table that continues are not furniture, though
they may repeat: they have larger print, no gap below, or columns that go on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product

from .furniture_page import EdgeRow, FurniturePage, Roles
from .furniture_text import is_page_number, letter_count, numbers
from .geometry import LayoutBox
from .layout_model import Region
from .line_numbers import find_line_numbers
from .page_furniture import MAX_HEIGHT_RATIO, find_page_furniture, side_margin_boxes
from .rows import Row, gap

MAX_COMPARED_PAGES = 8
"""Pages that a page is compared with, the nearest ones."""
MAX_DISTANCE_DIFFERENCE = 0.02
"""In heights of a page: rows of two pages in the same place. Scanners shift a page by a few millimetres."""
MAX_SHIFT = 0.05
"""In heights of a page: rows of the same text, on scans that are shifted more."""
MAX_HEIGHT_DIFFERENCE = 1.3
"""Ratio of the heights of print of a row on two pages; text recognition measures heights roughly."""
MIN_SIMILARITY = 0.85
"""Ratio of `difflib` above which two texts differ by errors of text recognition only."""
MIN_SIMILAR_CHARACTERS = 8
MIN_CONSTANT_LETTERS = 10
"""Letters beside a number that changes: fewer could be “Figure 3” or “Question 4”."""
STRONG_MATCHES = 3
"""Pages with a row that are enough without a gap between the row and the text."""
MIN_LARGE_MATCHES = 5
"""Pages, all that are compared, with a row in larger print than the text: slides repeat their titles."""
MIN_MATCH_SHARE = 0.5
"""Share of the compared pages with which two matches are as good."""
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
MAX_TWIN_SHARE, MIN_TWIN_TEXTS = 0.3, 4
"""Two pages with more common texts in their middle are copies of one form, and not compared."""
MIN_WORD_LETTERS = 3
SAME_PLACE = 0.03
"""In widths or heights of a page: the same place of vertical or oblique text on two pages."""
MIN_REPEATED_WATERMARK_HEIGHT = 2.5
"""In body heights: repeated print that lies behind text."""

Place = tuple[float, float]
"""In widths and heights of a page."""


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
    return furniture_beside_text(page, find_page_furniture(page.without(repeated), regions) | repeated)


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
        _Evidence(row, sum(_has_row(other, row, page.number, is_top=is_top) for other in others), len(others))
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
    if each.is_strong:
        return True
    # A weak row is the outermost, or next to furniture, and a gap follows it or the repeated rows beside it.
    run = place
    while not evidence[run].row.is_apart and run + 1 < len(evidence) and evidence[run + 1].matches:
        run += 1
    return not skipped and evidence[run].row.is_apart


def _has_row(other: FurniturePage, row: EdgeRow, number: int, *, is_top: bool) -> bool:
    """Return whether another page has the text of the row in the same place."""
    pages_apart = number - other.number
    for candidate in other.edge_rows(is_top=is_top):
        distance = abs(candidate.distance - row.distance)
        is_near = distance < MAX_DISTANCE_DIFFERENCE
        if distance < MAX_SHIFT and _is_same_row(row, candidate, pages_apart, is_near=is_near):
            return True
    return False


def _is_same_row(row: EdgeRow, other: EdgeRow, pages_apart: int, *, is_near: bool) -> bool:
    smaller, larger = sorted((row.height, other.height))
    if larger > MAX_HEIGHT_DIFFERENCE * smaller:
        return False
    if row.is_page_number and other.is_page_number:
        return is_near and _is_same_count(row, other, pages_apart)
    if not (row.letters or row.has_page_number) or not _numbers_agree(row, other, pages_apart):
        return is_near and _has_common_part(row, other, pages_apart)
    if row.masked == other.masked:
        return True
    return is_near and (_is_similar(row.masked, other.masked) or _has_common_part(row, other, pages_apart))


def _is_same_count(row: EdgeRow, other: EdgeRow, pages_apart: int) -> bool:
    """Return whether two page numbers differ as their pages do. Roman numbers have no figures."""
    if len(row.numbers) != len(other.numbers) or not row.numbers:
        return not row.numbers and not other.numbers
    return row.numbers[0] - other.numbers[0] == pages_apart


def _numbers_agree(row: EdgeRow, other: EdgeRow, pages_apart: int) -> bool:
    """Return whether the numbers of two rows are equal, or count pages, or are a small part of the text."""
    if row.numbers == other.numbers or min(row.letters, other.letters) >= MIN_CONSTANT_LETTERS:
        return True
    if len(row.numbers) != len(other.numbers) or not (row.has_page_number and other.has_page_number):
        return False
    return any(one - two == pages_apart for one, two in zip(row.numbers, other.numbers, strict=True))


def _is_similar(one: str, two: str) -> bool:
    if min(len(one), len(two)) < MIN_SIMILAR_CHARACTERS:
        return False
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    return matcher.quick_ratio() >= MIN_SIMILARITY and matcher.ratio() >= MIN_SIMILARITY


def _has_common_part(row: EdgeRow, other: EdgeRow, pages_apart: int) -> bool:
    """Return whether a part of the row, set apart from a part that changes, is in the other row too.

    The part is a text, or a number that counts the pages, in the same place of both rows.
    """
    if not (row.is_apart and other.is_apart) or max(len(row.row), len(other.row)) < 2:
        return False
    pairs = product(zip(row.row, row.texts, strict=True), zip(other.row, other.texts, strict=True))
    return any(
        _is_aligned(box, there, row.height) and _is_same_part(text, other_text, pages_apart)
        for (box, text), (there, other_text) in pairs
    )


def _is_same_part(text: str, other: str, pages_apart: int) -> bool:
    if is_page_number(text) and is_page_number(other) and (counts := numbers(text)) and numbers(other):
        return counts[0] - numbers(other)[0] == pages_apart
    return letter_count(text) >= MIN_WORD_LETTERS and text.casefold() == other.casefold()


def _is_in_band(page: FurniturePage, row: EdgeRow, others: Sequence[FurniturePage], *, is_top: bool) -> bool:
    """Return whether the row is level with running heads of other pages, such as a section's title."""
    if not row.is_apart or row.height > MAX_HEIGHT_RATIO * page.body_height:
        return False
    pages = 0
    for other in others:
        for candidate in other.edge_rows(is_top=is_top)[:1]:
            is_level = abs(candidate.distance - row.distance) < BAND_TOLERANCE
            smaller, larger = sorted((row.height, candidate.height))
            if is_level and candidate.is_apart and larger <= MAX_HEIGHT_RATIO * smaller:
                rest = [each for each in others if each is not other]
                pages += any(_has_row(each, candidate, other.number, is_top=is_top) for each in rest)
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
    return sum(any(_is_aligned(box, cell, tolerance) for cell in below) for box in row)


def _is_aligned(box: LayoutBox, cell: LayoutBox, tolerance: float) -> bool:
    distances = (box.left - cell.left, box.right - cell.right, box.center_x - cell.center_x)
    return min(map(abs, distances)) < tolerance


def _is_twin(page: FurniturePage, other: FurniturePage) -> bool:
    """Return whether two pages are copies of one form: many texts between the edges are the same.

    A text counts once, because cells such as “yes” are all over a table that continues.
    """
    here, there = _middle_texts(page), _middle_texts(other)
    common = sum(
        any(_is_near(one, two) for one in here[text] for two in there[text])
        for text in here.keys() & there.keys()
    )
    return common >= MIN_TWIN_TEXTS and common > MAX_TWIN_SHARE * len(here)


def _middle_texts(page: FurniturePage) -> dict[str, list[Place]]:
    """Return the places of the texts with words that are not at an edge, by their first words.

    A label and its value may be one text.
    """
    texts: dict[str, list[Place]] = {}
    for row in page.rows[len(page.top_rows) : len(page.rows) - len(page.bottom_rows)]:
        for box in row:
            word, *_ = page.texts[box.index].casefold().split(maxsplit=1) or [""]
            if letter_count(word) >= MIN_WORD_LETTERS:
                texts.setdefault(word, []).append(page.place(box))
    return texts


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
        if max(map(abs, distances)) < SAME_PLACE and (text == there or _is_similar(text, there)):
            return True
    return False
