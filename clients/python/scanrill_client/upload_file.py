"""A file that is to be sent: a path or bytes, piece by piece; its reading holds nobody up."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncGenerator
from pathlib import Path

CHUNK_BYTES = 1024 * 1024

FileSource = str | os.PathLike[str] | bytes
"""A path, or a file's content."""


class UploadFile:
    """May be read as often as it has to be sent."""

    def __init__(self, source: FileSource, filename: str | None = None) -> None:
        self._source = source
        self.filename = filename if isinstance(source, bytes) else filename or Path(source).name

    async def size(self) -> int:
        if isinstance(self._source, bytes):
            return len(self._source)
        return (await asyncio.to_thread(os.stat, self._source)).st_size

    async def pieces(self) -> AsyncGenerator[bytes]:
        if isinstance(self._source, bytes):
            view = memoryview(self._source)
            for start in range(0, len(view), CHUNK_BYTES):
                yield bytes(view[start : start + CHUNK_BYTES])
            return
        file = await asyncio.to_thread(open, self._source, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield piece
        finally:
            file.close()

    async def base64(self) -> str:
        return await asyncio.to_thread(lambda: base64.b64encode(self._content()).decode())

    def _content(self) -> bytes:
        return self._source if isinstance(self._source, bytes) else Path(self._source).read_bytes()
