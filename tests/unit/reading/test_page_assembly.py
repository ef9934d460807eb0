"""Lines with their boxes, and the picture they are on → Markdown and reading text; nothing is recognised."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from backend_main.reading.documents.document import PageImage
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines.rapid.orientation import (
    rotate_upright,
    to_original_coordinates,
)
from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.layout.layout_model import KINDS, Region
from backend_main.reading.layout.ruled_tables import Cell, TableGrid
from backend_main.reading.page_assembly import (
    FormattedPage,
    LayoutPage,
    assemble_page,
    build_layout_page,
    detect_tables_and_figures,
    render_page,
)
from backend_main.reading.types import Box, Line
from tests.unit.reading.sample_layouts import (
    SAMPLE_LAYOUTS,
    box,
    columns,
    receipt,
    transformed,
)

WIDTH, HEIGHT = 1240, 1754
EDGES = (0.0, float(HEIGHT))

places = st.tuples(st.floats(0, 1000), st.floats(0, 1500), st.floats(5, 600), st.floats(8, 60))
openings = st.sampled_from(["", "", "", "• ", "1. ", "- ", "(a) ", "2.5 ", "Figure 1: ", "# ", "| "])
bounds = st.lists(st.floats(0, 1200), min_size=3, max_size=6, unique=True).map(sorted).map(tuple)


def words(text: str) -> list[str]:
    """The tokens that a test's lines are made of, however they are escaped and joined."""
    return re.findall(r"w\d+x", text)


def lines_of(boxes: Sequence[Box], texts: Sequence[str]) -> list[Line]:
    return [Line(1, text, text, one) for one, text in zip(boxes, texts, strict=True)]


def numbered(boxes: Sequence[Box]) -> list[str]:
    return [f"w{2 * number}x w{2 * number + 1}x" for number in range(len(boxes))]


def laid_out(boxes: Sequence[Box], texts: Sequence[str] | None = None) -> FormattedPage:
    """By boxes and texts alone, on blank paper that nothing is seen on."""
    return render_page(
        build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts or numbered(boxes)), EDGES)
    )


def formatted(page: LayoutPage, grids: Sequence[TableGrid] = ()) -> FormattedPage:
    detect_tables_and_figures(page, grids)
    return render_page(page)


def blank(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def pixels_of(image: Image.Image) -> Pixels:
    return np.asarray(image)[:, :, ::-1].copy()


# --- nothing is lost ---------------------------------------------------------------------------------------


@st.composite
def regions(draw: st.DrawFn) -> Region:
    left, top = draw(st.floats(0, 800)), draw(st.floats(0, 1200))
    right, bottom = left + draw(st.floats(1, 900)), top + draw(st.floats(1, 900))
    return Region(draw(st.sampled_from(KINDS)), draw(st.floats(0.4, 1)), left, top, right, bottom)


@st.composite
def grids(draw: st.DrawFn) -> TableGrid:
    xs, ys = draw(bounds), draw(bounds)
    cells = tuple(Cell(r, c, r + 1, c + 1) for r in range(len(ys) - 1) for c in range(len(xs) - 1))
    return TableGrid(xs, ys, cells)


@settings(deadline=None)
@given(
    st.lists(st.tuples(places, openings), min_size=1, max_size=40),
    st.lists(regions(), max_size=6),
    st.lists(grids(), max_size=2),
)
def test_every_recognised_word_is_in_the_markdown_once(
    given_lines: list[tuple[tuple[float, float, float, float], str]],
    seen: list[Region],
    drawn: list[TableGrid],
) -> None:
    boxes = [box(*place) for place, _ in given_lines]
    texts = [opening + text for (_, opening), text in zip(given_lines, numbered(boxes), strict=True)]
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES, seen)
    arranged = formatted(page, drawn)
    expected = sorted(words(" ".join(texts)))
    assert sorted(words(arranged.markdown)) == expected
    left_out = set(expected) - set(words(arranged.text))
    assert sorted([*words(arranged.text), *left_out]) == expected


