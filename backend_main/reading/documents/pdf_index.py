"""PDFs whose index is wrong: pdfium ignores objects that it does not list, and the pages come out empty.

pdfium builds the index from the objects themselves if it cannot find the one of the file.
"""

import io
import os
from typing import Any, BinaryIO

from .source_file import SourceFile, open_source

MAX_BYTES = 64 << 20
"""Size of a file that is read whole to build its index."""
_KEYWORD, _OTHER = b"startxref", b"startxxxx"
"""Keyword before the offset of the index, and as many other bytes: no offset in the file changes."""


def is_empty(page: Any) -> bool:
    """Return whether pdfium finds nothing to draw on a page, annotations aside."""
    import pypdfium2.raw as pdfium

    return int(pdfium.FPDFPage_CountObjects(page)) == 0


def without_index(path: SourceFile) -> BinaryIO | None:
    """Return a PDF in which no index can be found; None if it is too large or has none."""
    with open_source(path) as file:
        if file.seek(0, os.SEEK_END) > MAX_BYTES:
            return None
        file.seek(0)
        content = file.read()
    return io.BytesIO(content.replace(_KEYWORD, _OTHER)) if _KEYWORD in content else None
