"""The frame of a curled page: its boxes and its drawing become level."""

import math
import random
from statistics import pstdev

import numpy as np
import pytest

from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.layout.geometry import LayoutBox, PageFrame
from backend_main.reading.layout_page import build_layout_page
from backend_main.reading.types import Box
from tests.unit.reading.sample_layouts import box, transformed
from tests.unit.reading.sample_pages import EDGES, formatted, lines_of

WIDTH, HEIGHT, TEXT_HEIGHT = 1240, 1754, 24
LEFTS = (100, 520, 700, 900)
ROWS = 9
TEXTS = ["Article", "Qty", "Price", "Amount"] + [
    text
    for row in range(1, ROWS)
    for text in (f"Wall lamp of kind {row}", f"{row}", f"{row}4.50", f"{row}9.00")
]


def moved_down(x: float, y: float, amplitude: float) -> float:
    return y + amplitude * math.sin(1.3 * math.pi * x / WIDTH) * (0.7 + 0.6 * y / HEIGHT)


def curled(flat: Box, amplitude: float) -> Box:
    first, second, third, fourth = ((x, moved_down(x, y, amplitude)) for x, y in flat)
    return first, second, third, fourth


def cells(amplitude: float, degrees: float = 0) -> list[Box]:
    flat = [box(100, 100, 1000, TEXT_HEIGHT), box(100, 900, 1000, TEXT_HEIGHT)]
    flat += [
        box(left, 300 + 50 * row, 180 if left == LEFTS[0] else 90, TEXT_HEIGHT)
        for row in range(ROWS)
        for left in LEFTS
    ]
    return [transformed(curled(one, amplitude), degrees=degrees) for one in flat]


def row_spreads(boxes: list[LayoutBox]) -> list[float]:
    """Return how far the cells of each row are from level, in text heights."""
    rows = [boxes[start : start + len(LEFTS)] for start in range(2, len(boxes), len(LEFTS))]
    return [pstdev(box.center_y for box in row) / TEXT_HEIGHT for row in rows]


@pytest.mark.parametrize("degrees", [0, 4, -90])
@pytest.mark.parametrize("amplitude", [30, -50])
def test_frame_of_curled_page_has_level_rows(amplitude: float, degrees: float) -> None:
    quads = cells(amplitude, degrees)
    boxes = PageFrame.from_boxes(quads).layout_boxes(quads)
    assert max(row_spreads(boxes)) < 0.25
    assert pstdev(box.left for box in boxes[2 :: len(LEFTS)]) < 0.1 * TEXT_HEIGHT


def test_frame_of_curled_page_without_lines_across_has_level_rows_where_corners_err() -> None:
    """The ends of boxes alone leave the distance between far columns open; nearly level neighbors do not."""
    rng = random.Random(1)
    quads = [tuple((x, y + rng.uniform(-5, 5)) for x, y in one) for one in cells(50)[2:]]
    boxes = PageFrame.from_boxes(quads).layout_boxes(quads)  # type: ignore[arg-type]
    assert max(row_spreads([*boxes[:2], *boxes])) < 0.15


@pytest.mark.parametrize("degrees", [0, 7])
def test_frame_of_flat_page_has_no_curl(degrees: float) -> None:
    assert PageFrame.from_boxes(cells(0, degrees)).curl is None


def test_frame_of_lines_that_slant_without_common_form_has_no_curl() -> None:
    rng = random.Random(1)
    quads = [transformed(one, degrees=rng.choice([-3, 3])) for one in cells(0)[2:]]
    assert PageFrame.from_boxes(quads).curl is None


def test_table_of_a_curled_page_is_a_table() -> None:
    quads = cells(40)
    texts = [
        "A line of text over the whole width of the page",
        "Another line of text below the table",
        *TEXTS,
    ]
    page = build_layout_page(PageFrame.from_boxes(quads), lines_of(quads, texts), EDGES)
    rows = formatted(page).markdown.split("\n\n")[1].splitlines()
    assert rows[0] == "| Article | Qty | Price | Amount |"
    assert rows[2:] == [
        f"| Wall lamp of kind {row} | {row} | {row}4.50 | {row}9.00 |" for row in range(1, ROWS)
    ]


def test_render_of_a_curled_page_makes_drawn_lines_level() -> None:
    pixels: Pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for x in range(100, 1100):
        y = round(moved_down(x, 500, 40))
        pixels[y - 3 : y + 3, x] = 0
    frame = PageFrame.from_boxes(cells(40))
    left, _, right, _ = frame.bounds(WIDTH, HEIGHT)
    image = frame.render(pixels, (WIDTH, HEIGHT))
    columns = [round((x - left) / (right - left) * WIDTH) for x in range(150, 1050, 50)]
    heights = [float(np.argmin(image[:, column, 0])) for column in columns]
    assert pstdev(heights) < 5 < pstdev(moved_down(x, 500, 40) for x in range(150, 1050, 50))
