"""Displayed formulas: fractions, roots, limits and scripts by their places."""

from backend_main.reading.born_digital.formula_layout import formula_latex, parts_of
from backend_main.reading.documents.pdf_graphics import Rule
from backend_main.reading.documents.styled_text import TextPiece
from tests.unit.reading.sample_pieces import MATH_ITALIC, MATH_SYMBOLS, ROMAN, piece


def latex_of(pieces: list[TextPiece], *rules: Rule) -> str | None:
    parts = parts_of(pieces)
    assert parts is not None
    return formula_latex(parts, rules)


def bar(left: float, right: float, y: float) -> Rule:
    return Rule(left, y, right, y, 1.0)


def test_formula_latex_with_bar_between_two_rows_is_a_fraction() -> None:
    pieces = [
        piece("y", MATH_ITALIC, left=0, baseline=100),
        piece("=", left=30, baseline=100),
        piece("a", MATH_ITALIC, left=70, baseline=80),
        piece("+", left=90, baseline=80),
        piece("1", left=110, baseline=80),
        piece("b", MATH_ITALIC, left=90, baseline=120),
    ]
    assert latex_of(pieces, bar(65, 130, 92)) == r"y = \frac{a + 1}{b}"


def test_formula_latex_with_fraction_in_a_fraction_nests_it() -> None:
    pieces = [
        piece("1", left=50, baseline=60),
        piece("2", left=40, baseline=105, size=20),
        piece("x", MATH_ITALIC, left=40, baseline=128, size=20),
        piece("+", left=60, baseline=118),
        piece("3", left=80, baseline=118),
    ]
    assert latex_of(pieces, bar(30, 100, 75), bar(36, 54, 110)) == r"\frac{1}{\frac{2}{x} + 3}"


def test_formula_latex_with_bar_at_a_root_sign_is_a_root() -> None:
    pieces = [
        piece("√", MATH_SYMBOLS, left=0, baseline=100),
        piece("d", MATH_ITALIC, left=17, baseline=100),
        piece("K", MATH_ITALIC, left=32, baseline=105, size=20),
    ]
    assert latex_of(pieces, bar(15, 45, 76)) == r"\sqrt{d_K}"


def test_formula_latex_with_limits_of_a_sum_are_its_scripts() -> None:
    pieces = [
        piece("∑", FontStyleOfSum, left=40, baseline=100),
        piece("n", MATH_ITALIC, left=32, baseline=135, size=20),
        piece("=", left=44, baseline=135, size=20),
        piece("1", left=56, baseline=135, size=20),
        piece("∞", MATH_SYMBOLS, left=42, baseline=66, size=20),
        piece("n", MATH_ITALIC, left=70, baseline=100),
        piece("2", left=87, baseline=88, size=20),
    ]
    assert latex_of(pieces) == r"\sum_{n = 1}^\infty n^2"


def test_formula_latex_with_part_elsewhere_is_none() -> None:
    pieces = [piece("a", MATH_ITALIC, left=0), piece("b", MATH_ITALIC, left=0, baseline=160)]
    assert latex_of(pieces) is None


def test_formula_latex_with_bracket_parts_is_none() -> None:
    assert parts_of([piece("⎧", MATH_SYMBOLS)]) is None


def test_formula_latex_of_words_is_text() -> None:
    pieces = [piece("x", MATH_ITALIC, left=0), piece("if", ROMAN, left=40), piece("y", MATH_ITALIC, left=90)]
    assert latex_of(pieces) == r"x \text{if} y"


FontStyleOfSum = MATH_SYMBOLS
