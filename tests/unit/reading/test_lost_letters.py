"""Text layers in which some letters of a word have no mapping, in a font of their own."""

import pypdfium2
import pytest

from backend_main.reading.documents.pdf_text_layer import TextLayer, extract_text_layer
from tests.file_corpus.pdfs import stream
from tests.support.drawn_pdfs import FONT, PAGE, drawn_page, text_at
from tests.unit.reading.test_mixed_pages import Z_LOST

LINES = ("The quick brown fox jumps over the dog", "and the lazy sheep sleeps at the edge", "and z alone")
FONTS = "<</F 3 0 R/G 11 0 R>>"


def layer_with(other_font: str) -> TextLayer:
    """Return the layer of a page that draws each z in a second font, without a mapping."""
    content = text_at(60, 700, *LINES).replace("z", ") Tj /G 11 Tf (z) Tj /F 11 Tf (")
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font{FONTS}>>>>"
    font = FONT.format("/ToUnicode 10 0 R").replace("Helvetica", other_font)
    file = drawn_page(content, more={PAGE: page, 10: stream(Z_LOST.encode()), 11: font})
    with pypdfium2.PdfDocument(file) as pdf:
        layer = extract_text_layer(pdf[0], 200 / 72)
    assert layer is not None
    return layer


@pytest.mark.parametrize(("font", "expected"), [("Helvetica", (1,)), ("ZapfDingbats", ())])
def test_text_layer_with_unmapped_glyph_in_a_word_names_the_line(
    font: str, expected: tuple[int, ...]
) -> None:
    """A subset of TeX's fonts may hold one ligature. A sign of another font is not a letter."""
    layer = layer_with(font)
    assert layer.with_lost_letters == expected
    assert layer.runs[2].text == "and alone"


def test_text_layer_with_unmapped_glyphs_beside_signs_names_the_line() -> None:
    """A wrong map gives “zz<zz” for “40Y ♦”: no letter is left, and most glyphs have no mapping."""
    content = text_at(60, 700, *["The quick brown fox jumps over the dog"] * 8, "zz<zz")
    file = drawn_page(content, font_entries="/ToUnicode 10 0 R", more={10: stream(Z_LOST.encode())})
    with pypdfium2.PdfDocument(file) as pdf:
        layer = extract_text_layer(pdf[0], 200 / 72)
    assert layer is not None
    assert [layer.runs[index].text for index in layer.with_lost_letters] == ["\ufffd\ufffd<\ufffd\ufffd"]
