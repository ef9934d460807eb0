"""Pages with lines in several scripts."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from backend_main.reading import PageImage

from .fonts import find_font

ENGLISH = (
    "The committee met on the third of March and decided",
    "that all letters be answered within ten days of their",
    "arrival, and that nobody be asked to pay for it twice.",
    "The minutes were read and approved without a change.",
    "Mr Brown asked about the bridge, which is still closed.",
    "It was said that the work would begin in the spring.",
)
LATIN_FONT = "NotoSans-Regular.ttf"
# Code: script, font, lines.
OTHER = {
    "ru": ("Cyrillic", LATIN_FONT, ("Комитет собрался третьего марта и решил отвечать", "на все письма")),
    "el": ("Greek", LATIN_FONT, ("Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι", "στην αξιοπρέπεια")),
    "ar": ("Arabic", "NotoSansArabic-Regular.ttf", ("يولد جميع الناس أحرارا متساوين في الكرامة",)),
    "he": ("Hebrew", "NotoSansHebrew-Regular.ttf", ("כל בני האדם נולדו בני חורין ושווים בערכם",)),
    "hi": ("Devanagari", "NotoSansDevanagari-Regular.ttf", ("सभी मनुष्यों को गौरव और अधिकारों के मामले में",)),
    "ko": ("Korean", "NanumGothic.ttf", ("모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에",)),
}
VIETNAMESE = (
    "Cộng hòa xã hội chủ nghĩa Việt Nam",
    "Độc lập - Tự do - Hạnh phúc",
    "Giấy chứng nhận quyền sử dụng đất",
    "Quyền và nghĩa vụ của người sử dụng đất",
    "Theo quy định của pháp luật hiện hành",
)
MARGIN, LINE_STEP, FONT_SIZE, WIDTH = 60, 54, 32, 1300


def draw_lines(lines: Sequence[tuple[str, str]], *, quarter_turns: int = 0) -> bytes:
    """Draw a PNG of (font, text) lines; skip the test if a font is not installed."""
    return draw_pieces([[line] for line in lines], quarter_turns=quarter_turns)


def draw_pieces(lines: Sequence[Sequence[tuple[str, str]]], *, quarter_turns: int = 0) -> bytes:
    """Draw a PNG of lines of (font, text) pieces; skip the test if a font is not installed."""
    image = Image.new("RGB", (WIDTH, 2 * MARGIN + LINE_STEP * len(lines)), "white")
    draw = ImageDraw.Draw(image)
    for number, pieces in enumerate(lines):
        left = float(MARGIN)
        for name, text in pieces:
            font = find_font(name, FONT_SIZE)
            if font is None:
                pytest.skip(f"LOUD: {name} is not installed; its script was not tested")
            draw.text((left, MARGIN + number * LINE_STEP), text, fill="black", font=font)
            left += draw.textlength(text, font=font)
    buffer = io.BytesIO()
    image.rotate(90 * quarter_turns, expand=True).save(buffer, "PNG")
    return buffer.getvalue()


def page_among_english(code: str) -> bytes:
    """Draw six English lines with lines in another language after the fourth."""
    _, font, lines = OTHER[code]
    english = [(LATIN_FONT, line) for line in ENGLISH]
    return draw_lines([*english[:4], *((font, line) for line in lines), *english[4:]])


def as_page(png: bytes) -> PageImage:
    """Return the page of a PNG."""
    pixels = np.asarray(Image.open(io.BytesIO(png)))[:, :, ::-1].copy()
    return PageImage(1, pixels, pixels.shape[1], pixels.shape[0])
