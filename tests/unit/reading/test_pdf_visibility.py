"""Text of a PDF page that nobody sees is left out, whatever hides it; text that is seen stays."""

from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Options
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pdf_text_layer import TextLayer
from tests.file_corpus.pdfs import stream
from tests.support.drawn_pdfs import LETTER, drawn_page, form_object, image_object, letter, text_at

HIDDEN = text_at(60, 600, "Words that nobody sees")
LAYER_OFF = "/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>"
GRADIENT = (
    "<</Type/Pattern/PatternType 2/Shading<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 600 0]"
    "/Function<</FunctionType 2/Domain[0 1]/C0[1 0 0]/C1[0 0 1]/N 1>>/Extend[true true]>>>>"
)
LAYER = "<</Type/OCG/Name(Hidden)>>"


def layer_of(tmp_path: Path, file: bytes) -> TextLayer:
    (tmp_path / "x.pdf").write_bytes(file)
    with open_document(tmp_path / "x.pdf", Options()) as document:
        layer = document.text_layer(1)
    assert layer is not None
    return layer


def texts(layer: TextLayer) -> list[str]:
    return [run.text for run in layer.runs]


def stripes() -> Image.Image:
    image = Image.new("L", (64, 8), 255)
    image.putdata([255 if x % 8 < 4 else 60 for _ in range(8) for x in range(64)])
    return image


FILES = {
    "white on white": drawn_page(letter() + "1 g " + HIDDEN),
    "color of the fill below": drawn_page(letter() + "0.2 0.4 0.6 rg 50 590 300 30 re f " + HIDDEN),
    "invisible mode": drawn_page(letter() + "BT 3 Tr ET " + HIDDEN),
    "invisible mode over visible text": drawn_page(
        letter() + "BT 3 Tr ET " + text_at(60, 780, "Words that nobody sees")
    ),
    "white over visible text": drawn_page(letter() + "1 g " + text_at(60, 780, "Words that nobody sees")),
    "transparent": drawn_page(letter() + "/G gs " + HIDDEN, resources="/ExtGState<</G<</ca 0/CA 0>>>>"),
    "clipped away": drawn_page(letter() + "q 0 0 10 10 re W n " + HIDDEN + " Q"),
    "under a black bar": drawn_page(letter() + HIDDEN + "0 g 50 590 300 30 re f"),
    "under a white bar": drawn_page(letter() + HIDDEN + "1 g 50 590 300 30 re f"),
    "under an image": drawn_page(
        letter() + HIDDEN + "q 300 0 0 30 50 590 cm /I Do Q",
        resources="/XObject<</I 10 0 R>>",
        more={10: image_object(stripes())},
    ),
    "in a layer that is off": drawn_page(
        letter() + "/OC /L BDC " + HIDDEN + " EMC",
        resources="/Properties<</L 10 0 R>>",
        catalog=LAYER_OFF,
        more={10: LAYER},
    ),
    "in a form of a layer that is off": drawn_page(
        letter() + "/X Do",
        resources="/XObject<</X 11 0 R>>",
        catalog=LAYER_OFF,
        more={
            10: LAYER,
            11: stream(
                HIDDEN.encode(),
                "/Type/XObject/Subtype/Form/BBox[0 0 595 842]/OC 10 0 R/Resources<</Font<</F 3 0 R>>>>",
            ),
        },
    ),
    "outside of the crop box": drawn_page(
        letter() + text_at(60, 20, "Words that nobody sees"), entries="/CropBox[0 100 595 842]"
    ),
    "white in a form": drawn_page(
        letter() + "/X Do",
        resources="/XObject<</X 10 0 R>>",
        more={10: form_object("1 g " + HIDDEN, "0 0 595 842")},
    ),
    "too small to read": drawn_page(letter() + text_at(60, 600, "Words that nobody sees", size=0.5)),
}


@pytest.mark.parametrize("name", FILES)
def test_text_layer_leaves_out_hidden_text(tmp_path: Path, name: str) -> None:
    assert texts(layer_of(tmp_path, FILES[name])) == list(LETTER)


SEEN = text_at(60, 600, "Words that are seen")


@pytest.mark.parametrize(
    "content",
    [
        "0 0 0.3 rg 50 590 300 30 re f 1 g " + SEEN,
        "0 0.5 0 rg 50 590 300 30 re f 0.98 0 0 rg " + SEEN,
        "0.9 g " + SEEN,
        "0 G 1 g BT 2 Tr ET " + SEEN,
        "0.8 g 50 590 300 30 re f 0 g " + SEEN,
        "/OC /L BDC " + SEEN + " EMC",
        "/Pattern cs /P scn " + SEEN,
    ],
    ids=[
        "white on dark",
        "equal gray levels",
        "pale",
        "white with an outline",
        "on a fill",
        "layer that is on",
        "gradient",
    ],
)
def test_text_layer_keeps_text_that_is_seen(tmp_path: Path, content: str) -> None:
    file = drawn_page(
        letter() + content,
        resources="/Properties<</L 10 0 R>>/Pattern<</P 11 0 R>>",
        catalog="/OCProperties<</OCGs[10 0 R]/D<</ON[10 0 R]>>>>",
        more={10: LAYER, 11: GRADIENT},
    )
    assert texts(layer_of(tmp_path, file)) == [*LETTER, "Words that are seen"]


def test_text_layer_keeps_the_part_of_a_line_that_its_clip_leaves(tmp_path: Path) -> None:
    clipped = "q 50 590 37 30 re W n " + text_at(60, 600, "Seen unseen") + "Q"
    assert texts(layer_of(tmp_path, drawn_page(letter() + clipped))) == [*LETTER, "Seen"]


def test_text_layer_keeps_a_word_that_the_page_edge_cuts(tmp_path: Path) -> None:
    cut = text_at(560, 600, "Winogrande 52.76")
    assert texts(layer_of(tmp_path, drawn_page(letter() + cut))) == [*LETTER, "Winogrande"]


def test_text_layer_keeps_letters_of_a_page_that_is_too_large_to_show_them(tmp_path: Path) -> None:
    huge = drawn_page(letter(), box="0 0 200000 100000")
    assert texts(layer_of(tmp_path, huge)) == list(LETTER)


def test_text_layer_keeps_letters_whose_font_this_machine_lacks(tmp_path: Path) -> None:
    """pdfium cannot draw them, unless the machine has the font; that does not make them hidden."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    canvas = Canvas(str(tmp_path / "cid.pdf"))
    canvas.setFont("HeiseiMin-W3", 14)
    canvas.drawString(60, 700, "吾輩は猫である")
    canvas.setFont("Helvetica", 12)
    canvas.drawString(60, 600, LETTER[0])
    canvas.save()
    assert texts(layer_of(tmp_path, (tmp_path / "cid.pdf").read_bytes())) == ["吾輩は猫である", LETTER[0]]


def test_text_layer_keeps_letters_of_a_missing_font_whose_latin_letters_are_drawn(tmp_path: Path) -> None:
    """A form in two languages has one font that is not embedded; some letters lie on the ink of others."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    canvas = Canvas(str(tmp_path / "cid.pdf"))
    canvas.setFont("HeiseiMin-W3", 14)
    for place, line in enumerate(("Name (氏名):", "Address (住所):", "Date (年月日):")):
        canvas.drawString(60, 700 - 20 * place, line)
    canvas.rect(128, 655, 20, 25)  # over a part of the address
    canvas.save()
    found = " ".join(texts(layer_of(tmp_path, (tmp_path / "cid.pdf").read_bytes())))
    assert [word for word in ("氏名", "住所", "年月日") if word not in found] == []
