"""Formulas in running text: which words are one, and their LaTeX."""

from dataclasses import replace

import pytest

from backend_main.reading.born_digital.formula_spans import find_formulas_in_line
from backend_main.reading.born_digital.inline import inline_markdown
from tests.unit.reading.sample_pieces import ITALIC, MATH_ITALIC, MATH_SYMBOLS, ROMAN, joined, marked, piece


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("For all a^{2} + b^{2} = c^{2}, and", "For all $a^2 + b^2 = c^2$, and"),
        ("so E = mc^{2} holds", "so $E = mc^2$ holds"),
        ("x_{1} + x_{2} ≤ 5 is", r"$x_1 + x_2 \leq 5$ is"),
        ("(x + y)^{2} = x^{2} + 2xy + y^{2} is", "$(x + y)^2 = x^2 + 2xy + y^2$ is"),
        ("e^{iπ} + 1 = 0 is", r"$e^{i\pi} + 1 = 0$ is"),
        ("a_{12} − b_{3} < 0 is", "$a_{12} - b_3 < 0$ is"),
    ],
)
def test_find_formulas_of_scripts_that_signs_connect_are_latex(text: str, expected: str) -> None:
    assert inline_markdown(marked(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "H_{2}O is water",
        "2H_{2} + O_{2} → 2H_{2}O burns",
        "Na^{+} + Cl^{−} → NaCl is salt",
        "an area of 25 m^{2} is 5 m by 5 m",
        "the 1^{st} note^{3} below",
        "10^{6} m^{2} = 1 km^{2} is",
        "p < 0.05 and n = 12",
        "as x_{1} shows",
    ],
)
def test_find_formulas_of_units_chemistry_and_notes_are_none(text: str) -> None:
    assert find_formulas_in_line(marked(text)) == []


def test_find_formulas_of_letters_in_math_fonts_are_single_ones() -> None:
    line = joined(
        marked("where"), [piece("λ", MATH_ITALIC)], marked("is the rate and"), [piece("p", MATH_ITALIC)]
    )
    assert inline_markdown(line) == r"where $\lambda$ is the rate and $p$"


def test_find_formulas_with_brackets_and_dots_are_one() -> None:
    line = [
        piece("S", MATH_ITALIC),
        piece("="),
        piece("{", MATH_SYMBOLS),
        piece("v", MATH_ITALIC, starts_word=False),
        piece("1", script="sub", starts_word=False),
        piece(",", MATH_ITALIC, starts_word=False),
        *(piece("·", MATH_SYMBOLS) for _ in range(3)),
        piece(",", MATH_ITALIC),
        piece("v", MATH_ITALIC),
        piece("n", MATH_ITALIC, script="sub", starts_word=False),
        piece("}", MATH_SYMBOLS, starts_word=False),
        *marked("is a set"),
    ]
    assert inline_markdown(line) == r"$S = \{v_1, \cdots, v_n\}$ is a set"


def test_find_formulas_with_script_of_a_script_nest_it() -> None:
    line = [
        piece("w", MATH_ITALIC),
        piece("v", MATH_ITALIC, script="sub", starts_word=False, size=22, baseline=105),
        piece("1", script="sub", starts_word=False, size=16, baseline=109),
    ]
    assert inline_markdown(line) == "$w_{v_1}$"


def test_find_formulas_with_both_scripts_write_the_lower_first() -> None:
    line = [
        piece("h", MATH_ITALIC),
        piece("⊤", MATH_SYMBOLS, script="super", starts_word=False),
        piece("i", MATH_ITALIC, script="sub", starts_word=False),
    ]
    assert inline_markdown(line) == r"$h_i^\top$"


def test_find_formulas_with_letter_of_a_word_do_not_tear_it() -> None:
    line = [*marked("the"), piece("i", MATH_ITALIC), piece("th", starts_word=False), *marked("one")]
    assert inline_markdown(line) == "the ith one"


def test_find_formulas_with_decimals_in_another_font_keep_the_number() -> None:
    line = [
        piece("λ", MATH_ITALIC),
        piece("="),
        piece("0"),
        piece(".", MATH_ITALIC, starts_word=False),
        piece("8.", ROMAN, starts_word=False),
    ]
    assert inline_markdown(line) == r"$\lambda = 0.8$."


def test_find_formulas_of_bullets_and_braces_are_none() -> None:
    line = [
        piece("•", MATH_SYMBOLS),
        *marked("item"),
        piece("{", MATH_SYMBOLS),
        piece("a,b", starts_word=False),
    ]
    assert find_formulas_in_line(line) == []


def test_find_formulas_of_italic_words_are_none() -> None:
    assert inline_markdown([piece("see", ITALIC), *marked("also")]) == "*see* also"


def test_find_formulas_with_points_between_operands_are_one() -> None:
    line = [piece("x", MATH_ITALIC), *(piece(".", MATH_ITALIC) for _ in range(3)), piece("y", MATH_ITALIC)]
    assert inline_markdown(line) == r"$x \dots y$"


def test_find_formulas_with_fraction_in_the_line_take_it_in() -> None:
    fraction = replace(piece("1/2"), latex=r"\frac{1}{2}")
    line = [*marked("so"), piece("x", MATH_ITALIC), piece("="), fraction, piece(".", starts_word=False)]
    assert inline_markdown(line) == r"so $x = \frac{1}{2}$."
