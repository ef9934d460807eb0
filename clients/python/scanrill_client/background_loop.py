"""Event loop in a background thread, on which `Client` runs the coroutines of `AsyncClient`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from concurrent.futures import CancelledError
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


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
        self._is_abandoned = False

    def abandon(self) -> None:
        """Mark the loop as that of the parent process. After a fork, its thread exists there only."""
        self._is_abandoned = True

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result. An interrupt (Ctrl-C) cancels the coroutine.

        The caller waits at a queue, because an interrupt leaves `SimpleQueue.get` intact. An interrupt
        between the lock of a `concurrent.futures.Future` and the block under it would leave the loop
        waiting for ever.
        """
        if self._is_abandoned:
            coroutine.close()
            raise RuntimeError("The iteration began before the fork. Begin another one in this process.")
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
            if self._loop is not None and not self._is_abandoned:
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
