"""Fractions in running text, told from labels of a drawing."""

import pytest

from backend_main.reading.born_digital.inline_fractions import find_inline_fractions
from backend_main.reading.born_digital.page import DigitalPage
from backend_main.reading.documents.pdf_graphics import Graphics, Rule
from backend_main.reading.documents.pdf_text_layer import TextLayer, TextRun
from backend_main.reading.documents.styled_text import TextPiece, TextStyle
from backend_main.reading.types import level_box

SIZE = 20.0


def run(text: str, left: float, top: float, width: float, height: float = SIZE) -> TextRun:
    style = TextStyle(size=SIZE)
    words = text.split()
    step = width / len(words)
    pieces = tuple(
        TextPiece(word, left + step * index, left + step * (index + 1) - 2, top + 0.8 * height, style)
        for index, word in enumerate(words)
    )
    return TextRun(text, level_box(left, top, left + width, top + height), pieces)


def fractions(*runs: TextRun) -> list[str]:
    """Return the texts of runs that hold a fraction; its bar is at y = 100, from x = 200 to 240."""
    bar = Rule(200, 100, 240, 100, 1)
    page = DigitalPage(1, TextLayer(800, 800, runs, Graphics(rules=(bar,))))
    changed, _ = find_inline_fractions(page)
    return [run.text for run in changed.values()]


HOST = run("The share is", 90, 90, 106)


def test_parts_above_and_below_a_bar_beside_text_are_a_fraction() -> None:
    assert fractions(HOST, run("12", 205, 78, 30), run("35", 205, 102, 30)) == ["The share is 12/35"]


@pytest.mark.parametrize(
    "runs",
    [
        (HOST, run("12", 212, 60, 10, height=38), run("35", 205, 102, 30)),
        (run("log HII", 185, 40, 12, height=120), run("12", 205, 78, 30), run("35", 205, 102, 30)),
    ],
    ids=["rotated part", "rotated text beside"],
)
def test_labels_of_a_drawing_are_not_a_fraction(runs: tuple[TextRun, ...]) -> None:
    assert fractions(*runs) == []
