"""Rows of a paragraph joined: hyphens at line ends, and text without spaces."""

import pytest

from backend_main.reading.born_digital.joined_rows import Vocabulary, join_rows, vocabulary_of
from backend_main.reading.documents.styled_text import text_of_pieces
from tests.unit.reading.sample_pieces import BOLD, marked, piece

DIVIDING = Vocabulary(divides_words=True)
PLAIN = Vocabulary(divides_words=False)


def joined(above: str, below: str, vocabulary: Vocabulary = DIVIDING) -> str:
    return text_of_pieces(join_rows([marked(above), marked(below)], vocabulary))


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("it was pro-", "duced here", "it was produced here"),
        ("it was pro\u00ad", "duced here", "it was produced here"),
        ("it was pro\u2010", "duced here", "it was produced here"),
        ("by Jean-", "Paul", "by Jean-Paul"),
        ("in 2004-", "07 they", "in 2004-07 they"),
        ("a dash –", "then text", "a dash – then text"),
        ("これは長い", "文です", "これは長い文です"),
        ("two", "words", "two words"),
    ],
)
def test_join_rows_where_words_are_divided(above: str, below: str, expected: str) -> None:
    assert joined(above, below) == expected


def test_join_rows_where_no_words_are_divided_keeps_the_hyphen() -> None:
    assert joined("the so-", "called one", PLAIN) == "the so-called one"


def test_join_rows_of_word_that_is_written_with_a_hyphen_elsewhere_keeps_it() -> None:
    assert joined("a well-", "known map", Vocabulary(frozenset({"well-known"}))) == "a well-known map"


def test_join_rows_of_word_that_is_written_in_one_elsewhere_joins_it() -> None:
    assert joined("it was pro-", "duced", Vocabulary(frozenset({"produced"}), divides_words=False)) == (
        "it was produced"
    )


def test_join_rows_of_korean_word_that_is_whole_elsewhere_joins_it() -> None:
    vocabulary = Vocabulary(frozenset({"도서관은"}))
    assert joined("이 도서", "관은 크다", vocabulary) == "이 도서관은 크다"
    assert joined("이 도서", "관은 크다") == "이 도서 관은 크다"


def test_join_rows_with_hyphen_in_another_style_drops_it() -> None:
    above = [piece("pro"), piece("‐", BOLD, starts_word=False)]
    assert text_of_pieces(join_rows([above, marked("duced")], DIVIDING)) == "produced"


def test_vocabulary_of_lines_with_few_hyphens_divides_no_words() -> None:
    lines = ["a line of plain words"] * 40
    assert not vocabulary_of([*lines, "the so-"]).divides_words
    assert vocabulary_of([*lines, *["it was pro-"] * 6]).divides_words


def test_vocabulary_of_lines_leaves_divided_words_out() -> None:
    assert vocabulary_of(["the Survey pro-", "duced it"]).words == {"the", "survey", "it"}
    assert "pro" not in vocabulary_of(["the Survey pro-"]).words


@pytest.mark.parametrize(
    ("words", "expected"),
    [("it was produced", True), ("it was pro-duced", False), ("it was made", False)],
)
def test_vocabulary_of_few_hyphens_divides_words_that_stand_undivided(words: str, *, expected: bool) -> None:
    """A manual with much code: few of its lines end with a hyphen."""
    lines = ["a line of code"] * 100
    assert vocabulary_of([*lines, "it was pro-", "duced here", words]).divides_words is expected


def test_join_rows_of_rarely_divided_words_keeps_the_hyphen_between_two_words() -> None:
    lines = ["a line of code"] * 100
    vocabulary = vocabulary_of([*lines, "it was pro-", "duced here", "produced", "an emacs style"])
    assert joined("an emacs-", "style", vocabulary) == "an emacs-style"
    assert joined("the line end-", "ing", vocabulary) == "the line ending"


def test_join_rows_of_very_long_words_joins_them() -> None:
    """The cost of a letter does not grow with its word: its square would take minutes."""
    rows = [[piece("x" * 200_000 + "-")], [piece("y" * 200_000)]]
    assert text_of_pieces(join_rows(rows)) == "x" * 200_000 + "y" * 200_000
