"""A person's correction in the Markdown, the lines and the words of a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.core.exports.correction import corrected, page_corrections
from backend_main.core.exports.document import ExportPage
from backend_main.core.exports.furniture import with_furniture
from backend_main.reading.output.plain_text import to_plain_text
from backend_main.reading.types import Block
from tests.support.export_documents import MARKDOWN, export_line, export_page


def replaced(old: str, new: str, page: ExportPage | None = None) -> ExportPage:
    page = page or export_page()
    assert old in page.text
    return corrected(page, page.text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "markdown"),
    [
        ("bold", "brave", "# A **brave** title & more"),
        ("*star*", "*sun*", "One two \\*sun\\* a<sup>2</sup>"),
        ("Apple", "Apples", "| Apples | 1.234,56 EUR |"),
        ("1.234,56 EUR", "1.234,65 USD", "| Apple | 1.234,65 USD |"),
        ("Head", "Heads & tails", '<th colspan="2">Heads & tails</th>'),
        ("ticked", "ticked *off*", "- [x] ticked \\*off\\*"),
        ("seven\n", "seven and a half\n", "7. seven and a half"),
        ("two ", "", "One \\*star\\*"),
    ],
)
def test_corrected_markdown_keeps_the_structure(old: str, new: str, markdown: str) -> None:
    page = replaced(old, new)
    assert markdown in page.markdown
    assert to_plain_text(page.markdown).split() == page.text.split()
    assert page.as_read is not None
    assert page.as_read.markdown == MARKDOWN


def test_corrected_new_paragraph_stands_behind_the_table() -> None:
    page = export_page("| a | b |\n|---|---|\n| c | d |")
    assert corrected(page, page.text + "\n\nThe end.").markdown == page.markdown + "\n\nThe end."


def test_corrected_words_stand_at_the_places_of_those_before() -> None:
    page = export_page("One twa three", [export_line("One twa three")])
    (line,) = replaced("twa", "two", page).lines
    before = page.lines[0].words
    assert line.text == "One two three"
    assert [word.text for word in line.words] == ["One", "two", "three"]
    assert [word.box for word in line.words] == [word.box for word in before]


def test_corrected_added_words_lie_inside_the_line() -> None:
    page = export_page("One three", [export_line("One three")])
    (line,) = corrected(page, "One and two three").lines
    assert [word.text for word in line.words] == ["One", "and", "two", "three"]
    assert line.words[0].box == page.lines[0].words[0].box
    assert all(word.box is not None and 10 <= word.box[0][0] <= word.box[1][0] <= 410 for word in line.words)
    assert all(line.text[word.start :].startswith(word.text) for word in line.words)


def test_corrected_text_that_is_wholly_new_is_in_markdown_and_lines() -> None:
    page = corrected(export_page(), "# All\n\nelse")
    assert to_plain_text(page.markdown).split() == ["#", "All", "else"]
    assert " ".join(line.text for line in page.lines).split() == ["#", "All", "else"]


def test_corrected_empty_text_leaves_nothing() -> None:
    page = corrected(export_page(), "")
    assert page.markdown == ""
    assert not any(line.text for line in page.lines)


@given(
    st.lists(
        st.sampled_from([*to_plain_text(MARKDOWN).split(), "new", "*", "#", "|", "<b>", "$x$"]), max_size=40
    )
)
def test_corrected_markdown_has_exactly_the_words_of_the_person(words: list[str]) -> None:
    text = " ".join(words)
    assert to_plain_text(corrected(export_page(), text).markdown).split() == words


def test_corrected_page_with_furniture_keeps_the_furniture() -> None:
    markdown = "Body twa text"
    blocks = [
        Block("page_header", text="The Times"),
        Block("paragraph", span=(0, len(markdown)), text=markdown),
    ]
    page = with_furniture(export_page(markdown, [export_line(markdown)], blocks=blocks), "keep")
    fixed = corrected(page, "Body two text")
    assert fixed.markdown == "The Times\n\nBody two text"
    assert fixed.text == "The Times\n\nBody two text"


def test_page_corrections_divide_a_document_by_its_pages() -> None:
    texts = ["alpha beta", "gamma delta", "epsilon"]
    document = "alpha beta gamma delta\n\nepsilon"
    assert page_corrections(texts, document, "alpha beta gamma DELTA\n\nepsilon zeta") == [
        None,
        "gamma DELTA",
        "epsilon zeta",
    ]
    assert page_corrections(texts, document, "new alpha gamma delta epsilon") == ["new alpha", None, None]
    assert page_corrections(texts, document, document) == [None, None, None]


def test_page_corrections_of_a_change_over_a_page_break() -> None:
    assert page_corrections(["a b c", "d e f"], "a b c d e f", "a b X f") == ["a b X", "f"]
