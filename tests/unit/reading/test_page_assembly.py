"""Page assembly: lines with boxes, and the image of the page, to Markdown and plain text."""

import re

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines.rotated_page import rotate_upright, to_original_coordinates
from backend_main.reading.layout.cells import Cell
from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.layout.layout_model import KINDS, Region
from backend_main.reading.layout.ruled_tables import RulingLine, TableGrid
from backend_main.reading.output.formatted_page import FormattedBlock, FormattedPage
from backend_main.reading.page_assembly import (
    AssemblySettings,
    assemble_page,
    build_layout_page,
    render_page,
)
from backend_main.reading.types import Box, Line
from tests.unit.reading.sample_layouts import (
    SAMPLE_LAYOUTS,
    box,
    receipt,
    transformed,
)
from tests.unit.reading.sample_pages import (
    EDGES,
    blank,
    formatted,
    lines_of,
    numbered_texts,
    pixels_of,
    rendered,
    ruled_table,
)

places = st.tuples(st.floats(0, 1000), st.floats(0, 1500), st.floats(5, 600), st.floats(8, 60))
markers = st.sampled_from(["", "", "", "• ", "1. ", "- ", "(a) ", "2.5 ", "Figure 1: ", "# ", "| "])
bounds = st.lists(st.floats(0, 1200), min_size=3, max_size=6, unique=True).map(sorted).map(tuple)


def tokens(text: str) -> list[str]:
    """Return the tokens of a test's lines, however they are escaped and joined."""
    return re.findall(r"w\d+x", text)


# --- completeness ----------------------------------------------------------------------------------------


@st.composite
def regions(draw: st.DrawFn) -> Region:
    left, top = draw(st.floats(0, 800)), draw(st.floats(0, 1200))
    right, bottom = left + draw(st.floats(1, 900)), top + draw(st.floats(1, 900))
    return Region(draw(st.sampled_from(KINDS)), draw(st.floats(0.4, 1)), left, top, right, bottom)


@st.composite
def grids(draw: st.DrawFn) -> TableGrid:
    xs, ys = draw(bounds), draw(bounds)
    cells = [Cell(r, c, r + 1, c + 1) for r in range(len(ys) - 1) for c in range(len(xs) - 1)]
    if draw(st.booleans()):
        cells[:2] = [Cell(0, 0, 1, 2)]
    return TableGrid(xs, ys, tuple(cells))


rules = st.builds(
    RulingLine, st.floats(0, 1500), left=st.sampled_from([0.0, 200.0]), right=st.sampled_from([700.0, 1000.0])
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(places, markers), min_size=1, max_size=40),
    st.lists(regions(), max_size=6),
    st.lists(grids(), max_size=2),
    st.lists(rules, max_size=8),
    st.frozensets(st.integers(0, 40)),
)
def test_render_page_has_every_recognized_word_once(
    placed_lines: list[tuple[tuple[float, float, float, float], str]],
    regions_on_page: list[Region],
    drawn_grids: list[TableGrid],
    drawn_rules: list[RulingLine],
    emphasized: frozenset[int],
) -> None:
    boxes = [box(*place) for place, _ in placed_lines]
    texts = [marker + text for (_, marker), text in zip(placed_lines, numbered_texts(boxes), strict=True)]
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES, regions_on_page)
    page.emphasized = emphasized
    formatted_page = formatted(page, drawn_grids, drawn_rules)
    expected = sorted(tokens(" ".join(texts)))
    assert sorted(tokens(formatted_page.markdown)) == expected
    missing = set(expected) - set(tokens(formatted_page.text))
    assert sorted([*tokens(formatted_page.text), *missing]) == expected


# --- invariance ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLE_LAYOUTS)
@settings(deadline=None)
@given(
    dx=st.integers(0, 500),
    dy=st.integers(0, 500),
    scale=st.sampled_from([0.25, 0.5, 2, 4]),
    degrees=st.sampled_from([-4.0, -1.0, 0.0, 1.0, 4.0]),
)
def test_render_page_of_transformed_page_is_equal(
    name: str, dx: int, dy: int, scale: float, degrees: float
) -> None:
    page = SAMPLE_LAYOUTS[name]
    assert (
        rendered([transformed(one, dx, dy, scale, degrees) for one in page]).markdown
        == rendered(page).markdown
    )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_assemble_page_of_rotated_page_has_equal_markdown(quarters: int) -> None:
    image, boxes, texts = ruled_table()
    turned = np.ascontiguousarray(np.rot90(pixels_of(image), -quarters))
    height, width = turned.shape[:2]
    page = PageImage(1, turned, width, height)
    assert np.array_equal(rotate_upright(page, quarters).pixels, pixels_of(image))
    lines = list(to_original_coordinates(iter(lines_of(boxes, texts)), page, quarters))
    assert all(0 <= x <= width and 0 <= y <= height for line in lines for x, y in line.box or ())
    assert assemble_page(turned, lines) == assemble_page(pixels_of(image), lines_of(boxes, texts))


