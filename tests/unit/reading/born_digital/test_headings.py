"""Headings of a born-digital page: which lines are one, and at which level."""

import pytest

from .drawn_text import BOLD, LEFT, PROSE, SIZE, DrawnPage, markdown_of


def headings(*pages: DrawnPage) -> list[str]:
    return [line for line in markdown_of(*pages).split("\n") if line.startswith("#")]


@pytest.mark.parametrize(("size", "marks"), [(2.0, "#"), (1.5, "##"), (1.17, "###")])
def test_heading_alone_has_the_level_of_its_size(size: float, marks: str) -> None:
    page = DrawnPage().line("The harbour", size=size * SIZE, font=BOLD).paragraph(PROSE)
    assert headings(page) == [f"{marks} The harbour"]


def test_headings_of_smaller_sizes_have_the_next_levels() -> None:
    page = DrawnPage().line("Survey of the coast", size=60)
    for title in ("Harbours", "Rivers"):
        page.line(title, size=42, gap=1).paragraph(PROSE)
        page.line(f"{title} in winter", size=36, gap=1).paragraph(PROSE, gap=0.3)
    assert headings(page) == [
        "# Survey of the coast",
        "## Harbours",
        "### Harbours in winter",
        "## Rivers",
        "### Rivers in winter",
    ]


def test_heading_of_two_full_lines_is_one() -> None:
    page = DrawnPage().paragraph("A long and winding title of the survey of the harbour", size=60, font=BOLD)
    page.paragraph(PROSE)
    assert headings(page) == ["# A long and winding title of the survey of the harbour"]


def test_headings_in_a_row_with_section_numbers_are_two() -> None:
    page = DrawnPage().line("1. Introduction", size=45, font=BOLD).line("1.1. Version", size=45, font=BOLD)
    assert headings(page.paragraph(PROSE)) == ["## 1. Introduction", "### 1.1. Version"]


def test_headings_in_a_row_with_a_gap_are_two() -> None:
    page = DrawnPage().line("Optimal Attempt", size=60, font=BOLD)
    page.line("Reduced Time", size=60, font=BOLD, gap=1.5).paragraph(PROSE)
    assert headings(page) == ["# Optimal Attempt", "# Reduced Time"]


def test_bold_line_of_running_size_with_space_above_is_a_heading() -> None:
    page = DrawnPage().paragraph(PROSE).line("The harbour", font=BOLD, gap=1).paragraph(PROSE, gap=0.3)
    assert headings(page) == ["## The harbour"]


def test_bold_label_with_a_value_beside_it_is_not_a_heading() -> None:
    page = DrawnPage().paragraph(PROSE).line("Name", font=BOLD, gap=1).beside("Ystad", x=LEFT + 300)
    page.line("Year", font=BOLD, gap=1).beside("1987", x=LEFT + 300).paragraph(PROSE)
    assert headings(page) == []


def test_bold_lines_close_to_each_other_are_not_headings() -> None:
    page = DrawnPage().paragraph(PROSE).line("Bring your own boat", font=BOLD, gap=1)
    page.line("Mind the tide", font=BOLD).line("Keep to the left", font=BOLD).paragraph(PROSE)
    assert headings(page) == []


def test_bold_line_inside_of_text_without_space_above_is_not_a_heading() -> None:
    page = DrawnPage().paragraph(PROSE).line("Mind the tide", font=BOLD).paragraph(PROSE, gap=0)
    assert headings(page) == []


def test_page_in_bold_has_no_bold_headings() -> None:
    page = DrawnPage()
    for _ in range(3):
        page.paragraph(PROSE, font=BOLD).line("Mind the tide", font=BOLD, gap=1)
    assert headings(page) == []


def test_larger_sentences_are_not_headings() -> None:
    page = DrawnPage().paragraph(
        "This lead sums up what the survey says, in somewhat larger letters.", size=35
    )
    assert headings(page.paragraph(PROSE).paragraph(PROSE)) == []


def test_caption_in_bold_is_not_a_heading() -> None:
    page = DrawnPage().paragraph(PROSE).line("Table 2: Depth of the river", font=BOLD, gap=1).paragraph(PROSE)
    assert headings(page) == []


def test_style_has_the_same_level_on_all_pages() -> None:
    first = DrawnPage().line("Survey", size=60).line("Harbours", size=42, gap=1).paragraph(PROSE)
    second = DrawnPage().line("Rivers", size=42).paragraph(PROSE)
    assert headings(first, second) == ["# Survey", "## Harbours", "## Rivers"]


def test_slide_titles_are_headings_and_large_items_are_not() -> None:
    slides = []
    for title in ("Harbours", "Rivers", "Lakes"):
        slide = DrawnPage().line(title, size=100)
        for item in ("mind the tide when you leave", "keep to the left of the buoys", "bring a lamp"):
            slide.line(f"• {item}", size=66, gap=1)
        slides.append(slide)
    assert headings(*slides) == ["## Harbours", "## Rivers", "## Lakes"]
