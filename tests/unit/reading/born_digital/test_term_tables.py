"""Tables of terms and definitions, which the order of the content shows, on pages of reportlab."""

from collections.abc import Sequence
from itertools import chain

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.unit.reading.born_digital.sample_tables import TOP, paragraph, pipe, tables_on

LEADING, PADDING = 11.5, 5.0
XS = (80, 190)
TERMS = (
    (
        "Authority",
        "The public body that is named in the first part, and\nevery body that takes its duties over by law",
    ),
    (
        "Confidential\ninformation",
        "All information that one party gives\nin writing or by word of mouth, and\nthat is marked as such",
    ),
    ("Equipment", "Machines, tools and vehicles of the contractor"),
    ("Site", "The land on which the works are carried out,\nwith the roads that lead to it"),
)


def _draw(
    canvas: Canvas, rows: Sequence[Sequence[str]], *, is_centered: bool = False, by_columns: bool = False
) -> None:
    """Draw rows cell by cell, or one column after the other."""
    cells, y = [], TOP
    for row in rows:
        heights = [LEADING * (text.count("\n") + 1) for text in row]
        tops = [y - (max(heights) - height) / 2 * is_centered for height in heights]
        cells.append([(x, top, text) for x, top, text in zip(XS, tops, row, strict=True)])
        y -= max(heights) + PADDING
    for x, top, text in chain.from_iterable(zip(*cells, strict=True) if by_columns else cells):
        for number, line in enumerate(text.split("\n")):
            canvas.drawString(x, top - number * LEADING, line)
    paragraph(canvas, y - 20)


@pytest.mark.parametrize("is_centered", [False, True])
def test_terms_and_definitions_of_several_lines_are_rows(is_centered: bool) -> None:
    found = tables_on(lambda canvas: _draw(canvas, TERMS, is_centered=is_centered))
    assert found == [pipe(*([text.replace("\n", " ") for text in row] for row in TERMS))]


def test_columns_drawn_one_after_the_other_are_not_terms() -> None:
    assert tables_on(lambda canvas: _draw(canvas, TERMS, by_columns=True)) == []


def test_bullets_drawn_before_their_texts_are_not_terms() -> None:
    rows = [("o", text) for _, text in TERMS]
    assert tables_on(lambda canvas: _draw(canvas, rows)) == []


def test_short_texts_in_two_columns_are_not_terms() -> None:
    rows = [(text.split("\n")[0][:30], text.split("\n")[0][:30] + "\nand more") for _, text in TERMS]
    assert tables_on(lambda canvas: _draw(canvas, rows)) == []
