"""JSON: the document with its pages, each as the REST API returns it, with words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ...reading.types import SCHEMA_VERSION
from .document import ExportDocument, ExportPage


def write_json(document: ExportDocument) -> Iterator[bytes]:
    """Yield the file, page by page.

    The places of lines and blocks are for the Markdown as it was read. So a page has that Markdown, and a
    person's text in `correction`.
    """
    head = {
        "schema_version": SCHEMA_VERSION,
        "filename": document.filename,
        "content_type": document.content_type,
        "page_count": document.page_count,
        "engine": document.engine,
        "languages": document.languages,
        "correction": None if document.is_selection else document.correction,
    }
    yield msgspec.json.encode(head).removesuffix(b"}")
    yield from write_pages(document)


def write_pages(document: ExportDocument) -> Iterator[bytes]:
    """Yield the key `pages` of an object that has others, and the end of the object."""
    yield b',"pages":['
    gap = b"\n"
    for page in document.pages():
        yield gap + msgspec.json.encode(_page(page))
        gap = b",\n"
    yield b"\n]}\n"


def _page(page: ExportPage) -> dict[str, object]:
    as_read = page.as_read or page
    return {
        "schema_version": SCHEMA_VERSION,
        "number": as_read.number,
        "width": as_read.width,
        "height": as_read.height,
        "markdown": as_read.markdown,
        "text": as_read.text,
        "lines": as_read.lines,
        "blocks": as_read.blocks,
        "warnings": as_read.warnings,
        "confidence": as_read.confidence,
        "uncertain_share": as_read.uncertain_share,
        "correction": page.correction,
        "corrected_by": as_read.corrected_by,
        "corrected_at": as_read.corrected_at,
    }
