"""Tests of the lines at the top of a page that are safe to read early, and of those already read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.reading.engines.rapid import first_lines
from backend_main.reading.engines.rapid.detector import Quads

BOTTOM = 320


def quads(*boxes: tuple[float, float, float, float]) -> Quads:
    """Return boxes given as left, top, right and bottom."""
    corners = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in boxes]
    return np.array(corners, np.float32).reshape(-1, 4, 2)


def rotated(boxes: Quads, degrees: float) -> Quads:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    return np.asarray((boxes - (450, 600)) @ turn + (450, 600), np.float32)


def lines(left: float, right: float, tops: range) -> list[tuple[float, float, float, float]]:
    return [(left, top, right, top + 20) for top in tops]


def test_lines_safe_to_read_of_one_column_are_its_first_lines() -> None:
    page = quads(*lines(50, 800, range(20, 320, 40)))
    assert first_lines.lines_safe_to_read(page, BOTTOM) == [0, 1, 2]


def test_lines_safe_to_read_excludes_a_line_that_may_be_cut() -> None:
    page = quads(*lines(50, 800, range(260, 320, 40)))
    assert first_lines.lines_safe_to_read(page, BOTTOM) == [0]


def test_lines_safe_to_read_of_two_columns_are_title_and_first_line() -> None:
    page = quads(
        (250, 20, 650, 60), *lines(50, 400, range(100, 300, 30)), *lines(480, 830, range(100, 300, 30))
    )
    safe = first_lines.lines_safe_to_read(page, BOTTOM)
    assert safe == [0, 1]


@pytest.mark.parametrize("degrees", [-3, -1, 1, 3])
def test_lines_safe_to_read_of_skewed_columns_are_at_most_one(degrees: float) -> None:
    page = quads(*lines(50, 400, range(60, 280, 30)), *lines(480, 830, range(60, 280, 30)))
    assert first_lines.lines_safe_to_read(rotated(page, degrees), BOTTOM) in ([], [0])


def test_lines_safe_to_read_excludes_a_higher_right_column() -> None:
    page = quads(*lines(480, 830, range(40, 200, 30)), *lines(50, 400, range(160, 280, 30)))
    assert first_lines.lines_safe_to_read(page, BOTTOM) == []


def test_lines_safe_to_read_of_vertical_text_is_empty() -> None:
    assert first_lines.lines_safe_to_read(quads((20, 20, 45, 280), (70, 20, 95, 280)), bottom=1000) == []


def test_lines_safe_to_read_of_an_empty_strip_is_empty() -> None:
    assert first_lines.lines_safe_to_read(quads(), BOTTOM) == []


def test_strip_height_of_a_low_page_is_zero() -> None:
    assert first_lines.strip_height(400, 600) == 0
    assert first_lines.strip_height(1280, 960) == 192


def test_strip_height_of_a_tall_page_is_a_larger_share() -> None:
    assert first_lines.strip_height(1280, 600) == 320


Row = st.tuples(st.integers(0, 700), st.integers(60, 500), st.integers(12, 40), st.integers(2, 40))


@given(st.lists(Row, max_size=12))
def test_lines_safe_to_read_are_leftmost_and_uncut(
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


def test_exclude_already_read_removes_lines_read_early() -> None:
    page = quads(*lines(50, 800, range(20, 320, 40)))
    read = quads((52, 19, 798, 41), (50, 61, 803, 79))
    assert np.array_equal(first_lines.exclude_already_read(page, list(read)), page[2:])


def test_exclude_already_read_removes_pieces_of_a_read_line() -> None:
    page = quads((50, 20, 300, 40), (320, 20, 800, 40), (50, 60, 800, 80))
    assert np.array_equal(first_lines.exclude_already_read(page, list(quads((50, 20, 800, 40)))), page[2:])


def test_exclude_already_read_keeps_a_line_between_read_ones() -> None:
    read = quads((50, 10, 800, 47), (50, 63, 800, 100))
    page = quads((50, 38, 800, 72))
    assert np.array_equal(first_lines.exclude_already_read(page, list(read)), page)


def test_exclude_already_read_keeps_lines_of_a_skewed_page() -> None:
    page = rotated(quads(*lines(50, 850, range(20, 320, 30))), 3)
    assert len(first_lines.exclude_already_read(page, [page[0]])) == len(page) - 1


def test_exclude_already_read_without_read_lines_returns_all() -> None:
    page = quads(*lines(50, 800, range(20, 320, 40)))
    assert first_lines.exclude_already_read(page, []) is page
