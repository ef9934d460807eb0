"""The option `furniture`: text and roles of whole documents, by their text layer and by recognition."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Engine, Line, Options, PageDone, PageImage, read
from backend_main.reading.types import FurnitureOption, level_box
from tests.support.page_structure import structure_faults
from tests.unit.reading.sample_furniture import WORDS as SAMPLE_WORDS

HEAD = "Proceedings of the society"
WORDS = (*SAMPLE_WORDS[:10], "amber")
PAGES = 3
ROLES = [(HEAD, "header"), ("Page 2 of 3", "page_number")]


def sentences(page: int) -> list[str]:
    return [" ".join(WORDS[(page * row + step) % len(WORDS)] for step in range(9)) for row in range(2, 40)]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A PDF with a text layer of three pages, each with a running head and a page number."""
    path = tmp_path / "proceedings.pdf"
    canvas = Canvas(str(path), A4)
    for page in range(1, PAGES + 1):
        canvas.setFont("Helvetica", 9)
        canvas.drawCentredString(300, 805, HEAD)
        canvas.drawCentredString(300, 30, f"Page {page} of {PAGES}")
        canvas.setFont("Helvetica", 11)
        for row, text in enumerate(sentences(page)):
            canvas.drawString(70, 760 - 17 * row, text)
        canvas.showPage()
    canvas.save()
    return path


def pages_of(path: Path, furniture: FurnitureOption, engine: Engine | None = None) -> list[PageDone]:
    events = read(path, Options(engine="dummy", furniture=furniture), engine)
    pages = [event for event in events if isinstance(event, PageDone)]
    assert [fault for page in pages for fault in structure_faults(page)] == []
    return pages


def furniture_of(page: PageDone) -> list[tuple[str, str]]:
    return sorted((line.text, line.role) for line in page.lines if line.role != "body")


def test_text_layer_without_furniture_has_its_roles_in_the_lines(document: Path) -> None:
    pages = pages_of(document, "drop")
    assert furniture_of(pages[1]) == sorted(ROLES)
    for page in pages:
        for text in (page.markdown, page.text):
            assert HEAD not in text
            assert "Page" not in text
            assert sentences(page.number)[0] in text


def test_text_layer_with_furniture_kept_has_it_in_both_texts(document: Path) -> None:
    for page in pages_of(document, "keep"):
        for text in (page.markdown, page.text):
            assert HEAD in text
            assert f"Page {page.number} of 3" in text
        assert len(furniture_of(page)) == 2


def test_lines_that_stream_are_body_and_contain_the_furniture(document: Path) -> None:
    lines = [event for event in read(document, Options(engine="dummy")) if isinstance(event, Line)]
    assert {line.role for line in lines} == {"body"}
    assert sum(line.text == HEAD for line in lines) == PAGES


class ListEngine(Engine):
    """Engine that returns the lines of the sample document with their boxes."""

    name = "list"
    uses_layout_analysis = True

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        rows: Sequence[tuple[float, str]] = [
            (50, HEAD),
            *((150 + 26 * row, text) for row, text in enumerate(sentences(page.number))),
        ]
        for y, text in rows:
            yield Line(
                page.number, text, f"{text}\n", level_box(100, y - 10, 100 + 9 * len(text), y + 10), 1.0
            )


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.tiff"
    images = [Image.new("L", (1000, 1400), 255) for _ in range(PAGES)]
    with io.BytesIO() as file:
        images[0].save(file, "TIFF", save_all=True, append_images=images[1:])
        path.write_bytes(file.getvalue())
    return path


def test_recognized_pages_lose_the_header_of_the_pages_before_them(scan: Path) -> None:
    pages = pages_of(scan, "drop", ListEngine())
    assert [HEAD in page.markdown for page in pages] == [True, False, False]
    assert [HEAD in page.text for page in pages] == [True, False, False]
    assert furniture_of(pages[1]) == [(HEAD, "header")]


def test_recognized_pages_with_furniture_kept_have_the_header_and_its_role(scan: Path) -> None:
    pages = pages_of(scan, "keep", ListEngine())
    assert all(HEAD in page.markdown and HEAD in page.text for page in pages)
    assert [furniture_of(page) for page in pages] == [[], [(HEAD, "header")], [(HEAD, "header")]]
