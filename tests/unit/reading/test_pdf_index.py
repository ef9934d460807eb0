"""PDFs whose index leaves objects out, written here."""

from pathlib import Path

import pytest

from backend_main.reading import Options
from backend_main.reading.documents import pdf_index
from backend_main.reading.documents.document import Document, open_document
from tests.file_corpus.pdfs import BOX, document_objects, pdf_from_objects

CONTENT = b"BT /F 12 Tf 20 300 Td (The index of this file lacks the object of its content.) Tj ET"
ENTRY = 20
"""Length of an entry of the index."""
CONTENT_NUMBER = 4


def document(path: Path, content: bytes, *, is_listed: bool) -> Document:
    """Return a document of one page. `is_listed`: its content is in the index of the file."""
    file = pdf_from_objects(document_objects([BOX], content=content))
    head = b"\n%d 1\n" % CONTENT_NUMBER
    start = file.rindex(head)
    path.write_bytes(file if is_listed else file[:start] + file[start + len(head) + ENTRY - 1 :])
    return open_document(path, Options())


def text_of(opened: Document) -> str:
    layer = opened.text_layer(1)
    return " ".join(run.text for run in layer.runs) if layer else ""


def test_page_whose_content_the_index_leaves_out_keeps_its_text(tmp_path: Path) -> None:
    with document(tmp_path / "short.pdf", CONTENT, is_listed=False) as opened:
        assert text_of(opened).startswith("The index of this file")
        assert opened.page(1).pixels.min() < 128


def test_empty_page_of_a_right_index_stays_empty(tmp_path: Path) -> None:
    with document(tmp_path / "empty.pdf", b" ", is_listed=True) as opened:
        assert text_of(opened) == ""
        assert opened.page(1).pixels.min() == 255


def test_index_of_a_large_file_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_index, "MAX_BYTES", 100)
    with document(tmp_path / "large.pdf", CONTENT, is_listed=False) as opened:
        assert text_of(opened) == ""
