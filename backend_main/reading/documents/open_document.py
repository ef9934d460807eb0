"""Step 10 - the document read last stays open, since its next page is what is asked for next.

A host asks for one page at a time, to give way to others in between; opening a file of thousands of pages
anew for each of them would take longer than reading them.
"""

from pathlib import Path

from ..types import Options
from .document import Document, open_document


class OpenDocumentCache:
    """Holds at most one open document."""

    def __init__(self) -> None:
        self._key: tuple[str, int, int] | None = None
        self._document: Document | None = None

    def open(self, path: Path | str, options: Options) -> Document:
        """The document, from the shelf where it is the same file. Raises UnreadableFile."""
        key = _key(path)
        if self._document is None or key is None or key != self._key:
            self.clear()
            self._document, self._key = open_document(path, options), key
        return self._document

    def clear(self) -> None:
        if self._document is not None:
            self._document.close()
        self._document = self._key = None


def _key(path: Path | str) -> tuple[str, int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return str(path), status.st_ino, status.st_mtime_ns
