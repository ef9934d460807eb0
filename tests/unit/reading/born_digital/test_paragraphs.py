"""Paragraphs of a born-digital page: where they begin, and which lines stay lines."""

import pytest

from backend_main.reading.born_digital.document_profile import DocumentProfile
from backend_main.reading.born_digital.footnotes import notes_start
from backend_main.reading.born_digital.lines import column_lines
from backend_main.reading.born_digital.page import DigitalPage

from .drawn_text import BOLD, HEIGHT, ITALIC, LEFT, PROSE, RIGHT, SERIF, SIZE, DrawnPage, markdown_of


def test_paragraph_lines_are_joined_to_one_line() -> None:
    assert markdown_of(DrawnPage().paragraph(PROSE)) == PROSE


def test_paragraphs_with_a_gap_a_little_above_the_usual_are_apart() -> None:
    page = DrawnPage().paragraph(PROSE).paragraph(PROSE, gap=0.35).paragraph(PROSE, gap=0.35)
    assert markdown_of(page) == "\n\n".join([PROSE] * 3)


def test_full_line_without_full_stop_and_the_line_below_a_gap_are_apart() -> None:
    page = DrawnPage().paragraph(PROSE)
    page.line(
        "The coast of the northern sea with its harbours and lighthouses, and all the towns on it", gap=1
    )
    page.line("Wave Theatre Press", gap=0.35)
    assert markdown_of(page).endswith("towns on it\n\nWave Theatre Press")


def test_paragraphs_without_gap_begin_at_an_indent() -> None:
    page = DrawnPage()
    for _ in range(3):
        page.paragraph(PROSE, indent=1.5, gap=0.0)
    assert markdown_of(page) == "\n\n".join([PROSE] * 3)


def test_paragraphs_without_gap_begin_at_a_hanging_indent() -> None:
    page = DrawnPage()
    for _ in range(3):
        page.paragraph(PROSE, hanging=2.0, gap=0.0)
    assert markdown_of(page) == "\n\n".join([PROSE] * 3)


def test_paragraphs_without_gap_and_indent_end_with_a_short_line() -> None:
    page = DrawnPage()
    for _ in range(3):
        page.paragraph(PROSE, gap=0.0)
    assert markdown_of(page) == "\n\n".join([PROSE] * 3)


def test_lines_that_end_on_purpose_stay_lines() -> None:
    page = DrawnPage().paragraph(PROSE)
    page.line("Van Twyck & Sons", gap=1).line("17 Harbour Street").line("Paperfield")
    assert markdown_of(page).endswith("Van Twyck & Sons  \n17 Harbour Street  \nPaperfield")


def test_address_in_a_column_of_its_own_keeps_its_lines() -> None:
    page = DrawnPage().line("Wave Theatre Ltd.").line("7 Quay Street").line("Ystad 271 43")
    assert markdown_of(page) == "Wave Theatre Ltd.  \n7 Quay Street  \nYstad 271 43"


def test_paragraph_of_two_lines_with_an_indent_is_not_centered() -> None:
    first = "The survey describes the harbour, the towns and all the people in great detail and gives"
    second = "the names of all ships that were ever built there before the river changed its course"
    page = DrawnPage().paragraph(PROSE).line(first, x=LEFT + 60, gap=1).line(second)
    assert markdown_of(page).endswith(f"\n\n{first} {second}")


def test_address_far_from_the_start_of_the_column_keeps_its_lines() -> None:
    page = DrawnPage().paragraph(PROSE)
    lines = ["Wave Theatre Ltd.", "7 Quay Street", "info@wave.example", "www.wave.example"]
    for number, text in enumerate(lines):
        page.line(text, x=RIGHT - 300, gap=number == 0)
    assert markdown_of(page).endswith("\n\n" + "  \n".join(lines))


def test_lines_aligned_at_the_right_stay_lines() -> None:
    page = DrawnPage().paragraph(PROSE)
    for text in ("Department of Harbours", "Ystad", "14 May"):
        page.line(text, x=RIGHT - sum(7.5 if letter == " " else 15 for letter in text), gap=text[0] == "D")
    assert markdown_of(page).endswith("\n\nDepartment of Harbours  \nYstad  \n14 May")


def test_text_in_a_narrow_column_is_joined() -> None:
    page = DrawnPage().paragraph(PROSE, right=LEFT + 400)
    assert markdown_of(page) == PROSE


def test_lines_with_raised_text_are_farther_apart_and_stay_together() -> None:
    page = DrawnPage().paragraph(PROSE)
    page.line(
        "The river was measured again in the spring of the year in which the bridge over it had been", gap=1
    )
    page.beside("2", x=1425, size=18, script="super")
    page.line("opened, and was found to be wider.", gap=0.4)
    assert "had been <sup>2</sup> opened" in markdown_of(page)


