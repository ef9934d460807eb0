"""Text layer of a PDF page: if it can be trusted, the page needs no text recognition.

Two kinds cannot. Fonts without a mapping give control or private use characters. A scan may carry the text
of an earlier recognition, invisible or beside its image. Such pages are read as images.
"""

import ctypes
import math
import unicodedata
from dataclasses import dataclass
from typing import Any

from ..types import Box, level_box

MIN_CHARACTERS = 16
"""Fewer characters may be a page number or a stamp on a scan."""
LINE_END_HYPHENS = "\x02\ufffe"
"""pdfium's characters for a hyphen at the end of a line."""
_HYPHENS = dict.fromkeys(map(ord, LINE_END_HYPHENS), "-")
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
# In heights of the lower of two runs.
MIN_LINE_OVERLAP = 0.5
MIN_RUN_GAP, MAX_RUN_GAP = -0.5, 1.0
"""Runs on one line with such a gap are merged."""
MIN_SPACE = 0.15
"""A larger gap between merged runs is a space."""

PdfRect = tuple[float, float, float, float]
"""Left, bottom, right and top in points, from the bottom left of the page."""


@dataclass(frozen=True)
class TextRun:
    """Characters on one line; `box` is in pixels of the rendered page."""

    text: str
    box: Box


@dataclass(frozen=True)
class TextLayer:
    """The text runs of a page; `width` and `height` are pixels of the rendered page."""

    width: int
    height: int
    runs: tuple[TextRun, ...]


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
    return TextLayer(round(width * scale), round(height * scale), runs)


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
    long_words = sum(len(word) > MAX_WORD_CHARACTERS and word.isascii() for word in words)
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


def _text_runs(textpage: Any, page: Any, scale: float) -> list[TextRun]:
    """Return the page's text runs; pdfium has one rectangle for each font of a line, which are merged."""
    width, height = (side * scale for side in page.get_size())
    runs: list[TextRun] = []
    for index in range(textpage.count_rects()):
        rect = textpage.get_rect(index)
        raw_text = textpage.get_text_bounded(*rect, errors="replace")
        text = " ".join(raw_text.translate(_HYPHENS).split())
        left, top, right, bottom = _to_pixels(page, rect, width, height)
        if text and right > max(left, 0) and bottom > max(top, 0) and left < width and top < height:
            _add_run(runs, text, (left, top, right, bottom))
    return runs


def _to_pixels(page: Any, rect: PdfRect, width: float, height: float) -> tuple[float, float, float, float]:
    """Map a rectangle to left, top, right, bottom in the rendered page of `width` × `height` pixels.

    pdfium applies the rotation and the boxes of the page.
    """
    import pypdfium2.raw as pdfium

    device_scale = DEVICE_LONG_SIDE / max(width, height)
    device_width, device_height = round(width * device_scale), round(height * device_scale)
    corners = []
    for x, y in (rect[:2], rect[2:]):
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, device_width, device_height, 0, x, y, device_x, device_y)
        corners.append((device_x.value / device_scale, device_y.value / device_scale))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _add_run(runs: list[TextRun], text: str, rect: tuple[float, float, float, float]) -> None:
    """Append a run, merged with the last one if both are on one line, side by side."""
    left, top, right, bottom = rect
    if runs:
        (last_left, last_top), (last_right, _), (_, last_bottom), _ = runs[-1].box
        height = min(bottom - top, last_bottom - last_top)
        overlap = min(bottom, last_bottom) - max(top, last_top)
        gap = left - last_right
        if overlap > MIN_LINE_OVERLAP * height and MIN_RUN_GAP * height < gap < MAX_RUN_GAP * height:
            space = " " if gap > MIN_SPACE * height else ""
            top, bottom = min(top, last_top), max(bottom, last_bottom)
            box = level_box(last_left, top, max(right, last_right), bottom)
            runs[-1] = TextRun(runs[-1].text + space + text, box)
            return
    runs.append(TextRun(text, level_box(left, top, right, bottom)))
