"""Reading order of born-digital pages, from exact boxes and the order of the page's content."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from backend_main.reading.born_digital.order import OrderHints, reading_groups
from backend_main.reading.layout.geometry import LayoutBox

SIZE = 10.0
PITCH = 12.0
PROSE = "words that go on over the whole line of a paragraph"


@dataclass
class Page:
    """Boxes that are drawn one after the other; `add` returns the indices of its lines."""

    boxes: list[LayoutBox] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)

    def add(
        self, left: float, top: float, width: float, lines: int = 1, *, text: str = PROSE, size: float = SIZE
    ) -> list[int]:
        added = []
        for number in range(lines):
            y = top + number * PITCH * size / SIZE
            index = len(self.boxes)
            # The last line of a paragraph is short.
            right = left + (width if number < lines - 1 or lines == 1 else 0.6 * width)
            self.boxes.append(LayoutBox(index, left, y, right, y + size, size))
            self.texts[index] = text
            added.append(index)
        return added

    def add_inset(self, left: float, top: float, width: float, height: float) -> list[int]:
        index = len(self.boxes)
        self.boxes.append(LayoutBox(index, left, top, left + width, top + height, SIZE))
        return [index]

    def order(self, places: Sequence[int] | None = None, *, is_from_right: bool = False) -> list[int]:
        """Return the indices in reading order. `places`: indices in the order of the content."""
        drawn = [box.index for box in self.boxes if box.index in self.texts] if places is None else places
        hints = OrderHints(
            SIZE, {index: place for place, index in enumerate(drawn)}, self.texts, is_from_right=is_from_right
        )
        return [box.index for group in reading_groups(self.boxes, hints) for box in group]


def by_rows(page: Page) -> list[int]:
    """Return the order of a program that draws from top to bottom."""
    return [box.index for box in sorted(page.boxes, key=lambda box: (box.top, box.left))]


@pytest.mark.parametrize("columns", [2, 3, 4])
@pytest.mark.parametrize("is_drawn_by_rows", [False, True])
def test_columns_of_prose_are_read_one_after_the_other(columns: int, is_drawn_by_rows: bool) -> None:
    page = Page()
    expected = page.add(0, 0, 620, size=20)
    for number in range(columns):
        expected += page.add(number * 160, 40, 140, 20)
    assert page.order(by_rows(page) if is_drawn_by_rows else None) == expected


def test_short_lines_above_and_below_columns_are_read_before_and_after_them() -> None:
    page = Page()
    expected = page.add(230, 0, 100)
    expected += page.add(0, 20, 200, 5) + page.add(230, 20, 200, 5)
    expected += page.add(0, 92, 100)
    assert page.order() == expected


def test_columns_from_right_are_read_from_right() -> None:
    page = Page()
    left, right = page.add(0, 0, 200, 10), page.add(220, 0, 200, 10)
    assert page.order(is_from_right=True) == right + left


def test_unequal_columns_with_figure_across_are_read_above_it_first() -> None:
    page = Page()
    left, right = page.add(0, 0, 300, 6), page.add(320, 0, 150, 6)
    figure = page.add_inset(0, 90, 470, 100)
    left_below, right_below = page.add(0, 200, 300, 6), page.add(320, 200, 150, 6)
    assert page.order() == left + right + figure + left_below + right_below


def test_narrow_column_drawn_as_a_whole_is_a_column() -> None:
    page = Page()
    contact = page.add(0, 0, 60, 12, text="Skill")
    text = page.add(90, 5, 300, 12)
    assert page.order() == contact + text


def test_labels_drawn_before_their_values_are_read_by_rows() -> None:
    page = Page()
    labels = [index for row in range(5) for index in page.add(0, row * 16, 80, text="Date of birth:")]
    values = [index for row in range(5) for index in page.add(120, row * 16, 90, text="a value")]
    assert page.order() == [index for pair in zip(labels, values, strict=True) for index in pair]


def test_figures_beside_labels_are_read_by_rows() -> None:
    page = Page()
    labels = [index for row in range(6) for index in page.add(0, row * 14, 200, text="Cost of goods sold")]
    figures = [index for row in range(6) for index in page.add(300, row * 14, 40, text="1,234.50")]
    assert page.order() == [index for pair in zip(labels, figures, strict=True) for index in pair]


def test_translation_drawn_by_paragraphs_follows_its_paragraph() -> None:
    page = Page()
    expected = []
    for number, top in enumerate((0, 80, 160)):
        expected += page.add(0, top, 200, 5 - number)
        expected += page.add(230, top, 200, 4)
    assert page.order() == expected


def test_groups_of_columns_below_a_table_are_read_one_after_the_other() -> None:
    page = Page()
    expected = page.add_inset(0, 0, 200, 60)
    for top in (80, 155):
        expected += page.add(0, top, 200, 5) + page.add(230, top, 200, 5)
    assert page.order() == expected


def test_gaps_of_two_justified_lines_one_above_the_other_are_no_gutter() -> None:
    page = Page()
    expected = page.add(0, 0, 300, 8)[:-1]
    page.boxes.pop()
    for top in (84, 96):
        expected += page.add(0, top, 150) + page.add(157, top, 143)
    expected += page.add(0, 108, 300, 5)
    assert page.order(expected) == expected


def address(page: Page, left: float, top: float, lines: int) -> list[int]:
    """Add lines of an address, none of which is part of a paragraph."""
    return [page.add(left, top + PITCH * number, 70, text="Town")[0] for number in range(lines)]


def test_blocks_whose_rows_are_not_level_are_read_one_after_the_other() -> None:
    page = Page()
    first = page.add(0, 6, 90, text="Sender in one line")
    sender = address(page, 300, 0, 5)
    recipient = address(page, 0, 6 + PITCH, 4)
    row = page.add(0, 120, 80, text="Number") + page.add(300, 120, 70, text="Date")
    assert page.order() == first + recipient + sender + row


def test_level_rows_drawn_in_turns_are_read_by_rows() -> None:
    page = Page()
    rows = [
        address(page, 0, PITCH * number, 1) + address(page, 300, PITCH * number, 1) for number in range(4)
    ]
    assert page.order() == [index for row in rows for index in row]


def test_run_in_heading_stays_on_its_line() -> None:
    page = Page()
    above = page.add(0, 0, 50, text="below.")
    heading = page.add(0, 20, 120, text="In-batch negatives")
    start = page.add(133, 20, 160, text="Assume that we have")
    text = page.add(0, 32, 300, 8)
    assert page.order() == above + heading + start + text


def test_list_number_stays_beside_its_text() -> None:
    page = Page()
    expected = []
    for number in range(3):
        expected += page.add(0, number * 50, 8, text=f"{number}.")
        expected += page.add(24, number * 50, 300, 3)
    assert page.order() == expected


def test_sidebar_drawn_after_the_text_is_read_after_it() -> None:
    page = Page()
    text = page.add(160, 0, 320, 20)
    sidebar = page.add(0, 0, 120, 6)
    assert page.order() == text + sidebar


def test_columns_across_empty_strip_stay_whole_if_drawn_so() -> None:
    page = Page()
    left = page.add(0, 0, 200, 4) + page.add(0, 120, 200, 4)
    right = page.add(230, 0, 200, 4) + page.add(230, 120, 200, 4)
    assert page.order() == left + right


def test_sections_of_columns_are_read_one_after_the_other_if_drawn_so() -> None:
    page = Page()
    expected = []
    for top in (0, 120):
        expected += page.add(0, top, 200, 4)
        expected += page.add(230, top, 200, 4)
    assert page.order() == expected


def test_vertical_text_in_the_margin_comes_last() -> None:
    page = Page()
    stamp = len(page.boxes)
    page.boxes.append(LayoutBox(stamp, 0, 0, 10, 200, SIZE))
    page.texts[stamp] = "arXiv"
    text = page.add(40, 0, 400, 20)
    assert page.order() == [*text, stamp]


def test_order_has_every_box_once_on_a_page_of_boxes_at_random() -> None:
    page = Page()
    for number in range(200):
        page.add((number * 37) % 500, (number * 91) % 700, 20 + (number * 13) % 200)
    assert sorted(page.order()) == list(range(200))


def test_narrow_bullets_stay_before_their_items_and_vertical_text_comes_last() -> None:
    """The box of a bullet is as high as its line, and much narrower."""
    page = Page()
    expected = page.add(30, 0, 400, 3)
    for top in (50, 90):
        expected += page.add(30, top, 3, text="•") + page.add(45, top, 385, 3)
    vertical = page.add(2, 20, 3, size=90, text="printed in 2019")
    assert page.order() == [*expected, *vertical]


def test_last_line_of_a_paragraph_above_columns_is_no_part_of_a_column() -> None:
    page = Page()
    above = page.add(0, 0, 600, lines=2)
    page.boxes[above[1]] = LayoutBox(above[1], 0, PITCH, 200, PITCH + SIZE, SIZE)
    left, right = page.add(0, 45, 280, lines=6), page.add(320, 45, 280, lines=6)
    drawn = {index: place for place, index in enumerate([*above, *left, *right])}
    assert reading_groups(page.boxes, OrderHints(SIZE, drawn, page.texts)) == [
        [page.boxes[index] for index in group] for group in (above, left, right)
    ]


def test_bullet_higher_than_wide_is_no_vertical_text() -> None:
    page = Page()
    above = page.add(0, 0, 600, lines=3)
    bullet = page.add(0, 50, 4, text="•", size=12)
    item = page.add(20, 51, 300)
    below = page.add(0, 80, 600, lines=3)
    assert page.order() == [*above, *bullet, *item, *below]


def test_full_stop_alone_at_the_start_of_a_column_does_not_join_the_columns() -> None:
    page = Page()
    expected = page.add(0, 0, 300, 20)
    expected += page.add(320, 0, 300, 8) + page.add(320, 96, 3, text=".") + page.add(320, 108, 300, 11)
    assert page.order() == expected
