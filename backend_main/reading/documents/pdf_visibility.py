"""Glyphs of a PDF page that nobody sees.

A glyph is seen if it changes the picture of the page. So the page is rendered twice at a low resolution,
with its text and without. This finds text in the color of its ground, text outside of its clip or of the
page, text under an image or a shape, transparent text, and text of a layer that is switched off, without
rules for each. Both renderings together take 2 to 12 ms.
"""

import ctypes
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .pdf_characters import Glyph
from .pdf_graphics import Mapping
from .pdf_rendering import POINTS_PER_INCH, Gray, render_gray, render_page, text_not_drawn

INK_DPI = 100
"""Resolution of the test. The strokes of 4-point print still darken a pixel by a third."""
MAX_INK_PIXELS = 4_000_000
"""Larger pages are tested at a lower resolution."""
MIN_CHANGE = 8
"""Change of a pixel, of 255, by which a glyph is seen: a pale watermark changes it by 15."""
ZONE_TOP = 0.7
"""In font sizes: letters are tested from the baseline up to here, where no other line reaches."""
MIN_ZONE_WIDTH = 0.15
MAX_GAP_IN_WORD = 0.12
"""In font sizes: gap of two glyphs of a word that the edge of the page cuts."""
MIN_SIZE = 1.2
"""In points: nobody reads smaller print. Microprint on banknotes has 0.7."""
MIN_TESTED_PIXELS = 1.5
"""Font size in pixels of the renderings below which letters leave no ink; a huge page has larger ones."""
MAX_LATIN = 0x2FF
"""pdfium has fonts of its own for Latin text, but not for all scripts."""
MAX_SEEN_OF_MISSING = 0.5
"""Share of the letters of a missing font that can lie on the ink of others."""
LIGHT = 248
"""Least value of a channel, of 255, in a color that does not show on white."""

Flags = npt.NDArray[np.bool_]
"""(n,), a flag for each glyph."""
Zones = npt.NDArray[np.float64]
"""(n, 4): left, top, right and bottom."""


@dataclass(frozen=True)
class PageInk:
    """A page in gray, with and without its text objects. `scale` is in pixels per point."""

    scale: float
    with_text: Gray
    without_text: Gray
    texts: Sequence[Any]


def render_ink(page: Any, texts: Sequence[Any]) -> PageInk:
    """Render a page with and without its text objects."""
    width, height = page.get_size()
    scale = min(INK_DPI / POINTS_PER_INCH, (MAX_INK_PIXELS / (width * height)) ** 0.5)
    with_text = render_gray(page, scale)
    with text_not_drawn(texts):
        without_text = render_gray(page, scale)
    return PageInk(scale, with_text, without_text, texts)


def hidden_glyphs(
    page: Any, textpage: Any, glyphs: Sequence[Glyph], ink: PageInk, to_pixels: Mapping
) -> Flags:
    """Return which glyphs of a page nobody sees.

    Args:
        page: a pypdfium2 page.
        textpage: its text page.
        glyphs: its glyphs.
        ink: its renderings.
        to_pixels: from points to pixels of the renderings.
    """
    import cv2

    if not glyphs:
        return np.zeros(0, np.bool_)
    changed: Flags = np.asarray(cv2.absdiff(ink.with_text, ink.without_text) >= MIN_CHANGE)
    zones = _zones(glyphs, to_pixels)
    hidden: Flags = ~_any_inside(changed, zones) & np.array([not glyph.is_space for glyph in glyphs])
    if hidden.any():
        changed |= _changed_colors(page, ink)
        hidden[hidden] = ~_any_inside(changed, _tight_zones(textpage, glyphs, hidden, to_pixels))
    hidden &= np.array([glyph.size * ink.scale >= MIN_TESTED_PIXELS for glyph in glyphs])
    hidden |= _is_invisible_on_others(glyphs, ink, zones)
    if hidden.any():
        hidden &= ~_cannot_be_drawn(glyphs, hidden, _any_inside(changed, _middles(zones)))
        hidden &= ~_ends_word_at_page_edge(glyphs, zones, hidden, changed.shape)
        _copy_from_letters(glyphs, hidden)
    return hidden


