"""Font for text that is selected and searched but not seen.

Its codes are those of Unicode's first plane, so one font has every script. The codes of surrogates, which are
not characters, stand for the characters of other planes that a document has.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from .pdf_writer import PdfWriter

FONT_FILE = "invisible.ttf"
"""Made by `tools/make_invisible_font.py`."""
GLYPH_WIDTH, EM = 500, 1000
"""Width of each glyph, in thousandths of the font size."""
CODES = 1 << 16
FIRST_SURROGATE, SURROGATES = 0xD800, 0x800
REPLACEMENT = 0xFFFD
MAX_ROWS = 100
"""Rows in one section of a CMap (Adobe Technical Note 5014, 1.4.2)."""
CMAP_HEAD = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
"""
CMAP_TAIL = b"""endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class TextCodes:
    """Codes of the characters of a document."""

    def __init__(self) -> None:
        self.others: dict[str, int] = {}
        """Codes of characters beyond the first plane."""

    def encode(self, text: str) -> bytes:
        """Return the codes of a text, two bytes each."""
        return b"".join(map(self._encode, text))

    def _encode(self, letter: str) -> bytes:
        code = ord(letter)
        if code >= CODES and letter not in self.others and len(self.others) == SURROGATES:
            code = REPLACEMENT
        elif code >= CODES:
            code = self.others.setdefault(letter, FIRST_SURROGATE + len(self.others))
        return code.to_bytes(2)


def write_font(writer: PdfWriter, number: int, codes: TextCodes) -> None:
    """Write the font as the object `number`, with the objects that it needs, once all text has its codes."""
    descendant, descriptor = writer.new_number(), writer.new_number()
    file, glyphs, letters = writer.new_number(), writer.new_number(), writer.new_number()
    writer.write_object(
        number,
        b"<</Type/Font/Subtype/Type0/BaseFont/ScanrillInvisible/Encoding/Identity-H"
        b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (descendant, letters),
    )
    writer.write_object(
        descendant,
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/ScanrillInvisible/CIDToGIDMap %d 0 R/DW %d"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R>>"
        % (glyphs, GLYPH_WIDTH, descriptor),
    )
    # The box of a letter reaches from the baseline to the font size: a word's baseline is its lower side.
    writer.write_object(
        descriptor,
        b"<</Type/FontDescriptor/FontName/ScanrillInvisible/Flags 5/FontBBox[0 0 %d %d]/ItalicAngle 0"
        b"/Ascent %d/Descent -1/CapHeight %d/StemV 80/FontFile2 %d 0 R>>" % (GLYPH_WIDTH, EM, EM, EM, file),
    )
    content = font_file()
    writer.write_compressed(file, content, b"/Length1 %d" % len(content))
    writer.write_compressed(glyphs, b"\0\1" * CODES)  # each code has the same glyph
    writer.write_compressed(letters, unicode_map(codes.others))


@cache
def font_file() -> bytes:
    """Return the TrueType file."""
    return resources.files(__package__).joinpath(FONT_FILE).read_bytes()


def unicode_map(others: Mapping[str, int]) -> bytes:
    """Return the CMap of the codes. A range keeps its first byte (ISO 32000-1, 9.10.3)."""
    firsts = [first for first in range(CODES >> 8) if first not in range(0xD8, 0xE0)]
    rows = [b"<%02X00> <%02XFF> <%02X00>\n" % (first, first, first) for first in firsts]
    letters = [b"<%04X> <%b>\n" % (code, _utf_16(letter)) for letter, code in others.items()]
    return b"".join([CMAP_HEAD, *_sections(b"bfrange", rows), *_sections(b"bfchar", letters), CMAP_TAIL])


def _sections(kind: bytes, rows: list[bytes]) -> Iterator[bytes]:
    for start in range(0, len(rows), MAX_ROWS):
        part = rows[start : start + MAX_ROWS]
        yield b"%d begin%b\n%bend%b\n" % (len(part), kind, b"".join(part), kind)


def _utf_16(letter: str) -> bytes:
    return letter.encode("utf-16-be").hex().upper().encode()
