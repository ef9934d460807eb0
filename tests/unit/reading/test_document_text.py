"""Tests of backend_main.reading.document_text: paragraphs over page breaks, and what must stay apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from backend_main.reading.document_text import document_text, text_parts
from backend_main.reading.errors import ReadingError
from backend_main.reading.output.plain_text import to_plain_text


@dataclass(frozen=True)
class Page:
    number: int
    markdown: str

    @property
    def text(self) -> str:
        return to_plain_text(self.markdown)


def text_of(*markdowns: str) -> str:
    return document_text(Page(number, markdown) for number, markdown in enumerate(markdowns, 1))


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [
        ("The small cat sat down on", "the mat.\n\nNext.", "The small cat sat down on the mat.\n\nNext."),
        ("A **bold** and very impor-", "tant word.", "A bold and very important word."),
        ("A well-known name. It is a well-", "known name.", "A well-known name. It is a well-known name."),
        ("It is written by Jean-", "Paul Sartre.", "It is written by Jean-Paul Sartre."),
        (
            "In dem Hause ist nun die",
            "Verwaltung der Stadt.",
            "In dem Hause ist nun die Verwaltung der Stadt.",
        ),
        (
            "Untergebracht sind hier die übrigen",
            "Ämter der Stadt.",
            "Untergebracht sind hier die übrigen Ämter der Stadt.",
        ),
        ("It is in a large part of the", "United States.", "It is in a large part of the United States."),
        ("- one\n- two of them goes on", "over here", "- one\n- two of them goes on over here"),
        (
            "这是一个很长的段落，在这一页的最后一行没有结束，它",
            "在下一页继续。",
            "这是一个很长的段落，在这一页的最后一行没有结束，它在下一页继续。",
        ),
        ("انتقلت الشركة إلى مكاتب جديدة في", "المدينة.", "انتقلت الشركة إلى مكاتب جديدة في المدينة."),
    ],
)
def test_document_text_joins_a_paragraph_over_a_page_break(above: str, below: str, text: str) -> None:
    assert text_of(above, below) == text


@pytest.mark.parametrize(
    "between",
    [
        "<sup>1</sup> A note.",
        "1 A note of the foot.\n\n2 Another note",
        "\\* A note.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "![]()\n\nFigure 3: A cat",
        "12",
        "978-1-4673-5208-6/13/$31.00 ©2013 IEEE",
    ],
)
@pytest.mark.parametrize("is_above", [True, False])
def test_document_text_moves_what_stands_in_a_paragraph_behind_it(between: str, *, is_above: bool) -> None:
    if is_above:
        text = text_of(f"The small cat sat down on\n\n{between}", "the mat.\n\nNext.")
        assert text == f"The small cat sat down on the mat.\n\n{to_plain_text(between)}\n\nNext."
    elif between.startswith(("|", "!")):
        text = text_of("The small cat sat down on", f"{between}\n\nthe mat.\n\nNext.")
        assert text == f"The small cat sat down on the mat.\n\n{to_plain_text(between)}\n\nNext."


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("The small cat sat down.", "the mat"),
        ("The small cat sat down on", "The mat"),
        ("Sie verkauften damals alle Häuser", "Im Herbst kam der Frost."),
        ("The cat went back to the house", "Chapter two"),
        ("## The small cat and the dog", "sat on the mat"),
        ("The small cat sat down on", "- the mat"),
        ("The small cat sat down on", "a) the mat"),
        ("The small cat sat down on", "# the mat"),
        ("```\nthe small cat and the dog\n```", "sat"),
        ("17, Aviation Road  \nPaperfield and the country", "the mat"),
        ("名字", "在下一页。"),
        ("ประเทศไทยมีประชากรหลายล้านคนในปัจจุบัน", "ประเทศ"),
        ("", "the mat"),
    ],
)
def test_document_text_keeps_pages_apart_that_do_not_go_on(above: str, below: str) -> None:
    apart = "\n\n".join(filter(None, (to_plain_text(above), to_plain_text(below))))
    assert text_of(above, below) == apart


def test_document_text_joins_a_paragraph_of_three_pages() -> None:
    text = text_of("One.\n\nThe small cat sat down", "on the very large mat", "and slept.\n\nEnd.")
    assert text == "One.\n\nThe small cat sat down on the very large mat and slept.\n\nEnd."


def test_document_text_does_not_join_pages_that_do_not_follow() -> None:
    assert (
        document_text([Page(1, "The small cat sat down on"), Page(3, "the mat.")])
        == "The small cat sat down on\n\nthe mat."
    )


def test_text_parts_come_before_the_last_page_and_join_to_the_text() -> None:
    pages = [Page(1, "One.\n\nTwo of these cats go"), Page(2, "on there.\n\nThree."), Page(3, "Four.")]
    parts = list(text_parts(pages))
    assert parts == ["One.", "\n\nTwo of these cats go on there.\n\nThree.", "\n\nFour."]


def test_text_parts_yield_the_text_before_an_error() -> None:
    def pages() -> Iterator[Page]:
        yield Page(1, "The small cat sat down on")
        raise ReadingError("The engine failed.")

    parts = text_parts(pages())
    assert next(parts) == "The small cat sat down on"
    with pytest.raises(ReadingError, match="engine failed"):
        next(parts)


def test_document_text_of_very_long_words_is_complete() -> None:
    """Each page costs its own length only: the square of it would take hours."""
    pages = ["x" * 500_000] * 10
    assert text_of(*pages).count("x") == 5_000_000


def test_document_text_of_many_pages_without_end_of_sentence_is_complete() -> None:
    pages = ["the words go on and on " * 100 + "without"] * 300
    assert text_of(*pages).count("without") == 300
