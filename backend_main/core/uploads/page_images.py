"""Step 6 — pictures of pages for people to look at: drawn in a child process, kept beside the original.

Decoding a stranger's file is the child's work, as in reading; this process only handles the finished JPEG.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from ... import reading
from .. import storage
from ..conf import conf
from ..errors import PageImageError, PageNotFound

CONTENT_TYPE = "image/jpeg"
# A picture is kept for each width, so there are few; the next larger one is given.
WIDTHS = (200, 400, 800, 1200, 1600, 2400)
RENDER_TIMEOUT_SECONDS = 30.0


# One host is used by one thread at a time. A pool of its own: pictures that take long to draw must not keep
# the threads that files come in by.
_render_thread = ThreadPoolExecutor(1, thread_name_prefix="pictures")
_host: reading.EngineProcess | None = None


async def page_image(key: str, number: int, width: int) -> bytes:
    """A JPEG of a page of a stored file.

    Raises:
        PageNotFound: where the file has no such page.
        PageImageError: where it cannot be drawn.
    """
    if not 1 <= number <= conf.max_pages:
        raise PageNotFound
    kept_width = next((kept for kept in WIDTHS if kept >= width), WIDTHS[-1])
    name = f"page-{number}-{kept_width}.jpg"
    if (kept := await asyncio.to_thread(storage.read_derived, key, name)) is not None:
        return kept
    return await asyncio.get_running_loop().run_in_executor(
        _render_thread, _render, key, name, number, kept_width
    )


def stop() -> None:
    """Ends the child, if there is one."""
    global _host
    if _host is not None:
        _host.stop()
        _host = None


def _render(key: str, name: str, number: int, width: int) -> bytes:
    if (kept := storage.read_derived(key, name)) is not None:  # drawn for somebody else meanwhile
        return kept
    options = reading.Options(
        max_pixels=conf.max_pixels, max_pages=conf.max_pages, page_seconds=RENDER_TIMEOUT_SECONDS
    )
    with storage.local_copy(key) as path:
        try:
            picture = _running_process().render_page(path, number, width, options)
        except reading.NoSuchPage:
            raise PageNotFound from None
        except reading.ReadingError as error:
            raise PageImageError(str(error)) from None
    storage.write_derived(key, name, picture)
    return picture


def _running_process() -> reading.EngineProcess:
    global _host
    if _host is None:
        _host = reading.EngineProcess(engine="", threads=1, max_memory_bytes=conf.reader_memory_bytes)
    _host.start()
    return _host