# --- the page may lie as it likes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLE_LAYOUTS)
@settings(deadline=None)
@given(
    dx=st.integers(0, 500),
    dy=st.integers(0, 500),
    scale=st.sampled_from([0.25, 0.5, 2, 4]),
    degrees=st.sampled_from([-4.0, -1.0, 0.0, 1.0, 4.0]),
)
def test_a_page_moved_scaled_and_slanted_reads_the_same(
    name: str, dx: int, dy: int, scale: float, degrees: float
) -> None:
    page = SAMPLE_LAYOUTS[name]
    assert (
        laid_out([transformed(one, dx, dy, scale, degrees) for one in page]).markdown
        == laid_out(page).markdown
    )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_has_the_boxes_of_its_lines_where_they_are_and_the_same_markdown(quarters: int) -> None:
    image, boxes, texts = ruled_table()
    turned = np.ascontiguousarray(np.rot90(pixels_of(image), -quarters))
    height, width = turned.shape[:2]
    page = PageImage(1, turned, width, height)
    assert np.array_equal(rotate_upright(page, quarters).pixels, pixels_of(image))
    lines = list(to_original_coordinates(iter(lines_of(boxes, texts)), page, quarters))
    assert all(0 <= x <= width and 0 <= y <= height for line in lines for x, y in line.box or ())
    assert assemble_page(turned, lines, 1) == assemble_page(pixels_of(image), lines_of(boxes, texts), 1)


# --- paragraphs, lists, headings ---------------------------------------------------------------------------


def test_lines_that_fill_their_column_are_one_line_of_markdown() -> None:
    boxes = [box(100, 100, 600), box(100, 130, 595), box(100, 160, 300)]
    texts = [
        "A paragraph goes on and is at its end hyphen-",
        "ated, and then it has one more full line of",
        "text.",
    ]
    whole = "A paragraph goes on and is at its end hyphenated, and then it has one more full line of text."
    assert laid_out(boxes, texts) == FormattedPage(whole, whole)


def test_lines_that_end_early_stay_lines() -> None:
    boxes = [box(100, 100, 160), box(100, 130, 140), box(100, 160, 400)]
    arranged = laid_out(boxes, ["Ada Lovelace", "12 Some Road", "A far longer line than those above it"])
    assert arranged.markdown.splitlines() == [
        "Ada Lovelace  ",
        "12 Some Road  ",
        "A far longer line than those above it",
    ]
    assert arranged.text.splitlines() == [
        "Ada Lovelace",
        "12 Some Road",
        "A far longer line than those above it",
    ]


def test_a_long_line_among_short_ones_stays_a_line() -> None:
    boxes = [box(100, 100 + 30 * line, width) for line, width in enumerate((160, 400, 150, 140))]
    assert (
        laid_out(
            boxes, ["Ada Lovelace", "a long line as it stands on receipts", "one more", "the last"]
        ).text.count("\n")
        == 3
    )


def test_bullets_and_numbers_are_lists_and_the_deeper_ones_are_nested() -> None:
    boxes = [
        *(box(left, 100 + 30 * line, 400) for line, left in enumerate((100, 140, 140, 100))),
        *(box(100, 280 + 30 * line, 400) for line in range(2)),
    ]
    texts = ["• Fruit", "– apples", "– pears", "• Bread", "1. Wash it", "2. Eat it"]
    assert (
        laid_out(boxes, texts).markdown
        == "- Fruit\n    - apples\n    - pears\n- Bread\n1. Wash it\n2. Eat it"
    )


def test_what_hangs_below_a_bullet_belongs_to_it() -> None:
    boxes = [box(100, 100, 600), box(130, 130, 200), box(100, 160, 300)]
    texts = ["• an item that fills its line and goes on to", "the next", "• another item"]
    assert (
        laid_out(boxes, texts).markdown
        == "- an item that fills its line and goes on to the next\n- another item"
    )