# --- paragraphs, lists, headings -------------------------------------------------------------------------


def test_lines_that_fill_their_column_are_one_line_of_markdown() -> None:
    boxes = [box(100, 100, 600), box(100, 130, 595), box(100, 160, 300)]
    texts = [
        "A paragraph goes on and is at its end hyphen-",
        "ated, and then it has one more full line of",
        "text.",
    ]
    whole = "A paragraph goes on and is at its end hyphenated, and then it has one more full line of text."
    assert rendered(boxes, texts) == FormattedPage(
        whole, whole, blocks=[FormattedBlock("paragraph", 0, len(whole), (0, 1, 2))]
    )


def test_few_lines_with_wide_spacing_are_one_paragraph_if_one_begins_small() -> None:
    boxes = [box(100, 100 + 46 * line, width) for line, width in enumerate((600, 595, 300))]
    texts = [
        "A page of three lines that are far from",
        "each other is a paragraph if one of them",
        "goes on.",
    ]
    assert rendered(boxes, texts).markdown == " ".join(texts)
    texts = [
        "The first line is one for itself alone.",
        "Another one is the line that follows",
        "This is the last of them all.",
    ]
    assert rendered(boxes, texts).markdown == "\n\n".join(texts)


def test_lines_that_end_early_stay_lines() -> None:
    boxes = [box(100, 100, 160), box(100, 130, 140), box(100, 160, 400)]
    formatted_page = rendered(
        boxes, ["Ada Lovelace", "12 Some Road", "A far longer line than those above it"]
    )
    assert formatted_page.markdown.splitlines() == [
        "Ada Lovelace  ",
        "12 Some Road  ",
        "A far longer line than those above it",
    ]
    assert formatted_page.text.splitlines() == [
        "Ada Lovelace",
        "12 Some Road",
        "A far longer line than those above it",
    ]


def test_long_line_among_short_ones_stays_a_line() -> None:
    boxes = [box(100, 100 + 30 * line, width) for line, width in enumerate((160, 400, 150, 140))]
    assert (
        rendered(
            boxes, ["Ada Lovelace", "a long line as it stands on receipts", "one more", "the last"]
        ).text.count("\n")
        == 3
    )


def test_bullets_and_numbers_are_lists_and_indented_ones_nested() -> None:
    boxes = [
        *(box(left, 100 + 30 * line, 400) for line, left in enumerate((100, 140, 140, 100))),
        *(box(100, 280 + 30 * line, 400) for line in range(2)),
    ]
    texts = ["• Fruit", "– apples", "– pears", "• Bread", "1. Wash it", "2. Eat it"]
    assert (
        rendered(boxes, texts).markdown
        == "- Fruit\n    - apples\n    - pears\n- Bread\n1. Wash it\n2. Eat it"
    )


def test_indented_line_below_bullet_belongs_to_its_item() -> None:
    boxes = [box(100, 100, 600), box(130, 130, 200), box(100, 160, 300)]
    texts = ["• an item that fills its line and goes on to", "the next", "• another item"]
    assert (
        rendered(boxes, texts).markdown
        == "- an item that fills its line and goes on to the next\n- another item"
    )


@pytest.mark.parametrize("text", ["2.35 0.00 S", "-12.00", "*note", "10.5.2026"])
def test_number_in_text_does_not_begin_a_list(text: str) -> None:
    assert rendered([box(0, 0, 300)], [text]).text == text


def test_number_after_wrapped_line_does_not_begin_a_list() -> None:
    boxes = [box(100, 100, 600), box(100, 130, 600), box(100, 160, 600)]
    texts = [
        "The second motif is made of four of them, as in Fig.",
        "2. The start and the end are part of one helix that",
        "left.",
    ]
    assert "\n" not in rendered(boxes, texts).markdown


def test_heading_levels_follow_print_size_and_section_number() -> None:
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
    assert rendered(boxes, texts).markdown.split("\n\n")[:3] == [
        "# The Title",
        "## 2 Method",
        "### 2.1.3 Data",
    ]


