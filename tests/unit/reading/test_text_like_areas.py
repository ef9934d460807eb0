"""Areas that look like text: words of any size and color, but not lines, fills and marks."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading.documents.pdf_rendering import Gray
from backend_main.reading.documents.text_like_areas import MAX_ROWS, text_like_areas, text_like_rows
from tests.support.drawn_pdfs import picture


def page_with(image: Image.Image, *, height: int, paper: int = 255) -> Gray:
    """Return a page of 100 dpi with a picture of a given height at its center."""
    width = round(image.width * height / image.height)
    page = Image.new("L", (827, 1170), paper)
    page.paste(image.resize((width, height), Image.Resampling.LANCZOS), ((827 - width) // 2, 500))
    return np.asarray(page)


@pytest.mark.parametrize("height", [24, 60, 200])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 30), (140, 200)])
def test_text_like_areas_of_a_picture_with_words_cover_them(height: int, ink: int, paper: int) -> None:
    page = page_with(picture("Amount 480,00 EUR", ink=ink, paper=paper), height=height)
    areas = text_like_areas(page)
    assert areas
    assert min(top for _, top, _, _ in areas) >= 480
    assert max(bottom for *_, bottom in areas) <= 520 + height


def test_text_like_areas_of_turned_words_are_found() -> None:
    turned = picture("Amount 480,00 EUR").rotate(90, expand=True)
    assert text_like_areas(page_with(turned, height=300))


def test_text_like_areas_of_bold_letters_that_nearly_touch_cover_them() -> None:
    """The word of a stamp: at half the size, its letters are one shape."""
    page = Image.new("L", (827, 1170), 255)
    draw, font, x = ImageDraw.Draw(page), ImageFont.load_default(36), 300.0
    for letter in "DRAFT":
        draw.text((x, 500), letter, fill=40, font=font, stroke_width=2, anchor="ls")
        left, _, right, _ = draw.textbbox((x, 500), letter, font=font, stroke_width=2, anchor="ls")
        x += right - left + 2
    (area,) = text_like_areas(np.asarray(page))
    assert area[0] <= 305
    assert area[2] >= x - 5


def drawing() -> Image.Image:
    """Return a page with a ruled and striped table, bullets, an underline, bars and a circle."""
    page = Image.new("L", (827, 1170), 255)
    draw = ImageDraw.Draw(page)
    for row in range(12):
        draw.rectangle((80, 100 + 24 * row, 700, 124 + 24 * row), fill=235 if row % 2 else 255, outline=0)
    for column in (80, 110, 150, 165, 200, 290, 330, 420, 440, 520, 600, 700):
        draw.line((column, 100, column, 388), fill=0)
    for bullet in range(6):
        draw.ellipse((80, 450 + 24 * bullet, 86, 456 + 24 * bullet), fill=0)
        draw.rectangle((400 + 18 * bullet, 450, 411 + 18 * bullet, 461), outline=0)
    draw.line((80, 650, 300, 650), fill=0, width=2)
    for bar in range(4):
        draw.rectangle((100 + 90 * bar, 900 - 40 * bar, 140 + 90 * bar, 960), fill=60 * bar)
    draw.ellipse((600, 500, 720, 620), outline=0, width=3)
    return page


def test_text_like_areas_of_lines_fills_and_bullets_are_none() -> None:
    assert text_like_areas(np.asarray(drawing())) == []


def test_text_like_areas_of_a_smooth_picture_or_a_blank_page_are_none() -> None:
    gradient = Image.linear_gradient("L").resize((400, 400))
    assert text_like_areas(page_with(gradient, height=400)) == []
    assert text_like_areas(np.full((1170, 827), 255, np.uint8)) == []


def test_text_like_rows_of_noise_are_limited() -> None:
    """A page of noise has thousands of rows."""
    noise = np.where(np.random.default_rng(1).random((800, 800)) < 0.3, 0, 255).astype(np.uint8)
    assert len(text_like_rows(noise)) == MAX_ROWS
