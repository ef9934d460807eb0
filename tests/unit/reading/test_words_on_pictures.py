"""Words on drawn landscapes: pale, at the edge, found twice, or on the mirror image of the page."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading.documents.document import PageImage
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine, lines_after_restart
from backend_main.reading.engines.rapid import second_look
from backend_main.reading.engines.rapid.line_reading import LineReading
from backend_main.reading.engines.rapid.mirrored_page import is_mirrored
from backend_main.reading.engines.rapid.repeated_lines import without_repetitions
from backend_main.reading.types import Line, level_box

FONT = ImageFont.load_default(34)
WIDTH, HEIGHT = 600, 450
SIDES = ((20, 210, "left"), (500, 210, "right"), (250, 405, "bottom"))
PALE_OUTLINE, SLANT_DEGREES = (222, 240, 220), 20
"""Outline of a white word on the sky, and its slant. Without equalized contrast it is not found."""


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid", 1)
    yield engine
    engine.close()


def landscape() -> Image.Image:
    """Return a bright sky with pale branches above dark leaves."""
    rng = np.random.default_rng(5)
    leaves = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)), (0, 0), 2.5)
    clouds = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)), (0, 0), 5)
    is_sky = np.arange(HEIGHT)[:, None] < HEIGHT // 4
    gray = np.where(is_sky, 232 + 160 * clouds, 75 + 320 * leaves).clip(0, 255)
    return Image.fromarray(np.stack([gray * 0.9, gray, gray * 0.85], axis=-1).astype(np.uint8))


def drawn(*words: tuple[int, int, str]) -> Image.Image:
    """Return a landscape with white words that have a black outline."""
    image = landscape()
    draw = ImageDraw.Draw(image)
    for left, top, text in words:
        draw.text((left, top), text, "white", FONT, stroke_width=1, stroke_fill="black")
    return image


def with_pale_word(image: Image.Image) -> Image.Image:
    """Return an image with “top”, pale and slanted, on the sky."""
    word = Image.new("RGBA", (160, 60), (255, 255, 255, 0))
    ImageDraw.Draw(word).text((10, 5), "top", "white", FONT, stroke_width=1, stroke_fill=PALE_OUTLINE)
    word = word.rotate(SLANT_DEGREES, expand=True, resample=Image.Resampling.BICUBIC)
    image.paste(word, (270, 5), word)
    return image


def mirrored(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def sentence(number: int) -> str:
    return f"Sentence {number + 20} tells how the rain fell on the old harbour."


def letter(count: int) -> Image.Image:
    """Return a page with sentences, one a line."""
    image = Image.new("RGB", (1000, 60 + 44 * count), "white")
    draw = ImageDraw.Draw(image)
    for number in range(count):
        draw.text((60, 40 + 44 * number), sentence(number), "black", ImageFont.load_default(26))
    return image


def page_of(image: Image.Image) -> PageImage:
    pixels: Pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    return PageImage(1, pixels, *image.size)


def lines_of(engine: Engine, image: Image.Image) -> list[Line]:
    return [line for line in lines_after_restart(engine.read_page(page_of(image))) if line.text]


def texts_of(engine: Engine, image: Image.Image) -> list[str]:
    return sorted(line.text for line in lines_of(engine, image))


def test_pale_word_on_a_picture_is_read(rapid: Engine) -> None:
    assert texts_of(rapid, with_pale_word(drawn(*SIDES))) == ["bottom", "left", "right", "top"]


def test_picture_without_words_has_no_lines(rapid: Engine) -> None:
    assert texts_of(rapid, landscape()) == []


def test_page_with_few_words_and_no_other_ink_is_not_equalized(
    rapid: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(pixels: Pixels) -> tuple[Pixels, float]:
        raise AssertionError("The page was detected once more.")

    monkeypatch.setattr(second_look, "equalized", fail)
    assert len(texts_of(rapid, letter(8))) == 8


def test_mirrored_picture_is_read_with_boxes_where_its_words_are(rapid: Engine) -> None:
    lines = {line.text: line.box for line in lines_of(rapid, mirrored(drawn(*SIDES)))}

    assert sorted(lines) == ["bottom", "left", "right"]
    box = lines["left"]
    assert box is not None
    assert WIDTH - 100 < min(x for x, _ in box) < max(x for x, _ in box) < WIDTH


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_mirrored_page_of_text_is_read_in_any_rotation(rapid: Engine, turns: int) -> None:
    image = mirrored(letter(12)).rotate(90 * turns, expand=True)

    assert [line.text for line in lines_of(rapid, image)] == [sentence(number) for number in range(12)]


def test_page_of_lines_that_read_well_is_not_mirrored() -> None:
    lines = [Line(1, "WOW", "WOW", level_box(0, 0, 90, 30), 0.98)]

    assert not is_mirrored(page_of(letter(1)), lines, lambda pixels, quad: ("WOW", 1.0))


def test_line_in_another_line_with_its_text_is_left_out_and_lowers_confidence() -> None:
    def quad(left: float, right: float) -> np.ndarray:
        return np.array([(left, 0), (right, 0), (right, 30), (left, 30)], np.float32)

    kept = without_repetitions(
        [
            (quad(0, 60), LineReading("RED", 1.0)),
            (quad(20, 40), LineReading("F", 0.9)),
            (quad(2, 130), LineReading("REDBLU", 0.98)),
            (quad(200, 300), LineReading("RED", 1.0)),
        ]
    )

    assert [(reading.text, reading.confidence) for _, reading in kept] == [("REDBLU", 0.5), ("RED", 1.0)]
