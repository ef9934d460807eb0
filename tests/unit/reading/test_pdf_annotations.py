"""Form values, stamps and notes of a PDF page are in its text, in place."""

from pathlib import Path

import pytest

from backend_main.reading import Options, PageDone, load_engine, read
from backend_main.reading.documents.document import PdfDocument, open_document
from backend_main.reading.documents.pdf_annotations import UNCHECKED
from backend_main.reading.documents.pdf_text_layer import TextLayer
from tests.file_corpus.pdfs import stream
from tests.support.drawn_pdfs import LETTER, drawn_page, form_object, letter, text_at

LABELS = text_at(60, 780, "Application for membership") + "".join(
    text_at(x, y, label)
    for x, y, label in (
        (60, 750, "Name:"),
        (60, 720, "City:"),
        (80, 680, "Married"),
        (80, 660, "Single"),
        (60, 630, "Color:"),
        (60, 600, "Secret:"),
    )
)
FIELDS = "10 0 R 11 0 R 12 0 R 13 0 R 14 0 R 15 0 R"
CHECKED_LOOK = "q BT /Z 10 Tf 1 2 Td (4) Tj ET 0 0 12 12 re S Q"


def widget(kind: str, value: str, rect: str, more: str, flags: int = 4) -> str:
    """Return a field. Its name is its place: fields of one name have one value."""
    return (
        f"<</Type/Annot/Subtype/Widget/FT/{kind}/T({rect})/V{value}/Rect[{rect}]/F {flags}/P 5 0 R"
        f"/DA(/F 11 Tf 0 g){more}>>"
    )


def check_box(state: str, rect: str) -> str:
    return widget("Btn", f"/{state}", rect, f"/AS/{state}/AP<</N<</Yes 20 0 R/Off 21 0 R>>>>")


def form(*, generated: bool) -> bytes:
    """Return a filled form. `generated`: the viewer has to draw all values (`NeedAppearances`)."""
    return drawn_page(
        LABELS,
        entries=f"/Annots[{FIELDS}]",
        catalog=(
            f"/AcroForm<</Fields[{FIELDS}]/NeedAppearances {str(generated).lower()}"
            "/DR<</Font<</F 3 0 R>>>>/DA(/F 11 Tf 0 g)>>"
        ),
        more={
            10: widget("Tx", "(Ada Lovelace)", "140 745 340 765", ""),
            11: widget("Tx", "(London)", "140 715 340 735", "/AP<</N 23 0 R>>"),
            12: check_box("Yes", "60 678 72 690"),
            13: check_box("Off", "60 658 72 670"),
            14: widget("Ch", "(Red)", "140 626 340 646", "/Ff 131072/Opt[(Red)(Green)]"),
            15: widget("Tx", "(unseen value)", "140 598 340 618", "", flags=2),
            20: form_object(CHECKED_LOOK, "0 0 12 12", "/Font<</Z 22 0 R>>"),
            21: form_object("0 0 12 12 re S", "0 0 12 12"),
            22: "<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>",
            23: form_object("q BT /F 11 Tf 2 5 Td (London) Tj ET Q", "0 0 200 20"),
        },
    )


def markdown(tmp_path: Path, file: bytes) -> str:
    (tmp_path / "x.pdf").write_bytes(file)
    engine = load_engine("dummy")
    (done,) = (event for event in read(tmp_path / "x.pdf", Options(), engine) if isinstance(event, PageDone))
    assert done.warnings == []
    return done.markdown


@pytest.mark.parametrize("generated", [True, False])
def test_form_values_and_check_boxes_are_beside_their_labels(tmp_path: Path, *, generated: bool) -> None:
    text = " ".join(markdown(tmp_path, form(generated=generated)).split())
    expected = "Name: Ada Lovelace City: London [x] Married [ ] Single Color: Red Secret:"
    assert text == f"Application for membership {expected}"


STAMP = "<</Type/Annot/Subtype/Stamp/Rect[300 600 540 620]/F 4/AP<</N 14 0 R>>>>"
FREE_TEXT = "<</Type/Annot/Subtype/FreeText/Contents(pay only half)/DA(/F 12 Tf)/Rect[60 640 300 660]/F 4{}>>"
NOTE = "<</Type/Annot/Subtype/Text/Contents(Is this {})/T({})/Rect[400 770 420 790]/F {}>>"
LINK = "<</Type/Annot/Subtype/Link/Rect[60 770 200 790]/A<</S/URI/URI(https://example.com)>>>>"


