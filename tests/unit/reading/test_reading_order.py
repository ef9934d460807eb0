"""Reading order and prefixes of live text, from boxes alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.reading.layout import reading_order
from backend_main.reading.layout.reading_order import OrderedBox
from backend_main.reading.types import Box
from tests.unit.reading.sample_layouts import (
    SAMPLE_LAYOUTS,
    box,
    columns,
    receipt,
    transformed,
)

sides = st.floats(1, 400, allow_nan=False)
boxes_anywhere = st.lists(
    st.tuples(st.floats(0, 2000), st.floats(0, 3000), sides, sides).map(lambda given: box(*given)),
    max_size=30,
)


def live_text(boxes: list[Box], names: str) -> str:
    return "".join(ordered.prefix + names[ordered.index] for ordered in reading_order.reading_order(boxes))


@given(boxes_anywhere)
def test_reading_order_contains_every_box_once(boxes: list[Box]) -> None:
    ordered = reading_order.reading_order(boxes)
    assert sorted(box.index for box in ordered) == list(range(len(boxes)))
    assert all(box.prefix for box in ordered[1:])
    assert not ordered or not ordered[0].prefix.strip("# ")


@given(boxes_anywhere)
def test_reading_order_of_duplicate_boxes_does_not_raise(boxes: list[Box]) -> None:
    reading_order.reading_order(boxes + boxes)


@pytest.mark.parametrize("name", SAMPLE_LAYOUTS)
@given(
    dx=st.integers(0, 500),
    dy=st.integers(0, 500),
    scale=st.sampled_from([0.25, 0.5, 2, 4]),
    turn=st.permutations([0, 1, 2]),
)
def test_reading_order_of_shifted_and_scaled_page_is_equal(
    name: str, dx: int, dy: int, scale: float, turn: list[int]
) -> None:
    page = SAMPLE_LAYOUTS[name]
    assert reading_order.reading_order(
        [transformed(given, dx, dy, scale) for given in page]
    ) == reading_order.reading_order(page)


@pytest.mark.parametrize("name", SAMPLE_LAYOUTS)
@pytest.mark.parametrize("degrees", [-3, -1, 1, 3, 90, 180, 268])
def test_reading_order_of_rotated_page_is_equal(name: str, degrees: float) -> None:
    page = SAMPLE_LAYOUTS[name]
    assert reading_order.reading_order(
        [transformed(given, degrees=degrees) for given in page]
    ) == reading_order.reading_order(page)


@pytest.mark.parametrize("name", SAMPLE_LAYOUTS)
@given(data=st.data())
def test_reading_order_of_shuffled_boxes_is_equal(name: str, data: st.DataObject) -> None:
    page = SAMPLE_LAYOUTS[name]
    shuffled = data.draw(st.permutations(range(len(page))))
    placed = reading_order.reading_order([page[index] for index in shuffled])
    assert [
        OrderedBox(shuffled[place.index], place.prefix) for place in placed
    ] == reading_order.reading_order(page)


def test_two_columns_are_read_one_after_the_other() -> None:
    assert live_text(columns(2, 4), "abcdABCD") == "a\nb\nc\nd\n\nA\nB\nC\nD"


def test_three_columns_are_read_one_after_the_other() -> None:
    assert live_text(columns(3, 3), "abcABCxyz") == "a\nb\nc\n\nA\nB\nC\n\nx\ny\nz"


def test_table_beside_running_text_is_a_column_of_its_own() -> None:
    cells = [box(400 + 120 * column, 24 * row, 60) for row in range(8) for column in range(3)]
    text = [box(0, 26 * line, 300) for line in range(8)]
    assert (
        live_text([*cells, *text], "ABCDEFGHIJKLMNOPQRSTUVWXstuvwxyz")
        .replace("\n", "")
        .startswith("stuvwxyz")
    )


def test_label_beside_paragraph_is_read_with_its_first_line() -> None:
    page = [
        part
        for top in (0, 200)
        for part in (box(0, top, 80), *(box(300, top + 26 * line, 500) for line in range(4)))
    ]
    assert live_text(page, "LabcdMefgh").replace("\n", " ").split() == [
        "L",
        "a",
        "b",
        "c",
        "d",
        "M",
        "e",
        "f",
        "g",
        "h",
    ]


def test_labels_level_with_their_values_are_read_row_by_row() -> None:
    labels = [box(0, top, 170) for top in (0, 50, 126, 176, 252)]
    values = [box(300, top, 500) for top in (0, 50, 76, 126, 176, 202, 252)]
    assert live_text([*labels, *values], "ABCDEabcdefg").replace("\n", " ").split() == [*"AaBbcCdDefEg"]


def test_texts_of_short_lines_that_are_not_level_are_columns() -> None:
    left = [box(0, 40 * line, 60 if line % 2 else 170) for line in range(13)]
    right = [box(400, 33 * line, 70 if line % 2 else 180) for line in range(14)]
    assert (
        live_text(left + right, "abcdefghijklmABCDEFGHIJKLMN").replace("\n", "")
        == "abcdefghijklmABCDEFGHIJKLMN"
    )


def test_margin_below_title_is_read_after_the_text() -> None:
    margin = [box(0, 300 + 26 * line, 200) for line in range(6)]
    text = [box(300, 0, 500, 40), *(box(300, 80 + 26 * line, 500) for line in range(16))]
    assert (
        live_text(margin + text, "uvwxyzTabcdefghijklmnop").replace("\n", "") == "# Tabcdefghijklmnopuvwxyz"
    )


def test_line_across_columns_is_read_between_those_above_and_below() -> None:
    page = [
        box(0, -40, 640),
        *columns(2, 3),
        box(0, 120, 640),
        *(transformed(one, dy=180) for one in columns(2, 3)),
    ]
    assert live_text(page, "tabcABCuxyzXYZ").replace("\n", "") == "tabcABCuxyzXYZ"


def test_receipt_is_read_by_rows() -> None:
    assert live_text(receipt(4), "aAbBcCdD") == "a A\nb B\nc C\nd D"


def test_table_is_read_by_rows() -> None:
    page = [box(column * 200, row * 40, 70) for row in range(3) for column in range(4)]
    assert live_text(page, "abcdefghijkl") == "a b c d\ne f g h\ni j k l"


def test_wide_gap_begins_a_paragraph() -> None:
    page = [box(0, y, 500) for y in (0, 26, 52, 110, 136)]
    assert live_text(page, "abcde") == "a\nb\nc\n\nd\ne"


def test_indent_begins_a_paragraph() -> None:
    page = [box(0, 0, 500), box(0, 26, 400), box(40, 52, 460), box(0, 78, 500)]
    assert live_text(page, "abcd") == "a\nb\n\nc\nd"


def test_high_short_line_is_a_heading() -> None:
    page = [box(0, 0, 300, 44), *(box(0, 80 + 26 * line, 500) for line in range(4)), box(0, 210, 200, 32)]
    assert live_text([*page, box(0, 260, 500)], "tabcdhe") == "# t\n\na\nb\nc\nd\n\n## h\n\ne"


def test_heading_of_two_rows_is_one_heading() -> None:
    page = [box(0, 0, 300, 44), box(0, 48, 280, 44), *(box(0, 120 + 26 * line, 500) for line in range(4))]
    assert live_text(page, "tuabcd").startswith("# t u\n\na\nb")


def test_reading_order_without_boxes_is_empty() -> None:
    assert reading_order.reading_order([]) == []
