"""Print that shines through from the back of the paper is removed before a page is read."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines.rapid import bleed_through
from backend_main.reading.engines.rapid.bleed_through import without_bleed_through
from backend_main.reading.engines.rapid.detector import Quads
from backend_main.reading.engines.rapid.line_reading import LineReading

WIDTH, HEIGHT, PITCH, PALE = 900, 700, 60, 170
FRONT_TOPS = [40 + 2 * PITCH * row for row in range(5)]
BACK_TOPS = [top + PITCH for top in FRONT_TOPS]


def page(*, has_back: bool) -> Pixels:
    """Draw black lines, and perhaps pale mirrored ones between them."""
    front, back = (Image.new("L", (WIDTH, HEIGHT), 255) for _ in range(2))
    font = ImageFont.load_default(size=28)
    for tops, image in ((FRONT_TOPS, front), (BACK_TOPS, back)):
        for top in tops:
            ImageDraw.Draw(image).text((50, top), "seven wizards quietly jump", fill=0, font=font)
    if has_back:
        pale = ImageOps.mirror(back).point(lambda value: PALE + value * (255 - PALE) // 255)
        front = Image.fromarray(np.minimum(np.asarray(front), np.asarray(pale)))
    return np.repeat(np.asarray(front)[:, :, np.newaxis], 3, axis=2).copy()


def quads(*, has_back: bool) -> Quads:
    tops = [*FRONT_TOPS, *(BACK_TOPS if has_back else [])]
    boxes = [
        [[left, top], [left + 400, top], [left + 400, top + 40], [left, top + 40]]
        for top in tops
        for left in [450 if top in BACK_TOPS else 45]
    ]
    return np.array(boxes, np.float32)


def recognize_mirrored(quad: Quads) -> LineReading:
    """Read mirrored boxes better than others, as the recognizer does with print on the back."""
    return LineReading("seven wizards", 0.99 if quad[0, 0] > quad[1, 0] else 0.6)


def recognize_upright(quad: Quads) -> LineReading:
    return LineReading("seven wizards", 0.6 if quad[0, 0] > quad[1, 0] else 0.95)


def test_print_on_the_back_becomes_paper_and_print_on_the_front_stays() -> None:
    cleaned = without_bleed_through(page(has_back=True), quads(has_back=True), recognize_mirrored)
    assert cleaned is not None
    front = page(has_back=False)
    assert np.abs(cleaned.astype(int) - front).max() < 64
    assert (np.abs(cleaned.astype(int) - front) > 8).mean() < 0.001


def test_pale_print_on_the_front_stays() -> None:
    assert without_bleed_through(page(has_back=True), quads(has_back=True), recognize_upright) is None


def recognize_letter(quad: Quads) -> LineReading:
    """Read a letter that is the same in a mirror."""
    return LineReading("Y", 0.99 if quad[0, 0] > quad[1, 0] else 0.98)


def test_pale_letters_that_are_the_same_in_a_mirror_stay() -> None:
    assert without_bleed_through(page(has_back=True), quads(has_back=True), recognize_letter) is None


def test_page_without_pale_boxes_is_not_read_for_it() -> None:
    def fail(quad: Quads) -> LineReading:
        pytest.fail("a box was read")

    assert without_bleed_through(page(has_back=False), quads(has_back=False), fail) is None


def test_page_without_bleed_through_is_measured_in_its_boxes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    darkness = bleed_through._darkness
    monkeypatch.setattr(
        bleed_through, "_darkness", lambda *images: measured.append(images[0].size) or darkness(*images)
    )
    image = page(has_back=False)
    assert without_bleed_through(image, quads(has_back=False), recognize_upright) is None
    assert 0 < sum(measured) < image.size / 2
