"""Upright lines through words, in a frame that would be a grid with them."""

from backend_main.reading.documents.pdf_graphics import Graphics, Rule
from tests.unit.reading.born_digital.drawn_text import SIZE, DrawnPage, markdown_of

LINES = [f"Line {number} goes on from one side of its frame to the other one" for number in range(6)]


def _markdown(x_in_word: float) -> str:
    """Return the Markdown of framed lines, with an upright line at a share of the width of one word."""
    page = DrawnPage()
    for text in LINES:
        page.line(text)
    first, last = page.runs[0].pieces, page.runs[-1].pieces
    left, right = first[0].left - SIZE, max(run.pieces[-1].right for run in page.runs) + SIZE
    top, bottom = first[0].baseline - 1.2 * SIZE, last[0].baseline + 0.6 * SIZE
    middle = (page.runs[2].pieces[0].baseline + page.runs[3].pieces[0].baseline) / 2 - 0.3 * SIZE
    word = first[4]
    x = word.left + x_in_word * (word.right - word.left)
    page.graphics = Graphics(
        rules=(
            *(Rule(left, y, right, y, 1.0) for y in (top, middle, bottom)),
            *(Rule(at, top, at, bottom, 1.0) for at in (left, x, right)),
        )
    )
    return markdown_of(page)


def test_line_through_words_divides_no_columns() -> None:
    text = " ".join(_markdown(0.5).replace("|", " ").replace("---", " ").split())
    assert text == " ".join(LINES)


def test_line_between_words_divides_columns() -> None:
    assert _markdown(-0.2).count("|---") == 2
