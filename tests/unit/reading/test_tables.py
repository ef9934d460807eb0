"""Tables on recognized pages: drawn lines, text in columns, cells that span."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageDraw

from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.layout.layout_model import Region
from backend_main.reading.layout.rule_stacks import stacked_rule_regions
from backend_main.reading.layout.ruled_tables import RulingLine
from backend_main.reading.layout.tables import split_at
from backend_main.reading.layout.text_joining import is_figure
from backend_main.reading.page_assembly import (
    assemble_page,
    build_layout_page,
    detect_tables_and_figures,
    render_page,
)
from backend_main.reading.types import Box
from tests.unit.reading.sample_layouts import box, columns, transformed
from tests.unit.reading.sample_pages import (
    EDGES,
    blank,
    formatted,
    lines_of,
    numbered_texts,
    pixels_of,
    ruled_table,
)

RULED = """Text above the table, and it is a long line

<table>
<tr><th>No.</th><th colspan="2">Span of two</th><th>Last</th></tr>
<tr><td>1</td><td>First line and second</td><td>b</td><td>c</td></tr>
<tr><td>2</td><td>d</td><td>e</td><td>f</td></tr>
</table>

Text below it, as long as that is"""


@pytest.mark.parametrize("degrees", [0, -2, 3])
def test_ruled_table_on_level_and_slanted_page_is_an_html_table(degrees: float) -> None:
    image, boxes, texts = ruled_table()
    image = image.rotate(-degrees, center=(0, 0), fillcolor="white")
    formatted_page = assemble_page(
        pixels_of(image), lines_of([transformed(one, degrees=degrees) for one in boxes], texts)
    )
    assert formatted_page.markdown == RULED


def test_ruled_table_splits_box_over_two_cells_at_their_line() -> None:
    image, boxes, texts = ruled_table()
    last = texts.index("e")
    boxes[last : last + 2] = [box(510, 442, 380, 24)]
    texts[last : last + 2] = ["alpha beta gamma delta"]
    formatted_page = assemble_page(pixels_of(image), lines_of(boxes, texts))
    assert "<td>d</td><td>alpha beta</td><td>gamma delta</td>" in formatted_page.markdown


def test_frame_around_text_is_not_a_table() -> None:
    image = blank()
    ImageDraw.Draw(image).rectangle((80, 80, 900, 400), outline="black", width=2)
    boxes = [box(100, 100 + 30 * line, 760) for line in range(8)]
    assert "|" not in assemble_page(pixels_of(image), lines_of(boxes, numbered_texts(boxes))).markdown


def test_unruled_columns_in_table_region_are_a_table() -> None:
    boxes = [box(100 + 250 * column, 100 + 40 * row, 90) for row in range(4) for column in range(3)]
    region = Region("table", 0.9, 80, 80, 800, 300)
    page = build_layout_page(
        PageFrame.from_boxes(boxes), lines_of(boxes, [f"{n}" for n in range(12)]), EDGES, [region]
    )
    assert formatted(page).markdown.splitlines() == [
        "| 0 | 1 | 2 |", "|---|---|---|", "| 3 | 4 | 5 |", "| 6 | 7 | 8 |", "| 9 | 10 | 11 |",
    ]  # fmt: skip


def test_title_of_a_section_within_a_table_is_a_row_of_its_own() -> None:
    places = [(row, column) for row in range(6) for column in range(6) if row != 3 or column in (1, 2)]
    boxes = [box(100 + 180 * column, 100 + 34 * row, 90) for row, column in places]
    texts = [f"t{row}{column}" for row, column in places]
    region = Region("table", 0.9, 80, 80, 1200, 320)
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES, [region])
    assert formatted(page).markdown.splitlines()[4] == "|  | t31 | t32 |  |  |  |"


def test_head_above_the_first_line_of_a_stack_is_part_of_its_table() -> None:
    boxes = [box(100 + 250 * column, 100 + 40 * row, 90) for row in range(5) for column in range(3)]
    texts = ["Date", "Code", "Charge", *(f"{number}" for number in range(12))]
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES)
    rules = [RulingLine(130 + 40 * row, 90, 700) for row in range(5)]
    assert formatted(page, rules=rules).markdown.startswith("| Date | Code | Charge |\n|---|---|---|\n| 0 |")


def test_columns_of_running_text_in_table_region_are_not_a_table() -> None:
    boxes = columns(2, 12)
    page = build_layout_page(
        PageFrame.from_boxes(boxes),
        lines_of(boxes, numbered_texts(boxes)),
        EDGES,
        [Region("table", 0.9, -10, -10, 900, 900)],
    )
    assert "|" not in formatted(page).markdown


def test_bar_in_table_cell_is_escaped() -> None:
    image, boxes, texts = ruled_table(spanning=False)
    texts[texts.index("b")] = "x|y"
    assert r"| x\|y |" in assemble_page(pixels_of(image), lines_of(boxes, texts)).markdown


def test_ruled_table_with_empty_spanning_cell_is_a_pipe_table() -> None:
    image, boxes, texts = ruled_table()
    number = texts.index("Span of two")
    del boxes[number], texts[number]
    markdown = assemble_page(pixels_of(image), lines_of(boxes, texts)).markdown
    assert "| No. |  |  | Last |" in markdown


# --- without vertical lines ------------------------------------------------------------------------------


def test_stack_of_horizontal_lines_beside_text_is_a_table_of_its_own() -> None:
    image = blank()
    draw = ImageDraw.Draw(image)
    for y in (300, 350, 400, 450, 500):
        draw.line((640, y, 1160, y), fill="black", width=2)
    cells = [(650 + 180 * column, 312 + 50 * row) for row in range(4) for column in range(3)]
    beside = [(80, 312 + 50 * row) for row in range(4)]
    boxes = [box(x, y, 90, 24) for x, y in cells] + [box(x, y, 300, 24) for x, y in beside]
    texts = [f"c{number}" for number in range(12)] + [f"text beside the table {row}" for row in range(4)]
    whole_width = Region("table", 0.9, 60, 290, 1180, 510)
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES, [whole_width])
    rules = [RulingLine(y, 640, 1160) for y in (300, 350, 400, 450, 500)]
    detect_tables_and_figures(page, [], rules)
    markdown = render_page(page).markdown
    assert "| c0 | c1 | c2 |\n|---|---|---|\n| c3 | c4 | c5 |" in markdown
    assert "| text beside" not in markdown


def test_two_horizontal_lines_are_not_a_table() -> None:
    rules = [RulingLine(100, 0, 500), RulingLine(102, 0, 500), RulingLine(400, 0, 500)]
    assert stacked_rule_regions(rules, 20) == []
    assert len(stacked_rule_regions([*rules, RulingLine(600, 0, 500)], 20)) == 1


POSITIONS = [
    ("Pos", "Description", "Qty", "Amount"),
    ("1", "Cordless drill", "2", "179.80"),
    ("2", "Drill bits, set of 25", "1", "24.50"),
    ("", "in a steel case", "", ""),
    ("3", "Delivery", "1", "9.90 EUR"),
    ("", "", "Total", "214.20"),
]


def invoice_positions(positions: Sequence[Sequence[str]]) -> tuple[list[Box], list[str]]:
    """Return positions whose two last columns are aligned at the right."""
    lefts, rights = (100, 180), (760, 1000)
    boxes, texts = [], []
    for row, cells in enumerate(positions):
        for column, text in enumerate(cells):
            if text:
                width = 12 * len(text)
                left = lefts[column] if column < 2 else rights[column - 2] - width
                boxes.append(box(left, 300 + 34 * row, width, 26))
                texts.append(text)
    return boxes, texts


def table_of(boxes: list[Box], texts: list[str]) -> str:
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES)
    return formatted(page).markdown


def test_invoice_positions_without_lines_are_a_table() -> None:
    assert table_of(*invoice_positions(POSITIONS)).splitlines() == [
        "| Pos | Description | Qty | Amount |",
        "|---|---|---|---|",
        "| 1 | Cordless drill | 2 | 179.80 |",
        "| 2 | Drill bits, set of 25 in a steel case | 1 | 24.50 |",
        "| 3 | Delivery | 1 | 9.90 EUR |",
        "|  |  | Total | 214.20 |",
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*[st.sampled_from(["", "12.50", "7", "Total", "Drill bits", "A4 paper"])] * 4).filter(any),
        min_size=3,
        max_size=12,
    )
)
def test_aligned_rows_keep_every_text_once(rows: list[tuple[str, ...]]) -> None:
    boxes, texts = invoice_positions(rows)
    words = re.findall(r"[\w.]+", table_of(boxes, texts).replace("#", " "))
    assert sorted(words) == sorted(" ".join(texts).split())


def test_answers_of_multiple_choice_are_not_a_table() -> None:
    boxes, texts = invoice_positions([("A", "2", "C", "4"), ("B", "3", "D", "5"), ("E", "6", "F", "7")])
    assert "|" not in table_of(boxes, texts)


def test_labels_beside_words_are_not_a_table() -> None:
    boxes, texts = invoice_positions([("Name", "Ken Forrest", "Place", "Bristol")] * 6)
    assert "|" not in table_of(boxes, texts)


@pytest.mark.parametrize("text", ["1.234,56 EUR", "-12%", "(0.01)", "RM 4.20", "$ 5", "7", "12 %", "3.50-"])
def test_is_figure_of_amount(text: str) -> None:
    assert is_figure(text)


@pytest.mark.parametrize("text", ["Qty", "12 March", "A4", "", "-", "12/31/94 x"])
def test_is_figure_of_other_text_is_false(text: str) -> None:
    assert not is_figure(text)


# --- texts over several cells ------------------------------------------------------------------------------


def test_text_over_all_cells_of_each_row_is_split_at_the_drawn_lines() -> None:
    image = blank()
    draw = ImageDraw.Draw(image)
    for y in (300, 350, 400, 450):
        draw.line((100, y, 900, y), fill="black", width=2)
    for x in (100, 300, 500, 700, 900):
        draw.line((x, 300, x, 450), fill="black", width=2)
    boxes = [box(120, 312 + 50 * row, 760, 24) for row in range(3)]
    texts = ["alpha beta gamma data kappa iota sigma zeta"] * 3
    markdown = assemble_page(pixels_of(image), lines_of(boxes, texts)).markdown
    assert "| alpha beta | gamma data | kappa iota | sigma zeta |" in markdown


def test_split_at_with_fewer_spaces_than_lines_keeps_each_word_once() -> None:
    level = PageFrame.from_boxes([box(0, 0, 300)]).layout_boxes([box(0, 0, 300)])[0]
    assert split_at(level, "one two", [50, 100, 150]) == ["", "one", "", "two"]
    assert split_at(level, "one two", [150]) == ["one", "two"]


def test_ruled_table_of_low_contrast_is_a_table() -> None:
    image, boxes, texts = ruled_table(spanning=False)
    image = image.point(lambda level: 190 + level * 6 // 255)
    markdown = assemble_page(pixels_of(image), lines_of(boxes, texts)).markdown
    assert "| 2 | d | e | f |" in markdown
