"""Tests of pages with little text and of extreme shape, drawn and read with the default engine."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading import Options
from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine, PageRestarted
from backend_main.reading.engines.rapid.engine import RapidEngine
from backend_main.reading.page_assembly import AssemblySettings, finalize_page
from backend_main.reading.types import Line

Words = list[tuple[int, int, int, str]]
"""Left, top, size in pixels and text."""


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid", 1)
    yield engine
    engine.close()


def drawn(size: tuple[int, int], words: Words) -> Image.Image:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for left, top, pixels, text in words:
        draw.text((left, top), text, fill="black", font=ImageFont.load_default(pixels))
    return image


def lines_of(engine: Engine, image: Image.Image) -> tuple[list[Line], str]:
    """Return the lines with text, and the words of the final text."""
    pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
    page = PageImage(1, pixels, *image.size)
    items = engine.read_page(page)
    lines = [item for item in items if not isinstance(item, PageRestarted) and item.text]
    settings = AssemblySettings.of(Options(furniture="keep"))
    formatted, _ = finalize_page(engine, page, lines, settings)
    return lines, " ".join(formatted.text.split())


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((2480, 3508), [(1000, 1600, 83, "PAID")]),
        ((2480, 3508), [(1230, 3350, 44, "17")]),
        ((2000, 1400), [(60, 250, 700, "STOP")]),
        ((1654, 2339), [(700, 1100, 30, "Hello World")]),
        ((7000, 7000), [(500, 900, 44, "This is a very big image with little text.")]),
        ((600, 12000), [(60, 9500, 26, "Thank you for your visit")]),
    ],
)
def test_page_with_one_line_of_any_size_is_read(rapid: Engine, size: tuple[int, int], words: Words) -> None:
    lines, text = lines_of(rapid, drawn(size, words))

    left, top, pixels, expected = words[0]
    assert text == expected
    (line,) = lines
    assert line.box is not None
    x, y = np.mean(line.box, axis=0)
    assert left < x < left + len(expected) * pixels
    assert top < y < top + 1.4 * pixels


def test_tall_receipt_is_read_in_tiles_each_line_once(rapid: Engine) -> None:
    words = [(30, y, 26, f"{y:05d} Bread and butter") for y in range(100, 5900, 44)]

    lines, _ = lines_of(rapid, drawn((600, 6000), words))

    assert [line.text for line in lines] == [text for *_, text in words]


def test_first_line_of_a_tall_receipt_comes_before_detection_of_its_tiles(
    rapid: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [(30, y, 26, f"{y:05d} Bread and butter") for y in range(100, 5900, 44)]
    pixels = np.ascontiguousarray(np.asarray(drawn((600, 6000), words))[:, :, ::-1])
    detected: list[int] = []
    detector = cast("RapidEngine", rapid)._models._detector
    detect = detector.detect
    monkeypatch.setattr(detector, "detect", lambda image: detected.append(len(image)) or detect(image))

    lines = rapid.read_page(PageImage(1, pixels, 600, 6000))
    first = next(lines)

    assert isinstance(first, Line)
    assert first.text == words[0][3]
    assert len(detected) == 1
    rest = [item.text for item in lines if isinstance(item, Line)]
    assert [first.text, *rest] == [text for *_, text in words]
    assert len(detected) > 4


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "texts", [["ATTN", "42", "Yes"], ["12.50", "7.80", "103.40", "99.00", "18.60", "66.98"]]
)
def test_turned_page_of_few_short_lines_reads_as_upright(rapid: Engine, angle: int, texts: list[str]) -> None:
    words = [(60, 60 + 85 * number, 52, text) for number, text in enumerate(texts)]
    image = drawn((600, 640), words).rotate(angle, expand=True)

    assert lines_of(rapid, image)[1] == " ".join(texts)


def test_stamp_in_a_frame_is_read_once_and_only_there(rapid: Engine) -> None:
    image = drawn((2480, 3508), [(1600, 2600, 90, "APPROVED")])
    ImageDraw.Draw(image).rounded_rectangle((1540, 2560, 2160, 2760), 30, outline="black", width=10)

    assert lines_of(rapid, image)[1] == "APPROVED"


def test_second_look_runs_only_on_pages_with_little_text(
    rapid: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    monkeypatch.setattr(
        "backend_main.reading.engines.rapid.second_look.SecondLook.look",
        lambda *args: looks.append(args),
    )
    words = [(100, 100 + 60 * number, 36, "The goods were delivered in May") for number in range(12)]
    lines_of(rapid, drawn((1240, 1754), words))
    assert not looks

    lines_of(rapid, drawn((1240, 1754), words[:1]))
    assert len(looks) == 1
