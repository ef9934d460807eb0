"""Tests of words turned by a quarter on upright pages, drawn and read with the default engine."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading import Line
from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine

SIZE = (770, 1000)
NUMBER = "86328049"


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid", 1)
    yield engine
    engine.close()


def page_of_prose() -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for number in range(8):
        text = f"Paragraph {number} of a letter that is upright"
        draw.text((80, 90 + 40 * number), text, fill="black", font=ImageFont.load_default(18))
    return image


def spaced_number(pitch: int) -> Image.Image:
    """Draw a number whose digits the detector finds one by one if the pitch is wide."""
    word = Image.new("RGB", (pitch * len(NUMBER) + 8, 24), "white")
    draw = ImageDraw.Draw(word)
    for place, digit in enumerate(NUMBER):
        draw.text((4 + place * pitch, 0), digit, fill="black", font=ImageFont.load_default(20))
    return word


def read(engine: Engine, image: Image.Image) -> list[Line]:
    pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
    return [line for line in engine.read_page(PageImage(1, pixels, *image.size)) if isinstance(line, Line)]


@pytest.mark.parametrize("pitch", [11, 14, 17])
@pytest.mark.parametrize("quarter_turn", [Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_90])
def test_turned_number_at_the_margin_is_one_line(
    rapid: Engine, pitch: int, quarter_turn: Image.Transpose
) -> None:
    image = page_of_prose()
    image.paste(spaced_number(pitch).transpose(quarter_turn), (690, 700))

    lines = [line for line in read(rapid, image) if line.text]

    (number,) = [line.text for line in lines if line.box and line.box[0][0] > 600]
    assert number.replace(" ", "") == NUMBER
    assert len(lines) == 9


@pytest.mark.parametrize("digits", ["44444", "10810", "88088"])
def test_upright_digits_below_each_other_stay_lines(rapid: Engine, digits: str) -> None:
    image = page_of_prose()
    draw = ImageDraw.Draw(image)
    for place, digit in enumerate(digits):
        draw.text((690, 500 + 26 * place), digit, fill="black", font=ImageFont.load_default(20))

    lines = read(rapid, image)

    assert [line.text for line in lines if line.box and line.box[0][0] > 600] == list(digits)
