"""Text layer from single glyphs: words, lines and columns of PDFs that a test writes."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Options
from backend_main.reading.documents.document import open_document
from tests.file_corpus.pdfs import document_objects, pdf_from_objects, stream

PAGE = (595, 842)
OTHER_LINE = "Another line with enough characters in it."
HEBREW_CMAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapName /P def /CMapType 2 def 1 begincodespacerange <00> <ff> endcodespacerange
3 beginbfrange <20> <40> <0020> <41> <5a> <05d0> <61> <7a> <0061> endbfrange endcmap end end"""
"""Maps A to Z to Hebrew letters."""
LIGATURE_CMAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CMapName /P def /CMapType 2 def 1 begincodespacerange <00> <ff> endcodespacerange
1 beginbfrange <20> <7a> <0020> endbfrange
2 beginbfchar <58> <fb01> <5a> <00660066006c> endbfchar endcmap end end"""
"""Maps X to the ligature fi, and Z to the letters f, f, l."""


def runs_of(folder: Path, file: bytes) -> list[str]:
    (folder / "x.pdf").write_bytes(file)
    with open_document(folder / "x.pdf", Options()) as document:
        layer = document.text_layer(1)
    assert layer is not None
    return [run.text for run in layer.runs]


def drawn(draw: Callable[[Canvas], None]) -> bytes:
    """Return a PDF with a page that `draw` has drawn on, and with a line below."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=PAGE)
    draw(canvas)
    canvas.setFont("Helvetica", 11)
    canvas.drawString(60, 100, OTHER_LINE)
    canvas.save()
    return file.getvalue()


def draw_each_glyph(canvas: Canvas, text: str, *, size: float, advance: float = 1.0) -> None:
    """Draw a text glyph by glyph, without its spaces, as Skia does; `advance` in advances of the font."""
    x = 60.0
    canvas.setFont("Helvetica", size)
    for letter in text:
        if letter != " ":
            canvas.drawString(x, 740, letter)
        x += stringWidth(letter, "Helvetica", size) * advance


@pytest.mark.parametrize(
    ("text", "advance"),
    [
        ("Total amount due: 1.234,56 EUR until Friday", 1.0),
        ("Text of Terms To You, AVAILABLE Today.", 0.93),
        ("Paid on 2017-Jan-22; see p. 5, no. 7.", 1.0),
    ],
)
@pytest.mark.parametrize("size", [11, 30])
def test_text_layer_of_glyphs_with_a_position_each(
    tmp_path: Path, text: str, advance: float, size: int
) -> None:
    file = drawn(lambda canvas: draw_each_glyph(canvas, text, size=size * 0.9, advance=advance))
    assert runs_of(tmp_path, file) == [text, OTHER_LINE]


@pytest.mark.parametrize("text", ["ANNUAL REPORT", "Tracked text stays one word for each word", "NOTE"])
@pytest.mark.parametrize("spacing", [0.1, 0.18])
def test_text_layer_of_letter_spaced_text(tmp_path: Path, text: str, spacing: float) -> None:
    size = 12  # reportlab's own
    file = drawn(lambda canvas: canvas.drawString(60, 740, text, charSpace=spacing * size))
    assert runs_of(tmp_path, file) == [text, OTHER_LINE]


def test_text_layer_of_letter_spaced_glyphs_without_spaces(tmp_path: Path) -> None:
    file = drawn(lambda canvas: draw_each_glyph(canvas, "ANNUAL REPORT", size=16, advance=1.25))
    assert runs_of(tmp_path, file) == ["ANNUAL REPORT", OTHER_LINE]


@pytest.mark.parametrize("text", ["Yves", "report. Type office"])
def test_text_layer_of_wide_letter_spacing_beside_drawn_spaces(tmp_path: Path, text: str) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 740, text, charSpace=0.35 * 12)
        canvas.drawString(60, 700, "words that have a drawn space between two of them all")

    assert runs_of(tmp_path, drawn(draw))[0] == text


def test_text_layer_of_letters_at_equal_distances_keeps_them_apart(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for index, letter in enumerate("JFMAMJJASOND"):
            canvas.drawCentredString(60 + 13 * index, 740, letter)

    assert runs_of(tmp_path, drawn(draw))[0] == "J F M A M J J A S O N D"


@pytest.mark.parametrize("distance", [0.0, 0.4, 1.0])
def test_text_layer_of_text_drawn_twice(tmp_path: Path, distance: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 14)
        for x in (60, 60 + distance):
            canvas.drawString(x, 740, "Bold hill, 1100 pills")

    assert runs_of(tmp_path, drawn(draw)) == ["Bold hill, 1100 pills", OTHER_LINE]


def test_text_layer_of_glyphs_that_are_each_drawn_twice(tmp_path: Path) -> None:
    text = "Bold hill, 1.100 pills"
    doubled = "".join(letter * 2 for letter in text)

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 14)
        x = 60.0
        for index, letter in enumerate(doubled):
            canvas.drawString(x + 0.3 * (index % 2), 740, letter)
            x += stringWidth(letter, "Helvetica", 14) * (index % 2)

    assert runs_of(tmp_path, drawn(draw)) == [text, OTHER_LINE]


