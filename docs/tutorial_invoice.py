"""The invoice that the tutorial reads, drawn: a scan that anybody may have, and that is nobody's."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (1000, 1300)
PAPER, INK, GREY = (250, 247, 240), (35, 40, 48), (120, 122, 126)
TURNED_DEGREES = 0.6
HEAD = [
    (34, "Millbrook Paper Works"),
    (26, "14 Weir Lane, Millbrook"),
    (26, "Invoice 2026-0417, 3 March 2026"),
]
LETTER = [
    "Dear Ms Lovelace,",
    "Thank you for your order. The sheets left our mill on Monday",
    "and should be with you within the week.",
]
ROWS = [
    ("Laid paper, 500 sheets", "42.00"),
    ("Blotting paper, 50 sheets", "8.50"),
    ("Iron gall ink, one bottle", "12.90"),
    ("Total", "63.40"),
]


def draw(path: Path) -> None:
    """Saves it as PNG, the same each time."""
    page = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(page)
    y = 110
    for size, text in HEAD:
        pen.text((90, y), text, fill=INK, font=ImageFont.load_default(size))
        y += size * 2
    y += 40
    for text in LETTER:
        pen.text((90, y), text, fill=INK, font=ImageFont.load_default(26))
        y += 44
    _rows(pen, y + 60)
    scanned = page.rotate(TURNED_DEGREES, fillcolor=PAPER, resample=Image.Resampling.BICUBIC)
    scanned.filter(ImageFilter.GaussianBlur(0.6)).save(path)


def _rows(pen: ImageDraw.ImageDraw, y: int) -> None:
    font = ImageFont.load_default(26)
    for what, price in ROWS:
        if what == ROWS[-1][0]:
            pen.line((90, y - 14, SIZE[0] - 90, y - 14), fill=GREY, width=2)
        pen.text((90, y), what, fill=INK, font=font)
        pen.text((SIZE[0] - 90, y), price, fill=INK, font=font, anchor="ra")
        y += 54
