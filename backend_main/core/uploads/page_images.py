"""JPEG images of pages, rendered in a child process and cached beside the original.

A child process decodes the untrusted file, as in reading; the server's process handles only the finished
JPEG.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections

from ... import reading
from .. import storage
from ..conf import conf
from ..db import executor
from ..errors import PageImageError, PageNotFound
from . import page_image_cache

CONTENT_TYPE = "image/jpeg"
# The storage keeps an image per width, so there are few widths. A request gets the next larger one.
WIDTHS = (200, 400, 800, 1200, 1600, 2400)
RENDER_TIMEOUT_SECONDS = 30.0


class PageImageRenderer:
    """Renders page images in one child process, which starts at the first image."""

    def __init__(self) -> None:
        # An `EngineProcess` allows one thread at a time. The thread is separate, since a slow image must not
        # occupy the threads that receive files.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="page-images")
        self._process = reading.EngineProcess(
            engine="",
            threads=1,
            max_memory_bytes=conf.reader_memory_bytes,
            required_measures=conf.required_sandbox,
        )

    async def page_image(self, key: str, number: int, width: int) -> bytes:
        """Return a page of a stored file as a JPEG, at most as wide as the first of `WIDTHS` from `width` on.

        Raises:
            PageNotFound: The file has no such page.
            PageImageError: The page cannot be rendered.
            StorageUnavailable: The file storage does not answer.
        """
        if not 1 <= number <= conf.max_pages:
            raise PageNotFound
        stored_width = next((candidate for candidate in WIDTHS if candidate >= width), WIDTHS[-1])
        name = f"page-{number}-{stored_width}.jpg"
        if (stored := await asyncio.to_thread(storage.read_derived, key, name)) is not None:
            await executor.run_in_db_thread(page_image_cache.record_use, key, name, len(stored))
            return stored
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._render, key, name, number, stored_width)

    def stop(self) -> None:
        """Stop the child process, if it runs."""
        self._process.stop()

    def _render(self, key: str, name: str, number: int, width: int) -> bytes:
        if (stored := storage.read_derived(key, name)) is not None:  # rendered for another request meanwhile
            return stored
        options = reading.Options(
            max_pixels=conf.max_pixels, max_pages=conf.max_pages, page_seconds=RENDER_TIMEOUT_SECONDS
        )
        with storage.local_copy(key) as path:
            try:
                self._process.start()
                jpeg = self._process.render_page(path, number, width, options)
            except reading.NoSuchPage:
                raise PageNotFound from None
            except reading.ReadingError as error:
                raise PageImageError(str(error)) from None
        close_old_connections()
        page_image_cache.write(key, name, jpeg)
        return jpeg
