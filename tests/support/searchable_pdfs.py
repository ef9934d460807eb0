"""Searchable PDFs for tests: exports of files with lines at known places, and the words in a PDF."""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pikepdf
import pypdfium2
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading.searchable_pdf import (
    Original,
    TextPage,
    original_parts,
    receive_parts,
    write_searchable_pdf,
)
from backend_main.reading.types import Box, Line, Options
from backend_main.reading.words import even_words, word_spans

SUBPIXELS = 100
"""Parts of a pixel in which places are computed: pdfium returns whole numbers."""
Rectangle = tuple[float, float, float, float]
"""Left, upper, right and lower side, in pixels of the page image."""


def original_of(path: Path) -> Original:
    """Return a file as the original of a searchable PDF; it is parsed in this process."""
    return Original(
        open=partial(open, path, "rb"),
        fetch_parts=lambda options: receive_parts(original_parts(path, options)),
        is_pdf=path.read_bytes().startswith(b"%PDF-"),
    )


def searchable_pdf(path: Path, pages: Sequence[TextPage], options: Options | None = None) -> bytes:
    """Return a file as a searchable PDF."""
    return b"".join(write_searchable_pdf(original_of(path), pages, options or Options()))


def placed_line(
    text: str,
    x: float,
    y: float,
    *,
    width: float,
    height: float,
    degrees: float = 0.0,
    confidence: float = 0.9,
) -> Line:
    """Return a line with words, whose upper left corner is at a place, turned clockwise around it."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    first, second, third, fourth = (
        (x + right * cosine - down * sine, y + right * sine + down * cosine) for right, down in corners
    )
    box = (first, second, third, fourth)
    return Line(1, text, text, box, confidence, words=even_words(text, box, confidence))


def problems(pdf: bytes) -> list[str]:
    """Return what qpdf finds wrong with a PDF."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return [*opened.check_pdf_syntax(), *map(str, opened.get_warnings())]


def page_text(pdf: bytes, number: int = 1) -> str:
    """Return the text of a page as Chromium copies it."""
    page = pypdfium2.PdfDocument(pdf)[number - 1]
    return str(page.get_textpage().get_text_range())


def words_of_page(pdf: bytes, size: tuple[int, int], number: int = 1) -> Iterator[tuple[str, Rectangle]]:
    """Yield the words that pdfium finds, with their places in a page image of this size in pixels.

    Characters of Chinese and Japanese are words, as in `reading.words`.
    """
    page = pypdfium2.PdfDocument(pdf)[number - 1]
    text = page.get_textpage()
    letters = [text.get_text_range(index, 1) or " " for index in range(text.count_chars())]
    for start, end in word_spans("".join(letter[0] for letter in letters)):
        boxes = [_letter_box(page, text, size, index) for index in range(start, end)]
        yield "".join(letters[start:end]), _around(boxes)


def _letter_box(
    page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, size: tuple[int, int], index: int
) -> Rectangle:
    left, bottom, right, top = text.get_charbox(index)
    corners = [_in_image(page, size, left, top), _in_image(page, size, right, bottom)]
    return _around([(*corner, *corner) for corner in corners])


def _in_image(page: pypdfium2.PdfPage, size: tuple[int, int], x: float, y: float) -> tuple[float, float]:
    """Return the place of a point of user space in the upright page image."""
    width, height = size[0] * SUBPIXELS, size[1] * SUBPIXELS
    across, down = ctypes.c_int(), ctypes.c_int()
    pypdfium2.raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
    return across.value / SUBPIXELS, down.value / SUBPIXELS


def rectangle_around(box: Box) -> Rectangle:
    """Return the upright rectangle around a box."""
    xs, ys = zip(*box, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def overlap(first: Rectangle, second: Rectangle) -> float:
    """Return the intersection of two rectangles divided by their union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = max(0.0, width) * max(0.0, height)
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (first, second))
    return common / (areas - common) if areas > common else 0.0


def _around(boxes: Sequence[Rectangle]) -> Rectangle:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def printed_pdf(picture: tuple[int, int, int, int]) -> bytes:
    """Return a PDF of a page with text and a red picture: left and lower side, width and height in points."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True)
    for row in range(8):
        canvas.drawString(
            60, 780 - 14 * row, f"Line {row} of a page that a program has printed, with a figure."
        )
    image = Image.new("RGB", (80, 60), "white")
    image.paste("red", (10, 10, 70, 50))
    canvas.drawImage(ImageReader(image), *picture)
    canvas.save()
    return buffer.getvalue()
