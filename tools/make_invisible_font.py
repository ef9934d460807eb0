"""Make the font of searchable PDFs: one glyph, a rectangle from the baseline to the font size.

The text is invisible. The outline gives each letter its box, from which programs find out lines and words.

    python -m tools.make_invisible_font backend_main/reading/searchable_pdf/invisible.ttf
"""

import sys
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

EM, WIDTH = 1000, 500
NAME = "ScanrillInvisible"


def make_font(path: Path) -> None:
    """Write the font as TrueType, without hints, names of glyphs and times."""
    pen = TTGlyphPen(None)
    corners = [(0, 0), (0, EM), (WIDTH, EM), (WIDTH, 0)]
    pen.moveTo(corners[0])
    for corner in corners[1:]:
        pen.lineTo(corner)
    pen.closePath()
    font = FontBuilder(EM, isTTF=True)
    font.setupGlyphOrder([".notdef", "box"])
    font.setupCharacterMap({0x20: "box"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "box": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (0, 0), "box": (WIDTH, 0)})
    font.setupHorizontalHeader(ascent=EM, descent=-1)
    font.setupNameTable({"familyName": NAME, "styleName": "Regular", "psName": NAME})
    font.setupOS2(sTypoAscender=EM, usWinAscent=EM, usWinDescent=1)
    font.setupPost(keepGlyphNames=False)
    font.updateHead(created=0, modified=0)
    font.font.recalcTimestamp = False
    font.save(path)


if __name__ == "__main__":
    make_font(Path(sys.argv[1]))
