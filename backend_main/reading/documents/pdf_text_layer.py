"""Text layer of a PDF page: if it can be trusted, the page needs no text recognition.

Two kinds cannot. Fonts without a mapping give control or private use characters. A scan may carry the text
of an earlier recognition, invisible or beside its image. Such pages are read as images.
"""

import ctypes
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..types import Box, level_box
from .pdf_characters import LINE_END_HYPHENS, read_glyphs
from .pdf_graphics import NO_GRAPHICS, Graphics, Mapping, read_graphics
from .pdf_lines import TextLine, text_lines
from .styled_text import TextPiece, TextStyle, text_of_pieces

MIN_CHARACTERS = 16
"""Fewer characters may be a page number or a stamp on a scan."""
UNMAPPED_CATEGORIES = frozenset({"Cc", "Co", "Cn", "Cs"})
"""Unicode categories that text does not have: control, private use, unassigned and surrogate."""
REPLACEMENT_CHARACTER = "\ufffd"
MAX_UNMAPPED_SHARE = 0.02
MAX_WORD_CHARACTERS, MAX_LONG_WORD_SHARE = 40, 0.1
"""Text with more ASCII words of such a length has lost the spaces between its words."""
MAX_IMAGE_SHARE = 0.25
"""Images that cover more of the page may contain words that its text layer lacks."""
MAX_INVISIBLE_SHARE = 0.05
MAX_ROTATED_SHARE = 0.1
"""pdfium's lines are not lines of text where more letters are rotated."""
UPRIGHT_DEGREES = 15
MAX_SAMPLED_LETTERS = 500
MAX_OBJECT_DEPTH = 4
"""Nesting of form objects in which images and text are looked for."""
DEVICE_LONG_SIDE = 1 << 24
"""Long side of the device to which pdfium maps coordinates; large, because it returns whole pixels."""
MIN_OBLIQUENESS = 1e-3


@dataclass(frozen=True)
class TextRun:
    """Stretch of a line without wide gaps; `box` is in pixels of the rendered page.

    `pieces` are in logical order, and make up the text.
    """

    text: str
    box: Box
    pieces: tuple[TextPiece, ...] = ()


@dataclass(frozen=True)
class TextLayer:
    """Text and drawing of a page; `width` and `height` are pixels of the rendered page."""

    width: int
    height: int
    runs: tuple[TextRun, ...]
    graphics: Graphics = NO_GRAPHICS


def extract_text_layer(page: Any, scale: float) -> TextLayer | None:
    """Return a page's text layer, or None if its image must be read instead.

    Args:
        page: a pypdfium2 page.
        scale: pixels per point of the rendered page.
    """
    width, height = page.get_size()
    if _image_share(page, width * height) > MAX_IMAGE_SHARE:
        return None
    textpage = page.get_textpage()
    try:
        if not is_usable(textpage.get_text_range(errors="replace")) or _has_hidden_text(page):
            return None
        if _rotated_share(textpage, page.get_rotation()) > MAX_ROTATED_SHARE:
            return None
        runs = tuple(_text_runs(textpage, page, scale))
    finally:
        textpage.close()
    # The crop box may leave little or nothing of the text.
    if not is_usable("\n".join(run.text for run in runs)):
        return None
    graphics = read_graphics(page, _pixel_mapping(page, width * scale, height * scale))
    return TextLayer(round(width * scale), round(height * scale), runs, graphics)


def is_usable(text: str) -> bool:
    """Return whether a page's text has enough characters, and hardly any that cannot be meant."""
    shown = [letter for letter in text if not letter.isspace() and letter not in LINE_END_HYPHENS]
    if len(shown) < MIN_CHARACTERS:
        return False
    unmapped = sum(
        letter == REPLACEMENT_CHARACTER or unicodedata.category(letter) in UNMAPPED_CATEGORIES
        for letter in shown
    )
    words = text.split()
    # Only ASCII words: Chinese and Japanese have no spaces between words.
    long_words = sum(
        len(word) > MAX_WORD_CHARACTERS
        and word.isascii()
        and sum(map(str.isalnum, word)) > MAX_WORD_CHARACTERS
        for word in words
    )
    return unmapped <= MAX_UNMAPPED_SHARE * len(shown) and long_words <= MAX_LONG_WORD_SHARE * len(words)


def _image_share(page: Any, area: float) -> float:
    import pypdfium2.raw as pdfium

    covered = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=MAX_OBJECT_DEPTH):
        left, bottom, right, top = image.get_bounds()
        covered += abs(right - left) * abs(top - bottom)
    return covered / area if area else 0.0


