"""File to upload: a path, bytes or a binary file object, read in chunks by a thread."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self, cast

CHUNK_BYTES = 1024 * 1024
# A stream that cannot seek is kept in memory up to this size, and on disk above it.
MAX_SPOOL_BYTES = 8 * CHUNK_BYTES


class BinaryReader(Protocol):
    """Binary file object: `read(size)` returns at most `size` bytes, and b"" at the end."""

    def read(self, size: int, /) -> bytes: ...


FileSource = str | os.PathLike[str] | bytes | BinaryReader
"""Path, content or binary file object of a file."""


class UploadFile:
    """File that can be sent more than once, as a retry needs it.

    A file object that can seek is read from its position at construction, and rewound to it for each
    attempt. Another one is read once, into a temporary file. The caller's file object is never closed.

    Args:
        source: A path, the content, or a file object in binary mode.
        filename: The name for the server; by default that of the path or of the file object.

    Raises:
        TypeError: The source is a file object in text mode, or none of these types.
    """

    def __init__(self, source: FileSource, filename: str | None = None) -> None:
        _check_type(source)
        self._source = source
        self._start = cast("BinaryIO", source).tell() if _is_seekable(source) else 0
        self._file: BinaryIO | None = None
        self.filename = filename or _name_of(source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Close what this object has opened."""
        if self._file is not None and self._file is not self._source:
            self._file.close()

    async def size(self) -> int:
        """Return the number of bytes to send."""
        return await asyncio.to_thread(_remaining_bytes, await self._open(), self._start)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the content from its start, in chunks of at most `CHUNK_BYTES`."""
        file = await self._open()
        await asyncio.to_thread(file.seek, self._start)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk

    async def base64(self) -> str:
        """Return the whole content as base64."""
        file = await self._open()
        return await asyncio.to_thread(_encode_base64, file, self._start)

    async def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = await asyncio.to_thread(_open_seekable, self._source)
        return self._file


def _check_type(source: object) -> None:
    if isinstance(source, io.TextIOBase):
        raise TypeError('The file object is in text mode. Open it in binary mode, as in open(path, "rb").')
    if not isinstance(source, str | bytes | os.PathLike) and not callable(getattr(source, "read", None)):
        raise TypeError(
            f"Cannot upload an object of type {type(source).__name__}. "
            "Pass a path, bytes or a binary file object."
        )


def _is_seekable(source: Any) -> bool:
    seekable = getattr(source, "seekable", None)
    return callable(seekable) and bool(seekable())


def _name_of(source: FileSource) -> str | None:
    """Return the file name; None for bytes, and for a file object without a path, as a pipe or `<stdin>`."""
    if isinstance(source, str | os.PathLike):
        return Path(source).name
    path = getattr(source, "name", None)  # the number of a file descriptor, where it has no path
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    name = Path(os.fsdecode(path)).name
    return None if name.startswith("<") and name.endswith(">") else name or None


def _open_seekable(source: FileSource) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if not isinstance(source, str | os.PathLike):
        return _as_seekable(source)
    file = open(source, "rb")  # noqa: SIM115 - UploadFile closes it
    if file.seekable():
        return file
    with file:
        return _as_seekable(file)


def _as_seekable(file: BinaryReader) -> BinaryIO:
    """Return the file object itself where it can seek, or else a copy of what it has left."""
    if _is_seekable(file):
        _check_is_bytes(file.read(0))
        return cast("BinaryIO", file)
    spool = tempfile.SpooledTemporaryFile(MAX_SPOOL_BYTES)  # noqa: SIM115 - UploadFile closes it
    try:
        while True:
            chunk = file.read(CHUNK_BYTES)
            _check_is_bytes(chunk)
            if not chunk:
                return cast("BinaryIO", spool)
            spool.write(chunk)
    except BaseException:
        spool.close()
        raise


def _check_is_bytes(chunk: object) -> None:
    if not isinstance(chunk, bytes):
        raise TypeError(
            f"read() of the file object returned {type(chunk).__name__}, not bytes. Open it in binary mode."
        )


def _remaining_bytes(file: BinaryIO, start: int) -> int:
    file.seek(0, os.SEEK_END)
    return max(0, file.tell() - start)


def _encode_base64(file: BinaryIO, start: int) -> str:
    file.seek(start)
    return base64.b64encode(file.read(-1)).decode()
