"""Tests of stamps across text, drawn and read with the default engine."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from backend_main.reading import Line
from backend_main.reading.documents.document import PageImage
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine
from backend_main.reading.engines.rapid import overprint as rapid_overprint
from backend_main.reading.engines.rapid.overprint import separate_overprint
from backend_main.reading.layout import overprint
from backend_main.reading.layout.overprint import boxes_across_others
from backend_main.reading.page_assembly import AssemblySettings, finalize_page
from tests.support.scoring import score
from tests.unit.reading.sample_layouts import box

LINES = (
    "The delivery of the goods takes place within ten days after",
    "the payment has arrived. Claims must be made in writing and",
    "within two weeks. The place of jurisdiction is Hamburg, and",
    "the law of the Federal Republic applies to this agreement.",
    "Changes need the written form. If one clause is not valid,",
    "the others stay as they are, and both parties agree upon a",
    "clause that comes near to the purpose of the invalid one.",
)
RED, BLUE, VIOLET = (200, 30, 40), (40, 60, 190), (120, 40, 150)
TEXT_HEIGHT = 34.0


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid", 1)
    yield engine
    engine.close()


def page_of_prose() -> Image.Image:
    image = Image.new("RGB", (1240, 700), "white")
    draw = ImageDraw.Draw(image)
    for number, text in enumerate(LINES):
        draw.text((90, 90 + 44 * number), text, fill="black", font=ImageFont.load_default(28))
    return image


def stamped(color: tuple[int, int, int], angle: int, *, has_frame: bool = True) -> Image.Image:
    """Return the page with a stamp, whose ink lets the text show through."""
    stamp = Image.new("RGB", (520, 150), "white")
    draw = ImageDraw.Draw(stamp)
    if has_frame:
        draw.rectangle((4, 4, 515, 145), outline=color, width=6)
    draw.text((50, 30), "RECEIVED", fill=color, font=ImageFont.load_default(80), stroke_width=2)
    turned = stamp.rotate(angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    image = page_of_prose()
    ink = Image.new("RGB", image.size, "white")
    ink.paste(turned, (330, 130))
    return ImageChops.multiply(image, ink)


def as_jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70)
    return Image.open(file)


def pixels_of(image: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


@pytest.mark.parametrize(
    ("color", "angle", "has_frame"), [(RED, 18, True), (BLUE, -12, True), (VIOLET, 0, True), (RED, 10, False)]
)
def test_stamp_across_text_is_read_and_so_is_the_text(
    rapid: Engine, color: tuple[int, int, int], angle: int, *, has_frame: bool
) -> None:
    image = as_jpeg(stamped(color, angle, has_frame=has_frame))
    page = PageImage(1, pixels_of(image), *image.size)

    lines = [line for line in rapid.read_page(page) if isinstance(line, Line) and line.text]
    formatted, _ = finalize_page(rapid, page, lines, AssemblySettings())

    paragraphs = formatted.text.split("\n")
    assert "RECEIVED" in paragraphs
    prose = " ".join(paragraph for paragraph in paragraphs if paragraph != "RECEIVED")
    assert score(prose, " ".join(LINES)).char_errors <= 2
    assert lines[-1].text == "RECEIVED"
    assert lines[-1].markdown.startswith("\n\n")


def test_separate_overprint_leaves_colored_words_frames_and_cells() -> None:
    image = page_of_prose()
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, 1000, 420), outline=RED, width=5)
    draw.text((90, 440), "A heading in blue", fill=BLUE, font=ImageFont.load_default(50))
    draw.rectangle((90, 520, 700, 580), fill=(255, 200, 60))
    draw.text((100, 530), "Black text in a yellow cell", fill="black", font=ImageFont.load_default(28))

    assert separate_overprint(pixels_of(image), TEXT_HEIGHT) is None


def test_separate_overprint_of_photograph_is_none() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (30, 40, 3), np.uint8)
    image = page_of_prose()
    image.paste(Image.fromarray(noise).resize((400, 300), Image.Resampling.BICUBIC), (600, 300))

    assert separate_overprint(pixels_of(image), TEXT_HEIGHT) is None


def test_boxes_across_others_are_larger_or_oblique() -> None:
    lines = [box(100, 100 + 40 * number, 700, 30) for number in range(5)]
    large = box(300, 150, 300, 80)
    oblique = ((300.0, 240.0), (500.0, 160.0), (512.0, 190.0), (312.0, 270.0))

    assert boxes_across_others([*lines, large]) == [5]
    assert boxes_across_others([*lines, oblique]) == [5]
    assert boxes_across_others(lines) == []


def test_boxes_across_others_of_many_boxes_in_one_place_measures_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The highest ones are the first."""
    measured: list[int] = []
    shared_area = overprint._shared_area
    monkeypatch.setattr(overprint, "MAX_PAIRS", 700)
    monkeypatch.setattr(overprint, "_shared_area", lambda *quads: measured.append(1) or shared_area(*quads))
    lines = [box(100, 100 + number, 700, 30) for number in range(300)]
    assert boxes_across_others([*lines, box(300, 150, 300, 80)]) == [300]
    assert len(measured) <= 700


def test_separate_overprint_examines_only_the_part_with_colored_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 25 megapixels took 600 MB for a stamp in its corner."""
    sizes: list[int] = []
    letters = rapid_overprint._letters
    monkeypatch.setattr(
        rapid_overprint, "_letters", lambda dark, height: sizes.append(dark.size) or letters(dark, height)
    )
    image = page_of_prose()
    ImageDraw.Draw(image).rectangle((60, 60, 160, 160), outline=RED, width=6)
    separate_overprint(pixels_of(image), TEXT_HEIGHT)
    assert sizes
    assert max(sizes) < image.width * image.height / 4
