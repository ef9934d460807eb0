"""Tests of check boxes drawn on a page."""

import cv2
import numpy as np
import pytest
from PIL import ImageDraw, ImageFont

from backend_main.reading.layout.check_boxes import (
    CHECKED,
    UNCHECKED,
    CheckBox,
    find_check_boxes,
    with_check_boxes,
)
from backend_main.reading.layout.geometry import LayoutBox, PageFrame
from backend_main.reading.output.escaping import escape
from backend_main.reading.page_assembly import assemble_page
from backend_main.reading.types import Line
from tests.unit.reading.sample_layouts import box
from tests.unit.reading.sample_pages import blank, pixels_of

FONT = ImageFont.load_default(26)
TEXT_HEIGHT = 32.0
LEVEL = PageFrame(0.0)


def draw_check_box(draw: ImageDraw.ImageDraw, left: int, top: int, side: int, mark: str) -> None:
    right, bottom = left + side, top + side
    draw.rectangle((left, top, right, bottom), outline="black", width=2)
    if mark == "cross":
        draw.line((left + 4, top + 4, right - 4, bottom - 4), fill="black", width=2)
        draw.line((left + 4, bottom - 4, right - 4, top + 4), fill="black", width=2)
    elif mark == "tick":
        points = [(left + 4, top + side // 2), (left + side // 3, bottom - 4), (right - 1, top - 2)]
        draw.line(points, fill="navy", width=3)
    elif mark == "fill":
        draw.rectangle((left + 5, top + 5, right - 5, bottom - 5), fill="black")


@pytest.mark.parametrize("side", [20, 26, 34])
def test_find_check_boxes_tells_empty_from_marked(side: int) -> None:
    image = blank(600, 400)
    draw = ImageDraw.Draw(image)
    marks = ("", "cross", "tick", "fill")
    for number, mark in enumerate(marks):
        draw_check_box(draw, 60, 60 + 80 * number, side, mark)

    found = find_check_boxes(pixels_of(image), LEVEL, TEXT_HEIGHT)

    assert [one.is_checked for one in sorted(found, key=lambda one: one.top)] == [
        bool(mark) for mark in marks
    ]


def test_find_check_boxes_leaves_letters_cells_and_rules() -> None:
    image = blank(1240, 500)
    draw = ImageDraw.Draw(image)
    for number, text in enumerate(
        ("BODEN DOCK OHNE 80 00 DQ", "Die Bundesbank hob den Diskont.", "D O Q 0 B H N M")
    ):
        draw.text((60, 40 + 50 * number), text, fill="black", font=FONT)
    for left in range(60, 560, 100):
        draw.rectangle((left, 250, left + 100, 310), outline="black", width=2)
    draw.line((60, 400, 900, 400), fill="black", width=2)

    assert find_check_boxes(pixels_of(image), LEVEL, TEXT_HEIGHT) == []


def test_check_box_beside_or_in_a_text_is_a_sign_in_its_place() -> None:
    def check_box(left: float, *, is_checked: bool = False) -> CheckBox:
        return CheckBox(left, 4, left + 24, 28, is_checked)

    right = LayoutBox(0, 140, 0, 300, 32, 32)
    wide = LayoutBox(0, 100, 0, 460, 32, 32)

    assert with_check_boxes(["I agree"], [right], [check_box(100)], TEXT_HEIGHT) == [f"{UNCHECKED} I agree"]
    assert with_check_boxes(["yes"], [right], [check_box(310)], TEXT_HEIGHT) == [f"yes {UNCHECKED}"]
    assert with_check_boxes(["I agree"], [right], [check_box(20)], TEXT_HEIGHT) == ["I agree"]
    assert with_check_boxes(
        ["□ Cash Card X Invoice"], [wide], [check_box(100), check_box(290, is_checked=True)], TEXT_HEIGHT
    ) == [f"{UNCHECKED} Cash Card {CHECKED} Invoice"]


def test_assemble_page_writes_check_boxes_as_those_of_task_lists() -> None:
    image = blank(800, 400)
    draw = ImageDraw.Draw(image)
    texts = ("Yes, I agree to the terms", "No, I do not agree")
    for number, text in enumerate(texts):
        draw_check_box(draw, 90, 60 + 60 * number, 24, "" if number else "cross")
        draw.text((130, 56 + 60 * number), text, fill="black", font=FONT)
    lines = [
        Line(1, text, text, box(128, 56 + 60 * number, 14 * len(text), 32))
        for number, text in enumerate(texts)
    ]

    markdown = assemble_page(pixels_of(image), lines).markdown

    assert "[x] Yes, I agree" in markdown
    assert "[ ] No, I do not" in markdown


def test_escape_writes_ballot_boxes_as_check_boxes() -> None:
    assert escape(f"{CHECKED} yes {UNCHECKED} no [x]") == "[x] yes [ ] no \\[x]"


def test_find_check_boxes_of_a_pattern_of_squares_are_none() -> None:
    squares = pixels_of(blank(1500, 1500))
    square = pixels_of(blank(44, 44))
    cv2.rectangle(square, (10, 10), (32, 32), (0, 0, 0), 2)
    squares[: 44 * 34, : 44 * 34] = np.tile(square, (34, 34, 1))
    assert len(find_check_boxes(squares[: 44 * 20], LEVEL, TEXT_HEIGHT)) == 20 * 34
    assert find_check_boxes(squares, LEVEL, TEXT_HEIGHT) == []
