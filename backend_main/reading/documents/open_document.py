"""Cache of the document that was read last, because a reader requests its pages one at a time.

Between two pages, it serves other users. Opening a file of thousands of pages for each of them would
take longer than reading it.
"""

from pathlib import Path

from ..types import Options
from .document import Document, open_document


class OpenDocumentCache:
    """Keeps at most one document open."""

    def __init__(self) -> None:
        self._key: tuple[str, int, int] | None = None
        self._document: Document | None = None

    def open(self, path: Path | str, options: Options) -> Document:
        """Return the open document if it is the same, unchanged file; else open it. Raises UnreadableFile."""
        key = _key(path)
        if self._document is None or key is None or key != self._key:
            self.clear()
            self._document = open_document(path, options)
            self._key = key
        return self._document

    def clear(self) -> None:
        """Close the document, if one is open."""
        if self._document is not None:
            self._document.close()
        self._document = None
        self._key = None


def _key(path: Path | str) -> tuple[str, int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return str(path), status.st_ino, status.st_mtime_ns
