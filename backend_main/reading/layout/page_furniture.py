"""Page furniture that one page shows by itself: page numbers, a browser's date and address, notices.

`document_furniture.find_furniture` combines it with what other pages of the document show.
"""

from collections.abc import Sequence
from itertools import takewhile

from .body_rows import is_grid_row, is_table_head
from .columns import prose_boxes
from .furniture_page import EdgeRow, FurniturePage, Roles
from .furniture_text import (
    has_address,
    has_page_count,
    has_print_time,
    is_marked_page_number,
    is_notice,
    is_page_number,
    is_watermark,
    is_worded_page_number,
    letters_and_digits,
)
from .geometry import LayoutBox
from .layout_model import Region
from .letterheads import detail_count
from .rows import Row

MARGIN_SHARE = 0.12
"""Share of the page's height, at its top and bottom, in which furniture is looked for."""
PRINT_SHARE = 0.06
"""Share of the page's height in which a browser prints: at 5 to 10 mm from the edge."""
MAX_ROWS = 3
"""Rows of furniture at each edge."""
MIN_SCORE = 0.4
"""Score of the layout model."""
MIN_PROSE_SHARE = 0.25
"""Share of the boxes that are lines of paragraphs: only pages with more have headers beside page numbers."""
HEADER_SHARE = 0.07
"""Share of the page's height in which a header of the layout model is believed."""
MAX_HINTED_HEIGHT_RATIO = 1.15
MAX_HEIGHT_RATIO = 1.25
"""In body heights: larger print is a heading."""
MIN_PREFIX_CHARACTERS = 12
"""A header that repeats the beginning of the text has this many letters and digits, or is all of a row."""
MAX_FIRST_ROWS = 4
"""Rows below a header in which the columns of the text begin."""
SMALL_PRINT = 0.95
"""In heights of the row below."""
SMALL_PRINT_SHARE, MIN_SMALL_PRINT_GAP, MAX_SMALL_PRINT_WIDTH = 0.06, 1.5, 0.6
"""A row in small print is furniture in this share of the page's height, with this gap to the text in body
heights, and not wider than this share of the page's width."""
SIDE_SHARE, CENTER_SHARE = 0.3, 0.1
"""Shares of the page's width: a bare page number stands this near to a side, or to the center."""
SIDE_MARGIN_SHARE = 0.1
"""Share of the page's width at each side: vertical text further inside belongs to the text."""
COLUMN_TOLERANCE = 0.5
"""In body heights: numbers of a column end in the same place."""
MAX_CELL_WIDTH = 10.0
"""In body heights: wider boxes are lines of text, and no numbers in a column."""
MIN_WATERMARK_HEIGHT = 2.0
"""In body heights."""
MIN_WATERMARK_OVERLAPS = 2
"""Boxes of text that a level watermark lies behind."""


def find_page_furniture(
    page: FurniturePage, regions: Sequence[Region] = (), known: Roles | None = None
) -> Roles:
    """Return the roles of the page furniture that the page alone shows, and those that are known.

    Args:
        page: boxes that are candidates, and their texts.
        known: roles of boxes of the page.
        regions: regions of the layout model, in the page's frame.
    """
    hints = [
        region for region in regions if region.kind in ("header", "footer") and region.score >= MIN_SCORE
    ]
    level = page.level_boxes
    is_text_page = len(prose_boxes(level)) >= MIN_PROSE_SHARE * max(1, len(level))
    is_printed = _is_printed_by_browser(page)
    roles: Roles = {}
    for is_top in (True, False):
        edge = _Edge(page, hints, is_top=is_top, is_text_page=is_text_page, is_printed=is_printed)
        roles |= edge.roles(known or {})
    return roles | _margin_notices(page) | _watermarks(page) | (known or {})


def _is_printed_by_browser(page: FurniturePage) -> bool:
    """Return whether the outermost rows have the time, the address and the number that a browser prints."""
    outermost = [*page.top_rows[:1], *page.bottom_rows[:1]]
    if len(outermost) < 2 or any(row.distance > PRINT_SHARE for row in outermost):
        return False
    texts = [row.text for row in outermost]
    return (
        any(map(has_print_time, texts)) and any(map(has_address, texts)) and any(map(has_page_count, texts))
    )


