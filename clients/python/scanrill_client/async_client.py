"""The client for asyncio: uploads, and what happens to them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack

from msgspec import UNSET, UnsetType

from .backoff import Backoff
from .connection import ReconnectingConnection, Timeouts
from .errors import ConnectionLost, NotFound, ServerUnreachable, UploadDeleted
from .event_queue import EventQueue
from .event_sync import EventSynchronizer
from .events import Created, Deleted, Event, Finished, Snapshot
from .http import HttpClient
from .messages import Engines, Instance, Listing, Me, Page, ReadOptions, Status, Stream
from .rest_requests import RequestTransport, RestRequests, asked, changes, wanted
from .server_url import ServerURL
from .socket_requests import SocketRequests
from .tokens import TokenSource, as_token_source
from .upload_file import FileSource, UploadFile
from .upload_store import UploadStore

T = TypeVar("T")
Token = str | TokenSource | Callable[[], str | Awaitable[str]]
Transport = Literal["rest", "socket"]
# About a minute and a half with the waits of `Backoff`.
MAX_ATTEMPTS = 8


class AsyncClient:
    """A client of one server, in the name of one user.

        async with AsyncClient("http://127.0.0.1:8000", token=…) as client:
            print(await client.read("receipt.jpg"))

    token    an access token, a function (async or not) that gives a fresh one each time, or a
             `Password` or `RefreshToken`; a fresh one is asked for when the server rejects the last
    transport  how requests go: by REST (files are streamed), or in messages of the socket
    stream   how live text comes; what is told is the same

    The socket opens when it is first needed. It comes back by itself, and what happened meanwhile is told.
    Every call may raise `Unauthenticated`, `ServerUnreachable` and, where it changes something, `ConnectionLost`.
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
        timeouts = timeouts or Timeouts()
        self._address = ServerURL(url)
        self._source = as_token_source(token)
        self._http = HttpClient(self._address, self._source, timeout_seconds=timeouts.request)
        self._feeds: set[EventQueue] = set()
        self._uploads = UploadStore()
        self._follower = EventSynchronizer(stream)
        self._connection = ReconnectingConnection(
            self._address.socket,
            self._http.session,
            self._follower,
            tell=self._tell,
            ended=self._end,
            timeouts=timeouts,
        )
        self._rest = RestRequests(self._http)
        self._requests: RequestTransport = (
            self._rest if transport == "rest" else SocketRequests(self._connection)
        )
        self._timeouts = timeouts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address} {self._source!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Returns when the socket is open and the server listens; it opens by itself where it is needed."""
        await self._connection.ready()

    async def close(self) -> None:
        await self._connection.close()
        await self._http.close()
        self._end(None)

    # ── a scan, from file to text ──

    async def read(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[ReadOptions]
    ) -> str:
        """The Markdown of a file. Raises `ReadingFailed`, `Cancelled`, `UploadDeleted`, `RequestError`."""
        async with aclosing(self.upload(file, filename=filename, **wishes)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.result()
                if isinstance(event, Deleted):
                    raise UploadDeleted(event.upload_id)
        raise ConnectionLost("The client was closed.")

    async def upload(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[ReadOptions]
    ) -> AsyncGenerator[Event]:
        """All that happens to an upload of this file: `Created` first, at last `Finished` or `Deleted`.

        The server knows the same bytes again: a file that was read already ends at once with its text,
        whatever is wished; `retry` reads it anew.
        """
        how = asked(**wishes)
        with self._feed() as feed:
            await self._connection.ready()
            sent = UploadFile(file, filename)
            created = await self._retry_transient(lambda: self._requests.create(sent, how))
            feed.only(created.upload_id)
            yield created
            async with aclosing(self._until_end(created, feed)) as events:
                async for event in events:
                    yield event

    async def events(self) -> AsyncGenerator[Event]:
        """All that happens to all the user's uploads, without end: `Snapshot` first, with those that are there.

        It comes again when another reader begins, and when the server cannot tell what happened meanwhile.
        """
        await self._connection.ready()
        with self._feed() as feed:
            self._connection.request_snapshot()
            async for event in feed:
                yield event

    @property
    def uploads(self) -> UploadStore:
        """The uploads by their ids: all of them since the first `Snapshot` of `events()`."""
        return self._uploads

    @property
    def cursor(self) -> str | None:
        """The place of the last event that was told, among all of the user's."""
        return self._follower.cursor

    # ── requests ──

    async def create(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[ReadOptions]
    ) -> Created:
        """Sends a file to be read, and does not wait for its text."""
        return await self._requests.create(UploadFile(file, filename), asked(**wishes))

    async def list(
        self,
        *,
        status: Status | None = None,
        search: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Listing:
        """Without `limit` all in one, up to 10,000."""
        return await self._requests.list(wanted(status, search, limit, cursor))

    async def retrieve(self, upload_id: str) -> Instance:
        """With its texts."""
        return await self._requests.retrieve(upload_id)

    async def update(
        self,
        upload_id: str,
        *,
        filename: str | UnsetType = UNSET,
        processed_text: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
    ) -> Instance:
        """`processed_text` is a person's correction; None takes it back."""
        return await self._requests.update(upload_id, changes(filename, processed_text, metadata))

    async def delete(self, upload_id: str) -> Instance:
        """Its last state."""
        return await self._requests.delete(upload_id)

    async def cancel(self, upload_id: str) -> Instance:
        """Ends its reading; the finished pages keep their text."""
        return await self._requests.cancel(upload_id)

    async def retry(self, upload_id: str, **wishes: Unpack[ReadOptions]) -> Instance:
        """Reads what has ended anew, from page 1; what is not asked anew stays as it was asked before."""
        return await self._requests.retry(upload_id, asked(**wishes))

    async def me(self) -> Me:
        return await self._rest.me()

    async def engines(self) -> Engines:
        """What can read there, and what the others lack."""
        return await self._rest.engines()

    async def page(self, upload_id: str, number: int) -> Page:
        """A finished page, with its lines."""
        return await self._rest.page(upload_id, number)

    async def page_image(self, upload_id: str, number: int, *, width: int | None = None) -> bytes:
        """A picture of a page, upright, about that many pixels wide."""
        return await self._rest.page_image(upload_id, number, width)

    async def original(self, upload_id: str) -> bytes:
        """The file as it came in."""
        return await self._rest.original(upload_id)

    async def download(self, upload_id: str, target: str | os.PathLike[str]) -> None:
        """The file as it came in, streamed to a path."""
        await self._rest.download(upload_id, Path(target))

    # ── parts ──

    async def _until_end(self, created: Created, feed: EventQueue) -> AsyncGenerator[Event]:
        over = await self._fetch_terminal_event(created) if created.instance.is_terminal else None
        while over is None:
            event = await anext(feed, None)
            if event is None:
                return
            over = await self._over(created, event)
            if over is None and not isinstance(event, Created | Snapshot | Finished):
                yield event
        yield over

    async def _over(self, created: Created, event: Event) -> Finished | Deleted | None:
        """The last event, where this one says that it is time for it.

        In doubt the server is asked: a list has no texts, and what it had already may have ended just before
        it was sent again.
        """
        if isinstance(event, Snapshot):
            listed = {instance.id: instance for instance in event.uploads}.get(created.upload_id)
            return await self._fetch_terminal_event(created) if listed is None or listed.is_terminal else None
        if isinstance(event, Finished) and created.duplicate:
            return await self._fetch_terminal_event(created)
        return event if isinstance(event, Finished | Deleted) else None

    async def _fetch_terminal_event(self, created: Created) -> Finished | Deleted | None:
        """As the server has it now; None where it has not ended after all."""
        try:
            instance = await self._retry_transient(lambda: self._requests.retrieve(created.upload_id))
        except NotFound:
            return Deleted(instance=created.instance)
        return Finished.of(instance) if instance.is_terminal else None

    async def _retry_transient(self, call: Callable[[], Awaitable[T]]) -> T:
        """What may be done twice, over a restart of the server. The same bytes twice are one upload."""
        backoff = Backoff(self._timeouts.initial_backoff, self._timeouts.max_backoff)
        while True:
            try:
                return await call()
            except (ServerUnreachable, ConnectionLost):
                if backoff.attempts >= MAX_ATTEMPTS:
                    raise
            await asyncio.sleep(backoff.next_seconds())

    @contextmanager
    def _feed(self) -> Iterator[EventQueue]:
        feed = EventQueue()
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def _tell(self, event: Event) -> None:
        self._uploads.apply(event)
        for feed in self._feeds:
            feed.put(event)

    def _end(self, error: Exception | None) -> None:
        for feed in self._feeds:
            feed.end(error)
