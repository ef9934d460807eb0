"""List items of a born-digital page: markers, nesting, and paragraphs of an item."""

import pytest

from backend_main.reading.documents.pdf_graphics import Graphics, Rule

from .drawn_text import LEFT, PROSE, SIZE, DrawnPage, markdown_of

WORD_BULLET = "\uf0b7"
"""Bullet of the font Symbol, as Word writes it."""


@pytest.mark.parametrize("bullet", ["•", "–", "➢", "▪", WORD_BULLET])
def test_bullet_of_any_shape_becomes_a_dash(bullet: str) -> None:
    page = DrawnPage().paragraph(PROSE).line(f"{bullet} salt", gap=1).line(f"{bullet} iron")
    assert markdown_of(page).endswith("\n\n- salt\n- iron")


def test_bullet_that_is_a_run_of_its_own_belongs_to_the_text_beside_it() -> None:
    page = DrawnPage().paragraph(PROSE)
    for item in ("salt", "iron"):
        page.line("•", x=LEFT + 50, gap=1)
        page.beside(item, x=LEFT + 120)
    assert markdown_of(page).endswith("\n\n- salt\n- iron")


def test_bullet_that_is_drawn_as_a_shape_marks_an_item() -> None:
    page = DrawnPage().paragraph(PROSE).line("salt", x=LEFT + 60, gap=1).line("iron", x=LEFT + 60)
    bullets = [(LEFT + 30, y - 16, LEFT + 40, y - 6) for y in (page.y - 1.2 * SIZE, page.y)]
    page.graphics = Graphics(shapes=tuple(bullets))
    assert markdown_of(page).endswith("\n\n- salt\n- iron")


def test_bullet_that_is_drawn_as_a_short_thick_line_marks_an_item() -> None:
    page = DrawnPage().paragraph(PROSE).line("salt", x=LEFT + 60, gap=1).line("iron", x=LEFT + 60)
    rules = [Rule(LEFT + 30, y - 9, LEFT + 38, y - 9, 8.0) for y in (page.y - 1.2 * SIZE, page.y)]
    page.graphics = Graphics(rules=tuple(rules))
    assert markdown_of(page).endswith("\n\n- salt\n- iron")


def test_shape_before_a_caption_is_no_bullet() -> None:
    page = DrawnPage().paragraph(PROSE).line("Figure 5: The harbour of Ystad", x=LEFT + 60, gap=1)
    page.graphics = Graphics(shapes=((LEFT + 30, page.y - 16, LEFT + 40, page.y - 6),))
    assert markdown_of(page).endswith("\n\nFigure 5: The harbour of Ystad")


def test_bullet_in_larger_type_does_not_raise_its_text() -> None:
    page = DrawnPage().paragraph(PROSE).line("•", size=45, gap=1).beside("salt", x=LEFT + 40, script="super")
    assert markdown_of(page).endswith("\n\n- salt")


def test_items_are_nested_by_their_indent() -> None:
    page = DrawnPage().line("1. salt").line("a boat in the harbour", x=LEFT + 40)
    page.line("• iron", x=LEFT + 60).line("• coal", x=LEFT + 60).line("2. wool")
    assert markdown_of(page) == "1. salt a boat in the harbour\n    - iron\n    - coal\n2. wool"


def test_second_paragraph_of_an_item_is_nested_in_it() -> None:
    page = DrawnPage().paragraph(PROSE).line("• salt", x=LEFT + 40, gap=1)
    page.line("It comes from the sea.", x=LEFT + 62.5, gap=0.6).line("• iron", x=LEFT + 40, gap=0.6)
    assert markdown_of(page).endswith("\n\n- salt\n\n    It comes from the sea.\n\n- iron")


def test_numbers_stay_as_printed() -> None:
    page = DrawnPage().line("7) salt").line("8) iron").line("9) coal")
    assert markdown_of(page) == "7) salt\n8) iron\n9) coal"


def test_number_at_the_start_of_a_full_line_is_not_a_marker() -> None:
    text = (
        PROSE
        + " The harbour of Ystad was dredged for the second time in the winter of the year after the fire. "
    )
    page = DrawnPage().paragraph(text + "See item")
    page.y += 0
    words = markdown_of(page.line("4. The lamp is in its place.")).split("\n")
    assert len(words) <= 3


def test_letters_that_markdown_does_not_know_stay_text() -> None:
    page = DrawnPage().paragraph(PROSE).line("(a) salt", gap=1).line("(b) iron")
    assert markdown_of(page).endswith("(a) salt\n\n(b) iron")


def test_dash_alone_stays() -> None:
    assert markdown_of(DrawnPage().paragraph(PROSE).line("–", gap=1)).endswith("\n\n–")