class _Edge:
    """The rows at the top or at the bottom of a page."""

    def __init__(
        self,
        page: FurniturePage,
        hints: Sequence[Region],
        *,
        is_top: bool,
        is_text_page: bool,
        is_printed: bool,
    ) -> None:
        self._page = page
        self._hints = hints
        self._is_top = is_top
        self._is_text_page = is_text_page
        self._is_printed = is_printed
        rows = page.edge_rows(is_top=is_top)[:MAX_ROWS]
        self._rows = list(takewhile(lambda row: row.distance < MARGIN_SHARE, rows))

    def roles(self, known: Roles) -> Roles:
        roles: Roles = {}
        has_number = False
        repeating = self._rows_repeating_text()
        for place, row in enumerate(self._rows):
            if row.has_page_number and (self._is_cell(row) or self._is_table_row(row)):
                break
            if all(box.index in known for box in row.row):
                has_number = has_number or row.has_page_number
            elif (place == 0 and self._is_printed) or self._is_notice(row):
                roles |= row.roles(is_top=self._is_top)
                has_number = has_number or row.has_page_number
            elif row.is_page_number and not has_number and self._is_page_number(row):
                roles |= row.roles(is_top=self._is_top)
                has_number = True
            elif place < repeating or self._is_header(row, has_number=has_number):
                roles |= row.roles(is_top=self._is_top)
                has_number = has_number or row.has_page_number
            else:
                roles |= _marked_numbers(row)
        return roles

    def _is_notice(self, row: EdgeRow) -> bool:
        return row is self._rows[0] and row.distance < PRINT_SHARE and is_notice(row.text)

    def _is_page_number(self, row: EdgeRow) -> bool:
        """Return whether a row that reads like a page number is where page numbers are."""
        if not row.is_apart:
            return False
        center = (row.row[0].left + row.row[-1].right) / 2
        place = (center - self._page.edges[0]) / max(1.0, self._page.width)
        return (
            is_marked_page_number(row.text)
            or min(place, 1 - place) < SIDE_SHARE
            or abs(place - 0.5) < CENTER_SHARE
        )

    def _is_header(self, row: EdgeRow, *, has_number: bool) -> bool:
        if not self._is_text_page or row.height > MAX_HEIGHT_RATIO * self._page.body_height:
            return False
        if self._is_hinted(row) or self._is_small_and_outermost(row):
            return True
        return row.is_apart and row.has_page_number and not has_number and not _has_years(row)

    def _is_small_and_outermost(self, row: EdgeRow) -> bool:
        """Return whether a short row in small print is far outside. Text layers show its size."""
        if not self._page.styles or row is not self._rows[0] or row.distance > SMALL_PRINT_SHARE:
            return False
        place = self._page.rows.index(row.row)
        inner = self._page.rows[place + (1 if self._is_top else -1)] if row.is_apart else None
        if (
            inner is None
            or self._page.distance(row.row, inner) < MIN_SMALL_PRINT_GAP * self._page.body_height
        ):
            return False
        width = row.row[-1].right - row.row[0].left if len(row.row) == 1 else 0.0
        is_short = width < MAX_SMALL_PRINT_WIDTH * self._page.width
        return is_short and self._page.is_small_print(row.row) and not detail_count(row.text)

    def _is_hinted(self, row: EdgeRow) -> bool:
        """Return whether the layout model detects a footer; or a header, where the title is not.

        The model takes letterheads and first headings for headers, so that these have more conditions.
        """
        kind = "header" if self._is_top else "footer"
        regions = [region for region in self._hints if region.kind == kind]
        if not all(any(region.contains(box) for region in regions) for box in row.row):
            return False
        if not self._is_top:
            return True
        is_small = row.height <= MAX_HINTED_HEIGHT_RATIO * self._page.body_height
        return row is self._rows[0] and row.is_apart and is_small and row.distance < HEADER_SHARE

    def _is_table_row(self, row: EdgeRow) -> bool:
        """Return whether the row is the head of a table, or another row. Years look like numbers of pages."""
        if any(map(is_marked_page_number, row.texts)):
            return False
        place = self._page.rows.index(row.row)
        if self._is_top and is_table_head(self._page, place):
            return True
        return is_grid_row(self._page, place, 1 if self._is_top else -1)

    def _is_cell(self, row: EdgeRow) -> bool:
        """Return whether the number of the row is in a column of numbers, as a sum below them is."""
        if any(map(is_marked_page_number, row.texts)):
            return False
        number = row.row[0] if is_page_number(row.texts[0]) else row.row[-1]
        inner = self._page.row_beyond(self._rows.index(row) + 1, is_top=self._is_top) or []
        return any(
            abs(cell.right - number.right) < COLUMN_TOLERANCE * self._page.body_height
            and self._page.texts[cell.index].strip()[-1:].isdigit()
            and cell.width < MAX_CELL_WIDTH * self._page.body_height
            for cell in inner
        )

    def _rows_repeating_text(self) -> int:
        """Return how many outer rows are a header with the first words of the text below, which stays."""
        for count, row in enumerate(self._rows if self._is_top else [], 1):
            if row.is_apart:
                is_header = row.distance < HEADER_SHARE and self._repeats_text(self._rows[:count])
                return count if is_header else 0
        return 0

    def _repeats_text(self, rows: Sequence[EdgeRow]) -> bool:
        """Return whether a column below begins with the text of the rows."""
        print_height = max(row.height for row in rows)
        words = letters_and_digits(" ".join(row.text for row in rows))
        if print_height > MAX_HEIGHT_RATIO * self._page.body_height or not words:
            return False
        below = self._page.rows[len(rows) : len(rows) + MAX_FIRST_ROWS]
        if below and words == letters_and_digits(self._page.text_of(below[0])):
            return True
        for first in (box for row in below for box in row):
            text = self._page.texts[first.index]
            if print_height < SMALL_PRINT * first.text_height and f"{text} ".startswith(f"{rows[0].text} "):
                return True  # smaller than the text, so it is not a heading
            text = letters_and_digits(text + self._text_under(first, below))
            if len(words) >= MIN_PREFIX_CHARACTERS and text.startswith(words):
                return True
        return False

    def _text_under(self, first: LayoutBox, rows: Sequence[Row]) -> str:
        """Return the text of the next line of the column that begins with a box."""
        tolerance = self._page.body_height
        under = (box for row in rows for box in row if box.center_y > first.center_y + 0.5 * first.height)
        aligned = (box for box in under if abs(box.left - first.left) < tolerance)
        return next((self._page.texts[box.index] for box in aligned), "")


