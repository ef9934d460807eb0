"""Sample pages with boxes, texts and a drawn image, and short ways to render them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.layout.ruled_tables import RulingLine, TableGrid
from backend_main.reading.page_assembly import (
    FormattedPage,
    LayoutPage,
    build_layout_page,
    detect_tables_and_figures,
    render_page,
)
from backend_main.reading.types import Box, Line
from tests.unit.reading.sample_layouts import box

WIDTH, HEIGHT = 1240, 1754
EDGES = (0.0, 0.0, float(WIDTH), float(HEIGHT))


def lines_of(boxes: Sequence[Box], texts: Sequence[str]) -> list[Line]:
    return [Line(1, text, text, one) for one, text in zip(boxes, texts, strict=True)]


def numbered_texts(boxes: Sequence[Box]) -> list[str]:
    return [f"w{2 * number}x w{2 * number + 1}x" for number in range(len(boxes))]


def rendered(boxes: Sequence[Box], texts: Sequence[str] | None = None) -> FormattedPage:
    """Render a page by boxes and texts alone: without regions, tables and figures."""
    return render_page(
        build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts or numbered_texts(boxes)), EDGES)
    )


def formatted(
    page: LayoutPage, grids: Sequence[TableGrid] = (), rules: Sequence[RulingLine] = ()
) -> FormattedPage:
    detect_tables_and_figures(page, grids, rules)
    return render_page(page)


def blank(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def pixels_of(image: Image.Image) -> Pixels:
    return np.asarray(image)[:, :, ::-1].copy()


def ruled_table(*, spanning: bool = True) -> tuple[Image.Image, list[Box], list[str]]:
    """Draw a table with a cell of two lines, perhaps one over two columns, and text above and below it."""
    image = blank()
    draw = ImageDraw.Draw(image)
    xs, ys = (100, 300, 500, 700, 900), (300, 350, 430, 480)
    for y in ys:
        draw.line((xs[0], y, xs[-1], y), fill="black", width=2)
    for x in xs:
        draw.line((x, ys[1] if x == xs[2] and spanning else ys[0], x, ys[-1]), fill="black", width=2)
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
