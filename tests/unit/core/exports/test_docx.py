"""Word documents, opened by python-docx."""

from __future__ import annotations

import io
from collections.abc import Iterator

import docx
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from backend_main.core.exports.document import ExportOptions, ExportPage
from backend_main.reading.types import Block
from tests.support.export_documents import export_document, export_page, exported, lazy_document
from tests.support.page_images import page_png


@pytest.fixture(scope="module")
def document() -> Document:
    return opened(exported(export_document(), "docx"))


def opened(content: bytes) -> Document:
    return docx.Document(io.BytesIO(content))


def paragraphs(document: Document) -> list[tuple[str, str]]:
    return [
        (paragraph.style.style_id, paragraph.text) for paragraph in document.paragraphs if paragraph.style
    ]


def test_docx_has_headings_lists_quotes_and_captions(document: Document) -> None:
    assert paragraphs(document) == [
        ("Heading1", "A bold title & more"),
        ("Normal", "One two *star* a2 and x^2 at a site."),
        ("ListParagraph", "seven"),
        ("ListParagraph", "eight"),
        ("ListParagraph", "\u2611 ticked"),
        ("ListParagraph", "\u2610 empty"),
        ("Quote", "Note by Jane Doe"),
        ("Normal", ""),  # between two tables
        ("Normal", "a/b"),
        ("Caption", "Figure 1: Lake"),
        ("NoSpacing", "code(1)"),
        ("Normal", "שלום עולם"),
    ]


def test_docx_runs_have_their_styles(document: Document) -> None:
    heading, body = document.paragraphs[:2]
    assert [(run.text, bool(run.bold)) for run in heading.runs][1] == ("bold", True)
    assert [run.text for run in body.runs if run.font.superscript] == ["2"]
    (link,) = body.hyperlinks
    assert (link.text, link.url) == ("a site", "https://example.org/")


def test_docx_list_starts_with_its_own_number(document: Document) -> None:
    seven, eight = (paragraph._p.pPr.numPr for paragraph in document.paragraphs[2:4])
    assert seven.numId.val == eight.numId.val
    numbering = document.part.numbering_part.element
    num = next(num for num in numbering.num_lst if num.numId == seven.numId.val)
    assert [start.val for start in num.iter(qn("w:startOverride"))] == [7]


def test_docx_tables_have_cells_spans_and_a_head_row(document: Document) -> None:
    plain, spanning = document.tables
    assert [[cell.text for cell in row.cells] for row in plain.rows] == [
        ["Name", "Sum"],
        ["Apple", "1.234,56 EUR"],
        ["=SUM(A1)", "3"],
    ]
    assert [[cell.text for cell in row.cells] for row in spanning.rows] == [
        ["Head", "Head"],
        ["left < 5", "b"],
        ["left < 5", "c"],
    ]
    assert plain.rows[0]._tr.trPr is not None
    assert plain.rows[1]._tr.trPr is None


def test_docx_right_to_left_text_has_its_marks(document: Document) -> None:
    hebrew = document.paragraphs[-1]
    assert hebrew._p.pPr.find(qn("w:bidi")) is not None
    assert hebrew.runs[0].font.rtl
    assert document.paragraphs[0]._p.pPr.find(qn("w:bidi")) is None


def test_docx_every_page_begins_on_a_page() -> None:
    pages = [export_page("One"), export_page("|a|\n|-|\n|b|", number=2), export_page("", number=3)]
    document = opened(exported(export_document(pages), "docx"))
    properties = [paragraph._p.pPr for paragraph in document.paragraphs]
    breaks = [one is not None and one.pageBreakBefore is not None for one in properties]
    assert breaks == [False, True, False, True]


def test_docx_text_of_every_kind_is_valid_xml() -> None:
    nasty = "\x00\x07\ufffe & < > ' \" \ud83d\ude00"
    document = opened(exported(export_document([export_page(nasty)], filename=f"{nasty}.pdf"), "docx"))
    assert "& < > ' \"" in document.paragraphs[0].text


def test_docx_embeds_pictures_of_figures() -> None:
    class Parts:
        def figure(self, page: int, box: object) -> bytes:
            return page_png(["a figure"])

    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    page = export_page("![Lake]()", blocks=[Block("figure", box, (0, 9))])
    options = ExportOptions(images="embed")
    document = opened(exported(export_document([page], options=options, parts=Parts()), "docx"))
    assert len(document.inline_shapes) == 1
    assert document.paragraphs[-1].text == "Lake"


def test_docx_lists_and_pages_are_read_one_by_one() -> None:
    alive: list[int] = []

    def pages() -> Iterator[ExportPage]:
        for number in range(1, 4):
            alive.append(number)
            yield export_page(f"Page {number}", number=number)

    chunks = lazy_document(pages, (1, 2, 3))
    writer = iter_docx(chunks)
    assert next(writer) == b""
    assert alive == [1]


def iter_docx(document: object) -> Iterator[bytes]:
    from backend_main.core.exports.formats import FORMATS

    return FORMATS["docx"].write(document)  # type: ignore[arg-type]
