"""LaTeX of formulas: their plain text, and dollar signs that open none."""

import pytest

from backend_main.reading.output.escaping import escape
from backend_main.reading.output.plain_text import to_plain_text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("all $a^2 + b^2 = c^2$, and H<sub>2</sub>O", "all a^2 + b^2 = c^2, and H2O"),
        (r"$$\bar{A} = \frac{QK^\top}{\sqrt{d_K}} \tag{3}$$", "Ā = QK^⊤/√d_K (3)"),
        (r"$$6 \sum_{n = 1}^\infty \frac{1}{n^2} = \pi^2$$", "6 ∑_(n = 1)^∞ 1/n^2 = π^2"),
        (r"$S = \{v_1, \cdots, v_n\}$ and *x*", "S = {v_1, ⋯, v_n} and x"),
        (r"$x * y * z$", "x * y * z"),
        ("at $ 178 and $ 141", "at $ 178 and $ 141"),
        ("costs $5 or $6", "costs $5 or $6"),
        (r"say \$x$ now", "say $x$ now"),
    ],
)
def test_to_plain_text_of_formulas_is_readable(markdown: str, text: str) -> None:
    assert " ".join(to_plain_text(markdown).split()) == text


def test_to_plain_text_with_deeply_nested_formula_ends() -> None:
    assert to_plain_text("$" + r"\sqrt{" * 500 + "x" + "}" * 500 + "$")


@pytest.mark.parametrize("text", ["$ 178 | $ 141", "$5 and $6", "US$5-$6", "5$ or 6$", "a$b$c"])
def test_escape_of_amounts_leaves_the_dollar_sign(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize("text", ["say $x$ now", "$$x$$", "($a_1$)"])
def test_escape_of_text_like_a_formula_survives_as_text(text: str) -> None:
    assert escape(text) != text
    assert to_plain_text(escape(text)) == text
