"""Searchable PDF from a PDF: the original stays as it is, and pages that lack text get some."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading.errors import UnreadableFile
from backend_main.reading.searchable_pdf import PdfParts, TextPage, original_parts, receive_parts
from backend_main.reading.types import Line, Options, level_box
from tests.support.searchable_pdfs import (
    overlap,
    page_text,
    placed_line,
    problems,
    rectangle_around,
    searchable_pdf,
    words_of_page,
)

SIZE = (600, 800)
"""Size of a page in points, and of its image in pixels."""
PRINTED, SCANNED = "Printed by a program", "words of a scan"
SAVED = {
    "table": {"object_stream_mode": pikepdf.ObjectStreamMode.disable},
    "table_stream": {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
    "linearized": {"linearize": True},
    "qdf": {"qdf": True},
}


def _canvas(draw: Callable[[Canvas], None]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=SIZE, invariant=True)
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def _mixed(canvas: Canvas) -> None:
    """Draw a page with text, and a page that is a picture."""
    canvas.drawString(50, 700, PRINTED)
    canvas.showPage()
    canvas.drawInlineImage(Image.new("L", (60, 80), 200), 0, 0, *SIZE)
    canvas.showPage()


def _resaved(content: bytes, **options: object) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.save(buffer, **options)
    return buffer.getvalue()


def _file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "original.pdf"
    path.write_bytes(content)
    return path


def _printed_page() -> TextPage:
    line = Line(1, PRINTED, PRINTED, level_box(50, 85, 200, 100))
    return TextPage(1, *SIZE, [line])


def _scanned_page(number: int = 2) -> TextPage:
    return TextPage(number, *SIZE, [placed_line(SCANNED, 100, 200, width=300, height=24)])


@pytest.mark.parametrize("kind", SAVED)
def test_original_is_the_beginning_of_the_output(kind: str, tmp_path: Path) -> None:
    content = _resaved(_canvas(_mixed), **SAVED[kind])
    pdf = searchable_pdf(_file(tmp_path, content), [_printed_page(), _scanned_page()])
    assert pdf.startswith(content)
    assert not problems(pdf)
    assert page_text(pdf, 1).split() == PRINTED.split()
    assert page_text(pdf, 2).split() == SCANNED.split()


def test_pdf_with_text_on_all_pages_is_the_original(tmp_path: Path) -> None:
    content = _canvas(lambda canvas: canvas.drawString(50, 700, PRINTED))
    assert searchable_pdf(_file(tmp_path, content), [_printed_page()]) == content


def test_mixed_page_gets_recognized_lines_only(tmp_path: Path) -> None:
    content = _canvas(lambda canvas: canvas.drawString(50, 700, PRINTED))
    page = TextPage(1, *SIZE, [*_printed_page().lines, *_scanned_page(1).lines])
    text = page_text(searchable_pdf(_file(tmp_path, content), [page]))
    assert sorted(text.split()) == sorted([*PRINTED.split(), *SCANNED.split()])


def test_page_without_fonts_gets_lines_of_an_engine_without_confidences(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(_canvas(_mixed))) as opened:
        del opened.pages[1].Resources["/Font"]
        buffer = io.BytesIO()
        opened.save(buffer)
    path = _file(tmp_path, buffer.getvalue())
    line = Line(2, SCANNED, SCANNED, level_box(100, 200, 400, 224))
    pdf = searchable_pdf(path, [_printed_page(), TextPage(2, *SIZE, [line])])
    assert page_text(pdf, 2).split() == SCANNED.split()


def test_text_is_invisible(tmp_path: Path) -> None:
    path = _file(tmp_path, _canvas(_mixed))
    pdf = searchable_pdf(path, [_printed_page(), _scanned_page()])
    before, after = (
        pypdfium2.PdfDocument(content)[1].render().to_numpy().tobytes()
        for content in (path.read_bytes(), pdf)
    )
    assert before == after


@pytest.mark.parametrize("rotation", [0, 90, 180, 270, -90, 450])
def test_words_are_at_their_places_on_a_turned_and_cropped_page(rotation: int, tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(_canvas(_mixed))) as opened:
        page = opened.pages[1].obj
        page.Rotate = rotation
        page.CropBox = [50, 100, 450, 700]
        buffer = io.BytesIO()
        opened.save(buffer)
    path = _file(tmp_path, buffer.getvalue())
    size = (600, 400) if rotation % 180 else (400, 600)
    line = placed_line(SCANNED, 60, 200, width=300, height=24)
    pdf = searchable_pdf(path, [_printed_page(), TextPage(2, *size, [line])])
    found = dict(words_of_page(pdf, size, 2))
    for word in line.words:
        assert word.box is not None
        assert overlap(found[word.text], rectangle_around(word.box)) >= 0.7


def test_encrypted_pdf_is_written_without_encryption(tmp_path: Path) -> None:
    content = _resaved(_canvas(_mixed), encryption=pikepdf.Encryption(owner="secret", user=""))
    pdf = searchable_pdf(_file(tmp_path, content), [_printed_page(), _scanned_page()])
    assert not problems(pdf)
    assert page_text(pdf, 1).split() == PRINTED.split()
    assert page_text(pdf, 2).split() == SCANNED.split()


def test_damaged_pdf_is_written_again(tmp_path: Path) -> None:
    content = _canvas(_mixed)
    content = content[: content.rindex(b"startxref")] + b"startxref\n7\n%%EOF\n"
    pdf = searchable_pdf(_file(tmp_path, content), [_printed_page(), _scanned_page()])
    assert not problems(pdf)
    assert page_text(pdf, 2).split() == SCANNED.split()


def test_selected_pages_are_the_pages_of_the_output(tmp_path: Path) -> None:
    path = _file(tmp_path, _canvas(_mixed))
    pdf = searchable_pdf(path, [_scanned_page()], Options(pages="2"))
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert page_text(pdf).split() == SCANNED.split()
    assert not problems(pdf)


def test_copy_keeps_the_streams_of_the_original(tmp_path: Path) -> None:
    path = _file(tmp_path, _canvas(_mixed))
    pdf = searchable_pdf(path, [_scanned_page()], Options(pages="2"))
    with pikepdf.open(path) as before, pikepdf.open(io.BytesIO(pdf)) as after:
        contents = after.pages[0].Contents
        assert before.pages[1].Contents.read_raw_bytes() in [part.read_raw_bytes() for part in contents]


def test_page_that_stands_twice_in_the_tree_gets_text_twice(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(_canvas(_mixed))) as opened:
        kids = opened.Root.Pages.Kids
        kids.append(kids[1])
        opened.Root.Pages.Count = 3
        buffer = io.BytesIO()
        opened.save(buffer)
    path = _file(tmp_path, buffer.getvalue())
    pdf = searchable_pdf(path, [_printed_page(), _scanned_page(2), _scanned_page(3)])
    assert page_text(pdf, 2).split() == page_text(pdf, 3).split() == SCANNED.split()
    assert not problems(pdf)


def test_inherited_resources_stay_in_use(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(_canvas(_mixed))) as opened:
        page = opened.pages[0].obj
        opened.Root.Pages.Resources = page.Resources
        del page["/Resources"]
        buffer = io.BytesIO()
        opened.save(buffer)
    page = TextPage(1, *SIZE, [*_printed_page().lines, *_scanned_page(1).lines])
    text = page_text(searchable_pdf(_file(tmp_path, buffer.getvalue()), [page]))
    assert sorted(text.split()) == sorted([*PRINTED.split(), *SCANNED.split()])


def test_inherited_box_stays_in_use(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(_canvas(_mixed))) as opened:
        for page in opened.pages:
            del page.obj["/MediaBox"]
        opened.Root.Pages.MediaBox = [0, 0, *SIZE]
        buffer = io.BytesIO()
        opened.save(buffer)
    pdf = searchable_pdf(_file(tmp_path, buffer.getvalue()), [_printed_page(), _scanned_page()])
    assert pdf.startswith(buffer.getvalue())
    assert pypdfium2.PdfDocument(pdf)[1].get_size() == SIZE


def test_pdf_update_of_an_update_is_sound(tmp_path: Path) -> None:
    first = searchable_pdf(_file(tmp_path, _canvas(_mixed)), [_printed_page(), _scanned_page()])
    pdf = searchable_pdf(_file(tmp_path, first), [_scanned_page(1)])
    assert pdf.startswith(first)
    assert not problems(pdf)


def test_structure_of_a_file_that_qpdf_cannot_open_is_an_error(tmp_path: Path) -> None:
    path = _file(tmp_path, b"%PDF-1.4\nnothing that a PDF has")
    with pytest.raises(UnreadableFile, match="broken"):
        receive_parts(original_parts(path, Options()))


def test_too_many_pages_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="more than 1"):
        receive_parts(original_parts(_file(tmp_path, _canvas(_mixed)), Options(max_pages=1)))


@pytest.mark.parametrize("messages", [[], [b"\xc1"], [b""]])
def test_invalid_messages_of_the_parts_are_a_value_error(messages: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"."):
        receive_parts(messages)


def test_parts_after_an_intact_pdf_are_a_value_error(tmp_path: Path) -> None:
    messages = [*original_parts(_file(tmp_path, _canvas(_mixed)), Options())]
    assert isinstance(receive_parts(messages), PdfParts)
    with pytest.raises(ValueError, match="announced"):
        receive_parts([*messages, b"more"])
