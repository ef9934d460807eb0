"""Grade of a page: letters, words, and what does not count."""

from __future__ import annotations

import pytest

from backend_main.reading import Line
from backend_main.reading.grade import Grade, combine, grade_of
from backend_main.reading.types import Word


def line(
    text: str, confidence: float | None, *, markdown: str | None = None, words: tuple[Word, ...] = ()
) -> Line:
    shown = text if markdown is None else markdown
    return Line(1, text, shown, None, confidence, words=words)


def test_grade_of_lines_weights_letters_not_lines() -> None:
    grade = grade_of([line("ninety-nine letters", 1.0), line("7", 0.1)])
    assert (grade.letters, grade.words, grade.uncertain_words) == (18, 3, 1)
    assert grade.mean_confidence == pytest.approx((17 * 1.0 + 0.1) / 18, abs=1e-4)
    assert grade.uncertain_share == pytest.approx(1 / 3, abs=1e-4)


def test_grade_of_words_uses_their_confidences() -> None:
    words = (Word("sure", None, 0.99, 0), Word("unsure", None, 0.5, 5), Word("line", None, None, 12))
    grade = grade_of([line("sure unsure line", 0.9, words=words)])
    assert (grade.words, grade.uncertain_words) == (3, 1)
    assert grade.mean_confidence == pytest.approx((4 * 0.99 + 6 * 0.5 + 4 * 0.9) / 14, abs=1e-4)


def test_grade_of_a_text_layer_has_no_confidence() -> None:
    grade = grade_of([line("from the text layer", None)])
    assert (grade.mean_confidence, grade.uncertain_share) == (None, None)


def test_grade_of_a_stamp_beside_a_text_layer_counts_all_words() -> None:
    grade = grade_of([line("nine words of a text layer that is right", None), line("PAlD", 0.6)])
    assert grade.mean_confidence == 0.6
    assert grade.uncertain_share == 0.1


def test_grade_of_furniture_that_the_text_leaves_out_does_not_count() -> None:
    assert grade_of([line("page", 0.1, markdown=""), line("text", 0.9)]) == Grade(4, 0.9, 1, 0)


def test_combine_grades_counts_pages_by_their_letters() -> None:
    both = combine([Grade(300, 0.9, 60, 0), Grade(100, 0.5, 20, 20), Grade(0, 0.0, 20, 0)])
    assert (both.mean_confidence, both.uncertain_share) == (0.8, 0.2)
    assert combine([]).mean_confidence is None
