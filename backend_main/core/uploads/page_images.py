"""JPEG images of pages, rendered in child processes and cached beside the original.

A child process decodes the untrusted file, as in reading; the server's process handles only the finished
JPEG. A few images are rendered at once, by turns of users. A page that takes longer than `FIRST_TRY_SECONDS`
is rendered from its start again, and its user then leaves a process to the others. A page that cannot be
rendered is not tried again for a while: an attempt may take as long as `RENDER_TIMEOUT_SECONDS`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple, cast

import msgspec
from django.db import close_old_connections

from ... import reading
from ...reading.documents.page_jpeg import MAX_FIGURE_WIDTH, WHOLE_PAGE, Area
from ...reading.searchable_pdf import PdfParts, PdfPicture
from .. import storage
from ..conf import conf
from ..db import executor
from ..errors import PageImageError, PageNotFound
from ..fair_sharing import FairExecutor
from . import page_image_cache

CONTENT_TYPE = "image/jpeg"
# The storage keeps an image per width, so there are few widths. A request gets the next larger one.
WIDTHS = (200, 400, 800, 1200, 1600, 2400)
RENDER_TIMEOUT_SECONDS = 30.0
# Many times what a usual page takes (0.1 s), and the longest wait for users who come later.
FIRST_TRY_SECONDS = 2.0
# One more than a user may have, so that the slow pages of one user leave a process to the others. Each is a
# process with a limit of `reader_memory_bytes`, so there are few.
MAX_RENDERS_PER_USER = 2
MAX_RENDERS = MAX_RENDERS_PER_USER + 1
MAX_SLOW_RENDERS = MAX_RENDERS - 1
# Most failures are lasting. One that a busy machine caused can be gone after this time.
FAILURE_SECONDS = 600.0
MAX_FAILURES = 10_000
# Sides of figures are rounded, so that a name stands for one area. A step is half a pixel of an A4 page.
AREA_STEPS = 10_000

OriginalParts = PdfParts | PdfPicture


def stored_width(width: int) -> int:
    """Return the first of `WIDTHS` from `width` on, or else the last."""
    return next((candidate for candidate in WIDTHS if candidate >= width), WIDTHS[-1])


class PagePicture(NamedTuple):
    """Picture of a page, or of an area of it."""

    number: int
    width: int
    """Maximum width in pixels."""
    area: Area = WHOLE_PAGE

    @property
    def name(self) -> str:
        """Name of the stored image."""
        if self.area == WHOLE_PAGE:
            return f"page-{self.number}-{self.width}.jpg"
        sides = "-".join(str(round(side * AREA_STEPS)) for side in self.area)
        return f"figure-{self.number}-{sides}.jpg"


class PageTooSlow(Exception):
    """A page took longer than `FIRST_TRY_SECONDS`."""


class PageImageRenderer:
    """Renders page images in child processes, which start when they are needed."""

    def __init__(self) -> None:
        # The threads are separate, since a slow image must not occupy those that receive files.
        threads = ThreadPoolExecutor(MAX_RENDERS, thread_name_prefix="page-images")
        self._executor = FairExecutor(threads, MAX_RENDERS, MAX_RENDERS_PER_USER)
        self._slow_executor = FairExecutor(threads, MAX_SLOW_RENDERS, 1, within=self._executor)
        self._slow_users = RecentKeys()
        self._processes = [_new_process() for _ in range(MAX_RENDERS)]
        # Last in, first out: one process suffices while few images are requested.
        self._idle: queue.LifoQueue[reading.EngineProcess] = queue.LifoQueue()
        for process in reversed(self._processes):
            self._idle.put(process)
        self._failures = RecentKeys()

    async def page_image(self, user: Hashable, key: str, number: int, width: int) -> bytes:
        """Return a page of a stored file as a JPEG, at most as wide as the first of `WIDTHS` from `width` on.

        Args:
            user: The user whose turn it takes.
            key: Key of the file in the storage.
            number: Number of the page, from 1.
            width: Width in pixels.

        Raises:
            PageNotFound: The file has no such page.
            PageImageError: The page cannot be rendered.
            StorageUnavailable: The file storage does not answer.
        """
        if not 1 <= number <= conf.max_pages:
            raise PageNotFound
        return await self._image(user, key, PagePicture(number, stored_width(width)))

    async def figure(self, user: Hashable, key: str, number: int, area: Area) -> bytes:
        """Return a part of a page of a stored file as a JPEG, in the resolution of the page.

        Args:
            user: The user whose turn it takes.
            key: Key of the file in the storage.
            number: Number of the page, from 1.
            area: The part, as shares of the width and the height of the page.

        Raises:
            ScanrillError: As for `page_image`.
        """
        exact = tuple(round(side * AREA_STEPS) / AREA_STEPS for side in area)
        return await self._image(user, key, PagePicture(number, MAX_FIGURE_WIDTH, cast("Area", exact)))

    async def original_parts(self, user: Hashable, key: str, options: reading.Options) -> OriginalParts:
        """Return the parts of a stored file that a searchable PDF needs.

        Args:
            user: The user whose turn it takes.
            key: Key of the file in the storage.
            options: The pages: see `EngineProcess.original_parts`.

        Raises:
            ReadingError: The file cannot be read.
            StorageUnavailable: The file storage does not answer.
        """
        return await self._slow_executor.run(user, self._fetch_parts, key, options)

    async def _image(self, user: Hashable, key: str, picture: PagePicture) -> bytes:
        name, number = picture.name, picture.number
        if (stored := await asyncio.to_thread(storage.read_derived, key, name)) is not None:
            await executor.run_in_db_thread(page_image_cache.record_use, key, name, len(stored))
            return stored
        self._raise_if_failed(key, number)
        if user not in self._slow_users:
            with suppress(PageTooSlow):
                return await self._executor.run(user, self._try_first, user, key, picture)
        return await self._slow_executor.run(user, self._render, key, picture, RENDER_TIMEOUT_SECONDS)

    def stop(self) -> None:
        """Stop the child processes that run."""
        for process in self._processes:
            process.stop()

    def _try_first(self, user: Hashable, key: str, picture: PagePicture) -> bytes:
        if user in self._slow_users:  # since another request of this user
            raise PageTooSlow
        try:
            return self._render(key, picture, FIRST_TRY_SECONDS)
        except PageTooSlow:
            self._slow_users.add(user)
            raise

    def _render(self, key: str, picture: PagePicture, seconds: float) -> bytes:
        name, number = picture.name, picture.number
        if (stored := storage.read_derived(key, name)) is not None:  # rendered for another request meanwhile
            return stored
        self._raise_if_failed(key, number)
        try:
            with self._process() as process, storage.local_copy(key) as path:
                jpeg = process.render_page(path, number, picture.width, _limits(seconds), picture.area)
        except reading.NoSuchPage:
            raise PageNotFound from None
        except reading.ReadingError as error:
            if isinstance(error, reading.EngineTimeout) and seconds < RENDER_TIMEOUT_SECONDS:
                raise PageTooSlow from None
            if not isinstance(error, (reading.Cancelled, reading.EngineUnavailable)):
                self._failures.add((key, number), str(error))
            raise PageImageError(str(error)) from None
        close_old_connections()
        page_image_cache.write(key, name, jpeg)
        return jpeg

    def _fetch_parts(self, key: str, options: reading.Options) -> OriginalParts:
        limits = _limits(RENDER_TIMEOUT_SECONDS)
        limits = msgspec.structs.replace(limits, first_page=options.first_page, pages=options.pages)
        with self._process() as process, storage.local_copy(key) as path:
            return process.original_parts(path, limits)

    @contextmanager
    def _process(self) -> Iterator[reading.EngineProcess]:
        process = self._idle.get()  # there are as many as places
        try:
            yield process
        finally:
            self._idle.put(process)

    def _raise_if_failed(self, key: str, number: int) -> None:
        if (message := self._failures.get((key, number))) is not None:
            raise PageImageError(message)


class RecentKeys:
    """Keys with a message, for `FAILURE_SECONDS` each; at most `MAX_FAILURES`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: dict[Hashable, tuple[float, str]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return self.get(key) is not None

    def add(self, key: Hashable, message: str = "") -> None:
        """Add a key; remove the oldest one if there are too many."""
        with self._lock:
            self._messages.pop(key, None)
            self._messages[key] = (time.monotonic() + FAILURE_SECONDS, message)
            if len(self._messages) > MAX_FAILURES:
                del self._messages[next(iter(self._messages))]

    def get(self, key: Hashable) -> str | None:
        """Return the message of a key; None if the key is unknown or too old."""
        with self._lock:
            until, message = self._messages.get(key, (0.0, ""))
        return message if time.monotonic() < until else None


def _limits(seconds: float) -> reading.Options:
    return reading.Options(max_pixels=conf.max_pixels, max_pages=conf.max_pages, page_seconds=seconds)


def _new_process() -> reading.EngineProcess:
    return reading.EngineProcess(
        engine="",
        threads=1,
        max_memory_bytes=conf.reader_memory_bytes,
        required_measures=conf.required_sandbox,
    )
