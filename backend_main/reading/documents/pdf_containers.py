"""PDFs whose pages are not the document: forms in XFA, and portfolios of other files."""

import mmap
import re
import zlib
from collections.abc import Iterator
from typing import Any

from .source_file import SourceFile, open_source

MAX_OBJECT_STREAMS, MAX_OBJECT_STREAM_BYTES = 200, 4 * 1024 * 1024
"""Object streams that are searched for the catalog, and bytes of each."""
MAX_TITLE_CHARACTERS = 2000
_COLLECTION = re.compile(rb"/Collection\s*(?:<<|\d+\s+\d+\s+R)")
_STREAM = re.compile(rb"\bstream\r?\n")
PLACEHOLDER_WORDS = (
    "If this message is not eventually replaced",
    "Please wait...",
    "Wenn diese Meldung nicht",
    "Si ce message ne finit pas",
    "Si este mensaje no",
    "Se il messaggio non",
)
"""Beginnings of the text that Adobe's programs draw instead of an XFA form."""


def shows_xfa_placeholder(pdf: Any) -> bool:
    """Return whether the document is a form in XFA, and its pages only ask for another program."""
    import pypdfium2.raw as pdfium

    form_type = pdf.get_formtype()
    if form_type == pdfium.FORMTYPE_XFA_FULL:
        return True
    if form_type != pdfium.FORMTYPE_XFA_FOREGROUND or len(pdf) != 1:
        return False
    page = pdf[0]
    text = page.get_textpage().get_text_bounded()[:MAX_TITLE_CHARACTERS]
    page.close()
    return any(words in text for words in PLACEHOLDER_WORDS)


def is_portfolio(path: SourceFile, pdf: Any) -> bool:
    """Return whether the document is a cover for the files that are attached to it (ISO 32000-1, 12.3.5)."""
    if not pdf.count_attachments():
        return False
    with open_source(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _COLLECTION.search(data):
            return True
        return any(_COLLECTION.search(content) for content in _object_streams(data))


def _object_streams(data: mmap.mmap) -> Iterator[bytes]:
    """Yield the beginnings of object streams (ISO 32000-1, 7.5.7), which can contain the catalog."""
    at = 0
    for _ in range(MAX_OBJECT_STREAMS):
        at = data.find(b"/ObjStm", at + 1)
        start = _STREAM.search(data, at) if at >= 0 else None
        if start is None:
            return
        try:
            yield zlib.decompressobj().decompress(data[start.end() :], MAX_OBJECT_STREAM_BYTES)
        except zlib.error:
            continue