def test_run_in_heading_stays_bold_text_of_its_paragraph() -> None:
    page = DrawnPage().paragraph(PROSE)
    page.line(
        [
            ("Methods.", BOLD),
            ("We measured the river with a line, and compared the figures we found with", SERIF),
        ],
        gap=1,
    )
    page.line("those of the survey.")
    page.line([("Results.", BOLD), ("It is wider.", SERIF)])
    assert markdown_of(page).endswith("found with those of the survey.\n\n**Results.** It is wider.")


def test_paragraph_that_goes_on_in_the_next_column_is_one() -> None:
    page = DrawnPage().paragraph(PROSE, right=780)
    page.line("This sentence begins in the first column", gap=1)
    page.line("and is still not finished when the column")
    page.y = 300 - 1.2 * SIZE
    page.line("ends, so it goes on in the second one.", x=870)
    page.paragraph(PROSE, left=870, right=RIGHT)
    assert "when the column ends, so it goes on in the second one.\n\n" in markdown_of(page)


def test_quote_that_is_indented_on_both_sides() -> None:
    page = DrawnPage().paragraph(PROSE).paragraph(PROSE, left=LEFT + 100, right=RIGHT - 100).paragraph(PROSE)
    assert markdown_of(page) == f"{PROSE}\n\n> {PROSE}\n\n{PROSE}"


def test_paragraph_that_goes_on_with_a_capital_in_the_next_column_is_one() -> None:
    page = DrawnPage().paragraph(PROSE, right=780)
    page.line("This sentence names all harbours of the", gap=1)
    page.line("many towns on the coast, among them that")
    page.y = 300 - 1.2 * SIZE
    page.line("Ystad had before the river changed.", x=870)
    page.paragraph(PROSE, left=870, right=RIGHT)
    assert "among them that Ystad had before" in markdown_of(page)


def test_footnotes_below_the_first_column_come_last() -> None:
    page = DrawnPage(y=1000).paragraph(PROSE, right=780)
    page.line("This sentence begins in the first column", gap=1)
    page.line("and is still not finished when the column")
    page.line("1 A note about the first edition of it.", size=24, gap=0.8)
    page.line("2 A note about the second of the editions.", size=24)
    page.y = 1000 - 1.2 * SIZE
    page.line("ends, so it goes on in the second one.", x=870)
    page.paragraph(PROSE, left=870, right=RIGHT)
    text = markdown_of(page)
    assert "when the column ends, so it goes on" in text
    assert text.endswith(
        "1 A note about the first edition of it.\n\n2 A note about the second of the editions."
    )


@pytest.mark.parametrize(
    "texts", [["1. Rope of old iron", "2. Salt", "3. Iron"], [PROSE[:30], "Salt", "a barrel"]]
)
def test_notes_start_of_small_text_from_the_middle_of_a_page_is_its_end(texts: list[str]) -> None:
    drawn = DrawnPage(y=860)
    for text in texts:
        drawn.line(text, size=27)
    page = DigitalPage(1, drawn.layer())
    lines = column_lines(page, page.boxes)
    assert notes_start(lines, DocumentProfile(body_size=SIZE), HEIGHT) == len(lines)


def test_caption_in_italics_is_apart_from_the_text_below() -> None:
    page = DrawnPage().paragraph(PROSE)
    page.line("Figure 3. The harbour in winter", font=ITALIC, gap=1).paragraph(PROSE)
    assert "\n\n*Figure 3. The harbour in winter*\n\n" in markdown_of(page)


def test_paragraph_beside_a_figure_goes_on_at_its_other_start() -> None:
    above = "The first edition of this survey describes the harbour, the towns and the people in all parts"
    beside = "and at some length with names of ships that were built there before the river changed"
    page = DrawnPage().paragraph(PROSE).line(above, gap=1)
    page.line(beside, x=LEFT + 150).line("its course.", x=LEFT + 150)
    assert markdown_of(page).endswith(f"\n\n{above} {beside} its course.")


def test_centered_lines_with_raised_marks_stay_lines() -> None:
    page = DrawnPage().paragraph(PROSE)
    texts = [
        "Department of the Northern Sea, Ystad",
        "School of Harbours and of Ships, University of Ystad",
    ]
    for mark, text in zip("ab", texts, strict=True):
        width = sum(7.5 if letter == " " else 15 for letter in text)
        x = (LEFT + RIGHT - width) / 2
        page.line(mark, x=x - 15, script="super", gap=mark == "a").beside(text, x=x)
    assert markdown_of(page).endswith(f"<sup>a</sup> {texts[0]}  \n<sup>b</sup> {texts[1]}")


def test_small_text_below_smaller_text_is_no_footnote() -> None:
    page = DrawnPage(y=900).line("Received 1 October 2003", size=24)
    page.paragraph(PROSE, size=26, gap=3).paragraph(PROSE, gap=2)
    assert markdown_of(page) == f"Received 1 October 2003\n\n{PROSE}\n\n{PROSE}"
