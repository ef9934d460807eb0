"""Words with a line through them, on text layers made of words at given places."""

import pytest

from backend_main.reading.documents.pdf_graphics import Graphics, Rule
from backend_main.reading.output.plain_text import to_plain_text
from tests.unit.reading.born_digital.drawn_text import (
    BOLD,
    PROSE,
    SERIF,
    SIZE,
    DrawnPage,
    markdown_of,
)

TEXT = "The fee is forty fifty euros a month."


def _markdown(first: int, last: int, *, height: float, overhang: float = 0.0) -> str:
    """Return the Markdown of a page whose line goes from one word of TEXT to another.

    Args:
        first: number of the first word at the line.
        last: number of the last word at the line.
        height: of the line above the baseline, in font sizes.
        overhang: of the line over the words on both sides, in font sizes.
    """
    page = DrawnPage().line(TEXT)
    pieces = page.runs[0].pieces
    y = pieces[0].baseline - height * SIZE
    left, right = pieces[first].left - overhang * SIZE, pieces[last].right + overhang * SIZE
    page.graphics = Graphics(rules=(Rule(left, y, right, y, 2.0),))
    return markdown_of(page.paragraph(PROSE)).split("\n\n")[0]


@pytest.mark.parametrize(("first", "last"), [(3, 3), (3, 4)])
def test_words_with_a_line_through_them_are_struck(first: int, last: int) -> None:
    words = TEXT.split()
    struck = " ".join(words[first : last + 1])
    assert _markdown(first, last, height=0.28) == TEXT.replace(struck, f"~~{struck}~~")


@pytest.mark.parametrize("height", [-0.1, 0.0, 0.8])
def test_words_with_a_line_below_or_above_are_plain(height: float) -> None:
    assert _markdown(3, 3, height=height) == TEXT


def test_line_that_is_longer_than_its_words_is_not_strikethrough() -> None:
    assert _markdown(0, 7, height=0.28, overhang=2.0) == TEXT


def test_struck_words_in_bold_have_both_marks() -> None:
    page = DrawnPage().line([("The fee is", SERIF), ("forty", BOLD), ("euros a month.", SERIF)])
    word = page.runs[0].pieces[3]
    y = word.baseline - 0.28 * SIZE
    page.graphics = Graphics(rules=(Rule(word.left, y, word.right, y, 2.0),))
    assert "is ~~**forty**~~ euros" in markdown_of(page.paragraph(PROSE))


def test_struck_and_bold_text_has_no_marks_in_plain_text() -> None:
    assert to_plain_text("is ~~**forty**~~ euros") == "is forty euros"
