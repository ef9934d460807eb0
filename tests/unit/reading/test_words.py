"""Words of a line: where a text divides, and words that follow a change of their line."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.reading import Line, Word
from backend_main.reading.likely_words import with_likely_words
from backend_main.reading.types import Box, level_box
from backend_main.reading.words import even_words, move_line, part_of_box, realigned, word_spans

TEXT = "Total 12.00 EUR"
BOX = level_box(0.0, 0.0, 150.0, 10.0)
_texts = st.text("ab. 中文かא1", max_size=20)


def line_of(text: str) -> Line:
    return Line(1, text, text, BOX, 0.9, words=even_words(text, BOX, 0.9))


def assert_is_consistent(line: Line) -> None:
    assert [(word.start, word.text) for word in line.words] == [
        (start, line.text[start:end]) for start, end in word_spans(line.text)
    ]


def test_word_spans_divides_at_spaces_and_ideographs() -> None:
    assert [TEXT[start:end] for start, end in word_spans(TEXT)] == ["Total", "12.00", "EUR"]
    text = "PDF文書、は\u3000한국어 が\u3099ー"
    assert [text[start:end] for start, end in word_spans(text)] == [
        "PDF", "文", "書", "、", "は", "한국어", "が\u3099", "ー",
    ]  # fmt: skip


def test_even_words_from_the_right_begin_at_the_right() -> None:
    first, last = even_words("שלום עולם", level_box(0, 0, 90, 10))
    assert first == Word("שלום", level_box(50, 0, 90, 10), None, 0)
    assert last == Word("עולם", level_box(0, 0, 40, 10), None, 5)


def test_part_of_box_follows_its_perspective() -> None:
    wedge: Box = ((0, 0), (100, 20), (100, 60), (0, 80))
    left, right = part_of_box(wedge, (0.0, 0.5)), part_of_box(wedge, (0.5, 1.0))
    assert (left[0], left[3], right[1], right[2]) == (wedge[0], wedge[3], wedge[1], wedge[2])
    # The lines between opposite corners cross in the middle of what the wedge shows: nearer to its low end.
    assert left[1][0] == pytest.approx(200 / 3)
    assert (left[1][1] + left[2][1]) / 2 == pytest.approx(40)


@given(_texts, _texts)
def test_realigned_words_are_those_of_the_new_text(old: str, new: str) -> None:
    words = realigned(even_words(old, BOX, 0.9), old, new, BOX)
    assert_is_consistent(
        Line(1, new, new, BOX, words=words if even_words(old, BOX) else even_words(new, BOX))
    )
    for word in words:
        assert word.box is not None
        (left, top), _, (right, bottom), _ = word.box
        assert 0 <= left <= right <= 150.1
        assert (top, bottom) == (0.0, 10.0)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("Totals 12.00 EUR", [("Totals", 0, 50), ("12.00", 60, 110), ("EUR", 120, 150)]),
        ("Total 12.00EUR", [("Total", 0, 50), ("12.00EUR", 60, 150)]),
        ("To tal 12.00 EUR", [("To", 0, 20), ("tal", 20, 50), ("12.00", 60, 110), ("EUR", 120, 150)]),
        ("12.00 EUR", [("12.00", 60, 110), ("EUR", 120, 150)]),
    ],
)
def test_realigned_words_stay_where_their_letters_are(
    new: str, expected: list[tuple[str, float, float]]
) -> None:
    words = realigned(even_words(TEXT, BOX, 0.9), TEXT, new, BOX)
    assert [(word.text, word.box and (word.box[0][0], word.box[1][0])) for word in words] == [
        (text, (left, right)) for text, left, right in expected
    ]
    assert {word.confidence for word in words} == {0.9}


def test_realigned_word_around_slanted_parts_is_slanted() -> None:
    cosine, sine = math.cos(0.1), math.sin(0.1)

    def turned(box: Box) -> Box:
        a, b, c, d = ((x * cosine - y * sine, x * sine + y * cosine) for x, y in box)
        return a, b, c, d

    line = move_line(line_of("ab cd"), turned)
    [word] = realigned(line.words, "ab cd", "abcd", line.box)
    assert word.box is not None
    for corner, expected in zip(word.box, turned(BOX), strict=True):
        assert corner == pytest.approx(expected, abs=0.3)


def test_likely_words_in_a_line_keep_the_places_of_its_words() -> None:
    text = "The state of the INSTTUTION was that of the others and there it is"
    line, *_ = with_likely_words([line_of(text)] * 5, {"INSTTUTION": "INSTITUTION"})
    assert line.text.split()[4] == "INSTITUTION"
    assert_is_consistent(line)
    assert [word.box for word in line.words] == [word.box for word in even_words(text, BOX)]


def test_line_whose_text_loses_control_characters_has_no_words() -> None:
    words = even_words("a\u202eb c", BOX)
    line = Line(1, "a\u202eb c", "", BOX, words=words)
    assert (line.text, line.words) == ("ab c", ())
    assert msgspec.structs.replace(line, words=even_words("ab c", BOX)).words