def _has_hidden_text(page: Any) -> bool:
    """Return whether the page has invisible text, which an earlier recognition adds to a scan."""
    import pypdfium2.raw as pdfium

    texts = list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=MAX_OBJECT_DEPTH))
    hidden = sum(
        pdfium.FPDFTextObj_GetTextRenderMode(text.raw) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
        for text in texts
    )
    return bool(hidden > MAX_INVISIBLE_SHARE * len(texts))


def _rotated_share(textpage: Any, page_rotation: int) -> float:
    """Return the share of rotated letters, in an even sample.

    The rotation of a letter adds to that of the page; both are clockwise, and may cancel each other.
    """
    import pypdfium2.raw as pdfium

    count = textpage.count_chars()
    sample = range(0, count, max(1, count // MAX_SAMPLED_LETTERS))
    angles = (pdfium.FPDFText_GetCharAngle(textpage.raw, index) for index in sample)
    rotations = [math.degrees(angle) + page_rotation for angle in angles if angle >= 0]  # -1: no angle
    rotated = sum(UPRIGHT_DEGREES < rotation % 360 < 360 - UPRIGHT_DEGREES for rotation in rotations)
    return rotated / max(1, len(rotations))


def _text_runs(textpage: Any, page: Any, scale: float) -> Iterator[TextRun]:
    """Yield the runs that are on the page at least in part."""
    width, height = (side * scale for side in page.get_size())
    to_pixels = _pixel_mapping(page, width, height)
    for line in text_lines(read_glyphs(textpage)):
        box = _box(line, to_pixels)
        xs, ys = zip(*box, strict=True)
        if max(xs) > max(min(xs), 0) and max(ys) > max(min(ys), 0) and min(xs) < width and min(ys) < height:
            pieces = _pieces(line, to_pixels, scale)
            yield TextRun(text_of_pieces(pieces), box, pieces)


def _pieces(line: TextLine, to_pixels: Mapping, scale: float) -> tuple[TextPiece, ...]:
    """Return the pieces of a line, in pixels."""
    cosine, sine = math.cos(line.angle), math.sin(line.angle)

    def point(along: float, across: float) -> tuple[float, float]:
        return to_pixels(along * cosine - across * sine, along * sine + across * cosine)

    pieces = []
    for fragment in line.fragments:
        glyph = fragment.glyph
        x0, y = point(fragment.start, glyph.baseline)
        x1, _ = point(fragment.end, glyph.baseline)
        style = TextStyle(glyph.font, glyph.size * scale, glyph.color)
        piece = TextPiece(
            fragment.text, min(x0, x1), max(x0, x1), y, style, glyph.script, fragment.starts_word
        )
        pieces.append(piece)
    return tuple(pieces)


def _pixel_mapping(page: Any, width: float, height: float) -> Mapping:
    """Return the function from points of the page to pixels of the rendered page of `width` × `height`.

    pdfium applies the rotation and the boxes of the page.
    """
    import pypdfium2.raw as pdfium

    device_scale = DEVICE_LONG_SIDE / max(width, height)
    device_width, device_height = round(width * device_scale), round(height * device_scale)

    def to_device(x: float, y: float) -> tuple[float, float]:
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, device_width, device_height, 0, x, y, device_x, device_y)
        return device_x.value / device_scale, device_y.value / device_scale

    unit = max(page.get_size())
    (x0, y0), (x1, y1), (x2, y2) = to_device(0, 0), to_device(unit, 0), to_device(0, unit)

    def to_pixels(x: float, y: float) -> tuple[float, float]:
        x, y = x / unit, y / unit
        return x0 + (x1 - x0) * x + (x2 - x0) * y, y0 + (y1 - y0) * x + (y2 - y0) * y

    return to_pixels


def _box(line: TextLine, to_pixels: Mapping) -> Box:
    """Return the box of a line; an upright rectangle, unless the line is oblique."""
    cosine, sine = math.cos(line.angle), math.sin(line.angle)
    corners = [
        to_pixels(along * cosine - across * sine, along * sine + across * cosine)
        for along, across in (
            (line.start, line.top),
            (line.end, line.top),
            (line.end, line.bottom),
            (line.start, line.bottom),
        )
    ]
    if abs(cosine * sine) > MIN_OBLIQUENESS:
        return corners[0], corners[1], corners[2], corners[3]
    xs, ys = zip(*corners, strict=True)
    return level_box(min(xs), min(ys), max(xs), max(ys))
