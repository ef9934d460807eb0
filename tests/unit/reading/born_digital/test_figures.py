"""Figures and frames of born-digital pages, and their place in the final Markdown."""

from dataclasses import replace

import pytest

from backend_main.reading.born_digital.assembly import DigitalAssembly
from backend_main.reading.born_digital.document_context import DocumentContext
from backend_main.reading.born_digital.figures import find_figures
from backend_main.reading.born_digital.page_order import PageOrder

from ..sample_digital_pages import PageBuilder


def chart(page: PageBuilder, left: float, top: float) -> None:
    """Draw a bar chart of 400 × 300 with an axis of months and one of numbers."""
    page.rule(left, top, left, top + 300)
    page.rule(left, top + 300, left + 400, top + 300)
    for number, month in enumerate("JFMAMJ"):
        page.fill(left + 20 + number * 60, top + 40 * number, left + 60 + number * 60, top + 300)
        page.text(left + 30 + number * 60, top + 310, month, size=14)
    for number in range(4):
        page.text(left - 40, top + 290 - 90 * number, str(number * 10), size=14)
    page.text(left + 300, top + 5, "Sold units", size=14)


def markdown(page: PageBuilder) -> str:
    layer = page.layer()
    context = DocumentContext(1, lambda number: layer)
    return DigitalAssembly(layer, 1, context, "keep").formatted().markdown


def labels(page: PageBuilder) -> set[str]:
    """Return the texts in the only figure of a page."""
    digital = page.page()
    [figure] = find_figures(digital, digital.boxes)
    return {digital.text(box) for box in digital.boxes if box.index in figure.boxes}


def test_chart_between_paragraphs_is_a_figure_with_its_labels() -> None:
    page = PageBuilder()
    page.paragraph(100, 100, 800, 5, "before")
    chart(page, 200, 300)
    page.paragraph(100, 700, 800, 5, "after")
    text = markdown(page)
    assert labels(page) == {*"JFMAM", "0", "10", "20", "30", "Sold units"}
    assert text.index("before.") < text.index("![]()") < text.index("Sold units") < text.index("After")


def test_labels_of_an_axis_keep_their_spaces_and_others_their_lines() -> None:
    page = PageBuilder()
    page.paragraph(100, 100, 800, 5)
    chart(page, 200, 300)
    lines = [line.strip() for line in markdown(page).split("\n")]
    assert "J F M A M J" in lines
    assert [line for line in lines if line.isdigit()] == ["30", "20", "10", "0"]


@pytest.mark.parametrize("top", [240.0, 640.0])
def test_caption_beside_figure_moves_into_it(top: float) -> None:
    page = PageBuilder()
    page.paragraph(100, 60, 800, 4)
    page.text(200, top, "Figure 3. Units by month")
    chart(page, 200, 280)
    page.paragraph(100, 800, 800, 4)
    text = markdown(page)
    assert "![Figure 3. Units by month]()" in text
    assert text.count("Figure 3") == 1


def test_label_of_several_lines_is_one_line() -> None:
    page = PageBuilder()
    page.paragraph(100, 60, 800, 4)
    chart(page, 200, 280)
    page.text(240, 300, "north of", size=14)
    page.text(240, 316, "the river", size=14)
    assert "north of the river" in markdown(page)


def test_image_is_a_figure_and_image_behind_text_is_none() -> None:
    page = PageBuilder()
    page.paragraph(100, 100, 800, 5)
    page.image(100, 300, 500, 600)
    assert [figure.rect for figure in find_figures(page.page(), page.page().boxes)] == [(100, 300, 500, 600)]
    page.paragraph(120, 320, 360, 8)
    assert find_figures(page.page(), page.page().boxes) == []


@pytest.mark.parametrize(
    "rect",
    [(0, 0, 1000, 1400), (100, 300, 130, 330), (100, 300, 900, 310)],
    ids=["background", "icon", "ornament"],
)
def test_background_icon_and_ornament_are_no_figures(rect: tuple[float, ...]) -> None:
    page = PageBuilder()
    page.paragraph(100, 100, 800, 5)
    page.image(*rect)
    for _ in range(4):
        page.shape(*rect)
    assert find_figures(page.page(), page.page().boxes) == []


def test_rules_and_shaded_lines_are_no_figures() -> None:
    page = PageBuilder()
    for row in range(8):
        page.fill(100, 100 + 40 * row, 900, 130 + 40 * row)
        page.text(110, 105 + 40 * row, "a line of text on a shade")
        page.rule(100, 132 + 40 * row, 900, 132 + 40 * row)
    assert find_figures(page.page(), page.page().boxes) == []


def test_framed_drawings_side_by_side_leave_the_text_between_them() -> None:
    page = PageBuilder()
    page.paragraph(60, 100, 420, 16, "left")
    page.paragraph(500, 100, 420, 8, "right")
    for left, top in ((60, 540), (500, 320)):
        page.frame(left, top, left + 420, top + 300)
        for number in range(4):
            # Shadows reach out of the frames.
            page.shape(left + 100 * number, top + 20, left + 100 * number + 130, top + 280)
        page.text(left + 20, top + 140, "part", size=14)
    digital = page.page()
    figures = find_figures(digital, digital.boxes)
    assert sorted(figure.rect[:2] for figure in figures) == [(60, 540), (500, 320)]
    assert {digital.text(box) for box in digital.boxes for one in figures if box.index in one.boxes} == {
        "part"
    }


