"""Step 10 - the text that a PDF page brings with it: where it is good, nothing need be recognised.

A text layer is not to be trusted as such. Fonts without a mapping give letters of the private use area or
signs of control, and a scan with somebody's old recognition under it is still a scan: those are read as
images.
"""

import ctypes
import math
import unicodedata
from dataclasses import dataclass
from typing import Any

from ..types import Box

MIN_CHARACTERS = 16
"""Below this, what there is may be a page number or a stamp on a scan."""
LINE_END_HYPHENS = "\x02\ufffe"
"""How pdfium marks a hyphen at the end of a line."""
MAX_UNMAPPED_SHARE = 0.02
MAX_IMAGE_SHARE = 0.25
"""A page covered by images to more than this may say things in them that its text layer does not."""
MAX_INVISIBLE_SHARE = 0.05
MAX_ROTATED_SHARE = 0.1
"""Letters that do not stand upright on the page as shown: pdfium's lines are then no lines to a reader."""
MAX_SAMPLED_LETTERS = 500
LONG_SIDE_STEPS = 1 << 24


@dataclass(frozen=True)
class TextRun:
    """A run of characters on one line; its box in pixels of the page as it would be rendered."""

    text: str
    box: Box


@dataclass(frozen=True)
class TextLayer:
    width: int
    height: int
    runs: tuple[TextRun, ...]


def text_layer(page: Any, scale: float) -> TextLayer | None:
    """The page's text, or None where it should be recognised instead. `page` is a pypdfium2 page."""
    width, height = page.get_size()
    if _image_share(page, width * height) > MAX_IMAGE_SHARE:
        return None
    textpage = page.get_textpage()
    try:
        if not is_usable(textpage.get_text_range(errors="replace")) or _has_hidden_text(page):
            return None
        if _rotated_share(textpage, page.get_rotation()) > MAX_ROTATED_SHARE:
            return None
        pieces = tuple(_text_runs(textpage, page, scale))
    finally:
        textpage.close()
    # What a page is cut to may leave little or nothing of its text.
    if not is_usable("\n".join(piece.text for piece in pieces)):
        return None
    return TextLayer(round(width * scale), round(height * scale), pieces)


def is_usable(text: str) -> bool:
    """Whether a page's text can be taken as it stands."""
    shown = [letter for letter in text if not letter.isspace() and letter not in LINE_END_HYPHENS]
    if len(shown) < MIN_CHARACTERS:
        return False
    strange = sum(_is_unmapped(letter) for letter in shown)
    words = text.split()
    # Text without spaces between its words is no text, but in scripts that have none.
    run_together = sum(len(word) > 40 and word.isascii() for word in words)
    return strange <= MAX_UNMAPPED_SHARE * len(shown) and run_together <= 0.1 * len(words)


def _is_unmapped(letter: str) -> bool:
    return letter == "\ufffd" or unicodedata.category(letter) in ("Cc", "Co", "Cn", "Cs")


def _image_share(page: Any, area: float) -> float:
    import pypdfium2.raw as pdfium

    covered = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4):
        left, bottom, right, top = image.get_bounds()
        covered += abs(right - left) * abs(top - bottom)
    return covered / area if area else 0.0


def _has_hidden_text(page: Any) -> bool:
    """Text drawn invisibly is the mark of an earlier recognition."""
    import pypdfium2.raw as pdfium

    texts = list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=4))
    hidden = sum(
        pdfium.FPDFTextObj_GetTextRenderMode(text.raw) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
        for text in texts
    )
    return bool(hidden > MAX_INVISIBLE_SHARE * len(texts))


def _rotated_share(textpage: Any, page_rotation: int) -> float:
    """Of letters taken evenly from the page; both turns are clockwise, and may undo one another."""
    import pypdfium2.raw as pdfium

    count = textpage.count_chars()
    weighed = range(0, count, max(1, count // MAX_SAMPLED_LETTERS))
    angles = (pdfium.FPDFText_GetCharAngle(textpage.raw, index) for index in weighed)
    turns = [math.degrees(angle) + page_rotation for angle in angles if angle >= 0]  # -1: it has none
    return sum(15 < turn % 360 < 345 for turn in turns) / max(1, len(turns))


def _text_runs(textpage: Any, page: Any, scale: float) -> list[TextRun]:
    """pdfium's rectangles are one a font run; those side by side on a line are one piece."""
    width, height = (side * scale for side in page.get_size())
    pieces: list[TextRun] = []
    for index in range(textpage.count_rects()):
        rect = textpage.get_rect(index)
        text = _plain(textpage.get_text_bounded(*rect, errors="replace"))
        left, top, right, bottom = _on_picture(page, rect, width, height)
        if text and right > max(left, 0) and bottom > max(top, 0) and left < width and top < height:
            _add(pieces, text, (left, top, right, bottom))
    return pieces


def _on_picture(
    page: Any, rect: tuple[float, float, float, float], width: float, height: float
) -> tuple[float, float, float, float]:
    """The rectangle in the pixels of the page as it is shown: its turn and its boxes are pdfium's part."""
    import pypdfium2.raw as pdfium

    # pdfium answers in whole steps, so the page is told to be far larger.
    steps = LONG_SIDE_STEPS / max(width, height)
    across_steps, down_steps = round(width * steps), round(height * steps)
    corners = []
    for x, y in (rect[:2], rect[2:]):
        across, down = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, across_steps, down_steps, 0, x, y, across, down)
        corners.append((across.value / steps, down.value / steps))
    (x0, y0), (x1, y1) = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _plain(text: str) -> str:
    return " ".join(text.translate(dict.fromkeys(map(ord, LINE_END_HYPHENS), "-")).split())


def _add(pieces: list[TextRun], text: str, rect: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = rect
    if pieces:
        (before_left, before_top), (before_right, _), (_, before_bottom), _ = pieces[-1].box
        height = min(bottom - top, before_bottom - before_top)
        overlap = min(bottom, before_bottom) - max(top, before_top)
        gap = left - before_right
        if overlap > 0.5 * height and -0.5 * height < gap < height:
            space = " " if gap > 0.15 * height else ""
            merged = (before_left, min(top, before_top), max(right, before_right), max(bottom, before_bottom))
            pieces[-1] = TextRun(pieces[-1].text + space + text, _box(*merged))
            return
    pieces.append(TextRun(text, _box(left, top, right, bottom)))


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return ((left, top), (right, top), (right, bottom), (left, bottom))
