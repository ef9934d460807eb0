"""Synchronous client: `AsyncClient` on an event loop in a background thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import CancelledError
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack

from msgspec import UNSET, UnsetType

from .async_client import AsyncClient, Token, Transport
from .connection import Timeouts
from .events import Created, Event
from .messages import (
    Engines,
    ExportOptions,
    Instance,
    Listing,
    Me,
    Page,
    ReadOptions,
    Sessions,
    Status,
    Stream,
)
from .readings import Reading, ReadingComparison, Readings
from .search_results import SearchResults
from .upload_file import FileSource
from .upload_store import UploadStore

T = TypeVar("T")


class Client:
    """Synchronous client of one server, for one user. Several threads may use it at once.

    `AsyncClient` describes the arguments, the methods and their errors.

    with Client("http://127.0.0.1:8000", token=…) as client:
        print(client.read("receipt.jpg"))
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token,
        transport: Transport = "rest",
        stream: Stream = "pages",
        timeouts: Timeouts | None = None,
    ) -> None:
        self._client = AsyncClient(url, token=token, transport=transport, stream=stream, timeouts=timeouts)
        self._loop = BackgroundLoop()

    def __repr__(self) -> str:
        return repr(self._client).replace("AsyncClient", "Client", 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Open the WebSocket and subscribe. Optional: the other methods do so when they need it."""
        self._loop.run(self._client.connect())

    def close(self) -> None:
        """Close all connections and stop the background thread."""
        self._loop.close(self._client.close())

    def read(self, file: FileSource, *, filename: str | None = None, **options: Unpack[ReadOptions]) -> str:
        """Upload a file, wait for its text and return it as Markdown."""
        return self._loop.run(self._client.read(file, filename=filename, **options))

    def upload(
        self, file: FileSource, *, filename: str | None = None, **options: Unpack[ReadOptions]
    ) -> Generator[Event]:
        """Upload a file and yield its events: `Created` first, `Finished` or `Deleted` last."""
        return self._loop.iterate(self._client.upload(file, filename=filename, **options))

    def events(self) -> Generator[Event]:
        """Yield all events of all uploads of the user, without end; a `Snapshot` first."""
        return self._loop.iterate(self._client.events())

    @property
    def uploads(self) -> UploadStore:
        """The uploads by id; complete from the first `Snapshot` of `events()` on."""
        return self._client.uploads

    @property
    def cursor(self) -> str | None:
        """The position of the last event in the user's event log."""
        return self._client.cursor

    def create(
        self, file: FileSource, *, filename: str | None = None, **options: Unpack[ReadOptions]
    ) -> Created:
        """Upload a file without waiting for its text."""
        return self._loop.run(self._client.create(file, filename=filename, **options))

    def list(
        self,
        *,
        status: Status | None = None,
        search: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        warning: str | None = None,
        min_confidence: float | None = None,
        max_confidence: float | None = None,
    ) -> Listing:
        """Return uploads without their texts, newest first."""
        listing = self._client.list(
            status=status,
            search=search,
            limit=limit,
            cursor=cursor,
            warning=warning,
            min_confidence=min_confidence,
            max_confidence=max_confidence,
        )
        return self._loop.run(listing)

    def retrieve(self, upload_id: str) -> Instance:
        """Return an upload with its texts."""
        return self._loop.run(self._client.retrieve(upload_id))

    def update(
        self,
        upload_id: str,
        *,
        filename: str | UnsetType = UNSET,
        processed_text: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
    ) -> Instance:
        """Change fields of an upload and return it."""
        return self._loop.run(
            self._client.update(
                upload_id, filename=filename, processed_text=processed_text, metadata=metadata
            )
        )

    def delete(self, upload_id: str) -> Instance:
        """Delete an upload and return its last state."""
        return self._loop.run(self._client.delete(upload_id))

    def cancel(self, upload_id: str) -> Instance:
        """Stop the reading of an upload; finished pages keep their text."""
        return self._loop.run(self._client.cancel(upload_id))

    def retry(self, upload_id: str, **options: Unpack[ReadOptions]) -> Instance:
        """Read a finished upload again, from page 1. Options that are not given keep their value."""
        return self._loop.run(self._client.retry(upload_id, **options))

    def me(self) -> Me:
        """Return the user of the token, and limits of the server."""
        return self._loop.run(self._client.me())

    def sessions(self) -> Sessions:
        """Return the sign-ins of the user that have not ended, the last used first."""
        return self._loop.run(self._client.sessions())

    def end_session(self, session_id: str) -> None:
        """Sign out a session: its sockets close, and its tokens are invalid."""
        self._loop.run(self._client.end_session(session_id))

    def engines(self) -> Engines:
        """Return the OCR engines of the server, with the reason why one is unavailable."""
        return self._loop.run(self._client.engines())

    def search(self, q: str, *, limit: int = 20, cursor: str | None = None) -> SearchResults:
        """Find pages, file names and corrections, best first."""
        return self._loop.run(self._client.search(q, limit=limit, cursor=cursor))

    def page(self, upload_id: str, number: int, *, words: bool = False) -> Page:
        """Return a finished page with its lines, and with their words if `words`; `number` counts from 1."""
        return self._loop.run(self._client.page(upload_id, number, words=words))

    def readings(self, upload_id: str) -> Readings:
        """Return the readings of an upload, the newest first."""
        return self._loop.run(self._client.readings(upload_id))

    def reading(self, upload_id: str, number: int) -> Reading:
        """Return a reading with its texts."""
        return self._loop.run(self._client.reading(upload_id, number))

    def reading_page(self, upload_id: str, reading: int, number: int, *, words: bool = False) -> Page:
        """Return a finished page of a reading; both numbers count from 1."""
        return self._loop.run(self._client.reading_page(upload_id, reading, number, words=words))

    def make_reading_current(self, upload_id: str, number: int) -> Instance:
        """Make a reading the current one, and return the upload."""
        return self._loop.run(self._client.make_reading_current(upload_id, number))

    def delete_reading(self, upload_id: str, number: int) -> None:
        """Delete an earlier reading."""
        self._loop.run(self._client.delete_reading(upload_id, number))

    def compare_readings(
        self, upload_id: str, first: int, second: int, *, page: int | None = None
    ) -> ReadingComparison:
        """Compare two readings by words; with `page`, return the words that differ on it."""
        return self._loop.run(self._client.compare_readings(upload_id, first, second, page=page))

    def correct_page(self, upload_id: str, number: int, correction: str | None) -> Page:
        """Set a person's text of a finished page, and return the page; None removes the correction."""
        return self._loop.run(self._client.correct_page(upload_id, number, correction))

    def page_image(self, upload_id: str, number: int, *, width: int | None = None) -> bytes:
        """Return the image of a page, upright, as JPEG."""
        return self._loop.run(self._client.page_image(upload_id, number, width=width))

    def figure(self, upload_id: str, number: int, index: int) -> bytes:
        """Return a figure of a page as JPEG; `index` is its place in the page, from 1."""
        return self._loop.run(self._client.figure(upload_id, number, index))

    def original(self, upload_id: str) -> bytes:
        """Return the original file."""
        return self._loop.run(self._client.original(upload_id))

    def download(self, upload_id: str, target: str | os.PathLike[str]) -> None:
        """Write the original file to a path, as a stream."""
        self._loop.run(self._client.download(upload_id, target))

    def export(self, upload_id: str, **options: Unpack[ExportOptions]) -> bytes:
        """Return a finished upload in another format; the options are those of `AsyncClient.export`."""
        return self._loop.run(self._client.export(upload_id, **options))

    def write_export(
        self, upload_id: str, target: str | os.PathLike[str], **options: Unpack[ExportOptions]
    ) -> None:
        """Write a finished upload in another format to a path, as a stream."""
        self._loop.run(self._client.write_export(upload_id, target, **options))

    def write_exports(
        self, upload_ids: Sequence[str], target: str | os.PathLike[str], **options: Unpack[ExportOptions]
    ) -> None:
        """Write the exports of several uploads to a path, as one ZIP archive."""
        self._loop.run(self._client.write_exports(upload_ids, target, **options))


class TaskResult(Generic[T]):
    """Result or error of a finished task."""

    def __init__(self, task: asyncio.Task[T]) -> None:
        self._result: list[T] = []
        self._error: BaseException | None = None
        if task.cancelled():  # another thread closed the client
            self._error = CancelledError()
        elif (error := task.exception()) is not None:
            self._error = error
        else:
            self._result.append(task.result())

    def get(self) -> T:
        """Return the result, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._result[0]


class BackgroundLoop:
    """Event loop in a daemon thread, which the first call starts."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result. An interrupt (Ctrl-C) cancels the coroutine.

        The caller waits at a queue, because an interrupt leaves `SimpleQueue.get` intact. An interrupt
        between the lock of a `concurrent.futures.Future` and the block under it would leave the loop
        waiting for ever.
        """
        loop, results = self._ensure_started(), SimpleQueue[TaskResult[T]]()
        started: list[asyncio.Task[T]] = []

        def start_task() -> None:
            started.append(loop.create_task(coroutine))
            started[0].add_done_callback(on_done)

        def on_done(task: asyncio.Task[T]) -> None:
            # The queue gets no task: releasing the last reference runs code of asyncio that hides interrupts.
            started.clear()
            results.put(TaskResult(task))

        def cancel_task() -> None:
            for task in started:
                task.cancel()

        try:
            loop.call_soon_threadsafe(start_task)
            result = results.get()
        except BaseException:
            loop.call_soon_threadsafe(cancel_task)
            raise
        return result.get()

    def iterate(self, events: AsyncGenerator[T]) -> Generator[T]:
        """Yield the items of an asynchronous generator, and close it at the end."""
        try:
            while True:
                try:
                    yield self.run(_next(events))
                except StopAsyncIteration:
                    return
        finally:
            if self._loop is not None:
                self.run(_close_generator(events))

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Run a last coroutine, then stop the loop and its thread."""
        self.run(last)
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = None

    def _ensure_started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_run_loop, args=[loop], name="scanrill client", daemon=True)
                thread.start()
                # Assigned after the start: a call after an interrupt starts another loop.
                self._loop, self._thread = loop, thread
            return self._loop


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


async def _close_generator(events: AsyncGenerator[T]) -> None:
    # After an interrupt the cancelled `anext` may still run its cleanup.
    while getattr(events, "ag_running", False):  # noqa: ASYNC110 - there is nothing to wait on
        await asyncio.sleep(0)
    await events.aclose()


async def _next(events: AsyncGenerator[T]) -> T:
    return await anext(events)