def test_form_value_in_large_print_is_not_a_heading(tmp_path: Path) -> None:
    value = form_object("q BT /F 24 Tf 2 2 Td (Ada Lovelace) Tj ET Q", "0 0 200 30")
    first = widget("Tx", "(Ada Lovelace)", "60 705 260 735", "/AP<</N 11 0 R>>")
    second = widget("Tx", "(Ada Lovelace)", "300 705 500 735", "/AP<</N 11 0 R>>")
    file = drawn_page(
        letter() + text_at(60, 740, "Name of the member:"),
        entries="/Annots[10 0 R 12 0 R]",
        catalog="/AcroForm<</Fields[10 0 R 12 0 R]/DR<</Font<</F 3 0 R>>>>/DA(/F 24 Tf 0 g)>>",
        more={10: first, 11: value, 12: second},
    )
    text = markdown(tmp_path, file)
    assert text.count("Ada Lovelace") == 2
    assert "# Ada" not in text


def annotated(*annotations: str) -> bytes:
    references = " ".join(f"{10 + index} 0 R" for index in range(len(annotations)))
    more: dict[int, str | bytes] = dict(enumerate(annotations, 10))
    more[14] = form_object("q BT /F 11 Tf 2 5 Td (CANCELLED on 5 March) Tj ET Q", "0 0 240 20")
    more[15] = form_object("q BT /F 11 Tf 2 5 Td (Approved, pay half) Tj ET Q", "0 0 240 20")
    return drawn_page(letter(), entries=f"/Annots[{references}]", more=more)


def layer_of(tmp_path: Path, file: bytes) -> TextLayer:
    (tmp_path / "x.pdf").write_bytes(file)
    with open_document(tmp_path / "x.pdf", Options()) as document:
        layer = document.text_layer(1)
    assert layer is not None
    return layer


def test_stamps_and_free_text_are_lines_at_their_place(tmp_path: Path) -> None:
    layer = layer_of(tmp_path, annotated(STAMP, FREE_TEXT.format("/AP<</N 15 0 R>>")))
    found = {run.text: run.box for run in layer.runs}
    assert list(found) == [*LETTER, "Approved, pay half", "CANCELLED on 5 March"]
    scale = layer.width / 595
    (left, top), _, (_, bottom), _ = found["CANCELLED on 5 March"]
    assert left == pytest.approx(302 * scale, abs=2)
    assert top < (842 - 605) * scale < bottom
    assert layer.unread_areas == ()


def test_free_text_without_appearance_is_read_from_its_contents(tmp_path: Path) -> None:
    assert "pay only half" in [run.text for run in layer_of(tmp_path, annotated(FREE_TEXT.format(""))).runs]


def test_notes_are_quotes_with_their_author(tmp_path: Path) -> None:
    file = annotated(
        NOTE.format("right?", "Ada", 4), NOTE.format("sure?", "", 4), NOTE.format("hidden?", "", 2)
    )
    assert markdown(tmp_path, file).split("\n\n")[1:] == [
        "> Note by Ada: Is this right?",
        "> Note: Is this sure?",
    ]


def test_flattening_leaves_the_links_of_the_file_in_place(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(annotated(STAMP, LINK))
    document = PdfDocument(tmp_path / "x.pdf", Options())
    assert document.text_layer(1) is not None
    page = document._pages.page(1)
    assert UNCHECKED not in page.get_textpage().get_text_range()
    import pypdfium2.raw as pdfium

    assert pdfium.FPDFPage_GetAnnotCount(page.raw) == 2
    page.close()
    document.close()


def test_pattern_of_words_in_an_annotation_is_unread(tmp_path: Path) -> None:
    """The engine reads the part of an annotation that is not text, like any other picture."""
    pattern = stream(
        text_at(0, 4, "PATTERN words", size=14).encode(),
        "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 200 20]/XStep 200/YStep 20"
        "/Resources<</Font<</F 3 0 R>>>>",
    )
    look = form_object("/Pattern cs /P scn 0 0 200 20 re f", "0 0 200 20", "/Pattern<</P 15 0 R>>")
    file = drawn_page(
        letter(),
        entries="/Annots[10 0 R]",
        more={10: STAMP.replace("540", "500"), 14: look, 15: pattern},
    )
    layer = layer_of(tmp_path, file)
    assert [run.text for run in layer.runs] == list(LETTER)
    assert len(layer.unread_areas) == 1
