"""Formulas of a page: displayed ones apart from text, and fractions in their lines."""

from backend_main.reading.born_digital.formulas import find_formulas
from backend_main.reading.born_digital.inline_fractions import find_inline_fractions
from backend_main.reading.born_digital.page import DigitalPage
from backend_main.reading.documents.pdf_graphics import Graphics, Rule
from backend_main.reading.documents.pdf_text_layer import TextLayer, TextRun
from backend_main.reading.documents.styled_text import TextPiece, text_of_pieces
from backend_main.reading.types import level_box
from tests.unit.reading.sample_pieces import MATH_ITALIC, SIZE, marked, piece


def run(left: float, baseline: float, pieces: list[TextPiece]) -> TextRun:
    """Return the run of pieces of one size, set from left to right."""
    placed = [
        piece(one.text, one.style.font, script=one.script, starts_word=one.starts_word) for one in pieces
    ]
    x, found = left, []
    for one in placed:
        x += 10 if found and one.starts_word else 0
        found.append(piece(one.text, one.style.font, script=one.script, left=x, baseline=baseline))
        x = found[-1].right
    box = level_box(left, baseline - 0.76 * SIZE, x, baseline + 0.22 * SIZE)
    return TextRun(text_of_pieces(pieces), box, tuple(found))


def page(*runs: TextRun, rules: tuple[Rule, ...] = ()) -> DigitalPage:
    return DigitalPage(1, TextLayer(1600, 2300, runs, Graphics(rules=rules)))


TEXT = run(100, 100, marked("Here is a line of running text before it"))
FRACTION = (run(800, 180, [piece("a", MATH_ITALIC)]), run(800, 225, [piece("b", MATH_ITALIC)]))
BAR = Rule(795, 194, 820, 194, 1.0)


def test_find_formulas_of_fraction_beside_its_left_side_is_displayed() -> None:
    left = run(735, 202, [piece("y", MATH_ITALIC), piece("=")])
    number = run(1400, 202, [piece("(3)")])
    digital = page(TEXT, left, *FRACTION, number, rules=(BAR,))
    (formula,) = find_formulas(digital, list(digital.boxes))
    assert formula.markdown == r"$$y = \frac{a}{b} \tag{3}$$"
    assert formula.boxes == {1, 2, 3, 4}


def test_find_formulas_of_two_rows_are_two() -> None:
    rows = [run(600, y, [piece("x", MATH_ITALIC), piece("="), piece("1")]) for y in (300, 340)]
    digital = page(TEXT, *rows)
    (formula,) = find_formulas(digital, list(digital.boxes))
    assert formula.markdown == "$$x = 1$$\n\n$$x = 1$$"


def test_find_formulas_of_last_line_of_a_paragraph_are_none() -> None:
    digital = page(TEXT, run(100, 138, [piece("x", MATH_ITALIC), piece("="), piece("1")]))
    assert find_formulas(digital, list(digital.boxes)) == []


def test_find_formulas_with_text_beside_are_none() -> None:
    formula = run(100, 300, [piece("x", MATH_ITALIC), piece("="), piece("1")])
    digital = page(TEXT, formula, run(180, 300, marked("holds for all of these words")))
    assert find_formulas(digital, list(digital.boxes)) == []


def test_find_formulas_of_a_label_are_none() -> None:
    digital = page(TEXT, run(600, 300, [piece("x", MATH_ITALIC)]))
    assert find_formulas(digital, list(digital.boxes)) == []


def test_find_formulas_without_certain_latex_are_text_in_one_piece() -> None:
    rows = [run(600, y, [piece("x", MATH_ITALIC), piece("=")]) for y in (300, 302)]
    brace = run(580, 300, [piece("⎨", MATH_ITALIC)])
    digital = page(TEXT, *rows, brace)
    (formula,) = find_formulas(digital, list(digital.boxes))
    assert sorted(formula.markdown.split()) == ["=", "=", "x", "x", "⎨"]


def test_find_inline_fractions_put_the_fraction_into_its_line() -> None:
    host = run(400, 202, marked("where this function is"))
    bar = Rule(738, 194, 754, 194, 1.0)
    parts = (run(740, 180, [piece("1")]), run(740, 225, [piece("x", MATH_ITALIC)]))
    changed, used = find_inline_fractions(page(host, *parts, rules=(bar,)))
    assert used == {1, 2}
    assert changed[0].text == "where this function is 1/x"
    assert changed[0].pieces[-1].latex == r"\frac{1}{x}"


def test_find_inline_fractions_of_cells_with_a_border_between_them_are_none() -> None:
    host = run(400, 202, marked("where this function is"))
    border = Rule(735, 194, 795, 194, 1.0)
    cells = (run(760, 180, [piece("6")]), run(760, 225, [piece("4")]))
    assert find_inline_fractions(page(host, *cells, rules=(border,))) == ({}, frozenset())


def test_find_inline_fractions_of_underlined_word_are_none() -> None:
    host = run(400, 202, marked("the"))
    words = (run(460, 202, marked("word")), run(460, 240, marked("next")))
    underline = Rule(458, 206, 522, 206, 1.0)
    assert find_inline_fractions(page(host, *words, rules=(underline,))) == ({}, frozenset())
