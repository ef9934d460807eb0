"""Markdown, plain text and JSON of documents."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from backend_main.core.errors import RequestError
from backend_main.core.exports.correction import corrected
from backend_main.core.exports.document import ExportDocument, ExportOptions
from backend_main.core.exports.furniture import with_furniture
from backend_main.reading.types import Block
from tests.support.export_documents import export_document, export_line, export_page, exported

SENTENCE = "A sentence of a page that"


def two_pages(**fields: Any) -> ExportDocument:
    return export_document(
        [export_page(SENTENCE, number=1), export_page("goes on with this.", number=2)], **fields
    )


def test_markdown_joins_pages_as_raw_text_does() -> None:
    document = export_document(
        [export_page("# One"), export_page("", number=2), export_page("Three", number=3)]
    )
    assert exported(document, "md") == b"# One\n\nThree\n"


def test_markdown_with_page_breaks_names_each_page() -> None:
    document = two_pages(options=ExportOptions(has_page_breaks=True))
    pages = f"<!-- Page 1 -->\n\n{SENTENCE}\n\n<!-- Page 2 -->\n\ngoes on with this.\n"
    assert exported(document, "md") == pages.encode()


def test_text_joins_paragraphs_over_page_breaks() -> None:
    assert exported(two_pages(), "txt") == f"{SENTENCE} goes on with this.\n".encode()


def test_text_with_page_breaks_has_form_feeds() -> None:
    document = two_pages(options=ExportOptions(has_page_breaks=True))
    assert exported(document, "txt") == f"{SENTENCE}\n\x0cgoes on with this.\n".encode()


def test_text_of_a_corrected_document_is_the_correction() -> None:
    assert exported(two_pages(correction="As I say.\n"), "txt") == b"As I say.\n"
    assert exported(two_pages(correction="As I say.\n", is_selection=True), "txt") != b"As I say.\n"


def test_json_has_the_page_as_read_and_the_correction() -> None:
    page = corrected(export_page("One twa", [export_line("One twa")]), "One two")
    document = msgspec.json.decode(exported(export_document([page], languages=("en",)), "json"))
    assert (document["schema_version"], document["filename"], document["languages"]) == (
        1,
        "Brief & Co.pdf",
        ["en"],
    )
    (shown,) = document["pages"]
    assert (shown["markdown"], shown["text"], shown["correction"]) == ("One twa", "One twa", "One two")
    assert [word["text"] for word in shown["lines"][0]["words"]] == ["One", "twa"]


def test_images_link_names_the_picture_of_each_figure() -> None:
    markdown = "![Lake]()\n\n![]()\n\n\\![no]()"
    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    blocks = [Block("figure", box, (0, 9)), Block("figure", None, (11, 16))]
    document = export_document(
        [export_page(markdown, blocks=blocks)],
        options=ExportOptions(images="link"),
        figure_address=lambda page, number: f"/p{page}/f{number}",
    )
    assert exported(document, "md").decode() == "![Lake](/p1/f1)\n\n![]()\n\n\\![no]()\n"


def test_images_embed_without_the_original_is_an_error() -> None:
    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    page = export_page("![Lake]()", blocks=[Block("figure", box, (0, 9))])
    with pytest.raises(RequestError, match="images"):
        exported(export_document([page], options=ExportOptions(images="embed")), "md")


HEADER = Block("page_header", text="The *Times*")
NUMBER = Block("page_number", text="7")


def test_furniture_keep_puts_dropped_blocks_into_reading_order() -> None:
    body = Block("paragraph", span=(0, 4), text="Body")
    page = with_furniture(export_page("Body", blocks=[HEADER, body, NUMBER]), "keep")
    assert page.markdown == "The \\*Times\\*\n\nBody\n\n7"
    assert page.text == "The *Times*\n\nBody\n\n7"


def test_furniture_drop_takes_kept_blocks_out() -> None:
    markdown = "The Times\n\nBody\n\n7"
    blocks = [
        Block("page_header", span=(0, 9), text="The Times"),
        Block("paragraph", span=(11, 15), text="Body"),
        Block("page_number", span=(17, 18), text="7"),
    ]
    page = export_page(markdown, blocks=blocks)
    assert with_furniture(page, "drop").markdown == "Body"
    assert with_furniture(page, "keep") is page
    assert with_furniture(page, None) is page


def test_furniture_of_a_page_with_nothing_else() -> None:
    assert with_furniture(export_page("", blocks=[HEADER, NUMBER]), "keep").text == "The *Times*\n\n7"