def test_text_layer_of_spaces_at_the_end_of_runs(tmp_path: Path) -> None:
    content = (
        b"BT /F 11 Tf 60 780 Td (Go to ) Tj /G 11 Tf (page 2) Tj /F 11 Tf ( and see the ) Tj "
        b"/G 11 Tf (terms ) Tj /F 11 Tf (of payment there.) Tj ET"
    )
    objects = document_objects(["/MediaBox[0 0 595 842]"], content=content)
    objects[5] = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>"
    objects[10] = str(objects[10]).replace("/F 3 0 R", "/F 3 0 R/G 5 0 R")
    assert runs_of(tmp_path, pdf_from_objects(objects)) == [
        "Go to page 2 and see the terms of payment there."
    ]


def test_text_layer_of_raised_and_lowered_figures(tmp_path: Path) -> None:
    content = (
        b"BT /F 11 Tf 60 780 Td (The area is 25 m) Tj 5 Ts /F 7 Tf (2) Tj 0 Ts /F 11 Tf ( and H) Tj "
        b"-3 Ts /F 7 Tf (2) Tj 0 Ts /F 11 Tf (O is water, note) Tj 5 Ts /F 7 Tf (3) Tj "
        b"0 Ts /F 11 Tf ( below.) Tj ET"
    )
    file = pdf_from_objects(document_objects(["/MediaBox[0 0 595 842]"], content=content))
    assert runs_of(tmp_path, file) == ["The area is 25 m2 and H2O is water, note3 below."]


def test_text_layer_of_raised_figures_of_raised_figures_loses_none(tmp_path: Path) -> None:
    content = (
        b"BT /F 12 Tf 60 780 Td (This is the number e) Tj 5 Ts /F 8 Tf (x) Tj 9 Ts /F 5 Tf (7) Tj "
        b"0 Ts /F 12 Tf ( of it.) Tj ET"
    )
    file = pdf_from_objects(document_objects(["/MediaBox[0 0 595 842]"], content=content))
    text = "".join("".join(runs_of(tmp_path, file)).split())
    assert sorted(text) == sorted("Thisisthenumberex7ofit.")


def test_text_layer_of_a_drop_cap(tmp_path: Path) -> None:
    content = (
        b"BT /F 44 Tf 60 740 Td (R) Tj ET BT /F 11 Tf 14 TL 94 762 Td (ealized through careful engineering "
        b"and) Tj T* (patience, the bridge was opened to the) Tj T* (public in the year after.) Tj ET"
    )
    file = pdf_from_objects(document_objects(["/MediaBox[0 0 595 842]"], content=content))
    assert runs_of(tmp_path, file) == [
        "Realized through careful engineering and",
        "patience, the bridge was opened to the",
        "public in the year after.",
    ]


@pytest.mark.parametrize("gutter", [0.8, 3.0])
def test_text_layer_of_two_columns_separates_them(tmp_path: Path, gutter: float) -> None:
    left = [
        "the airplane is able to continue",
        "safe flight and landing until it",
        "has reached its destination",
    ]
    right = ["On November 7 the authority", "issued a directive as an interim", "corrective action"]
    width, size = max(stringWidth(line, "Helvetica", 11) for line in left), 11

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", size)
        for x, lines in ((60, left), (60 + width + gutter * size, right)):
            for index, line in enumerate(lines):
                canvas.drawString(x, 740 - 13 * index, line)

    assert sorted(runs_of(tmp_path, drawn(draw))) == sorted([*left, *right, OTHER_LINE])


def test_text_layer_of_a_table_row_has_a_run_for_each_cell(tmp_path: Path) -> None:
    cells = ["Cost of revenue", "$ 178", "$ 141", "3,423"]

    def draw(canvas: Canvas) -> None:
        for index, cell in enumerate(cells):
            canvas.drawRightString(200 + 60 * index, 740, cell)

    assert runs_of(tmp_path, drawn(draw)) == [*cells, OTHER_LINE]