@pytest.mark.parametrize("text", ["2.35 0.00 S", "-12.00", "*note", "10.5.2026"])
def test_a_figure_begins_no_list(text: str) -> None:
    assert laid_out([box(0, 0, 300)], [text]).text == text


def test_a_number_that_a_full_line_wrapped_to_begins_no_list() -> None:
    boxes = [box(100, 100, 600), box(100, 130, 600), box(100, 160, 600)]
    texts = [
        "The second motif is made of four of them, as in Fig.",
        "2. The start and the end are part of one helix that",
        "left.",
    ]
    assert "\n" not in laid_out(boxes, texts).markdown


def test_headings_have_levels_by_their_print_and_by_their_numbers() -> None:
    boxes = [
        box(100, 40, 300, 44),
        box(100, 120, 160, 28),
        box(100, 170, 150, 28),
        *(box(100, 230 + 26 * n, 600) for n in range(9)),
    ]
    texts = [
        "The Title",
        "2 Method",
        "2.1.3 Data",
        *("a full line of the text that is below all the three" for _ in range(9)),
    ]
    assert laid_out(boxes, texts).markdown.split("\n\n")[:3] == [
        "# The Title",
        "## 2 Method",
        "### 2.1.3 Data",
    ]


# --- tables ------------------------------------------------------------------------------------------------


def ruled_table() -> tuple[Image.Image, list[Box], list[str]]:
    """Four columns; the head spans two, the second row has a cell of two lines; text above and below."""
    image = blank()
    draw = ImageDraw.Draw(image)
    xs, ys = (100, 300, 500, 700, 900), (300, 350, 430, 480)
    for y in ys:
        draw.line((xs[0], y, xs[-1], y), fill="black", width=2)
    for x in xs:
        draw.line((x, ys[1] if x == xs[2] else ys[0], x, ys[-1]), fill="black", width=2)
    cells = {
        (110, 312): "No.", (470, 312): "Span of two", (710, 312): "Last",
        (110, 380): "1", (310, 362): "First line", (310, 392): "and second", (510, 380): "b", (710, 380): "c",
        (110, 442): "2", (310, 442): "d", (510, 442): "e", (710, 442): "f",
    }  # fmt: skip
    around = {
        (100, 200): "Text above the table, and it is a long line",
        (100, 560): "Text below it, as long as that is",
    }
    boxes = [box(x, y, 11 * len(text), 24) for (x, y), text in (cells | around).items()]
    return image, boxes, [*cells.values(), *around.values()]


RULED = """Text above the table, and it is a long line

| No. | Span of two |  | Last |
|---|---|---|---|
| 1 | First line and second | b | c |
| 2 | d | e | f |

Text below it, as long as that is"""


@pytest.mark.parametrize("degrees", [0, -2, 3])
def test_a_ruled_table_is_a_pipe_table_also_where_the_page_is_askew(degrees: float) -> None:
    image, boxes, texts = ruled_table()
    image = image.rotate(-degrees, center=(0, 0), fillcolor="white")
    arranged = assemble_page(
        pixels_of(image), lines_of([transformed(one, degrees=degrees) for one in boxes], texts), 1
    )
    assert arranged.markdown == RULED


def test_a_box_found_over_two_cells_is_parted_at_the_line_between_them() -> None:
    image, boxes, texts = ruled_table()
    last = texts.index("e")
    boxes[last : last + 2] = [box(510, 442, 380, 24)]
    texts[last : last + 2] = ["alpha beta gamma delta"]
    arranged = assemble_page(pixels_of(image), lines_of(boxes, texts), 1)
    assert "| 2 | d | alpha beta | gamma delta |" in arranged.markdown


def test_a_frame_around_text_is_no_table() -> None:
    image = blank()
    ImageDraw.Draw(image).rectangle((80, 80, 900, 400), outline="black", width=2)
    boxes = [box(100, 100 + 30 * line, 760) for line in range(8)]
    assert "|" not in assemble_page(pixels_of(image), lines_of(boxes, numbered(boxes)), 1).markdown


