"""Font for text that is selected and searched but not seen.

Its codes are UTF-16, so one font has every script, and a viewer finds the letters without a table of ours.
"""

from functools import cache
from importlib import resources

from .pdf_writer import PdfWriter

FONT_FILE = "invisible.ttf"
"""Made by `tools/make_invisible_font.py`."""
GLYPH_WIDTH, EM = 500, 1000
"""Width of each glyph, in thousandths of the font size."""
CODES = 1 << 16
MAX_RANGES = 100
"""Ranges in one section of a CMap (Adobe Technical Note 5014, 1.4.2)."""
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


def write_font(writer: PdfWriter, number: int) -> None:
    """Write the font as the object `number`, with the objects that it needs."""
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
    writer.write_compressed(letters, unicode_map())


@cache
def font_file() -> bytes:
    """Return the TrueType file."""
    return resources.files(__package__).joinpath(FONT_FILE).read_bytes()


@cache
def unicode_map() -> bytes:
    """Return the CMap that maps each code to itself. A range keeps its first byte (ISO 32000-1, 9.10.3)."""
    rows = [b"<%02X00> <%02XFF> <%02X00>\n" % (first, first, first) for first in range(CODES >> 8)]
    sections = (rows[start : start + MAX_RANGES] for start in range(0, len(rows), MAX_RANGES))
    ranges = (b"%d beginbfrange\n%bendbfrange\n" % (len(part), b"".join(part)) for part in sections)
    return CMAP_HEAD + b"".join(ranges) + CMAP_TAIL
