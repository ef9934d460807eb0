"""Parts of stored files for exports, fetched from threads: the renderer of the page images decodes them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Hashable
from typing import Any, TypeVar

from ... import reading
from ...reading.documents.page_jpeg import Area
from ...reading.searchable_pdf import PdfParts, PdfPicture
from .page_images import PageImageRenderer

T = TypeVar("T")


class StoredParts:
    """Parts of one stored file, by turns of a user.

    Args:
        images: The renderer.
        user: The user whose turn it takes.
        key: Key of the file in the storage.
        loop: The event loop of the renderer; the calls come from other threads.
    """

    def __init__(
        self, images: PageImageRenderer, user: Hashable, key: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._images = images
        self._user = user
        self._key = key
        self._loop = loop

    def figure(self, number: int, area: Area) -> bytes:
        """Return an area of a page as a JPEG. Raises PageNotFound, PageImageError, StorageUnavailable."""
        return self._result(self._images.figure(self._user, self._key, number, area))

    def fetch(self, options: reading.Options) -> PdfParts | PdfPicture:
        """Return what a searchable PDF needs. Raises ReadingError, StorageUnavailable."""
        return self._result(self._images.original_parts(self._user, self._key, options))

    def _result(self, call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()
