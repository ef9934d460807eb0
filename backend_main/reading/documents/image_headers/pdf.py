"""PDF files, known by their header alone (ISO 32000-1): only the engine process opens them."""

import re

from .header import FileType, Format

MAX_HEADER_OFFSET = 1024
"""ISO 32000-1, annex H.3.4.1: readers accept a header within the first 1024 bytes."""
MAGIC_BYTES = MAX_HEADER_OFFSET + len(b"%PDF-")
PDF = FileType(None, "application/pdf", "pdf")

FORMAT = Format(re.compile(rb".{0,%d}%%PDF-" % MAX_HEADER_OFFSET, re.DOTALL), PDF, None)
