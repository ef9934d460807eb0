"""Fonts of a PDF page: their names, and whether they are bold, italic or monospaced.

pdfium's weight of a font follows from the width of its stems: 625 for Noto Sans Regular, 400 for Liberation
Sans Bold. So only the name and the flags count.
"""

import ctypes
import re
from typing import Any

from .pdf_math_fonts import is_math_font
from .styled_text import FontStyle

# Flags of a font descriptor (PDF 32000-1:2008, table 123).
FIXED_PITCH, ITALIC, FORCE_BOLD = 1 << 0, 1 << 6, 1 << 18
MAX_NAME_BYTES = 256

_SUBSET_PREFIX = re.compile(r"^[A-Z]{6}\+")
# Computer Modern has codes: CMBX is bold, CMTI is italic, CMMI is math italic, CMTT is typewriter.
_BOLD = re.compile(
    r"bold|black(?!adder)|heavy|demi|-Medi(?!um)|^CM(?:BX|SSBX|B\d)|^SF(?:BX|SX)|^LMRoman\d+-Bold|[-,]BD\b|-Md$",
    re.IGNORECASE,
)
_ITALIC = re.compile(r"italic|oblique|slanted|^CM(?:TI|MI|SL|BXTI)|^SF(?:TI|SL)|[-,]It\b", re.IGNORECASE)
_MONOSPACED = re.compile(
    r"mono(?!type)|NimbusMon|courier|consol|menlo|typewriter|^CMTT|^SFTT|^LMMono|inconsolata|fixed|source\s?code",
    re.IGNORECASE,
)


def read_font_style(font: Any) -> FontStyle:
    """Return the style of a pdfium font; one without a name has the default style."""
    import pypdfium2.raw as pdfium

    if not font:
        return FontStyle()
    buffer = ctypes.create_string_buffer(MAX_NAME_BYTES)
    length = pdfium.FPDFFont_GetBaseFontName(font, buffer, MAX_NAME_BYTES)
    name = _SUBSET_PREFIX.sub("", buffer.raw[: max(0, length - 1)].decode("utf-8", "replace"))
    flags = max(0, pdfium.FPDFFont_GetFlags(font))
    return FontStyle(
        name=name,
        is_bold=bool(_BOLD.search(name) or flags & FORCE_BOLD),
        is_italic=bool(_ITALIC.search(name) or flags & ITALIC),
        is_monospaced=bool(_MONOSPACED.search(name) or flags & FIXED_PITCH),
        is_math=is_math_font(name),
        is_embedded=pdfium.FPDFFont_GetIsEmbedded(font) != 0,
    )
