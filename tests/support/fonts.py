"""Page images in several scripts, drawn with Debian's Noto fonts."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts")
# The first article of the Universal Declaration of Human Rights.
TEXTS = {
    "ru": (
        "NotoSans-Regular.ttf",
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и "
        "совестью и должны поступать в отношении друг друга в духе братства.",
    ),
    "ko": (
        "NanumGothic.ttf",
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 "
        "양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
    ),
    "ar": (
        "NotoSansArabic-Regular.ttf",
        "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا "
        "وعليهم أن يعامل بعضهم بعضا بروح الإخاء",
    ),
    "en": (
        "NotoSans-Regular.ttf",
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
        "conscience and should act towards one another in a spirit of brotherhood.",
    ),
    "de": (
        "NotoSans-Regular.ttf",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen "
        "begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    ),
}


@cache
def find_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    """Return a font; None if it is not installed."""
    found = next(iter(sorted(FONTS.rglob(name))), None)
    return ImageFont.truetype(str(found), size) if found else None


def page_png_in(language: str, *, lines: int = 8, size: int = 30) -> bytes:
    """Draw a PNG with `lines` lines of text; skip the test if the font is not installed."""
    name, text = TEXTS[language]
    font = find_font(name, size)
    if font is None:
        pytest.skip(f"LOUD: {name} is not installed; pages in {language!r} were not tested")
    image = Image.new("RGB", (1000, 80 + lines * size * 2), "white")
    draw = ImageDraw.Draw(image)
    words = text.split() * lines
    for number in range(lines):
        line = words.pop(0)
        while words and draw.textlength(f"{line} {words[0]}", font=font) < 860:
            line += f" {words.pop(0)}"
        draw.text((60, 40 + number * size * 2), line, fill="black", font=font)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
