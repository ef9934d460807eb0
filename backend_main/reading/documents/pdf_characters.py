"""Glyphs of a PDF page with their positions, in the order of the page's content.

pdfium's rectangles of text overlap where glyphs are kerned. Its order of right-to-left text depends on how a
program wrote it. So text is built from single glyphs. A call of pdfium costs about half a microsecond, so
properties of a text object are requested once for the object.
"""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .pdf_bidi import has_right_to_left
from .pdf_copies import without_copies
from .pdf_fonts import read_font_style
from .pdf_glyph import Glyph as Glyph
from .pdf_math_fonts import hangs, math_letter
from .styled_text import BLACK, FontStyle

LINE_END_HYPHENS = "\x02\ufffe"
"""pdfium's characters for a hyphen at the end of a line."""
_REPLACED = {**dict.fromkeys(LINE_END_HYPHENS, "-"), "\t": " ", "\u00a0": " ", "\0": "\ufffd"}
"""A glyph whose code is mapped to NUL has lost its letter."""
_NOT_DRAWN = frozenset("\r\n\u200b\ufeff")
"""A font for formulas may use the codes of the first two."""
LAM, ALEFS = "\u0644", "\u0627\u0622\u0623\u0625\u0671"
MIN_LOOSE_HEIGHT, MAX_LOOSE_HEIGHT = 0.35, 3.0
"""In font sizes: a font box outside of this range shows a size that is not that of letters (Type 3 fonts)."""
USUAL_LOOSE_HEIGHT = 1.2
QUARTER_TURN_TOLERANCE = math.radians(1)
OBLIQUE_ADVANCE = 0.5
"""In font sizes: used for an obliquely rotated glyph if the font does not tell its width."""
MAX_OVERHANG = 0.45
"""In font sizes: ink of an f or of an italic letter that reaches over the next letter or space."""
MAX_BEARING = 0.2
"""In font sizes: distance from the origin of a glyph to its ink."""
MIN_DISTANCE = 0.01
"""In points: smaller distances are rounding."""
FIRST_CONTEXTUAL_LETTER = "\u0590"
"""Start of Hebrew and of the scripts whose letters have several forms; a font tells the width of one."""
AXIS_HEIGHT = 0.25
"""In font sizes: height above the baseline of the bar of a fraction (Computer Modern: 0.25)."""
NOT_A_LETTER = "\uffff"
"""No font has it: pdfium returns the same width for letters that a font lacks."""
FIRST_IDEOGRAPH = 0x2E80
WIDTH_FONT_SIZE = 1000.0
"""Font size at which pdfium returns the width of a glyph: widths in a font have three digits."""
UNMAPPED = "\ufffd"
SOFT_HYPHEN = "\u00ad"


@dataclass(frozen=True, slots=True)
class _TextObject:
    """Properties that the characters of a text object share."""

    identifier: int
    size: float
    style: tuple[int, float]
    angle: float
    cosine: float
    sine: float
    quarter_turns: int | None
    """Rotation in quarter turns, counter-clockwise; None for any other rotation."""
    font: FontStyle
    color: int
    raw_font: Any
    x_scale: float
    """Points per unit of the font's width."""
    widths: dict[str, float]
    """Widths of the font's glyphs in its units, by letter, as far as they are known."""

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


def read_glyphs(textpage: Any) -> list[Glyph]:
    """Return the page's glyphs in content order, without copies that are drawn in the same place."""
    return without_copies(list(_glyphs(textpage)))


