"""Methods of `AsyncClient` that read files and follow uploads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TypeVar, Unpack

from .backoff import Backoff
from .connection import ReconnectingConnection, Timeouts
from .errors import ConnectionLost, DeadlineExceeded, NotFound, ServerUnreachable, UploadDeleted
from .event_queue import EventQueue
from .events import AnyEvent, Created, Deleted, Finished, Snapshot
from .messages import Instance
from .request_options import UploadOptions
from .rest_requests import RequestTransport, upload_options
from .upload_file import FileSource, UploadFile
from .upload_store import UploadStore

T = TypeVar("T")
# About a minute and a half with the delays of `Backoff`.
MAX_ATTEMPTS = 8


class EventMethods:
    """Base of `AsyncClient`."""

    _connection: ReconnectingConnection
    _requests: RequestTransport
    _timeouts: Timeouts
    _queues: set[EventQueue]
    _uploads: UploadStore

    async def read(
        self,
        file: FileSource,
        *,
        filename: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - part of a call, with an error of this package
        **options: Unpack[UploadOptions],
    ) -> str:
        """Upload a file, wait for its text and return it as Markdown.

        Args:
            file: A path, bytes or a binary file object, read from its present position. One that cannot
                seek is read to its end first. It stays open; do not use it before the method returns.
            filename: The name for the server; by default that of the path or of the file object.
            timeout: The time for everything, in seconds; None means without limit. The server reads on.
            options: The options of `UploadOptions`.

        Raises:
            DeadlineExceeded: The time is over.
            RequestError: The server rejected the file or an option.
            ReadingFailed: The server could not read the file.
            Cancelled: The upload was cancelled meanwhile.
            UploadDeleted: The upload was deleted meanwhile.
            TypeError: The file object is in text mode.
        """
        async with _deadline(timeout), aclosing(self.upload(file, filename=filename, **options)) as events:
            return (await _last_event(events)).result()

    async def upload(
        self, file: FileSource, *, filename: str | None = None, **options: Unpack[UploadOptions]
    ) -> AsyncGenerator[AnyEvent]:
        """Upload a file and yield its events: `Created` first, `Finished` or `Deleted` last.

        The server recognizes bytes that it has read before, and finishes at once with the earlier text. It
        reads them again if an option differs; `on_duplicate` sets this. The arguments are those of `read`.

        Raises:
            RequestError: The server rejected the file or an option.
            TypeError: The file object is in text mode.
        """
        option_fields = upload_options(**options)
        with self._event_queue() as queue:
            with UploadFile(file, filename) as upload_file:
                await self._connection.wait_open()
                created = await self._retry_transient(
                    lambda: self._requests.create(upload_file, option_fields)
                )
            queue.filter_to(created.upload_id)
            yield created
            async with aclosing(self._until_terminal(created, queue)) as events:
                async for event in events:
                    yield event

    async def wait(
        self,
        upload_id: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as for `read`
    ) -> Instance:
        """Wait until the reading of an upload has ended, and return the upload with its texts.

        Args:
            upload_id: The id of the upload.
            timeout: The time in seconds; None means without limit.

        Raises:
            DeadlineExceeded: The time is over.
            NotFound: The upload does not exist.
            UploadDeleted: The upload was deleted meanwhile.
        """
        async with _deadline(timeout), aclosing(self.follow(upload_id)) as events:
            await _last_event(events)
            return await self._requests.retrieve(upload_id)

    async def follow(self, upload_id: str) -> AsyncGenerator[AnyEvent]:
        """Yield the events of an upload until its reading has ended: `Finished` or `Deleted` is the last.

        Raises:
            NotFound: The upload does not exist.
        """
        with self._event_queue() as queue:
            await self._connection.wait_open()
            instance = await self._retry_transient(lambda: self._requests.retrieve(upload_id))
            queue.filter_to(instance.id)
            # An event of an earlier reading may come late, as after the upload of a duplicate.
            start = Created(instance=instance, duplicate=True)
            async with aclosing(self._until_terminal(start, queue)) as events:
                async for event in events:
                    yield event

    async def events(self) -> AsyncGenerator[AnyEvent]:
        """Yield all events of all uploads of the user, without end.

        The first event is a `Snapshot` of all uploads. Another one follows when a second call of
        `events()` starts, and when the server no longer has the events that were missed.
        """
        await self._connection.wait_open()
        with self._event_queue() as queue:
            self._connection.request_snapshot()
            async for event in queue:
                yield event

    # ── private ──

    async def _until_terminal(self, created: Created, queue: EventQueue) -> AsyncGenerator[AnyEvent]:
        terminal = await self._fetch_terminal_event(created) if created.instance.is_terminal else None
        while terminal is None:
            event = await anext(queue, None)
            if event is None:
                return
            terminal = await self._terminal_event(created, event)
            if terminal is None and not isinstance(event, Created | Snapshot | Finished):
                yield event
        yield terminal

    async def _terminal_event(self, created: Created, event: AnyEvent) -> Finished | Deleted | None:
        """Return the last event of the upload if this event shows that the upload has ended.

        Two cases need a request: a snapshot lacks the texts, and an earlier reading of a duplicate may
        have ended right before the file was sent again.
        """
        if isinstance(event, Snapshot):
            listed = {instance.id: instance for instance in event.uploads}.get(created.upload_id)
            has_ended = listed is None or listed.is_terminal
            return await self._fetch_terminal_event(created) if has_ended else None
        if isinstance(event, Finished) and created.duplicate:
            return await self._fetch_terminal_event(created)
        return event if isinstance(event, Finished | Deleted) else None

    async def _fetch_terminal_event(self, created: Created) -> Finished | Deleted | None:
        """Return the last event by the present state on the server; None if the upload has not ended."""
        try:
            instance = await self._retry_transient(lambda: self._requests.retrieve(created.upload_id))
        except NotFound:
            return Deleted(instance=created.instance)
        return Finished.from_instance(instance) if instance.is_terminal else None

    async def _retry_transient(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat an idempotent call while the server restarts. An upload is idempotent by its content."""
        backoff = Backoff(self._timeouts.initial_backoff, self._timeouts.max_backoff)
        while True:
            try:
                return await call()
            except (ServerUnreachable, ConnectionLost):
                if backoff.attempts >= MAX_ATTEMPTS:
                    raise
            await asyncio.sleep(backoff.next_seconds())

    @contextmanager
    def _event_queue(self) -> Iterator[EventQueue]:
        queue = EventQueue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def _publish(self, event: AnyEvent) -> None:
        self._uploads.apply(event)
        for queue in self._queues:
            queue.put(event)

    def _close_queues(self, error: Exception | None) -> None:
        for queue in self._queues:
            queue.close(error)


@asynccontextmanager
async def _deadline(seconds: float | None) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise DeadlineExceeded(f"The reading did not end within {seconds:g} seconds.") from None


async def _last_event(events: AsyncGenerator[AnyEvent]) -> Finished:
    """Return the event at the end of a reading. Raises `UploadDeleted` and `ConnectionLost`."""
    async for event in events:
        if isinstance(event, Finished):
            return event
        if isinstance(event, Deleted):
            raise UploadDeleted(event.upload_id)
    raise ConnectionLost("The client was closed before the upload finished.")