def test_text_layer_of_a_line_drawn_from_right_to_left(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        x = 300.0
        for word in reversed(["Words", "that", "are", "drawn", "last", "first"]):
            x -= stringWidth(word, "Helvetica", 11)
            canvas.drawString(x, 740, word)
            x -= 3

    assert runs_of(tmp_path, drawn(draw))[0] == "Words that are drawn last first"


def text_with_font(cmap: str, content: bytes) -> bytes:
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 5 0 R>>"
    objects = document_objects(
        ["/MediaBox[0 0 595 842]"], content=content, more={3: font, 5: stream(cmap.encode())}
    )
    return pdf_from_objects(objects)


@pytest.mark.parametrize("size", [11, 14])
@pytest.mark.parametrize("each", ["word", "glyph"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ABCD", "EFGH", "IJKL", "NPQR", "STUV"], "אבגד הוזח טיךכ םןנס עףפץ"),
        (["ABCD", "EFGH", "2024", "NPQR", "STUV."], "אבגד הוזח 2024 םןנס עףפץ."),
        (["ABCD", "1.234,56", "EFGH", "python word", "QRST"], "אבגד 1.234,56 הוזח python word נסעף"),
    ],
)
def test_text_layer_of_hebrew_is_in_logical_order(
    tmp_path: Path, words: list[str], expected: str, each: str, size: int
) -> None:
    operators, x = [], 540.0
    for word in words:
        is_hebrew = word[0].isupper()
        shown = word[::-1] if is_hebrew else word
        x -= sum(stringWidth(letter, "Helvetica", size) for letter in shown)
        offset = x
        for part in [shown] if each == "word" else shown:
            operators.append(f"BT /F {size} Tf 1 0 0 1 {offset:.2f} 760 Tm ({part}) Tj ET")
            offset += stringWidth(part, "Helvetica", size)
        x -= 0.28 * size
    file = text_with_font(HEBREW_CMAP, "\n".join(operators).encode())
    assert runs_of(tmp_path, file) == [expected]


def test_text_layer_of_ligatures_has_their_letters(tmp_path: Path) -> None:
    file = text_with_font(LIGATURE_CMAP, b"BT /F 11 Tf 60 760 Td (The Xnal waZes cost oZer us Xfty) Tj ET")
    assert runs_of(tmp_path, file) == ["The final waffles cost offler us fifty"]


def test_text_layer_of_hebrew_words_that_overlap_separates_them(tmp_path: Path) -> None:
    width = stringWidth("DCBA", "Helvetica", 14)
    content = (
        f"BT /F 14 Tf 1 0 0 1 400 760 Tm (DCBA) Tj ET "
        f"BT /F 14 Tf 1 0 0 1 {401.3 - width:.2f} 760 Tm (ABCD) Tj ET "
        "BT /F 14 Tf 1 0 0 1 60 700 Tm (ABCD EFGH) Tj ET"
    )
    assert runs_of(tmp_path, text_with_font(HEBREW_CMAP, content.encode()))[0] == "אבגד דגבא"


@pytest.mark.parametrize(
    ("operators", "start", "end", "number"),
    [
        ("4 Tc (1234) Tj 0 Tc", 298, 349, "1234"),
        ("(1 2 3 4) Tj", 294, 341, "4 3 2 1"),
        ("[(1) -900 (2) -900 (3)] TJ", 298, 354, "3 2 1"),
    ],
)
def test_text_layer_of_digits_set_apart_in_hebrew_is_a_number_without_spaces(
    tmp_path: Path, operators: str, start: int, end: int, number: str
) -> None:
    content = (
        f"BT /F 14 Tf 1 0 0 1 {end} 760 Tm (DCBA) Tj ET "
        f"BT /F 14 Tf 1 0 0 1 {start} 760 Tm {operators} ET "
        "BT /F 14 Tf 1 0 0 1 250 760 Tm (HGFE) Tj ET"
    )
    assert runs_of(tmp_path, text_with_font(HEBREW_CMAP, content.encode())) == [f"אבגד {number} הוזח"]


def test_text_layer_of_a_cell_that_runs_on_below_the_next_keeps_both(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        canvas.drawString(60, 740, "Bills no. 133, 132, 139, 138, 143, 140, 142, 141, 146")
        # Both first digits lie on a 2 of the other text.
        x = 60 + stringWidth("Bills no. 133, 13", "Helvetica", 11)
        canvas.drawString(x, 740, "26406576")

    assert runs_of(tmp_path, drawn(draw)) == [
        "Bills no. 133, 132, 139, 138, 143, 140, 142, 141, 146",
        "26406576",
        OTHER_LINE,
    ]
