"""Pages with tables, drawn by reportlab, and the tables that are found on them."""

from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import pairwise

import pypdfium2
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading.born_digital.page import DigitalPage
from backend_main.reading.born_digital.tables import find_tables
from backend_main.reading.documents.pdf_text_layer import extract_text_layer
from backend_main.reading.documents.turned_page import upright_layer

PAGE = (595.0, 842.0)
SCALE = 200 / 72
SIZE = 10
TOP = 740.0
PITCH = 18.0
PROSE = "The committee of twelve members compared the whole question without any further delay."
Draw = Callable[[Canvas], None]
CITIES = (("Name", "City", "Total"), ("Anna", "Rome", "1,250"), ("Ben", "Oslo", "48"), ("Carl", "Bonn", "7"))
XS = (100, 220, 340)
EDGES = (95, 215, 335, 400)
YS = tuple(TOP + 12 - PITCH * number for number in range(5))


def tables_on(draw: Draw) -> list[str]:
    """Return the Markdown of the tables of a page, from top to bottom."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=PAGE)
    canvas.setFont("Helvetica", SIZE)
    draw(canvas)
    canvas.save()
    with pypdfium2.PdfDocument(file.getvalue()) as pdf:
        layer = extract_text_layer(pdf[0], SCALE)
    assert layer is not None
    page = DigitalPage(1, upright_layer(layer))
    found = find_tables(page, page.boxes)
    return [table.markdown() for table in sorted(found, key=lambda table: table.rect[1])]


def text_rows(
    canvas: Canvas,
    rows: Sequence[Sequence[str]],
    xs: Sequence[float],
    *,
    top: float = TOP,
    pitch: float = PITCH,
    right: Sequence[int] = (),
) -> None:
    """Draw texts at the x of their columns, or up to it for the columns in `right`."""
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            put = canvas.drawRightString if column in right else canvas.drawString
            put(xs[column], top - number * pitch, text)


def paragraph(canvas: Canvas, y: float, lines: int = 3, x: float = 60) -> None:
    for number in range(lines):
        canvas.drawString(x, y - 12 * number, PROSE)


def grid(canvas: Canvas, xs: Sequence[float], ys: Sequence[float]) -> None:
    """Draw all lines of a grid, cell by cell as browsers do."""
    for left, right in pairwise(xs):
        for y in ys:
            canvas.line(left, y, right, y)
    for upper, lower in pairwise(ys):
        for x in xs:
            canvas.line(x, upper, x, lower)


def level(canvas: Canvas, left: float, right: float, *ys: float) -> None:
    for y in ys:
        canvas.line(left, y, right, y)


def stripe(canvas: Canvas, left: float, right: float, top: float, height: float = PITCH) -> None:
    canvas.setFillColor(HexColor("#dde6ee"))
    canvas.rect(left, top - height, right - left, height, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#000000"))


def pipe(*rows: Sequence[str]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