def _zones(glyphs: Sequence[Glyph], to_pixels: Mapping) -> Zones:
    """Return the zones of glyphs, from their baselines upwards."""
    values = [
        (g.start, max(g.end, g.start + MIN_ZONE_WIDTH * g.size), g.baseline, g.size, g.angle) for g in glyphs
    ]
    start, end, baseline, size, angle = np.array(values).T
    cosine, sine = np.cos(angle), np.sin(angle)
    corners = []
    for along, across in (
        (start, baseline),
        (end, baseline),
        (start, baseline + ZONE_TOP * size),
        (end, baseline + ZONE_TOP * size),
    ):
        corners.append((along * cosine - across * sine, along * sine + across * cosine))
    return _bounds(corners, to_pixels)


def _tight_zones(textpage: Any, glyphs: Sequence[Glyph], chosen: Flags, to_pixels: Mapping) -> Zones:
    """Return the boxes of the ink of chosen glyphs, which may be marks, or mirrored letters."""
    import pypdfium2.raw as pdfium

    edges = [ctypes.c_double() for _ in range(4)]
    boxes = []
    for place in np.flatnonzero(chosen).tolist():
        pdfium.FPDFText_GetCharBox(textpage.raw, glyphs[place].index, *edges)
        boxes.append([edge.value for edge in edges])
    left, right, bottom, top = np.array(boxes).T
    return _bounds([(left, bottom), (right, bottom), (left, top), (right, top)], to_pixels)


def _bounds(corners: Sequence[tuple[Any, Any]], to_pixels: Mapping) -> Zones:
    """Return the upright rectangles around corners in points."""
    origin, x_unit, y_unit = (np.array(to_pixels(x, y))[:, np.newaxis] for x, y in ((0, 0), (1, 0), (0, 1)))
    points = np.array([origin + (x_unit - origin) * x + (y_unit - origin) * y for x, y in corners])
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).T


def _any_inside(changed: Flags, zones: Zones) -> Flags:
    """Return whether a pixel is set in each zone, by sums over the area above and left of each pixel."""
    import cv2

    height, width = changed.shape
    sums = cv2.integral(changed.view(np.uint8))
    left, right = np.floor(zones[:, 0]), np.ceil(zones[:, 2])
    top, bottom = np.floor(zones[:, 1]), np.ceil(zones[:, 3])
    x0, x1 = (edge.clip(0, width).astype(np.intp) for edge in (left, right))
    y0, y1 = (edge.clip(0, height).astype(np.intp) for edge in (top, bottom))
    return np.asarray(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0] > 0)


def _changed_colors(page: Any, ink: PageInk) -> Flags:
    """Return which pixels the text changes in color: red on green may have equal gray levels."""
    import cv2

    with_text = render_page(page, ink.scale)
    with text_not_drawn(ink.texts):
        without_text = render_page(page, ink.scale)
    return np.asarray((cv2.absdiff(with_text, without_text) >= MIN_CHANGE).any(axis=2))


def _is_invisible_on_others(glyphs: Sequence[Glyph], ink: PageInk, zones: Zones) -> Flags:
    """Return which glyphs nobody sees wherever they lie; others that are seen may be at their place.

    They have the invisible mode, no size, or a light color while other text darkens their place.
    """
    import cv2
    import pypdfium2.raw as pdfium

    mode = _render_modes(glyphs, ink.texts)
    color = np.array([glyph.color for glyph in glyphs])
    hidden: Flags = np.asarray(mode == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)
    hidden |= np.array([glyph.size for glyph in glyphs]) < MIN_SIZE
    channels = np.stack([color >> 16, color >> 8 & 255, color & 255])
    is_light = (channels.min(axis=0) >= LIGHT) & (mode == pdfium.FPDF_TEXTRENDERMODE_FILL)
    if is_light.any():
        lighter = cv2.subtract(ink.with_text, ink.without_text) >= MIN_CHANGE
        # pdfium returns white for a pattern too, so that light glyphs alone at their place may be dark.
        others = _painted(zones[~is_light], lighter.shape)
        hidden[is_light] |= ~_any_inside(lighter, zones[is_light]) & _any_inside(others, zones[is_light])
    return hidden


def _render_modes(glyphs: Sequence[Glyph], texts: Sequence[Any]) -> npt.NDArray[np.int_]:
    """Return the render mode of each glyph. Nearly all pages are filled text throughout."""
    import pypdfium2.raw as pdfium

    get_mode, fill = pdfium.FPDFTextObj_GetTextRenderMode, pdfium.FPDF_TEXTRENDERMODE_FILL
    if all(get_mode(item) == fill for item in texts):
        return np.full(len(glyphs), fill)
    addresses = {glyph.text_object for glyph in glyphs}
    modes = {address: get_mode(_text_object(address)) for address in addresses}
    return np.array([modes[glyph.text_object] for glyph in glyphs])


