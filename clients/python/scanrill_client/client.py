"""The same without asyncio: `AsyncClient` on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from concurrent.futures import CancelledError
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack

from msgspec import UNSET, UnsetType

from .async_client import AsyncClient, Token, Transport
from .connection import Timeouts
from .events import Created, Event
from .messages import Engines, Instance, Listing, Me, Page, ReadOptions, Status, Stream
from .upload_file import FileSource
from .upload_store import UploadStore

T = TypeVar("T")


class Client:
    """As `AsyncClient`, where each call is described. For one thread at a time, or several.

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
        self._loop.run(self._client.connect())

    def close(self) -> None:
        self._loop.close(self._client.close())

    def read(self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[ReadOptions]) -> str:
        return self._loop.run(self._client.read(file, filename=filename, **wishes))

    def upload(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[ReadOptions]
    ) -> Generator[Event]:
        return self._loop.iterate(self._client.upload(file, filename=filename, **wishes))

    def events(self) -> Generator[Event]:
        return self._loop.iterate(self._client.events())

    @property
    def uploads(self) -> UploadStore:
        return self._client.uploads

    @property
    def cursor(self) -> str | None:
        return self._client.cursor

    def create(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[ReadOptions]
    ) -> Created:
        return self._loop.run(self._client.create(file, filename=filename, **wishes))

    def list(
        self,
        *,
        status: Status | None = None,
        search: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Listing:
        return self._loop.run(self._client.list(status=status, search=search, limit=limit, cursor=cursor))

    def retrieve(self, upload_id: str) -> Instance:
        return self._loop.run(self._client.retrieve(upload_id))

    def update(
        self,
        upload_id: str,
        *,
        filename: str | UnsetType = UNSET,
        processed_text: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
    ) -> Instance:
        return self._loop.run(
            self._client.update(
                upload_id, filename=filename, processed_text=processed_text, metadata=metadata
            )
        )

    def delete(self, upload_id: str) -> Instance:
        return self._loop.run(self._client.delete(upload_id))

    def cancel(self, upload_id: str) -> Instance:
        return self._loop.run(self._client.cancel(upload_id))

    def retry(self, upload_id: str, **wishes: Unpack[ReadOptions]) -> Instance:
        return self._loop.run(self._client.retry(upload_id, **wishes))

    def me(self) -> Me:
        return self._loop.run(self._client.me())

    def engines(self) -> Engines:
        return self._loop.run(self._client.engines())

    def page(self, upload_id: str, number: int) -> Page:
        return self._loop.run(self._client.page(upload_id, number))

    def page_image(self, upload_id: str, number: int, *, width: int | None = None) -> bytes:
        return self._loop.run(self._client.page_image(upload_id, number, width=width))

    def original(self, upload_id: str) -> bytes:
        return self._loop.run(self._client.original(upload_id))

    def download(self, upload_id: str, target: str | os.PathLike[str]) -> None:
        self._loop.run(self._client.download(upload_id, target))


class TaskResult(Generic[T]):
    def __init__(self, task: asyncio.Task[T]) -> None:
        self._result: list[T] = []
        self._error: BaseException | None = None
        if task.cancelled():  # the client was closed by another thread
            self._error = CancelledError()
        elif (error := task.exception()) is not None:
            self._error = error
        else:
            self._result.append(task.result())

    def get(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


class BackgroundLoop:
    """Runs coroutines for other threads; it is started by the first one, and dies with the program."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result. Who is interrupted while it waits (Ctrl-C) leaves no work behind.

        It waits at a queue, whose `get` an interrupt leaves whole: one that fell between the lock of a
        `concurrent.futures.Future` and the block under it would leave the loop waiting for ever.
        """
        loop, done = self._started(), SimpleQueue[TaskResult[T]]()
        begun: list[asyncio.Task[T]] = []

        def begin() -> None:
            begun.append(loop.create_task(work))
            begun[0].add_done_callback(finish)

        def finish(task: asyncio.Task[T]) -> None:
            # Not the task: where the last to hold one lets go, code of asyncio's runs that hides interrupts.
            begun.clear()
            done.put(TaskResult(task))

        def end() -> None:
            for task in begun:
                task.cancel()

        try:
            loop.call_soon_threadsafe(begin)
            outcome = done.get()
        except BaseException:
            loop.call_soon_threadsafe(end)
            raise
        return outcome.get()

    def iterate(self, events: AsyncGenerator[T]) -> Generator[T]:
        try:
            while True:
                try:
                    yield self.run(_next(events))
                except StopAsyncIteration:
                    return
        finally:
            if self._loop is not None:
                self.run(_end(events))

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        self.run(last)
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = None

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_serve, args=[loop], name="scanrill client", daemon=True)
                thread.start()
                self._loop, self._thread = loop, thread  # not before: who is interrupted begins anew
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


async def _end(events: AsyncGenerator[T]) -> None:
    # Whoever was interrupted while he waited for the next one has been cancelled, and is about to let go.
    while getattr(events, "ag_running", False):  # noqa: ASYNC110 - there is nothing to wait on
        await asyncio.sleep(0)
    await events.aclose()


async def _next(events: AsyncGenerator[T]) -> T:
    return await anext(events)
