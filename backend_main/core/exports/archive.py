"""ZIP archive of the exports of several uploads, written while it is sent."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from uuid import UUID

from ..errors import PageImageError, RequestError
from .document import ExportDocument
from .files import zip_entry
from .formats import ExportFormat

FAILURES_NAME = "not-exported.txt"


def write_archive(
    upload_ids: Sequence[UUID], open_document: Callable[[UUID], ExportDocument], export_format: ExportFormat
) -> Iterator[bytes]:
    """Yield the archive. An upload that cannot be exported is a line in the file `not-exported.txt`.

    Args:
        upload_ids: Ids of the uploads.
        open_document: Returns the document of an upload, or raises `RequestError`
            or `PageImageError`.
        export_format: The format.
    """
    sink, names, failures = _Sink(), _UniqueNames(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for upload_id in upload_ids:
            try:
                document = open_document(upload_id)
                chunks = export_format.write(document)
                first = b""
                while not first and (chunk := next(chunks, None)) is not None:
                    first = chunk
                    yield b""
            except (RequestError, PageImageError) as error:
                failures.append(f"{upload_id}: {' '.join(error.fields.values())}\n")
                continue
            name = names.unique(document.stem, export_format.extension)
            with archive.open(zip_entry(name), "w", force_zip64=True) as entry:
                entry.write(first)
                for chunk in chunks:
                    entry.write(chunk)
                    yield sink.take()
        if failures:
            archive.writestr(zip_entry(FAILURES_NAME), "".join(failures))
    yield sink.take()


class _Sink:
    """File without a position to seek: `zipfile` then writes the sizes behind each entry."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written stays in memory until it is taken."""

    def close(self) -> None:
        """Do nothing: there is no file to close."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = bytes(self._written)
        self._written.clear()
        return taken


class _UniqueNames:
    """Names of entries: without folders, and each only once whatever the case of its letters."""

    def __init__(self) -> None:
        self._taken: set[str] = {FAILURES_NAME}

    def unique(self, stem: str, extension: str) -> str:
        stem = PurePath(stem.replace("\\", "/")).name.strip(". ") or "document"
        name, number = stem + extension, 1
        while name.lower() in self._taken:
            number += 1
            name = f"{stem} ({number}){extension}"
        self._taken.add(name.lower())
        return name
