"""Searchable PDF: the original pages, with the text at its places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import BinaryIO

from ...reading.documents.image_headers import read_header
from ...reading.errors import ReadingError
from ...reading.page_ranges import MAX_CHARACTERS
from ...reading.searchable_pdf import Original, TextPage, write_searchable_pdf
from ...reading.types import Options
from ..errors import PageImageError, RequestError
from .document import ExportDocument

PDF_TYPE = "application/pdf"


def write_pdf(document: ExportDocument) -> Iterator[bytes]:
    """Yield the original file with its text as a PDF.

    Raises:
        RequestError: The selection of pages has too many parts.
        PageImageError: The original cannot be read.
    """
    pages = _ranges(document.page_numbers) if document.is_selection else ""
    if len(pages) > MAX_CHARACTERS:
        raise RequestError({"pages": "The selection has too many parts. Choose fewer ranges of pages."})
    texts = (TextPage(page.number, page.width, page.height, page.lines) for page in document.pages())
    try:
        yield from write_searchable_pdf(_original(document), texts, Options(pages=pages))
    except ReadingError as error:
        raise PageImageError(str(error)) from None


def _original(document: ExportDocument) -> Original:
    @contextmanager
    def open_file() -> Iterator[BinaryIO]:
        with document.open_original() as path, open(path, "rb") as file:
            yield file

    with document.open_original() as path:
        header = read_header(path, max_frames=1)
    is_pdf = header is not None and header.file_type.content_type == PDF_TYPE
    return Original(open_file, document.parts.fetch, is_pdf)


def _ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers of pages as the text of a selection."""
    groups = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    runs = [[number for _, number in group] for _, group in groups]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
