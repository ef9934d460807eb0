"""Markdown and plain text."""

from __future__ import annotations

from collections.abc import Iterator

from ...reading.document_text import text_parts
from ...reading.output.markdown import PAGE_BREAK
from .document import ExportDocument
from .figures import with_pictures

FORM_FEED = "\f"


def write_markdown(document: ExportDocument) -> Iterator[bytes]:
    """Yield the Markdown of the pages, joined by blank lines as in `raw_text`.

    With page breaks, a comment with the number stands before each page.
    """
    gap = ""
    for page in document.pages():
        text = with_pictures(page, document)
        if document.options.has_page_breaks:
            text = f"<!-- Page {page.number} -->{PAGE_BREAK}{text}".rstrip("\n")
        if text:
            yield (gap + text).encode()
            gap = PAGE_BREAK
        else:
            yield b""
    yield b"\n"


def write_text(document: ExportDocument) -> Iterator[bytes]:
    """Yield the plain text as in `processed_text`; with page breaks, a form feed stands between pages."""
    options = document.options
    if document.correction is not None and not (document.is_selection or options.has_page_breaks):
        yield document.correction.encode()
    elif options.has_page_breaks:
        for number, page in enumerate(document.pages()):
            yield ((FORM_FEED if number else "") + page.text + "\n").encode()
    else:
        for part in text_parts(document.pages()):
            yield part.encode()
        yield b"\n"
