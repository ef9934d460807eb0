"""Boxes of words by each engine and by text layers, against the places where the words were drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Line, Options, PageImage
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pdf_lines import ASCENT, DESCENT
from backend_main.reading.documents.pdf_text_layer import TextRun
from backend_main.reading.engines import Engine, lines_after_restart, load_engine
from backend_main.reading.types import Box, Word, level_box
from tests.support.fonts import FONTS
from tests.support.tesseract import skip_without_tesseract
from tests.support.word_pages import DrawnWord, WordPage, draw_words, found_share, overlap

MIN_SHARE = 0.95
"""Share of the words whose box overlaps the drawn one by 0.7 or more (intersection over union)."""
PAGE = 595, 842
SIZE = 12.0


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def page_of(drawn: WordPage) -> PageImage:
    pixels = np.ascontiguousarray(np.array(drawn.image.convert("RGB"))[:, :, ::-1])
    height, width = pixels.shape[:2]
    return PageImage(1, pixels, width, height, {})


def drawn_page(code: str, size: int, **options: float) -> WordPage:
    drawn = draw_words(code, size, **options)  # type: ignore[arg-type]
    if drawn is None:
        pytest.skip(f"LOUD: no font for {code!r} is installed; its words were not tested")
    return drawn


def boxes_of(lines: Sequence[Line] | Sequence[TextRun]) -> list[tuple[str, Box]]:
    """Return the words with their boxes; each word is at its place in its line."""
    words: list[Word] = []
    for line in lines:
        assert [line.text[word.start : word.start + len(word.text)] for word in line.words] == [
            word.text for word in line.words
        ]
        words += line.words
    return [(word.text, word.box) for word in words if word.box is not None]


def assert_found(drawn: Sequence[DrawnWord], lines: Sequence[Line] | Sequence[TextRun]) -> None:
    found, read = found_share(drawn, boxes_of(lines))
    assert read >= 0.9 * len(drawn), "most words are read"
    assert found >= MIN_SHARE * read, f"{found} of {read} boxes"


@pytest.mark.parametrize(
    ("code", "size", "options"),
    [
        ("en", 32, {}),
        ("en", 15, {"font_number": 1}),
        ("en", 28, {"degrees": 4.0}),
        ("de", 32, {"degrees": 90.0}),
        ("zh", 32, {}),
        ("zh", 30, {"degrees": 3.0}),
    ],
)
def test_words_of_rapid_are_where_they_were_drawn(
    rapid: Engine, code: str, size: int, options: dict[str, float]
) -> None:
    drawn = drawn_page(code, size, **options)
    assert_found(drawn.words, lines_after_restart(rapid.read_page(page_of(drawn))))


def test_words_of_rapid_in_white_on_black_are_where_they_were_drawn(rapid: Engine) -> None:
    drawn = drawn_page("en", 30)
    inverted = drawn._replace(image=drawn.image.point(lambda value: 255 - value))
    assert_found(drawn.words, lines_after_restart(rapid.read_page(page_of(inverted))))


def test_corners_of_words_of_a_turned_page_start_at_the_upper_left_of_the_text(rapid: Engine) -> None:
    drawn = drawn_page("en", 32, degrees=90.0)  # read upwards
    lines = lines_after_restart(rapid.read_page(page_of(drawn)))
    for word in (word for line in lines for word in line.words if len(word.text) > 4):
        assert word.box is not None
        (x0, y0), (x1, y1), (x2, _), _ = word.box
        assert abs(x0 - x1) < 3
        assert y1 < y0
        assert x2 > x0


@pytest.mark.parametrize(("code", "size"), [("en", 32), ("en", 20), ("ar", 44), ("ko", 32)])
def test_words_of_tesseract_are_where_they_were_drawn(code: str, size: int) -> None:
    skip_without_tesseract(code)
    engine = load_engine("tesseract")
    engine.configure(Options(engine="tesseract", languages=(code,)))
    drawn = drawn_page(code, size)
    assert_found(drawn.words, lines_after_restart(engine.read_page(page_of(drawn))))


# --- text layers -------------------------------------------------------------------------------------------


def runs_of(folder: Path, draw: Callable[[Canvas], None]) -> tuple[Sequence[TextRun], float]:
    """Return the runs of a page that a function draws, and its pixels per point."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=PAGE)
    draw(canvas)
    canvas.save()
    (folder / "x.pdf").write_bytes(file.getvalue())
    with open_document(folder / "x.pdf", Options()) as document:
        layer = document.text_layer(1)
    assert layer is not None
    return layer.runs, layer.width / PAGE[0]


def font_box(left: float, right: float, baseline: float, size: float, scale: float) -> Box:
    top, bottom = PAGE[1] - baseline - ASCENT * size, PAGE[1] - baseline + DESCENT * size
    return level_box(left * scale, top * scale, right * scale, bottom * scale)


def test_words_of_a_text_layer_are_where_they_were_drawn(tmp_path: Path) -> None:
    text = "Total amount due until Friday: 1,234.56 EUR, affine fjord."

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", SIZE)
        canvas.drawString(60, 700, text)

    runs, scale = runs_of(tmp_path, draw)
    truth, place = [], 0
    for word in text.split():
        place = text.index(word, place)
        left = 60 + stringWidth(text[:place], "Helvetica", SIZE)
        right = left + stringWidth(word, "Helvetica", SIZE)
        truth.append(DrawnWord(word, font_box(left, right, 700, SIZE, scale)))
    assert [text for text, _ in boxes_of(runs)] == text.split()
    assert min(overlap(word.box, box) for word, (_, box) in zip(truth, boxes_of(runs), strict=True)) > 0.9
    assert {word.confidence for run in runs for word in run.words} == {None}


def test_words_of_slanted_text_of_a_text_layer_are_slanted(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", SIZE)
        canvas.drawString(60, 100, "A level line of text that is long enough to be read.")
        canvas.translate(200, 300)
        canvas.rotate(30)
        canvas.drawString(0, 0, "slanted words")

    runs, _ = runs_of(tmp_path, draw)
    [run] = [run for run in runs if "slanted" in run.text]
    for word in run.words:
        assert word.box is not None
        (x0, y0), (x1, y1), _, _ = word.box
        assert (y0 - y1) / (x1 - x0) == pytest.approx(np.tan(np.radians(30)), abs=0.02)


def test_words_of_vertical_text_are_its_characters(tmp_path: Path) -> None:
    column = "圖書館位於河邊有書"
    files = sorted(FONTS.rglob("NanumGothic.ttf"))
    if not files:
        pytest.skip("LOUD: NanumGothic.ttf is not installed; vertical text was not tested")
    registerFont(TTFont("NanumGothic", str(files[0])))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("NanumGothic", SIZE)
        for number, character in enumerate(column):
            canvas.drawString(300, 700 - number * SIZE, character)

    runs, scale = runs_of(tmp_path, draw)
    [run] = runs
    assert [word.text for word in run.words] == list(column)
    for number, (_, box) in enumerate(boxes_of(runs)):
        xs, ys = zip(*box, strict=True)
        cell = level_box(min(xs), min(ys), max(xs), max(ys))
        top = PAGE[1] - 700 + number * SIZE - 0.88 * SIZE
        drawn = level_box(300 * scale, top * scale, (300 + SIZE) * scale, (top + SIZE) * scale)
        assert overlap(cell, drawn) >= 0.7
