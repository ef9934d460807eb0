"""Pages of a PDF as they are drawn: with the contents of form fields, stamps and notes in the page itself."""

import contextlib
import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from .pdf_annotations import Annotations, flatten, read_annotations
from .pdf_containers import is_portfolio, shows_xfa_placeholder
from .pdf_index import is_empty, without_index
from .pdf_portfolio import Part, read_parts
from .source_file import SourceFile, open_source

MAX_BOOKMARKS = 5000

_log = logging.getLogger("scanrill.reading")


class PdfPages:
    """Pages of an open PDF, from 1. The caller closes each page, and the object at the end."""

    def __init__(self, path: SourceFile) -> None:
        """Open a file. Raises pypdfium2.PdfiumError."""
        self._path = path
        self._pdf = _open(open_source(path))
        self._first_pdf: Any = None
        """The file by its own index, once another one is in use."""
        self._may_rebuild_index = True
        self._annotations: dict[int, Annotations] = {}
        self._flattened_pdf: Any = None
        self._flattened: set[int] = set()

    def __len__(self) -> int:
        return len(self._pdf)

    def page(self, number: int) -> Any:
        """Return the page of the file, with its annotations and its links."""
        page = self._pdf[number - 1]
        if self._may_rebuild_index and is_empty(page) and self._rebuild_index(number):
            page.close()
            page = self._pdf[number - 1]
        return page

    def _rebuild_index(self, number: int) -> bool:
        """Use an index built from the objects, if it gives the page a content. Returns whether it does."""
        self._may_rebuild_index = False
        try:
            rebuilt = self._open_without_index()
        except Exception as error:  # pdfium and a removed file raise any exception
            _log.warning("The index of a PDF could not be built again: %s", error)
            return False
        if rebuilt is None:
            return False
        if len(rebuilt) != len(self._pdf) or not _has_content(rebuilt, number):
            rebuilt.close()
            return False
        self._first_pdf, self._pdf = self._pdf, rebuilt
        return True

    def _open_without_index(self) -> Any:
        file = without_index(self._path)
        return None if file is None else _open(file)

    def shows_xfa_placeholder(self) -> bool:
        """Return whether the pages only say that another program must open the document."""
        return shows_xfa_placeholder(self._pdf)

    def is_portfolio(self) -> bool:
        """Return whether the PDF is a cover for the files that are attached to it."""
        return is_portfolio(self._path, self._pdf)

    def parts(self) -> Iterator[Part]:
        """Yield the attached files."""
        return read_parts(self._pdf)

    def bookmarks(self) -> list[tuple[str, int]]:
        """Return the titles of the bookmarks with their depths, from 0."""
        bookmarks = islice(self._pdf.get_toc(), MAX_BOOKMARKS)
        return [(bookmark.get_title(), bookmark.level) for bookmark in bookmarks]

    def annotations(self, number: int) -> Annotations:
        """Return the annotations of a page."""
        if number not in self._annotations:
            page = self.page(number)
            try:
                self._annotations[number] = read_annotations(page)
            finally:
                page.close()
        return self._annotations[number]

    def drawn_page(self, number: int) -> Any:
        """Return the page with its fields and stamps as a part of it.

        It comes from a second copy of the file, because flattening removes the annotations of a page, among
        them its links. After an error, it is the page of the file.
        """
        try:
            if self.annotations(number).has_drawing:
                return self._flattened_page(number)
        except Exception:  # pdfium and a removed file raise any exception
            _log.exception("The annotations of page %d could not be made a part of it.", number)
        return self.page(number)

    def _flattened_page(self, number: int) -> Any:
        if self._flattened_pdf is None:
            is_rebuilt = self._first_pdf is not None
            self._flattened_pdf = self._open_without_index() if is_rebuilt else _open(open_source(self._path))
        if number not in self._flattened:
            page = self._flattened_pdf[number - 1]
            try:
                flatten(page)
            finally:
                page.close()
            self._flattened.add(number)
        return self._flattened_pdf[number - 1]

    def close(self) -> None:
        """Close the file."""
        self._pdf.close()
        if self._first_pdf is not None:
            self._first_pdf.close()
        if self._flattened_pdf is not None:
            self._flattened_pdf.close()


def _has_content(pdf: Any, number: int) -> bool:
    page = pdf[number - 1]
    try:
        return not is_empty(page)
    finally:
        page.close()


def _open(file: BinaryIO) -> Any:
    # Imported here because it loads pdfium, which the server process never needs.
    import pypdfium2

    # pdfium reads what it needs, by blocks; it takes the same time as with a path.
    try:
        pdf = pypdfium2.PdfDocument(file, autoclose=True)
    except BaseException:
        file.close()
        raise
    with contextlib.suppress(pypdfium2.PdfiumError):
        pdf.init_forms()  # so that the contents of form fields are rendered too
    return pdf