def test_columns_of_text_without_lines_are_a_table_where_the_layout_model_says_so() -> None:
    boxes = [box(100 + 250 * column, 100 + 40 * row, 90) for row in range(4) for column in range(3)]
    region = Region("table", 0.9, 80, 80, 800, 300)
    page = build_layout_page(
        PageFrame.from_boxes(boxes), lines_of(boxes, [f"{n}" for n in range(12)]), EDGES, [region]
    )
    assert formatted(page).markdown.splitlines() == [
        "| 0 | 1 | 2 |", "|---|---|---|", "| 3 | 4 | 5 |", "| 6 | 7 | 8 |", "| 9 | 10 | 11 |",
    ]  # fmt: skip


def test_columns_of_running_text_are_none_whatever_the_model_says() -> None:
    boxes = columns(2, 12)
    page = build_layout_page(
        PageFrame.from_boxes(boxes),
        lines_of(boxes, numbered(boxes)),
        EDGES,
        [Region("table", 0.9, -10, -10, 900, 900)],
    )
    assert "|" not in formatted(page).markdown


def test_bars_in_a_cell_stay_in_it() -> None:
    image, boxes, texts = ruled_table()
    texts[texts.index("b")] = "x|y"
    assert r"| x\|y |" in assemble_page(pixels_of(image), lines_of(boxes, texts), 1).markdown


# --- figures, heads and feet -------------------------------------------------------------------------------


def test_a_figure_is_marked_with_its_caption() -> None:
    boxes = [*(box(100, 100 + 26 * n, 600) for n in range(6)), box(200, 400, 90), box(150, 700, 450)]
    texts = [*(f"line {n} of the text above" for n in range(6)), "inside", "Figure 3: what it shows"]
    page = build_layout_page(
        PageFrame.from_boxes(boxes),
        lines_of(boxes, texts),
        EDGES,
        [Region("figure", 0.9, 120, 320, 680, 680)],
    )
    arranged = formatted(page)
    assert arranged.markdown.endswith("\n\n![Figure 3: what it shows]()\n\ninside")
    assert arranged.text.count("Figure 3: what it shows") == 1


def a_page_with_head_and_foot() -> tuple[list[Box], list[str]]:
    boxes = [
        box(100, 60, 200),
        box(1000, 60, 40),
        *(box(100, 200 + 26 * n, 940) for n in range(30)),
        box(600, 1650, 30),
    ]
    return boxes, ["A Running Head", "17", *(f"a line of text with its number {n}" for n in range(30)), "18"]


def test_heads_and_page_numbers_are_left_out_of_the_reading_text_alone() -> None:
    arranged = laid_out(*a_page_with_head_and_foot())
    assert arranged.markdown.startswith("A Running Head 17\n\n")
    assert arranged.markdown.endswith("\n\n18")
    assert arranged.text.startswith("a line of text")
    assert arranged.text.endswith("number 29")


def test_the_first_line_of_a_receipt_is_no_head_whatever_the_model_says() -> None:
    boxes = receipt(20)
    texts = [f"item {n}" if n % 2 == 0 else f"{n}.50" for n in range(len(boxes))]
    head = Region("header", 0.9, 0, -20, 500, 25)
    assert render_page(
        build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES, [head])
    ).text.startswith("item 0 1.50")


def test_a_page_without_lines_is_empty() -> None:
    assert assemble_page(pixels_of(blank(200, 200)), [], 1) == FormattedPage("", "")


@pytest.mark.parametrize("size", [(1, 1), (30, 9000), (9000, 30), (700, 900)])
@pytest.mark.parametrize("side", [0.0, 0.4, 25.0])
def test_no_shape_of_page_and_no_size_of_box_is_an_error(size: tuple[int, int], side: float) -> None:
    width, height = size
    boxes = [box(width / 3, height / 3, 3 * side, side), box(width / 2, height / 2, 3 * side, side)]
    arranged = assemble_page(pixels_of(blank(width, height)), lines_of(boxes, ["w0x", "w1x"]), 1)
    assert sorted(words(arranged.markdown)) == ["w0x", "w1x"]