# --- figures and page furniture --------------------------------------------------------------------------


def test_figure_has_its_caption_as_alternative_text() -> None:
    boxes = [*(box(100, 100 + 26 * n, 600) for n in range(6)), box(200, 400, 90), box(150, 700, 450)]
    texts = [*(f"line {n} of the text above" for n in range(6)), "inside", "Figure 3: what it shows"]
    page = build_layout_page(
        PageFrame.from_boxes(boxes),
        lines_of(boxes, texts),
        EDGES,
        [Region("figure", 0.9, 120, 320, 680, 680)],
    )
    formatted_page = formatted(page)
    assert formatted_page.markdown.endswith("\n\n![Figure 3: what it shows]()\n\ninside")
    assert formatted_page.text.count("Figure 3: what it shows") == 1


def page_with_header_and_footer() -> tuple[list[Box], list[str]]:
    boxes = [
        box(100, 60, 200),
        box(1000, 60, 40),
        *(box(100, 200 + 26 * n, 940) for n in range(30)),
        box(600, 1650, 30),
    ]
    return boxes, ["A Running Head", "17", *(f"a line of text with its number {n}" for n in range(30)), "18"]


def test_render_page_leaves_furniture_out_of_both_texts_and_tells_its_roles() -> None:
    formatted_page = rendered(*page_with_header_and_footer())
    for text in (formatted_page.markdown, formatted_page.text):
        assert text.startswith("a line of text")
        assert text.endswith("number 29")
    assert formatted_page.roles == {0: "header", 1: "page_number", 32: "page_number"}


def test_render_page_with_keep_has_furniture_in_both_texts_and_equal_roles() -> None:
    boxes, texts = page_with_header_and_footer()
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES)
    kept = render_page(page, "keep")
    for text in (kept.markdown, kept.text):
        assert text.startswith("A Running Head 17\n\n")
        assert text.endswith("\n\n18")
    assert kept.roles == rendered(boxes, texts).roles


def test_roles_are_by_the_place_of_the_line_where_lines_have_no_box() -> None:
    boxes, texts = page_with_header_and_footer()
    lines = [Line(1, "", ""), *lines_of(boxes, texts)]
    page = build_layout_page(PageFrame.from_boxes(boxes), lines, EDGES)
    assert render_page(page).roles == {1: "header", 2: "page_number", 33: "page_number"}


def test_assemble_page_drops_the_header_that_an_earlier_page_has() -> None:
    assembly = AssemblySettings()
    pages = []
    for number in (1, 2):
        boxes = [box(500, 60, 300), *(box(100, 200 + 26 * n, 940) for n in range(30))]
        texts = ["A Running Head", *(f"page {number} has a line {n} of its own" for n in range(30))]
        lines = [msgspec.structs.replace(line, page=number) for line in lines_of(boxes, texts)]
        pages.append(assemble_page(pixels_of(blank()), lines, assembly))
    assert pages[0].markdown.startswith("A Running Head")
    assert pages[1].markdown.startswith("page 2 has")
    assert pages[1].roles == {0: "header"}


def test_page_with_nothing_but_a_page_number_keeps_it() -> None:
    formatted_page = rendered([box(600, 1650, 30)], ["18"])
    assert (formatted_page.markdown, formatted_page.roles) == ("18", {})


def test_first_line_of_receipt_in_header_region_is_not_furniture() -> None:
    boxes = receipt(20)
    texts = [f"item {n}" if n % 2 == 0 else f"{n}.50" for n in range(len(boxes))]
    head = Region("header", 0.9, 0, -20, 500, 25)
    assert render_page(
        build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES, [head])
    ).text.startswith("item 0 1.50")


def test_assemble_page_without_lines_is_empty() -> None:
    assert assemble_page(pixels_of(blank(200, 200)), []) == FormattedPage("", "", blocks=[])


@pytest.mark.parametrize("size", [(1, 1), (30, 9000), (9000, 30), (700, 900)])
@pytest.mark.parametrize("side", [0.0, 0.4, 25.0])
def test_assemble_page_of_extreme_sizes_does_not_raise(size: tuple[int, int], side: float) -> None:
    width, height = size
    boxes = [box(width / 3, height / 3, 3 * side, side), box(width / 2, height / 2, 3 * side, side)]
    formatted_page = assemble_page(pixels_of(blank(width, height)), lines_of(boxes, ["w0x", "w1x"]))
    assert sorted(tokens(formatted_page.markdown)) == ["w0x", "w1x"]
