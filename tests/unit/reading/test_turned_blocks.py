"""Pages with a text layer whose blocks of text have several rotations, drawn with reportlab."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Options
from backend_main.reading.born_digital.document_context import context_of
from backend_main.reading.born_digital.rotations import RotationsAssembly, live_order
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pdf_text_layer import TextLayer
from backend_main.reading.documents.unread_areas import MAX_OBLIQUE_IMAGES
from tests.support.drawn_pdfs import picture

Draw = Callable[[Canvas], None]
UPRIGHT = ["The first line of the page stands upright,", "the second line goes on below it."]
TURNED = [
    "A block of text in another rotation",
    "has lines in the order of its own",
    "and ends with the third one.",
]


def read(folder: Path, draw: Draw, *, turn: int = 0) -> tuple[TextLayer, str, str]:
    """Return the text layer of a drawn page, its final Markdown, and its live text."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842))
    canvas.setPageRotation(turn)
    draw(canvas)
    canvas.save()
    (folder / "x.pdf").write_bytes(file.getvalue())
    with open_document(folder / "x.pdf", Options()) as document:
        layer = document.text_layer(1)
        assert layer is not None
        markdown = RotationsAssembly(layer, 1, context_of(document)).formatted().markdown
    live = "".join(f"{box.prefix}{layer.runs[box.index].text}" for box in live_order(layer, 1))
    return layer, markdown, live


def block(canvas: Canvas, lines: Sequence[str], x: float, y: float, angle: float = 0.0) -> None:
    canvas.saveState()
    canvas.translate(x, y)
    canvas.rotate(angle)
    for place, line in enumerate(lines):
        canvas.drawString(0, -14 * place, line)
    canvas.restoreState()


def words(*lines: str) -> list[str]:
    return " ".join(lines).split()


@pytest.mark.parametrize("turn", [0, 90])
@pytest.mark.parametrize("angle", [90, 180, 270, 45, -30, 133])
def test_turned_block_beside_upright_text_is_read_in_its_own_order(
    tmp_path: Path, angle: float, turn: int
) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, TURNED, 300, 400, angle + turn)
        block(canvas, [*UPRIGHT, *UPRIGHT, *UPRIGHT], *{0: (60, 780), 90: (520, 60)}[turn], turn)

    _, markdown, live = read(tmp_path, draw, turn=turn)
    assert words(markdown) == words(*UPRIGHT * 3, *TURNED)
    assert words(live) == words(markdown)


def test_blocks_of_five_rotations_follow_the_upright_text_by_the_content(tmp_path: Path) -> None:
    blocks = [(90, (120, 500)), (180, (500, 300)), (270, (480, 760)), (45, (150, 80)), (-45, (350, 200))]

    def draw(canvas: Canvas) -> None:
        for angle, (x, y) in blocks:
            block(canvas, [f"Block {angle}", *TURNED], x, y, angle)
        block(canvas, UPRIGHT[:1], 200, 800)

    _, markdown, live = read(tmp_path, draw)
    expected = [word for angle, _ in blocks for word in words(f"Block {angle}", *TURNED)]
    assert words(markdown) == [*words(UPRIGHT[0]), *expected]
    assert words(live) == words(markdown)


def test_turned_table_beside_upright_text_is_a_table(tmp_path: Path) -> None:
    """A timetable that is drawn sideways, below a heading that is not."""
    rows = [("Station", "Train 1", "Train 2"), ("Arden", "8.05", "9.05"), ("Berk", "8.20", "9.20")]

    def draw(canvas: Canvas) -> None:
        block(canvas, ["Timetable"], 60, 790)
        canvas.translate(400, 100)
        canvas.rotate(90)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                canvas.rect(column * 100, number * -24 + 200, 100, 24)
                canvas.drawString(column * 100 + 6, number * -24 + 207, cell)

    _, markdown, _ = read(tmp_path, draw)
    assert [line for line in markdown.splitlines() if line.startswith("|")] == [
        "| Station | Train 1 | Train 2 |",
        "|---|---|---|",
        "| Arden | 8.05 | 9.05 |",
        "| Berk | 8.20 | 9.20 |",
    ]


def test_labels_of_axes_stay_in_the_frame_of_the_page(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, UPRIGHT, 60, 780)
        block(canvas, ["Requests in a second"], 60, 300, 90)
        block(canvas, ["Seconds in the queue"], 320, 300, 90)

    layer, _, _ = read(tmp_path, draw)
    assert {run.rotation for run in layer.runs} == {None}


def test_turned_heads_of_columns_stay_in_the_frame_of_the_page(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, [*UPRIGHT, *UPRIGHT], 60, 780)
        block(canvas, ["North", "South region", "East", "West"], 100, 500, 90)

    layer, _, _ = read(tmp_path, draw)
    assert {run.rotation for run in layer.runs} == {None}


@pytest.mark.parametrize("angle", [40, -45, 55, 130])
def test_slanted_words_of_a_picture_beside_text_are_unread(tmp_path: Path, angle: int) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, UPRIGHT, 60, 780)
        words_of_sign = picture("Closed on Mondays").rotate(
            angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255
        )
        canvas.drawImage(ImageReader(words_of_sign), 100, 300, 250, 250, preserveAspectRatio=True)

    layer, _, _ = read(tmp_path, draw)
    assert len(layer.unread_areas) == 1


def test_slanted_words_of_a_picture_behind_many_small_ones_are_unread(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        block(canvas, UPRIGHT, 60, 780)
        dot = ImageReader(Image.new("L", (4, 4), 200))
        for place in range(MAX_OBLIQUE_IMAGES):
            canvas.drawImage(dot, 60 + 10 * place, 700, 4, 4)
        words_of_sign = picture("Closed on Mondays").rotate(
            40, Image.Resampling.BICUBIC, expand=True, fillcolor=255
        )
        canvas.drawImage(ImageReader(words_of_sign), 100, 300, 250, 250, preserveAspectRatio=True)

    assert len(read(tmp_path, draw)[0].unread_areas) == 1


def test_hatched_picture_beside_text_is_not_unread(tmp_path: Path) -> None:
    hatching = Image.linear_gradient("L").rotate(30).point([255 if level % 16 else 0 for level in range(256)])

    def draw(canvas: Canvas) -> None:
        block(canvas, UPRIGHT, 60, 780)
        canvas.drawImage(ImageReader(hatching), 100, 300, 250, 250)

    assert read(tmp_path, draw)[0].unread_areas == ()
