"""Drawing of a PDF page: lines, rectangles, images and shapes, within limits."""

import io
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Options
from backend_main.reading.documents import pdf_graphics
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pdf_graphics import Graphics
from tests.support.page_images import page_png

HEIGHT = 842
SCALE = 200 / 72


def graphics_of(path: Path, draw: Callable[[Canvas], None]) -> Graphics:
    """Return the graphics of an A4 page with a line of text and what `draw` draws."""
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(595, HEIGHT))
    canvas.drawString(72, 800, "A line of text, so that the page has a text layer.")
    draw(canvas)
    canvas.showPage()
    canvas.save()
    file = path / "drawn.pdf"
    file.write_bytes(data.getvalue())
    with open_document(file, Options()) as document:
        layer = document.text_layer(1)
    assert layer is not None
    return layer.graphics


def pixels(left: float, bottom: float, right: float, top: float) -> list[float]:
    """Return the rectangle in pixels of the rendered page."""
    sides = (left * SCALE, (HEIGHT - top) * SCALE, right * SCALE, (HEIGHT - bottom) * SCALE)
    return [pytest.approx(side, abs=3) for side in sides]


def curve(canvas: Canvas, segments: int, left: float = 100.0) -> None:
    """Draw a wave, 300 points wide and 100 high around y = 400."""
    path = canvas.beginPath()
    path.moveTo(left, 400)
    for number in range(segments):
        path.lineTo(left + 300 * number / segments, 400 + 50 * math.sin(number))
    canvas.drawPath(path)


def test_long_path_is_one_shape(tmp_path: Path) -> None:
    found = graphics_of(tmp_path, lambda canvas: curve(canvas, 5_000))
    assert [list(shape) for shape in found.shapes] == [pixels(100, 350, 400, 450)]


def test_path_beyond_the_limit_is_a_shape_and_lines_before_it_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_graphics, "MAX_SEGMENTS", 100)

    def draw(canvas: Canvas) -> None:
        canvas.line(72, 300, 500, 300)
        for _ in range(10):
            curve(canvas, 30)

    found = graphics_of(tmp_path, draw)
    assert len(found.rules) == 1
    assert len(found.shapes) > 10


def test_grid_in_one_long_path_is_lines(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        path = canvas.beginPath()
        for number in range(60):
            path.moveTo(72, 100 + 10 * number)
            path.lineTo(500, 100 + 10 * number)
        canvas.drawPath(path)

    found = graphics_of(tmp_path, draw)
    assert (len(found.rules), found.shapes) == (60, ())


def test_rectangles_with_line_or_rounded_corners_are_frames(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(100, 500, 200, 100)
        canvas.roundRect(100, 300, 200, 100, 8, stroke=0, fill=1)
        canvas.circle(300, 200, 50)

    found = graphics_of(tmp_path, draw)
    assert [list(frame) for frame in found.frames] == [pixels(100, 500, 300, 600), pixels(100, 300, 300, 400)]
    assert [list(shape) for shape in found.shapes] == [pixels(250, 150, 350, 250)]


def test_objects_in_nested_forms_are_at_their_place_on_the_page(tmp_path: Path) -> None:
    image = ImageReader(io.BytesIO(page_png("A picture")))

    def draw(canvas: Canvas) -> None:
        canvas.beginForm("inner")
        canvas.drawImage(image, 0, 0, 50, 40)
        canvas.rect(0, 0, 100, 100, stroke=0, fill=1)
        canvas.endForm()
        canvas.beginForm("outer")
        canvas.translate(20, 10)
        canvas.doForm("inner")
        canvas.endForm()
        canvas.saveState()
        canvas.translate(100, 200)
        canvas.scale(2, 2)
        canvas.doForm("outer")
        canvas.restoreState()

    found = graphics_of(tmp_path, draw)
    assert [list(rect) for rect in found.images] == [pixels(140, 220, 240, 300)]
    assert [list(fill.rect) for fill in found.fills] == [pixels(140, 220, 340, 420)]


def test_invisible_path_is_not_drawn(tmp_path: Path) -> None:
    found = graphics_of(tmp_path, lambda canvas: canvas.rect(100, 500, 200, 100, stroke=0, fill=0))
    assert (found.rules, found.fills, found.frames) == ((), (), ())
