"""Code blocks of a born-digital page, and tables of contents."""

from .drawn_text import CODE, LEFT, MONOSPACED_WIDTH, PROSE, SERIF, SIZE, DrawnPage, markdown_of

LETTER = MONOSPACED_WIDTH * SIZE


def test_code_keeps_indents_and_blank_lines() -> None:
    page = DrawnPage().paragraph(PROSE).line("def add(a, b):", font=CODE, gap=1)
    page.line("return a + b", font=CODE, x=LEFT + 4 * LETTER)
    page.line("print(add(1, 2))", font=CODE, gap=1.2)
    assert markdown_of(page).endswith("```\ndef add(a, b):\n    return a + b\n\nprint(add(1, 2))\n```")


def test_code_keeps_wide_gaps_inside_of_a_line() -> None:
    page = DrawnPage().paragraph(PROSE).line("x = 1", font=CODE, gap=1)
    page.beside("# one", font=CODE, x=LEFT + 12 * LETTER).line("yy = 2", font=CODE)
    assert markdown_of(page).endswith("```\nx = 1       # one\nyy = 2\n```")


def test_code_has_no_line_numbers() -> None:
    page = DrawnPage().paragraph(PROSE)
    for number, text in enumerate(["import os", "import sys", "main()"], 1):
        page.line(str(number), font=CODE, gap=number == 1).beside(text, font=CODE, x=LEFT + 4 * LETTER)
    assert markdown_of(page).endswith("```\nimport os\nimport sys\nmain()\n```")


def test_code_with_a_fence_in_it_has_a_longer_fence() -> None:
    page = DrawnPage().paragraph(PROSE).line("```", font=CODE, gap=1).line("code", font=CODE)
    assert markdown_of(page).endswith("````\n```\ncode\n````")


def test_code_in_a_line_of_text_stays_in_it() -> None:
    page = DrawnPage().paragraph(PROSE).line([("Call", SERIF), ("main()", CODE), ("first.", SERIF)], gap=1)
    assert markdown_of(page).endswith("\n\nCall `main()` first.")


def test_monospaced_document_is_text() -> None:
    page = DrawnPage().paragraph(PROSE, font=CODE).paragraph(PROSE, font=CODE)
    assert "```" not in markdown_of(page)


def test_contents_keep_their_lines_and_lose_leader_dots() -> None:
    page = DrawnPage().line("Contents", size=60)
    for number, title in enumerate(["Harbours", "Rivers", "Lakes"], 1):
        page.line(f"{number} {title} {'.' * 40} {7 * number}", gap=1)
    assert markdown_of(page) == "# Contents\n\n1 Harbours 7  \n2 Rivers 14  \n3 Lakes 21"