def _has_years(row: EdgeRow) -> bool:
    """Return whether several numbers are in a row, as over the columns of a table; two pages may have two."""
    numbers = [is_page_number(text) for text in row.texts]
    return sum(numbers) > 1 and not (sum(numbers) == 2 and numbers[0] and numbers[-1])


def _marked_numbers(row: EdgeRow) -> Roles:
    """Return the parts of a row such as “Page 3 of 9”, which are page numbers beside any text."""
    parts = zip(row.row, row.texts, strict=True)
    return {box.index: "page_number" for box, text in parts if is_worded_page_number(text)}


def side_margin_boxes(page: FurniturePage) -> list[LayoutBox]:
    """Return the vertical boxes at the sides of the page that have no text between them and the side."""
    lefts = sorted(box.left for box in page.level_boxes)
    rights = sorted(box.right for box in page.level_boxes)
    if not lefts:
        return []
    found = []
    for box in page.vertical_boxes:
        place = page.place(box)[0]
        is_outside = box.right <= lefts[len(lefts) // 20] or box.left >= rights[-1 - len(rights) // 20]
        if min(place, 1 - place) < SIDE_MARGIN_SHARE and is_outside:
            found.append(box)
    return found


def _margin_notices(page: FurniturePage) -> Roles:
    return {box.index: "margin" for box in side_margin_boxes(page) if is_notice(page.texts[box.index])}


def _watermarks(page: FurniturePage) -> Roles:
    """Return the words such as “DRAFT” that are large and oblique, or lie behind the text."""
    smallest = MIN_WATERMARK_HEIGHT * page.body_height
    found: Roles = {}
    for box in page.boxes:
        if not is_watermark(page.texts[box.index]):
            continue
        print_height = page.oblique.get(box.index)
        if print_height is None:
            overlaps = sum(_overlap(box, other) for other in page.boxes if other is not box)
            if box.text_height >= smallest and overlaps >= MIN_WATERMARK_OVERLAPS:
                found[box.index] = "watermark"
        elif print_height >= smallest:
            found[box.index] = "watermark"
    return found


def _overlap(box: LayoutBox, other: LayoutBox) -> bool:
    return box.left < other.center_x < box.right and box.top < other.center_y < box.bottom