def _glyphs(textpage: Any) -> Iterator[Glyph]:
    """Yield the glyphs; the characters of one ligature have one object and one origin."""
    import pypdfium2.raw as pdfium

    raw = textpage.raw
    loose = pdfium.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    objects: dict[int, _TextObject] = {}
    fonts: dict[int, _Font] = {}
    glyph, last = None, None
    for index in range(textpage.count_chars()):
        pointer = pdfium.FPDFText_GetTextObject(raw, index)
        if (address := ctypes.cast(pointer, ctypes.c_void_p).value) is None:
            continue  # a space or a line end that pdfium has added
        pdfium.FPDFText_GetLooseCharBox(raw, index, loose)
        if (shared := objects.get(address)) is None:
            shared = objects[address] = _text_object(raw, index, pointer, address, loose, fonts)
        letter = _letter(raw, index, shared)
        if letter in _NOT_DRAWN or (letter == " " and not _is_drawn_space(raw, index, loose)):
            continue
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        place = (address, x.value, y.value)
        if glyph is not None and place == last and letter != " ":
            _add_to_ligature(glyph, letter, index, _glyph(letter, index, x.value, y.value, loose, shared))
            continue
        if glyph is not None:
            yield glyph
        glyph, last = _glyph(letter, index, x.value, y.value, loose, shared), place
        if shared.quarter_turns is not None:
            glyph.end = _advance_end(raw, glyph, loose, shared)
        if shared.font.is_math and hangs(shared.font.name, letter):
            glyph.baseline = _baseline_of_hanging(raw, glyph, shared.quarter_turns)
    if glyph is not None:
        yield glyph


def _letter(raw: Any, index: int, shared: _TextObject) -> str:
    """Return the character at an index of the text page."""
    import pypdfium2.raw as pdfium

    code = pdfium.FPDFText_GetUnicode(raw, index)
    letter = chr(code) if code < 0x110000 else "\ufffd"
    if shared.font.is_math or not letter.isascii():
        is_mapped = pdfium.FPDFText_HasUnicodeMapError(raw, index) == 0
        if shared.font.is_math:
            letter = math_letter(shared.font.name, letter, is_mapped=is_mapped)
        elif not is_mapped and letter.isalpha():
            letter = UNMAPPED  # pdfium returns the code of a ligature as a letter
    return _REPLACED.get(letter, letter)


def _is_drawn_space(raw: Any, index: int, loose: Any) -> bool:
    import pypdfium2.raw as pdfium

    return bool(loose.right > loose.left) and pdfium.FPDFText_IsGenerated(raw, index) != 1


def _add_to_ligature(glyph: Glyph, letter: str, index: int, part: Glyph) -> None:
    """Add a letter that pdfium returns for the same glyph."""
    glyph.index = index
    if letter != SOFT_HYPHEN:
        glyph.text = _ligature(glyph.text, letter)
        glyph.start, glyph.end = min(glyph.start, part.start), max(glyph.end, part.end)


def _ligature(letters: str, letter: str) -> str:
    """Return the letters of one glyph with the next one that pdfium returns for it.

    pdfium reverses the letters of a right-to-left ligature, but not those of a presentation form. The order
    is certain only for lam and alef, the ligature that every Arabic font has.
    """
    if not has_right_to_left(letter):
        return letters + letter
    if letter in ALEFS and letters[0] == LAM:
        return letters[0] + letter + letters[1:]
    return letter + letters


def _text_object(
    raw: Any, index: int, pointer: Any, address: int, loose: Any, fonts: dict[int, _Font]
) -> _TextObject:
    import pypdfium2.raw as pdfium

    font_pointer = pdfium.FPDFTextObj_GetFont(pointer)
    font = ctypes.cast(font_pointer, ctypes.c_void_p).value or 0
    if font not in fonts:
        fonts[font] = _Font(read_font_style(font_pointer))
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(raw, index, matrix)
    font_size = pdfium.FPDFText_GetFontSize(raw, index)
    size = font_size * math.hypot(matrix.c, matrix.d)
    angle = math.atan2(matrix.b, matrix.a) % math.tau
    quarters = round(angle / (math.pi / 2))
    is_quarter = abs(angle - quarters * math.pi / 2) < QUARTER_TURN_TOLERANCE
    if is_quarter:
        angle = quarters % 4 * math.pi / 2
        loose_height = loose.right - loose.left if quarters % 2 else loose.top - loose.bottom
        if fonts[font].size_factor is None and _tells_size(pdfium.FPDFText_GetUnicode(raw, index)):
            fonts[font].size_factor = _size_factor(size, loose_height)
        size *= fonts[font].size_factor or 1.0
    else:
        angle = round(angle, 2)
    cosine, sine = math.cos(angle), math.sin(angle)
    size = max(size, 1e-3)
    style = (font, round(size, 1))
    quarter_turns = quarters % 4 if is_quarter else None
    return _TextObject(
        identifier=address,
        size=size,
        style=style,
        angle=angle,
        cosine=cosine,
        sine=sine,
        quarter_turns=quarter_turns,
        font=fonts[font].style,
        color=_color(pointer),
        raw_font=font_pointer,
        x_scale=max(font_size * math.hypot(matrix.a, matrix.b), 1e-3),
        widths=fonts[font].widths,
    )


