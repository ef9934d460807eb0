"""Share of a page that is in formulas which are not LaTeX, for the choice of another engine."""

from collections.abc import Iterable, Sequence

from ..documents.styled_text import TextPiece
from ..layout.geometry import LayoutBox
from .formula_elements import MATH_LETTERS, cut
from .formula_spans import find_formulas_in_line
from .formulas import DigitalFormula
from .page import DigitalPage


def plain_formula_share(
    page: DigitalPage, boxes: Sequence[LayoutBox], formulas: Iterable[DigitalFormula]
) -> float:
    """Return the share of the area of the text that is in formulas without LaTeX, from 0 to 1.

    The area counts, and not the letters: a formula has few, and much space around them.

    Args:
        page: the page.
        boxes: its text, without page furniture.
        formulas: its displayed formulas.
    """
    plain = total = 0.0
    displayed: set[int] = set()
    for formula in formulas:
        left, top, right, bottom = formula.rect
        area = (right - left) * (bottom - top)
        displayed |= formula.boxes
        total += area
        plain += 0.0 if formula.is_latex else area
    for box in boxes:
        if box.index not in displayed:
            area = box.width * (box.bottom - box.top)
            total += area
            plain += area * _plain_share(page.pieces(box))
    return plain / max(1.0, total)


def _plain_share(pieces: Sequence[TextPiece]) -> float:
    """Return the share of the letters of a line that are of formulas without LaTeX."""
    letters = sum(_letters(piece) for piece in pieces)
    if not letters or not any(map(_is_formula, pieces)):
        return 0.0
    in_latex = [part for span in find_formulas_in_line(pieces) for part in cut(pieces, span.start, span.end)]
    return (_formula_letters(pieces) - _formula_letters(in_latex)) / letters


def _formula_letters(pieces: Iterable[TextPiece]) -> int:
    return sum(_letters(piece) for piece in pieces if _is_formula(piece))


def _is_formula(piece: TextPiece) -> bool:
    return piece.style.font.is_math or any(
        MATH_LETTERS[0] <= letter <= MATH_LETTERS[1] for letter in piece.text
    )


def _letters(piece: TextPiece) -> int:
    """Return the number of letters and signs. TeX draws the leaders of a contents in a font for formulas."""
    return sum(not (letter.isspace() or letter in ".,") for letter in piece.text)