def _painted(zones: Zones, shape: tuple[int, ...]) -> Flags:
    """Return the pixels that are in a zone."""
    painted = np.zeros(shape, np.bool_)
    for left, top, right, bottom in zones.clip(0).astype(np.intp).tolist():
        painted[top : bottom + 1, left : right + 1] = True
    return painted


def _text_object(address: int) -> Any:
    import pypdfium2.raw as pdfium

    return ctypes.cast(address, pdfium.FPDF_PAGEOBJECT)


def _cannot_be_drawn(glyphs: Sequence[Glyph], hidden: Flags, has_ink: Flags) -> Flags:
    """Return which glyphs leave no ink only because this machine lacks their font.

    The file does not contain the font, and hardly any of its letters beyond Latin is seen.
    """
    drawn_fonts = _fonts_with_drawn_letters(glyphs, has_ink)
    missing: dict[int, bool] = {}
    flags = np.zeros(len(glyphs), np.bool_)
    for place in np.flatnonzero(hidden).tolist():
        glyph = glyphs[place]
        if glyph.style[0] in drawn_fonts or ord(glyph.text[0]) <= MAX_LATIN:
            continue
        if glyph.text_object not in missing:
            missing[glyph.text_object] = _is_meant_to_be_seen(_text_object(glyph.text_object))
        flags[place] = missing[glyph.text_object]
    return flags


def _fonts_with_drawn_letters(glyphs: Sequence[Glyph], has_ink: Flags) -> set[int]:
    """Return the fonts of which this machine draws the letters beyond Latin, by the ink in their middle."""
    total, seen = Counter[int](), Counter[int]()
    for glyph, is_seen in zip(glyphs, has_ink.tolist(), strict=True):
        if not glyph.is_space and ord(glyph.text[0]) > MAX_LATIN:
            total[glyph.style[0]] += 1
            seen[glyph.style[0]] += is_seen
    return {font for font in total if seen[font] > MAX_SEEN_OF_MISSING * total[font]}


def _middles(zones: Zones) -> Zones:
    """Return the middle half of zones: the ink of Latin letters beside a missing one does not reach it."""
    left, top, right, bottom = zones.T
    margin = (right - left) / 4
    return np.stack([left + margin, top, right - margin, bottom]).T


def _is_meant_to_be_seen(item: Any) -> bool:
    """Return whether a text object has a font outside of the file, and a color that shows on white."""
    import pypdfium2.raw as pdfium

    if pdfium.FPDFFont_GetIsEmbedded(pdfium.FPDFTextObj_GetFont(item)) != 0:
        return False
    if pdfium.FPDFTextObj_GetTextRenderMode(item) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE:
        return False
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    pdfium.FPDFPageObj_GetFillColor(item, red, green, blue, alpha)
    return alpha.value > 0 and min(red.value, green.value, blue.value) < LIGHT


def _ends_word_at_page_edge(
    glyphs: Sequence[Glyph], zones: Zones, hidden: Flags, shape: tuple[int, ...]
) -> Flags:
    """Return which glyphs beyond the edge of the page belong to a word of which a part is seen."""
    height, width = shape[:2]
    flags = np.zeros(len(glyphs), np.bool_)
    left, top, right, bottom = zones.T
    outside = hidden & ((left >= width) | (right <= 0) | (top >= height) | (bottom <= 0))
    places = np.flatnonzero(outside)
    for near, ordered in ((-1, places), (1, places[::-1])):
        for place in ordered:
            other = place + near
            if 0 <= other < len(glyphs) and (not hidden[other] or flags[other]):
                flags[place] |= _is_one_word(glyphs[min(place, other)], glyphs[max(place, other)])
    return flags


def _is_one_word(glyph: Glyph, following: Glyph) -> bool:
    if glyph.is_space or following.is_space or glyph.angle != following.angle:
        return False
    gap = following.start - glyph.end
    return abs(gap) < MAX_GAP_IN_WORD * glyph.size and glyph.baseline == following.baseline


def _copy_from_letters(glyphs: Sequence[Glyph], hidden: Flags) -> None:
    """Give spaces, and marks that may be hidden, the flag of the letter before them in their text object."""
    letters: dict[int, bool] = {}
    for place, glyph in enumerate(glyphs):
        if glyph.text.isalnum():
            letters[glyph.text_object] = bool(hidden[place])
        elif glyph.is_space or hidden[place]:
            hidden[place] = letters.get(glyph.text_object, hidden[place] and not glyph.is_space)
