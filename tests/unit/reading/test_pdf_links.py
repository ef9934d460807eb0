"""Links of a page with a text layer, and pages whose text is rotated as a whole."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Options
from backend_main.reading.born_digital.assembly import DigitalAssembly
from backend_main.reading.born_digital.document_context import context_of
from backend_main.reading.documents.document import open_document

SENTENCE = "This sentence stands on every page, so that it has enough text."
ADDRESS = "https://example.com/a_(b)?q=1"


def markdown_of(folder: Path, draw: Callable[[Canvas], None], *, turn: int = 0) -> str:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842))
    canvas.setPageRotation(turn)
    draw(canvas)
    canvas.save()
    (folder / "x.pdf").write_bytes(file.getvalue())
    with open_document(folder / "x.pdf", Options()) as document:
        layer = document.text_layer(1)
        assert layer is not None
        return DigitalAssembly(layer, 1, context_of(document)).formatted().markdown


def linked(canvas: Canvas, address: str, text: str = "the report") -> None:
    canvas.setFont("Helvetica", 11)
    canvas.drawString(60, 740, SENTENCE)
    canvas.drawString(60, 700, f"See {text}, please.")
    left = 60 + stringWidth("See ", "Helvetica", 11)
    canvas.linkURL(address, (left, 697, left + stringWidth(text, "Helvetica", 11), 710), relative=0)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (ADDRESS, "See [the report](https://example.com/a_%28b%29?q=1), please."),
        ("mailto:info@example.com", "See [the report](mailto:info@example.com), please."),
        ("tel:+4930123", "See [the report](tel:+4930123), please."),
    ],
)
def test_links_with_a_safe_address_are_markdown(tmp_path: Path, address: str, expected: str) -> None:
    assert expected in markdown_of(tmp_path, lambda canvas: linked(canvas, address))


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "../a",
        "https://example.com/a b",
    ],
)
def test_links_with_another_address_are_text(tmp_path: Path, address: str) -> None:
    markdown = markdown_of(tmp_path, lambda canvas: linked(canvas, address))
    assert "See the report, please." in markdown
    assert "](" not in markdown


def test_links_whose_text_is_the_address_stay_bare(tmp_path: Path) -> None:
    address = "https://example.com"
    markdown = markdown_of(tmp_path, lambda canvas: linked(canvas, f"{address}/", address))
    assert "See https://example.com, please." in markdown


def test_links_into_the_document_are_text(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.bookmarkPage("start")
        canvas.drawString(60, 740, SENTENCE)
        canvas.drawString(60, 700, "See above.")
        canvas.linkRect("", "start", (60, 697, 120, 712))

    assert "See above." in markdown_of(tmp_path, draw)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_page_whose_text_is_rotated_as_a_whole_is_read_in_its_frame(
    tmp_path: Path, angle: int, turn: int
) -> None:
    lines = ["The first line of the page.", "The second line goes on here", "and ends in the third one."]

    def draw(canvas: Canvas) -> None:
        canvas.translate(297, 421)
        canvas.rotate(angle)
        canvas.setFont("Helvetica-Bold", 20)
        canvas.drawString(-150, 100, "Title")
        canvas.setFont("Helvetica", 11)
        for place, line in enumerate(lines):
            canvas.drawString(-150, 60 - 14 * place, line)
            canvas.drawString(-150, -20 - 14 * place, line)

    assert markdown_of(tmp_path, draw, turn=turn).split() == ["#", "Title", *" ".join(lines * 2).split()]
