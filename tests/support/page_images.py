"""Page images for tests: scripts for the `dummy` engine, and rendered lines of text."""

from __future__ import annotations

import io
import itertools
import json
import random
from typing import Any

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

_counter = itertools.count()
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "seven",
    "wizards",
    "box",
    "quietly",
    "near",
    "an",
    "old",
    "bridge",
]


def scripted_png(**script: Any) -> bytes:
    """Return a small PNG with a script for the `dummy` engine; every call gives different bytes."""
    image = Image.new("RGB", (8, 8), "white")
    info = PngImagePlugin.PngInfo()
    info.add_text("scanrill", json.dumps(script))
    info.add_text("serial", f"{next(_counter)} {random.random()}")
    return _png_bytes(image, pnginfo=info)


def page_png(lines: list[str], *, width: int = 1000, size: int = 24, margin: int = 60) -> bytes:
    """Draw a page with these lines of printed text."""
    font = ImageFont.load_default(size=size)
    height = 2 * margin + len(lines) * size * 2
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((margin, margin + number * size * 2), line, fill="black", font=font)
    return _png_bytes(image)


def lines_of_text(count: int, *, seed: int = 1) -> list[str]:
    """Return lines of six common words."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=6)) for _ in range(count)]


def _png_bytes(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def cut_before_pixels(png: bytes) -> bytes:
    """Return a PNG that ends where its pixels begin, so that nothing of it can be read."""
    return png[: png.index(b"IDAT") + 8]
