"""Paragraphs of a born-digital page: where they begin, and which lines stay lines."""

from .drawn_text import BOLD, ITALIC, LEFT, PROSE, RIGHT, SERIF, SIZE, DrawnPage, markdown_of


def test_paragraph_lines_are_joined_to_one_line() -> None:
    assert markdown_of(DrawnPage().paragraph(PROSE)) == PROSE


def test_paragraphs_with_a_gap_a_little_above_the_usual_are_apart() -> None:
    page = DrawnPage().paragraph(PROSE).paragraph(PROSE, gap=0.35).paragraph(PROSE, gap=0.35)
    assert markdown_of(page) == "\n\n".join([PROSE] * 3)


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


def test_footnote_at_the_foot_of_the_first_column_comes_last() -> None:
    page = DrawnPage().paragraph(PROSE, right=780)
    page.line("This sentence begins in the first column", gap=1)
    page.line("and is still not finished when the column")
    page.y = 1900
    page.line("1 A note about the first edition of it.", size=24)
    page.y = 300 - 1.2 * SIZE
    page.line("ends, so it goes on in the second one.", x=870)
    page.paragraph(PROSE, left=870, right=RIGHT)
    text = markdown_of(page)
    assert "when the column ends, so it goes on" in text
    assert text.endswith("\n\n1 A note about the first edition of it.")


def test_caption_in_italics_is_apart_from_the_text_below() -> None:
    page = DrawnPage().paragraph(PROSE)
    page.line("Figure 3. The harbour in winter", font=ITALIC, gap=1).paragraph(PROSE)
    assert "\n\n*Figure 3. The harbour in winter*\n\n" in markdown_of(page)
