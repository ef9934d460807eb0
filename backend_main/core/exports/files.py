"""Temporary files of formats that are complete only at their end."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO

CHUNK_BYTES = 64 * 1024
# The earliest time that a ZIP archive can have: two exports of one document are equal, byte for byte.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def iter_file(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file from its start."""
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def zip_entry(name: str) -> zipfile.ZipInfo:
    """Return the description of a compressed file in a ZIP archive."""
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
