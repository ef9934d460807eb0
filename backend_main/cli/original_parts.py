"""Parts of a file for an export by a command: decoded in this process, or in a confined one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from backend_main import reading
from backend_main.core.errors import PageImageError
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.page_jpeg import MAX_FIGURE_WIDTH, Area, render_page_jpeg
from backend_main.reading.searchable_pdf import PdfParts, PdfPicture, original_parts, receive_parts


class FileParts:
    """Parts of a file that this process reads."""

    def __init__(self, path: Path, options: reading.Options) -> None:
        self._path = path
        self._options = options

    def figure(self, number: int, area: Area) -> bytes:
        """Return an area of a page as a JPEG. Raises PageImageError."""
        try:
            with contextlib.closing(open_document(self._path, self._options)) as document:
                return render_page_jpeg(document, number, MAX_FIGURE_WIDTH, area)
        except reading.ReadingError as error:
            raise PageImageError(str(error)) from None

    def fetch(self, options: reading.Options) -> PdfParts | PdfPicture:
        """Return what a searchable PDF needs. Raises ReadingError."""
        return receive_parts(original_parts(self._path, options))


class ConfinedParts:
    """Parts of a file of the server's users. The process that decodes it starts when it is needed."""

    def __init__(
        self, open_original: Callable[[], AbstractContextManager[Path]], limits: reading.Options
    ) -> None:
        self._open_original = open_original
        self._limits = limits
        self._process = reading.EngineProcess(engine="", threads=1)

    def figure(self, number: int, area: Area) -> bytes:
        """Return an area of a page as a JPEG. Raises PageImageError."""
        try:
            with self._open_original() as path:
                return self._process.render_page(path, number, MAX_FIGURE_WIDTH, self._limits, area)
        except reading.ReadingError as error:
            raise PageImageError(str(error)) from None

    def fetch(self, options: reading.Options) -> PdfParts | PdfPicture:
        """Return what a searchable PDF needs. Raises ReadingError."""
        limits = msgspec.structs.replace(self._limits, first_page=options.first_page, pages=options.pages)
        with self._open_original() as path:
            return self._process.original_parts(path, limits)

    def close(self) -> None:
        """Stop the process."""
        self._process.stop()
