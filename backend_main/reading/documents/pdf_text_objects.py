"""Text objects of a PDF page: size, rotation, font and color, which the glyphs of an object share.

Chromium draws each glyph as an object of its own. So buffers are reused, and objects of one font, size and
rotation share what is computed from them.
"""

import ctypes
import math
from dataclasses import dataclass, field
from typing import Any

from .pdf_fonts import read_font_style
from .styled_text import BLACK, FontStyle

MIN_LOOSE_HEIGHT, MAX_LOOSE_HEIGHT = 0.35, 3.0
"""In font sizes: a font box outside of this range shows a size that is not that of letters (Type 3 fonts)."""
USUAL_LOOSE_HEIGHT = 1.2
QUARTER_TURN_TOLERANCE = math.radians(1)
FIRST_IDEOGRAPH = "\u2e80"
NOT_A_LETTER = "\uffff"
"""No font has it: pdfium returns the same width for letters that a font lacks."""
WIDTH_FONT_SIZE = 1000.0
"""Font size at which pdfium returns the width of a glyph: widths in a font have three digits."""


@dataclass(slots=True)
class TextObject:
    """Properties that the characters of a text object share."""

    identifier: int
    color: int
    size: float
    style: tuple[int, float]
    angle: float
    cosine: float
    sine: float
    quarter_turns: int | None
    """Rotation in quarter turns, counter-clockwise; None for any other rotation."""
    font: FontStyle
    raw_font: Any
    x_scale: float
    """Points per unit of the font's width."""
    widths: dict[str, float]
    """Widths of the font's glyphs in its units, by letter, as far as they are known."""

    def for_another(self, identifier: int, color: int) -> "TextObject":
        """Return the properties of another object with the same font, size and rotation."""
        return TextObject(
            identifier,
            color,
            self.size,
            self.style,
            self.angle,
            self.cosine,
            self.sine,
            self.quarter_turns,
            self.font,
            self.raw_font,
            self.x_scale,
            self.widths,
        )

    def width(self, letter: str) -> float:
        """Return the advance of a letter in points, 0 if the font does not tell it."""
        import pypdfium2.raw as pdfium

        if (width := self.widths.get(letter)) is None:
            found = ctypes.c_float()
            code = ord(letter) if len(letter) == 1 else 0
            if not pdfium.FPDFFont_GetGlyphWidth(self.raw_font, code, WIDTH_FONT_SIZE, found):
                found.value = 0.0
            width = self.widths[letter] = found.value / WIDTH_FONT_SIZE
            if letter != NOT_A_LETTER and width == self.width(NOT_A_LETTER) / self.x_scale:
                width = self.widths[letter] = 0.0
        return width * self.x_scale


@dataclass(slots=True)
class _Font:
    style: FontStyle
    widths: dict[str, float] = field(default_factory=dict)
    size_factor: float | None = None
    """Size of the letters in font sizes; not 1 if the glyphs of a Type 3 font have units of their own."""


class TextObjects:
    """Text objects of a page, each read once. Chromium draws each glyph as one, so buffers are reused."""

    def __init__(self, raw: Any) -> None:
        import pypdfium2.raw as pdfium

        self._raw = raw
        self._matrix = pdfium.FS_MATRIX()
        self._channels = tuple(ctypes.c_uint() for _ in range(4))
        self._fonts: dict[int, _Font] = {}
        self._objects: dict[int, TextObject] = {}
        self._alike: dict[tuple[float, ...], TextObject] = {}

    def get(self, index: int, pointer: Any, address: int, loose: Any) -> TextObject:
        """Return the text object at an address, which draws the character `index` with a box `loose`."""
        if (found := self._objects.get(address)) is None:
            found = self._objects[address] = self._read(index, pointer, address, loose)
        return found

    def _read(self, index: int, pointer: Any, address: int, loose: Any) -> TextObject:
        import pypdfium2.raw as pdfium

        font_pointer = pdfium.FPDFTextObj_GetFont(pointer)
        font_address = ctypes.cast(font_pointer, ctypes.c_void_p).value or 0
        if (font := self._fonts.get(font_address)) is None:
            font = self._fonts[font_address] = _Font(read_font_style(font_pointer))
        matrix = self._matrix
        pdfium.FPDFText_GetMatrix(self._raw, index, matrix)
        font_size = pdfium.FPDFText_GetFontSize(self._raw, index)
        key = (font_address, font_size, matrix.a, matrix.b, matrix.c, matrix.d)
        color = self._color(pointer)
        if (like := self._alike.get(key)) is not None:
            return like.for_another(address, color)
        size, angle, quarter_turns = self._size_and_angle(index, font, font_size, loose)
        found = TextObject(
            identifier=address,
            color=color,
            size=size,
            style=(font_address, round(size, 1)),
            angle=angle,
            cosine=math.cos(angle),
            sine=math.sin(angle),
            quarter_turns=quarter_turns,
            font=font.style,
            raw_font=font_pointer,
            x_scale=max(font_size * math.hypot(matrix.a, matrix.b), 1e-3),
            widths=font.widths,
        )
        if font.size_factor is not None:
            self._alike[key] = found
        return found

    def _size_and_angle(
        self, index: int, font: _Font, font_size: float, loose: Any
    ) -> tuple[float, float, int | None]:
        """Return the size of the letters, their rotation, and the rotation in quarter turns if it is that."""
        import pypdfium2.raw as pdfium

        matrix = self._matrix
        size = font_size * math.hypot(matrix.c, matrix.d)
        angle = math.atan2(matrix.b, matrix.a) % math.tau
        quarters = round(angle / (math.pi / 2))
        if abs(angle - quarters * math.pi / 2) >= QUARTER_TURN_TOLERANCE:
            return max(size, 1e-3), round(angle, 2), None
        loose_height = loose.right - loose.left if quarters % 2 else loose.top - loose.bottom
        if font.size_factor is None and _tells_size(pdfium.FPDFText_GetUnicode(self._raw, index)):
            font.size_factor = _size_factor(size, loose_height)
        size *= font.size_factor or 1.0
        return max(size, 1e-3), quarters % 4 * math.pi / 2, quarters % 4

    def _color(self, pointer: Any) -> int:
        """Return the fill color of a text object as 0xRRGGBB."""
        import pypdfium2.raw as pdfium

        red, green, blue, alpha = self._channels
        if not pdfium.FPDFPageObj_GetFillColor(pointer, red, green, blue, alpha):
            return BLACK
        return red.value << 16 | green.value << 8 | blue.value


def _tells_size(code: int) -> bool:
    """Return whether the height of a letter tells the size of its font: not of 一 and 丶."""
    # A damaged map gives numbers beyond Unicode.
    return code < ord(FIRST_IDEOGRAPH) and chr(code).isalnum()


def _size_factor(size: float, loose_height: float) -> float:
    """Return the size of a font's letters in font sizes, from the box of a letter."""
    if loose_height <= 0 or MIN_LOOSE_HEIGHT * size < loose_height < MAX_LOOSE_HEIGHT * size:
        return 1.0
    return loose_height / USUAL_LOOSE_HEIGHT / max(size, 1e-3)
