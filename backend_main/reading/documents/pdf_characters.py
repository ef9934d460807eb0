"""Glyphs of a PDF page with their positions, in the order of the page's content.

pdfium's rectangles of text overlap where glyphs are kerned. Its order of right-to-left text depends on how a
program wrote it. So text is built from single glyphs. A call of pdfium costs about half a microsecond, so
properties of a text object are requested once for the object.
"""

import ctypes
import unicodedata
from collections.abc import Iterator
from typing import Any

from ...control_characters import remove_controls
from ..languages import has_right_to_left
from .pdf_copies import without_copies
from .pdf_glyph import Glyph as Glyph
from .pdf_math_fonts import hangs, math_letter, symbol_letter
from .pdf_text_objects import TextObject, TextObjects

LINE_END_HYPHENS = "\x02\ufffe"
"""pdfium's characters for a hyphen at the end of a line."""
_REPLACED = {**dict.fromkeys(LINE_END_HYPHENS, "-"), "\t": " ", "\u00a0": " "}
_LINE_ENDS = frozenset("\r\n")
"""Not drawn. A font for formulas may use their codes."""
_LETTERLESS_CATEGORIES = frozenset({"Cc", "Cs", "Cn"})
"""A glyph with a code of these has lost its letter. Hidden characters of other categories are not drawn."""
LAM, ALEFS = "\u0644", "\u0627\u0622\u0623\u0625\u0671"
OBLIQUE_ADVANCE = 0.5
"""In font sizes: used for an obliquely rotated glyph if the font does not tell its width."""
MAX_OVERHANG = 0.45
"""In font sizes: ink of an f or of an italic letter that reaches over the next letter or space."""
MAX_BEARING = 0.2
"""In font sizes: distance from the origin of a glyph to its ink."""
MIN_LOOSE_HEIGHT = 0.9
"""In font sizes: ascent and descent of a font together are more. Capitals have 0.73."""
MIN_DISTANCE = 0.01
"""In points: smaller distances are rounding."""
FIRST_CONTEXTUAL_LETTER = "\u0590"
"""Start of Hebrew and of the scripts whose letters have several forms; a font tells the width of one."""
AXIS_HEIGHT = 0.25
"""In font sizes: height above the baseline of the bar of a fraction (Computer Modern: 0.25)."""
UNMAPPED = "\ufffd"
SOFT_HYPHEN = "\u00ad"


def read_glyphs(textpage: Any) -> list[Glyph]:
    """Return the page's glyphs in content order, without copies that are drawn in the same place."""
    return without_copies(list(_glyphs(textpage)))


def count_letters(page: Any) -> int:
    """Return the number of characters of a page that are not white space, mapped to letters or not."""
    textpage = page.get_textpage()
    try:
        return sum(len("".join(glyph.text.split())) for glyph in read_glyphs(textpage))
    finally:
        textpage.close()


def _glyphs(textpage: Any) -> Iterator[Glyph]:
    """Yield the glyphs; the characters of one ligature have one object and one origin."""
    import pypdfium2.raw as pdfium

    raw = textpage.raw
    loose = pdfium.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    objects = TextObjects(raw)
    glyph, last = None, None
    for index in range(textpage.count_chars()):
        pointer = pdfium.FPDFText_GetTextObject(raw, index)
        if (address := ctypes.cast(pointer, ctypes.c_void_p).value) is None:
            continue  # a space or a line end that pdfium has added
        pdfium.FPDFText_GetLooseCharBox(raw, index, loose)
        shared = objects.get(index, pointer, address, loose)
        letter = _letter(raw, index, shared)
        if not letter or letter in _LINE_ENDS or (letter == " " and not _is_drawn_space(raw, index, loose)):
            continue
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        place = (address, x.value, y.value)
        if glyph is not None and place == last and letter != " ":
            part = _glyph(letter, index, x.value, y.value, loose, shared)
            _add_to_ligature(glyph, part, shared)
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


def _letter(raw: Any, index: int, shared: TextObject) -> str:
    """Return the character at an index of the text page, "" for one that is not drawn."""
    import pypdfium2.raw as pdfium

    code = pdfium.FPDFText_GetUnicode(raw, index)
    letter = chr(code) if code < 0x110000 else "\ufffd"
    if shared.font.is_math or not letter.isascii():
        is_mapped = pdfium.FPDFText_HasUnicodeMapError(raw, index) == 0
        if shared.font.is_math:
            letter = math_letter(shared.font.name, letter, is_mapped=is_mapped)
        elif not is_mapped and letter.isalpha():
            letter = UNMAPPED  # pdfium returns the code of a ligature as a letter
        letter = symbol_letter(shared.font.name, letter)
    letter = _REPLACED.get(letter, letter)
    if letter.isprintable() or letter in _LINE_ENDS or remove_controls(letter) == letter:
        return letter
    return UNMAPPED if unicodedata.category(letter) in _LETTERLESS_CATEGORIES else ""


def _is_drawn_space(raw: Any, index: int, loose: Any) -> bool:
    import pypdfium2.raw as pdfium

    return bool(loose.right > loose.left) and pdfium.FPDFText_IsGenerated(raw, index) != 1


def _add_to_ligature(glyph: Glyph, part: Glyph, shared: TextObject) -> None:
    """Add a letter that pdfium returns for the same glyph."""
    glyph.index = part.index
    if unicodedata.combining(part.text):  # its box is a part of that of the letter
        glyph.end = max(glyph.end, glyph.start + shared.width(glyph.text[0]))
    if part.text != SOFT_HYPHEN:
        glyph.text = _ligature(glyph.text, part.text)
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


def _glyph(letter: str, index: int, x: float, y: float, loose: Any, shared: TextObject) -> Glyph:
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


def _advance_end(raw: Any, glyph: Glyph, loose: Any, shared: TextObject) -> float:
    """Return where a glyph ends by its advance.

    pdfium's box is wider if the ink is, and it may be the ink alone.

    It is the ink for text that stands in for another (ActualText), such as small letters for capitals. Ink is
    assumed to be as far from the end as from the origin; the advance of the letter or its capital is exact.
    """
    distance = _box_start(loose, shared.quarter_turns) - glyph.start
    if MIN_DISTANCE < distance < MAX_BEARING * glyph.size or (
        -MAX_BEARING * glyph.size < distance < -MIN_DISTANCE and _is_ink_alone(loose, shared)
    ):
        expected = glyph.end + distance
        ends = [glyph.start + shared.width(text) for text in (glyph.text, glyph.text.upper())]
        nearest = min(ends, key=lambda end: abs(end - expected))
        return nearest if abs(nearest - expected) < MAX_BEARING / 2 * glyph.size else expected
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


def _is_ink_alone(loose: Any, shared: TextObject) -> bool:
    """Return whether the box of a glyph is lower than a line: not one from ascent to descent of the font."""
    height = loose.right - loose.left if (shared.quarter_turns or 0) % 2 else loose.top - loose.bottom
    return bool(height < MIN_LOOSE_HEIGHT * shared.size)


def _box_start(loose: Any, quarter_turns: int | None) -> float:
    starts: tuple[float, ...] = (loose.left, loose.bottom, -loose.right, -loose.top)
    return starts[quarter_turns or 0]


def _ink_end(raw: Any, index: int, quarter_turns: int | None) -> float:
    import pypdfium2.raw as pdfium

    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(raw, index, left, right, bottom, top)
    return (right.value, top.value, -left.value, -bottom.value)[quarter_turns or 0]