def _tells_size(code: int) -> bool:
    """Return whether the height of a letter tells the size of its font: not of 一 and 丶."""
    return code < FIRST_IDEOGRAPH and chr(code).isalnum()


def _size_factor(size: float, loose_height: float) -> float:
    """Return the size of a font's letters in font sizes, from the box of a letter."""
    if loose_height <= 0 or MIN_LOOSE_HEIGHT * size < loose_height < MAX_LOOSE_HEIGHT * size:
        return 1.0
    return loose_height / USUAL_LOOSE_HEIGHT / max(size, 1e-3)


def _color(text_object: Any) -> int:
    """Return the fill color of a text object as 0xRRGGBB."""
    import pypdfium2.raw as pdfium

    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(text_object, red, green, blue, alpha):
        return BLACK
    return red.value << 16 | green.value << 8 | blue.value


def _glyph(letter: str, index: int, x: float, y: float, loose: Any, shared: _TextObject) -> Glyph:
    start = x * shared.cosine + y * shared.sine
    baseline = y * shared.cosine - x * shared.sine
    match shared.quarter_turns:
        case 0:
            end = loose.right
        case 1:
            end = loose.top
        case 2:
            end = -loose.left
        case 3:
            end = -loose.bottom
        case _:
            end = start + (shared.width(letter) or OBLIQUE_ADVANCE * shared.size)
    return Glyph(
        letter,
        start,
        max(start, end),
        baseline,
        shared.size,
        shared.style,
        shared.angle,
        index,
        shared.identifier,
        shared.font,
        shared.color,
    )


def _advance_end(raw: Any, glyph: Glyph, loose: Any, shared: _TextObject) -> float:
    """Return where a glyph ends by its advance.

    pdfium's box is wider if the ink is, and it may be the ink alone.

    It is the ink for text that stands in for another (ActualText), such as small letters for
    capitals. If the font does not tell the width either, the ink is assumed to be as far from the end as from
    the origin.
    """
    origin_distance = _box_start(loose, shared.quarter_turns) - glyph.start
    if MIN_DISTANCE < origin_distance < MAX_BEARING * glyph.size:
        ends = [glyph.start + shared.width(text) for text in (glyph.text, glyph.text.upper())]
        is_near = [abs(end - glyph.end) < MAX_BEARING / 2 * glyph.size for end in ends]
        return next(
            (end for end, near in zip(ends, is_near, strict=True) if near), glyph.end + origin_distance
        )
    if glyph.text >= FIRST_CONTEXTUAL_LETTER:
        return glyph.end
    overhang = glyph.end - glyph.start - shared.width(glyph.text)
    if not MIN_DISTANCE < overhang < MAX_OVERHANG * glyph.size or overhang >= glyph.end - glyph.start:
        return glyph.end
    if abs(_ink_end(raw, glyph.index, shared.quarter_turns) - glyph.end) > MIN_DISTANCE:
        return glyph.end
    return glyph.end - overhang


def _baseline_of_hanging(raw: Any, glyph: Glyph, quarter_turns: int | None) -> float:
    """Return the baseline of the line of a large operator or bracket, whose center is on the axis."""
    import pypdfium2.raw as pdfium

    if quarter_turns:
        return glyph.baseline
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(raw, glyph.index, left, right, bottom, top)
    return (bottom.value + top.value) / 2 - AXIS_HEIGHT * glyph.size


def _box_start(loose: Any, quarter_turns: int | None) -> float:
    starts: tuple[float, ...] = (loose.left, loose.bottom, -loose.right, -loose.top)
    return starts[quarter_turns or 0]


def _ink_end(raw: Any, index: int, quarter_turns: int | None) -> float:
    import pypdfium2.raw as pdfium

    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(raw, index, left, right, bottom, top)
    return (right.value, top.value, -left.value, -bottom.value)[quarter_turns or 0]
