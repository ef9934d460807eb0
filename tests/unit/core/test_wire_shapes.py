"""Shapes of other products: documents whose parts, and the places of their words, are right."""

from __future__ import annotations

from typing import Any

import pytest

from backend_main.core.exports.document import ExportPage
from backend_main.core.http.wires.azure import analyze_result
from backend_main.core.http.wires.docling_document import docling_document
from backend_main.core.http.wires.word_places import places_in_markdown
from backend_main.reading.output.formatted_page import FormattedPage
from backend_main.reading.page_structure.structured_page import structured_page
from backend_main.reading.types import Line
from tests.support.docling_client import DoclingDocument
from tests.support.export_documents import PAGE_HEIGHT, export_document, export_line, export_page

MARKDOWN = """# A title

Words that a com\\*puter divides and words again.

## A part

- first
- second

| Name | Sum |
|---|---|
| Apple | 3 |
"""
TEXTS = (
    "A title",
    "Words that a com*pu-",
    "ter divides and words again.",
    "A part",
    "- first",
    "- second",
    "Name",
    "Sum",
    "Apple",
    "3",
)


@pytest.fixture
def page() -> ExportPage:
    """A page with blocks, and with the places of its lines in the Markdown."""
    lines: list[Line] = [export_line(text, 2 * row) for row, text in enumerate(TEXTS)]
    plain = export_page(MARKDOWN, lines)
    blocks, placed = structured_page(FormattedPage(plain.markdown, plain.text), lines, PAGE_HEIGHT)
    return export_page(MARKDOWN, placed, blocks=blocks)


def content_at(result: dict[str, Any], span: dict[str, int]) -> str:
    content: str = result["content"]
    return content[span["offset"] : span["offset"] + span["length"]]


@pytest.mark.parametrize("is_markdown", [False, True])
def test_azure_words_and_lines_have_their_places(page: ExportPage, is_markdown: bool) -> None:
    second = export_page(MARKDOWN, page.lines, number=2, blocks=page.blocks)
    result = analyze_result(export_document([page, second]), "prebuilt-layout", is_markdown=is_markdown)
    words = [word for found in result["pages"] for word in found["words"]]
    placed = [word for word in words if word["span"]["length"]]
    assert all(content_at(result, word["span"]) == word["content"] for word in placed)
    missing = [word["content"] for word in words if not word["span"]["length"]]
    assert missing == (["com*pu-"] * 2 if is_markdown else [])
    if not is_markdown:
        lines = [line for found in result["pages"] for line in found["lines"]]
        assert [content_at(result, line["spans"][0]) for line in lines] == [line["content"] for line in lines]


def test_azure_layout_has_tables_and_roles(page: ExportPage) -> None:
    result = analyze_result(export_document([page]), "prebuilt-layout", is_markdown=True)
    [table] = result["tables"]
    assert [cell["content"] for cell in table["cells"]] == ["Name", "Sum", "Apple", "3"]
    roles = {paragraph["content"]: paragraph.get("role") for paragraph in result["paragraphs"]}
    assert (roles["A title"], roles["A part"]) == ("title", "sectionHeading")


def test_words_of_a_corrected_page_have_no_places(page: ExportPage) -> None:
    corrected = ExportPage(1, 800, 1000, "Other", "Other", page.lines, as_read=page)
    lines = places_in_markdown(corrected, corrected.lines)
    assert all(not word.length for line in lines for word in line.words)


def test_docling_document_exports_as_the_same_markdown(page: ExportPage) -> None:
    document = DoclingDocument.model_validate(docling_document(export_document([page]), [page]))
    lines = document.export_to_markdown().splitlines()
    assert [line for line in lines if line.startswith(("#", "-"))] == [
        "# A title",
        "## A part",
        "- first",
        "- second",
    ]
    [table] = document.tables
    assert [cell.text for cell in table.data.table_cells] == ["Name", "Sum", "Apple", "3"]
