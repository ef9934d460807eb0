"""Drawn pages with the place of the ink of each word: the truth for boxes of words.

Chinese and Japanese characters are words. A page may be turned by any angle, in degrees counter-clockwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading.languages import has_right_to_left
from backend_main.reading.types import Box, level_box
from backend_main.reading.words import word_spans
from tests.support.fonts import find_font

WIDTH, MARGIN, LEADING = 1240, 90, 1.7
LATIN = (
    "The northern harbour rarely freezes in winter. A committee examined twelve requests for 1,234.56 EUR "
    "on 3 March 2019; no one knows why the first edition of the book was lost. Ships lie at quay 7, and two "
    "more sailed away."
)
TEXTS = {
    "en": LATIN,
    "de": "Die Prüfung der zwölf Anträge über 1.234,56 € dauerte bis zum Jahr 2019. Niemand weiß, warum die "
    "erste Auflage des Buches verloren ging, sagte der Kapitän; fünf Schiffe liegen am Kai.",
    "zh": "北方的港口冬天下雪。委員會在2019年審議了十二項申請。圖書館位於河邊，有許多古老的書籍。"
    "人人生而自由，在尊嚴和權利上一律平等。",
    "ko": "북쪽 항구는 겨울에도 거의 얼지 않는다. 위원회는 2019년에 신청서 열두 건을 검토했다. 도서관은 "
    "강가에 있고 오래된 책이 많다.",
    "ru": "Северная гавань зимой замерзает. Комиссия проверила двенадцать заявок в 2019 году. Никто не "
    "знает, куда исчез тираж книги.",
    "ar": "يفتح الميناء الشمالي أبوابه في الشتاء. فحصت اللجنة اثني عشر طلبا في عام 2019 "
    "وتقع المكتبة قرب النهر.",
    "he": "הנמל הצפוני קופא לפעמים בחורף. הוועדה בדקה שנים עשר מסמכים בשנת 2019. הספרייה נמצאת ליד הנהר.",
}
FONTS = {
    "zh": ("NanumGothic.ttf",),
    "ko": ("NanumGothic.ttf", "NanumMyeongjo.ttf"),
    "ar": ("NotoNaskhArabic-Regular.ttf", "NotoSansArabic-Regular.ttf"),
    "he": ("DejaVuSans.ttf",),
}
LATIN_FONTS = ("NotoSans-Regular.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "NotoSerif-Regular.ttf")


class DrawnWord(NamedTuple):
    """A word of a page, and the four corners of its ink."""

    text: str
    box: Box


class WordPage(NamedTuple):
    """A drawn page, and its words in reading order."""

    image: Image.Image
    words: list[DrawnWord]


def draw_words(
    code: str, size: int = 32, *, font_number: int = 0, degrees: float = 0.0, text: str | None = None
) -> WordPage | None:
    """Draw the text of a language; None if its font is not installed.

    Args:
        code: code of the language, one of `TEXTS`.
        size: font size in pixels.
        font_number: number of the font among those of the language.
        degrees: turn of the page, counter-clockwise.
        text: text instead of that of the language.
    """
    names = FONTS.get(code, LATIN_FONTS)
    font = find_font(names[font_number % len(names)], size)
    if font is None:
        return None
    lines = list(_lines(text or TEXTS[code], font))
    image = Image.new("L", (WIDTH, round(2 * MARGIN + len(lines) * LEADING * size)), 255)
    words = []
    for number, line in enumerate(lines):
        baseline = round(MARGIN + (number * LEADING + 1) * size)
        words += _draw_line(image, line, font, baseline)
    if degrees:
        return _turned(WordPage(image, words), degrees)
    return WordPage(image, words)


def _lines(text: str, font: ImageFont.FreeTypeFont) -> Iterator[str]:
    line = ""
    end = 0
    for start, stop in word_spans(text):
        longer = line + text[end:stop]
        if line and font.getlength(longer) > WIDTH - 2 * MARGIN:
            yield line
            longer = text[start:stop]
        line, end = longer, stop
    yield line


def _draw_line(
    image: Image.Image, line: str, font: ImageFont.FreeTypeFont, baseline: int
) -> Iterator[DrawnWord]:
    draw = ImageDraw.Draw(image)
    is_from_right = has_right_to_left(line)
    for start, stop in word_spans(line):
        before, word = font.getlength(line[:start]), line[start:stop]
        left = WIDTH - MARGIN - before - font.getlength(word) if is_from_right else MARGIN + before
        ink = Image.new("L", image.size, 0)
        ImageDraw.Draw(ink).text((round(left), baseline), word, fill=255, font=font, anchor="ls")
        draw.text((round(left), baseline), word, fill=0, font=font, anchor="ls")
        box = ink.point(lambda value: 255 if value > 127 else 0).getbbox()
        if box is not None:
            yield DrawnWord(word, level_box(*map(float, box)))


def _turned(page: WordPage, degrees: float) -> WordPage:
    width, height = page.image.size
    image = page.image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    words = []
    for text, box in page.words:
        corners = (np.array(box) - (width / 2, height / 2)) @ turn.T + np.array(image.size) / 2
        a, b, c, d = (tuple(map(float, corner)) for corner in corners)
        words.append(DrawnWord(text, (a, b, c, d)))  # type: ignore[arg-type]
    return WordPage(image, words)


def overlap(first: Box, second: Box) -> float:
    """Return the common area of two boxes by the area of both (intersection over union)."""
    import cv2

    a, b = np.array(first, np.float32), np.array(second, np.float32)
    common, _ = cv2.intersectConvexConvex(a, b)
    areas = abs(cv2.contourArea(a)) + abs(cv2.contourArea(b)) - common
    return float(common / areas) if areas > 0 else 0.0


def found_share(
    truth: Sequence[DrawnWord], boxes: Sequence[tuple[str, Box]], min_overlap: float = 0.7
) -> tuple[int, int]:
    """Return how many of the words that were read right have a box that overlaps, and how many were read."""
    found = read = 0
    for text, box in truth:
        near = [overlap(box, other) for other_text, other in boxes if other_text == text]
        if near and max(near) > 0:
            read += 1
            found += max(near) >= min_overlap
    return found, read
