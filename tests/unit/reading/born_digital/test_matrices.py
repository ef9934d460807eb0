"""Matrices and case distinctions in lines: tall brackets of parts, and the rows between them."""

import pytest

from backend_main.reading.born_digital import matrices
from backend_main.reading.born_digital.matrices import find_matrices
from backend_main.reading.born_digital.page import DigitalPage
from backend_main.reading.documents.pdf_graphics import NO_GRAPHICS
from backend_main.reading.documents.pdf_text_layer import TextLayer, TextRun
from backend_main.reading.documents.styled_text import FontStyle, TextPiece, text_of_pieces
from backend_main.reading.types import level_box
from tests.unit.reading.sample_pieces import MATH_ITALIC, ROMAN, SIZE, piece

BRACKETS = FontStyle("CMEX10", is_math=True)
AXIS = 200.0


def run(*pieces: TextPiece) -> TextRun:
    baseline = pieces[0].baseline
    box = level_box(pieces[0].left, baseline - 0.76 * SIZE, pieces[-1].right, baseline + 0.22 * SIZE)
    return TextRun(text_of_pieces(pieces), box, tuple(pieces))


def bracket(parts: str, left: float) -> list[TextRun]:
    """Return the parts of a bracket, one below the other, around the axis."""
    top = AXIS - 18 * (len(parts) - 1)
    return [run(piece(part, BRACKETS, left=left, baseline=top + 36 * row)) for row, part in enumerate(parts)]


def cell(text: str, left: float, baseline: float) -> TextRun:
    return run(piece(text, MATH_ITALIC if text.isalpha() else ROMAN, left=left, baseline=baseline))


def lines_of(*runs: TextRun) -> tuple[list[str], list[str | None]]:
    """Return the texts that are left, and the formulas in them."""
    changed, used = find_matrices(DigitalPage(1, TextLayer(1600, 2300, runs, NO_GRAPHICS)))
    left = [changed.get(number, one) for number, one in enumerate(runs) if number not in used]
    return [one.text for one in left], [part.latex for one in left for part in one.pieces if part.latex]


BEFORE = run(piece("sei", left=100, baseline=AXIS), piece("N", MATH_ITALIC, left=160, baseline=AXIS))
AFTER = run(piece("gilt", left=330, baseline=AXIS))


@pytest.mark.parametrize(
    ("opening", "closing", "environment"), [("⎛⎜⎝", "⎞⎟⎠", "pmatrix"), ("⎡⎢⎣", "⎤⎥⎦", "bmatrix")]
)
def test_find_matrices_puts_rows_between_tall_brackets_into_the_line(
    opening: str, closing: str, environment: str
) -> None:
    rows = [cell("a", 230, 182), cell("b", 280, 182), cell("1", 230, 218), cell("0", 280, 218)]
    texts, formulas = lines_of(BEFORE, *bracket(opening, 190), *rows, *bracket(closing, 300), AFTER)
    assert [text.split()[0] for text in texts] == ["sei", "gilt"]
    assert formulas == [rf"\begin{{{environment}}} a & b \\ 1 & 0 \end{{{environment}}}"]


def test_find_matrices_with_too_many_brackets_joins_none(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [cell("a", 230, 182), cell("1", 230, 218)]
    runs = [BEFORE, *bracket("⎛⎜⎝", 190), *rows, *bracket("⎞⎟⎠", 300), AFTER]
    assert lines_of(*runs)[1]
    monkeypatch.setattr(matrices, "MAX_BRACKETS", 1)
    assert lines_of(*runs) == ([one.text for one in runs], [])


def test_find_matrices_has_three_dots_as_one_row() -> None:
    rows = [cell("0", 230, 160), *(cell(".", 230, y) for y in (190, 201, 212)), cell("1", 230, 240)]
    _, formulas = lines_of(BEFORE, *bracket("⎛⎜⎝", 190), *rows, *bracket("⎞⎟⎠", 300), AFTER)
    assert formulas == [r"\begin{pmatrix} 0 \\ \vdots \\ 1 \end{pmatrix}"]


def test_find_matrices_of_a_brace_without_its_pair_are_cases() -> None:
    rows = [cell("1", 230, 180), cell("x", 300, 180), cell("0", 230, 220), cell("y", 300, 220)]
    texts, formulas = lines_of(BEFORE, *bracket("⎧⎨⎩", 190), *rows)
    assert len(texts) == 1
    assert formulas == [r"\begin{cases} 1 & x \\ 0 & y \end{cases}"]


def test_find_matrices_with_a_cell_without_latex_is_text_in_one_piece() -> None:
    rows = [cell("\ufffd", 230, 180), cell("x", 230, 220)]
    texts, formulas = lines_of(BEFORE, *bracket("⎛⎜⎝", 190), *rows, *bracket("⎞⎟⎠", 300), AFTER)
    assert formulas == []
    assert texts[0] == "sei N (\ufffd; x)"


def test_find_matrices_of_brackets_around_one_row_are_one_sign() -> None:
    inner = cell("x", 230, AXIS)
    texts, formulas = lines_of(BEFORE, *bracket("⎧⎨⎩", 190), inner, *bracket("⎫⎬⎭", 300))
    assert (sorted(" ".join(texts).replace("{", "{ ").split()), formulas) == (["N", "sei", "x", "{", "}"], [])


def test_find_matrices_without_tall_brackets_changes_nothing() -> None:
    bars = [run(piece("|", left=300, baseline=100 + 36 * row)) for row in range(4)]
    assert lines_of(BEFORE, *bars) == (["sei N", "|", "|", "|", "|"], [])
