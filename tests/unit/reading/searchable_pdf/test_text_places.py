"""Text of a searchable PDF: each word is found at its place, and copied in the order of its script."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from backend_main.reading.searchable_pdf import TextPage
from backend_main.reading.searchable_pdf.invisible_font import TextCodes, unicode_map
from backend_main.reading.types import Line, Word, level_box
from tests.support.searchable_pdfs import (
    overlap,
    page_text,
    placed_line,
    problems,
    rectangle_around,
    searchable_pdf,
    words_of_page,
)

SIZE = (1000, 1400)
MIN_OVERLAP = 0.7
LINES = {
    "latin": "Hello brave (new) world, no. 4711!",
    "hebrew": "שלום עולם (בדיקה) מספר 1,234.50 סוף",
    "arabic": "مرحبا بالعالم السعر ١٢٣ دولار",
    "chinese": "版面排版分析测试，中文没有空格。",
    "korean": "한국어 띄어쓰기 시험",
    "devanagari": "हिन्दी में पाठ",
    "beyond_16_bits": "𠀀𠀁 and 😀",
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    Image.new("L", SIZE, 255).save(path, dpi=(100, 100))
    return path


def _page(*lines: Line) -> TextPage:
    return TextPage(1, *SIZE, list(lines))


def _assert_words_are_at_their_places(pdf: bytes, lines: list[Line]) -> None:
    found = list(words_of_page(pdf, SIZE))
    for line in lines:
        for word in line.words:
            assert word.box is not None
            place = rectangle_around(word.box)
            assert max(overlap(place, box) for text, box in found if word.text in text) >= MIN_OVERLAP


@pytest.mark.parametrize("script", LINES)
def test_level_line_is_copied_as_it_was_read(script: str, picture: Path) -> None:
    line = placed_line(LINES[script], 60, 80, width=14 * len(LINES[script]), height=28)
    pdf = searchable_pdf(picture, [_page(line)])
    assert page_text(pdf) == LINES[script]
    assert not problems(pdf)


@pytest.mark.parametrize("script", ["latin", "hebrew", "arabic", "korean", "devanagari"])
def test_words_of_level_line_are_at_their_places(script: str, picture: Path) -> None:
    line = placed_line(LINES[script], 60, 80, width=16 * len(LINES[script]), height=28)
    _assert_words_are_at_their_places(searchable_pdf(picture, [_page(line)]), [line])


def _words_side_by_side(text: str, *, step: float, height: float, is_from_right: bool) -> Line:
    """Return a line whose words have no white between them."""
    words, at = [], 60.0
    parts = list(re.finditer(r"\S+", text))
    for part in reversed(parts) if is_from_right else parts:
        end = at + step * len(part[0])
        words.append(Word(part[0], level_box(at, 80, end, 80 + height), 0.9, part.start()))
        at = end
    words.sort(key=lambda word: word.start)
    return Line(1, text, text, level_box(60, 80, at, 80 + height), 0.9, words=tuple(words))


@pytest.mark.parametrize(
    ("text", "is_from_right"), [("The School of Hygiene", False), ("סוף שלום עולם", True)]
)
def test_words_that_touch_have_a_gap_with_a_space(text: str, is_from_right: bool, picture: Path) -> None:
    height = 28
    line = _words_side_by_side(text, step=16, height=height, is_from_right=is_from_right)
    pdf = searchable_pdf(picture, [_page(line)])
    assert page_text(pdf) == text
    boxes = sorted(box for _, box in words_of_page(pdf, SIZE))
    assert min(after[0] - box[2] for box, after in pairwise(boxes)) >= 0.18 * height
    _assert_words_are_at_their_places(pdf, [line])


@pytest.mark.parametrize("degrees", [-8, 3, 90, 270])
def test_turned_line_is_copied_and_at_its_place(degrees: int, picture: Path) -> None:
    line = placed_line("some words on a turned line", 500, 700, width=400, height=30, degrees=degrees)
    pdf = searchable_pdf(picture, [_page(line)])
    assert page_text(pdf).split() == line.text.split()
    _assert_words_are_at_their_places(pdf, [line])


def test_vertical_line_is_copied_from_top_to_bottom(picture: Path) -> None:
    text = "日本語の縦書きテスト"
    words = tuple(
        Word(letter, level_box(800, 100 + 30 * at, 830, 130 + 30 * at), 0.9, at)
        for at, letter in enumerate(text)
    )
    line = Line(1, text, text, level_box(800, 100, 830, 400), 0.9, words=words)
    pdf = searchable_pdf(picture, [_page(line)])
    assert page_text(pdf) == text
    tops = [round(box[1]) for _, box in words_of_page(pdf, SIZE)]
    assert tops == [100 + 30 * at for at in range(len(text))]


def test_lines_follow_each_other_in_the_order_of_the_page(picture: Path) -> None:
    right = placed_line("right column first", 600, 100, width=300, height=25)
    left = placed_line("left column second", 60, 60, width=300, height=25)
    pdf = searchable_pdf(picture, [_page(right, left)])
    assert page_text(pdf).split() == [*right.text.split(), *left.text.split()]


def test_line_without_words_gets_words_along_its_box(picture: Path) -> None:
    line = Line(1, "no words here", "", level_box(100, 100, 490, 130), 0.9)
    found = dict(words_of_page(searchable_pdf(picture, [_page(line)]), SIZE))
    assert overlap(found["here"], (100 + 9 * 30, 100, 490, 130)) >= MIN_OVERLAP


def test_lines_without_boxes_are_spread_over_the_page(picture: Path) -> None:
    lines = [Line(1, "first", ""), Line(1, "second", "")]
    found = dict(words_of_page(searchable_pdf(picture, [_page(*lines)]), SIZE))
    assert found["first"][3] < found["second"][1]
    assert set(found) == {"first", "second"}


def test_characters_beyond_16_bits_get_codes_of_the_document() -> None:
    codes = TextCodes()
    assert codes.encode("a😀b😀") == bytes.fromhex("0061 D800 0062 D800")
    assert codes.encode("𠀀") == bytes.fromhex("D801")
    assert b"2 beginbfchar\n<D800> <D83DDE00>\n<D801> <D840DC00>\n" in unicode_map(codes.others)


def test_characters_beyond_the_free_codes_are_replaced() -> None:
    codes = TextCodes()
    codes.encode("".join(map(chr, range(0x20000, 0x20800))))
    assert codes.encode("\U00020000\U00020800") == bytes.fromhex("D800 FFFD")


def test_words_with_empty_boxes_are_left_out(picture: Path) -> None:
    empty = Word("gone", level_box(100, 100, 100, 100), 0.9, 0)
    line = Line(1, "gone", "", level_box(100, 100, 100, 100), 0.9, words=(empty,))
    pdf = searchable_pdf(picture, [_page(line)])
    assert not page_text(pdf)
    assert not problems(pdf)
