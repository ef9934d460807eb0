"""Cache of the document that was read last, because a reader requests its pages one at a time.

Between two pages, it serves other users. Opening a file of thousands of pages for each of them would
take longer than reading it.
"""

import os

from ..types import Options
from .document import Document, open_document
from .source_file import SourceFile


class OpenDocumentCache:
    """Keeps at most one document open."""

    def __init__(self) -> None:
        self._key: tuple[int, int, int] | None = None
        self._document: Document | None = None
        self._descriptor: int | None = None

    def open(self, source: SourceFile | str, options: Options) -> Document:
        """Return the open document if it is the same, unchanged file; else open it. Raises UnreadableFile.

        A descriptor becomes the property of the cache.
        """
        key = _key(source)
        is_same = self._document is not None and key is not None and key == self._key
        if not is_same:
            self.clear()
        if isinstance(source, int):
            if is_same:
                os.close(source)
            else:
                self._descriptor = source
        if self._document is None:
            self._document = open_document(source, options)
            self._key = key
        return self._document

    def clear(self) -> None:
        """Close the document, if one is open."""
        if self._document is not None:
            self._document.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._document = self._key = self._descriptor = None


def _key(source: SourceFile | str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(source)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns
