"""Links of a PDF page: annotations with an address, and the glyphs that they cover.

Links to a place in the document are left out. So are addresses that a browser would run, such as
`javascript:`.
"""

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...control_characters import remove_controls
from .pdf_characters import Glyph

_SAFE_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:)[^\x00-\x20\x7f]+", re.IGNORECASE)
MAX_ADDRESS_BYTES = 4096
MAX_LINKS = 2000
"""Links of a page that are read; a page of a long index has some hundreds."""
CELL = 20.0
"""In points: height of the strips in which links are searched."""
GLYPH_CENTER = 0.3
"""In font sizes: height of a glyph's center above its baseline."""
PDFACTION_URI = 3


@dataclass(frozen=True, slots=True)
class LinkArea:
    """A rectangle of a link, in points of the page, from the bottom left."""

    left: float
    bottom: float
    right: float
    top: float
    address: str

    def contains(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.bottom <= y <= self.top


def with_links(glyphs: Sequence[Glyph], links: Sequence[LinkArea]) -> Sequence[Glyph]:
    """Return the glyphs with the addresses of the links that cover their centers."""
    strips: dict[int, list[LinkArea]] = {}
    for area in links:
        for strip in range(int(area.bottom // CELL), int(area.top // CELL) + 1):
            strips.setdefault(strip, []).append(area)
    if not strips:
        return glyphs
    return [_with_link(glyph, strips) for glyph in glyphs]


def _with_link(glyph: Glyph, strips: dict[int, list[LinkArea]]) -> Glyph:
    along, across = (glyph.start + glyph.end) / 2, glyph.baseline + GLYPH_CENTER * glyph.size
    cosine, sine = math.cos(glyph.angle), math.sin(glyph.angle)
    x, y = along * cosine - across * sine, along * sine + across * cosine
    for area in strips.get(int(y // CELL), ()):
        if area.contains(x, y):
            return replace(glyph, link=area.address)
    return glyph


def read_links(page: Any) -> list[LinkArea]:
    """Return the areas of a pypdfium2 page's links with a safe address."""
    import pypdfium2.raw as pdfium

    areas: list[LinkArea] = []
    position, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    for _ in range(MAX_LINKS):
        if not pdfium.FPDFLink_Enumerate(page.raw, position, link):
            break
        if address := _address(page, link):
            areas += [LinkArea(*rect, address) for rect in _rects(link)]
    return areas


def _address(page: Any, link: Any) -> str:
    """Return the address of a link, "" for one without or with an unsafe one."""
    import pypdfium2.raw as pdfium

    action = pdfium.FPDFLink_GetAction(link)
    if not action or pdfium.FPDFAction_GetType(action) != PDFACTION_URI:
        return ""
    buffer = ctypes.create_string_buffer(MAX_ADDRESS_BYTES)
    length = pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, buffer, MAX_ADDRESS_BYTES)
    if not 1 < length <= MAX_ADDRESS_BYTES:
        return ""
    address = remove_controls(buffer.raw[: length - 1].decode("utf-8", "replace")).strip()
    return address if _SAFE_ADDRESS.fullmatch(address) else ""


def _rects(link: Any) -> Iterator[tuple[float, float, float, float]]:
    """Yield the areas of a link: one for each line, or its rectangle."""
    import pypdfium2.raw as pdfium

    quad = pdfium.FS_QUADPOINTSF()
    count = pdfium.FPDFLink_CountQuadPoints(link)
    for index in range(count):
        if pdfium.FPDFLink_GetQuadPoints(link, index, quad):
            xs, ys = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
            yield min(xs), min(ys), max(xs), max(ys)
    rect = pdfium.FS_RECTF()
    if not count and pdfium.FPDFLink_GetAnnotRect(link, rect):
        yield rect.left, min(rect.bottom, rect.top), rect.right, max(rect.bottom, rect.top)
