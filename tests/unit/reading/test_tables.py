"""Tables on recognized pages: drawn lines, text in columns, cells that span."""

import pytest
from PIL import ImageDraw

from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.layout.layout_model import Region
from backend_main.reading.page_assembly import assemble_page, build_layout_page
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
