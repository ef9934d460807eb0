"""What of a page's top is safely first before the rest is looked at; what was read then is not read twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.reading.engines.rapid import first_lines
from backend_main.reading.engines.rapid.detector import Quads

BOTTOM = 320


def quads(*boxes: tuple[float, float, float, float]) -> Quads:
    """Of left, top, right, bottom."""
    corners = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in boxes]
    return np.array(corners, np.float32).reshape(-1, 4, 2)


def turned(boxes: Quads, degrees: float) -> Quads:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    return np.asarray((boxes - (450, 600)) @ turn + (450, 600), np.float32)


def lines(left: float, right: float, tops: range) -> list[tuple[float, float, float, float]]:
    return [(left, top, right, top + 20) for top in tops]


def test_the_first_lines_of_one_column_are_safe() -> None:
    page = quads(*lines(50, 800, range(20, 320, 40)))
    assert first_lines.lines_safe_to_read(page, BOTTOM) == [0, 1, 2]


def test_a_line_that_the_strip_may_cut_is_not_safe() -> None:
    page = quads(*lines(50, 800, range(260, 320, 40)))
    assert first_lines.lines_safe_to_read(page, BOTTOM) == [0]


def test_of_two_columns_only_the_title_and_the_first_line_are_safe() -> None:
    page = quads(
        (250, 20, 650, 60), *lines(50, 400, range(100, 300, 30)), *lines(480, 830, range(100, 300, 30))
    )
    safe = first_lines.lines_safe_to_read(page, BOTTOM)
    assert safe == [0, 1]


@pytest.mark.parametrize("degrees", [-3, -1, 1, 3])
def test_of_two_columns_that_lie_askew_never_more_than_the_first_line_is_safe(degrees: float) -> None:
    page = quads(*lines(50, 400, range(60, 280, 30)), *lines(480, 830, range(60, 280, 30)))
    assert first_lines.lines_safe_to_read(turned(page, degrees), BOTTOM) in ([], [0])


def test_a_right_column_that_begins_higher_waits_for_the_left_one() -> None:
    page = quads(*lines(480, 830, range(40, 200, 30)), *lines(50, 400, range(160, 280, 30)))
    assert first_lines.lines_safe_to_read(page, BOTTOM) == []


def test_nothing_is_safe_where_writing_runs_upwards() -> None:
    assert first_lines.lines_safe_to_read(quads((20, 20, 45, 280), (70, 20, 95, 280)), bottom=1000) == []


def test_an_empty_strip_has_nothing() -> None:
    assert first_lines.lines_safe_to_read(quads(), BOTTOM) == []


def test_a_low_page_is_looked_at_whole() -> None:
    assert first_lines.strip_height(400, 600) == 0
    assert first_lines.strip_height(1280, 960) == 192


def test_of_a_tall_page_more_is_looked_at_first() -> None:
    assert first_lines.strip_height(1280, 600) == 320


Row = st.tuples(st.integers(0, 700), st.integers(60, 500), st.integers(12, 40), st.integers(2, 40))


@given(st.lists(Row, max_size=12))
def test_what_is_safe_is_a_start_with_nothing_to_its_left_and_nothing_cut(
    rows: list[tuple[int, int, int, int]],
) -> None:
    boxes, top = [], 5
    for left, width, height, gap in rows:
        boxes.append((float(left), float(top), float(left + width), float(top + height)))
        top += height + gap
    page = quads(*(box for box in boxes if box[3] <= BOTTOM))
    safe = first_lines.lines_safe_to_read(page, BOTTOM)
    assert len(set(safe)) == len(safe)
    for number, index in enumerate(safe):
        later = [other for other in range(len(page)) if other not in safe[: number + 1]]
        assert all(page[other][:, 0].max() > page[index][:, 0].min() for other in later)
        assert page[index][:, 1].max() < BOTTOM


def test_a_line_read_early_is_not_left_to_be_read_again() -> None:
    page = quads(*lines(50, 800, range(20, 320, 40)))
    read = quads((52, 19, 798, 41), (50, 61, 803, 79))
    assert np.array_equal(first_lines.exclude_already_read(page, list(read)), page[2:])


def test_two_pieces_of_a_line_that_was_read_whole_are_not_read_again() -> None:
    page = quads((50, 20, 300, 40), (320, 20, 800, 40), (50, 60, 800, 80))
    assert np.array_equal(first_lines.exclude_already_read(page, list(quads((50, 20, 800, 40)))), page[2:])


def test_a_line_between_two_that_were_read_is_kept_though_their_boxes_reach_into_it() -> None:
    read = quads((50, 10, 800, 47), (50, 63, 800, 100))
    page = quads((50, 38, 800, 72))
    assert np.array_equal(first_lines.exclude_already_read(page, list(read)), page)


def test_lines_beside_one_read_early_are_kept_however_askew_the_page_lies() -> None:
    page = turned(quads(*lines(50, 850, range(20, 320, 30))), 3)
    assert len(first_lines.exclude_already_read(page, [page[0]])) == len(page) - 1


def test_all_is_unread_where_nothing_was_read() -> None:
    page = quads(*lines(50, 800, range(20, 320, 40)))
    assert first_lines.exclude_already_read(page, []) is page