def test_diagram_of_parts_far_apart_in_a_frame_is_one_figure_and_not_a_table() -> None:
    page = PageBuilder()
    page.paragraph(60, 100, 880, 5)
    page.frame(60, 300, 940, 900)
    for row in range(3):
        for column in range(4):
            left, top = 90 + 215 * column, 330 + 190 * row
            page.shape(left, top, left + 120, top + 110)
            page.text(left + 10, top + 120, f"step {row}", size=14)
    digital = page.page()
    order = PageOrder(digital)
    [figure] = order.insets.values()
    assert figure.rect == (60, 300, 940, 900)
    assert "![]()" in markdown(page)


def test_text_drawn_column_by_column_is_not_a_table() -> None:
    columns, rows = PageBuilder(), PageBuilder()
    places = [(left, 100 + 30 * row) for left in (60, 360, 660) for row in range(8)]
    for page, drawn in ((columns, places), (rows, sorted(places, key=lambda place: place[1]))):
        for left, top in drawn:
            page.text(left, top, f"entry of {left} {top}")
    assert "|" in markdown(rows)
    assert "|" not in markdown(columns)


def test_frame_over_columns_divides_them() -> None:
    page = PageBuilder()
    page.paragraph(60, 100, 400, 6, "left")
    page.paragraph(520, 100, 400, 6, "right")
    page.fill(50, 270, 930, 390)
    page.paragraph(60, 280, 400, 4, "boxed")
    page.paragraph(520, 280, 400, 4, "second")
    page.paragraph(60, 410, 400, 6, "lower")
    page.paragraph(520, 410, 400, 6, "last")
    # The left column is drawn before the right one, through the frame.
    drawn = sorted(page.runs, key=lambda run: run.box[0][0] > 500)
    runs = [replace(run, place=place) for place, run in enumerate(drawn)]
    text = markdown(PageBuilder(runs, page.graphics))
    order = [text.index(word) for word in ("Left", "Right", "Boxed", "Second", "Lower", "Last")]
    assert order == sorted(order)


def test_framed_text_beside_columns_stays_together() -> None:
    page = PageBuilder()
    page.paragraph(60, 100, 400, 12, "left")
    page.paragraph(520, 100, 400, 3, "right")
    page.frame(520, 200, 920, 320)
    page.paragraph(540, 210, 360, 4, "boxed")
    page.paragraph(520, 340, 400, 3, "below")
    text = markdown(page)
    assert text.index("left.") < text.index("right.") < text.index("Boxed") < text.index("Below")


def test_sidebar_across_the_gutter_stays_in_one_piece() -> None:
    page = PageBuilder()
    page.paragraph(60, 100, 400, 10, "left")
    page.paragraph(520, 100, 400, 10, "right")
    page.fill(250, 400, 750, 520)
    page.paragraph(270, 410, 460, 4, "quote")
    page.paragraph(60, 560, 400, 10, "lower")
    page.paragraph(520, 560, 400, 10, "last")
    text = markdown(page)
    order = [text.index(word) for word in ("Left", "Right", "Quote", "Lower", "Last")]
    assert order == sorted(order)


def test_figure_beside_a_paragraph_does_not_divide_it() -> None:
    page = PageBuilder()
    page.paragraph(100, 100, 400, 10, "wrapped")
    page.image(560, 120, 900, 330)
    page.paragraph(100, 400, 800, 5, "after")
    text = markdown(page)
    first, figure, after = text.index("Wrapped"), text.index("![]()"), text.index("After")
    assert first < figure < after or figure < first
    assert "\n\n" not in text[first : text.index("wrapped.")]


def test_live_order_has_every_box_once_in_the_order_of_the_markdown() -> None:
    page = PageBuilder()
    page.paragraph(60, 100, 400, 10, "left")
    page.paragraph(520, 100, 400, 10, "right")
    chart(page, 200, 500)
    page.fill(60, 900, 460, 1020)
    page.paragraph(80, 910, 360, 4, "boxed")
    page.paragraph(520, 900, 400, 10, "last")
    digital = page.page()
    live = [digital.layer.runs[ordered.index].text for ordered in PageOrder(digital).live()]
    assert sorted(live) == sorted(run.text for run in digital.layer.runs)
    assert " ".join(" ".join(live).split()) == " ".join(markdown(page).replace("![]()", "").split())


def test_image_over_the_text_of_the_next_column_stays_in_its_column() -> None:
    page = PageBuilder()
    page.image(60, 100, 620, 300)
    page.paragraph(60, 320, 420, 10, word="left")
    page.paragraph(520, 100, 420, 10, word="right")
    page.text(520, 400, "Heading", size=40)
    page.paragraph(520, 460, 420, 10, word="other")
    text = markdown(page)
    assert text.index("![]()") < text.index("Left left") < text.index("Right right")


def test_groups_of_bars_on_one_axis_are_one_figure_with_its_legend() -> None:
    page = PageBuilder()
    for number in range(4):
        page.rule(200, 300 + 100 * number, 700, 300 + 100 * number)
        page.text(175, 292 + 100 * number, str(40 - 10 * number), size=14)
    for group in range(3):
        for bar in range(3):
            left = 230 + 170 * group + 30 * bar
            page.fill(left, 310 + 50 * bar, left + 30, 600)
    for number in range(3):
        page.shape(725, 350 + 30 * number, 735, 360 + 30 * number)
        page.text(745, 345 + 30 * number, f"Legend {number}", size=14)
    page.paragraph(100, 700, 800, 5)
    assert labels(page) == {"10", "20", "30", "40", "Legend 0", "Legend 1", "Legend 2"}
