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

from .address import Address
from .backoff import Backoff
from .connection import Connection, Timing
from .errors import ConnectionLost, NotFound, Unreachable, UploadDeleted
from .events import Created, Deleted, Ended, Event, Listed
from .feed import Feed
from .files import File, FileSource
from .follower import Follower
from .http import Http
from .messages import Engines, Instance, Listing, Me, Page, Status, Stream, Wishes
from .over_socket import SocketRequests
from .rest import Requests, RestRequests, asked, changes, wanted
from .tokens import TokenSource, source_of
from .uploads import Uploads

T = TypeVar("T")
Token = str | TokenSource | Callable[[], str | Awaitable[str]]
Over = Literal["rest", "socket"]
# About a minute and a half with the waits of `Backoff`.
MOST_TRIES = 8


class AsyncClient:
    """A client of one server, in the name of one user.

        async with AsyncClient("http://127.0.0.1:8000", token=…) as client:
            print(await client.read("receipt.jpg"))

    token    an access token, a function (async or not) that gives a fresh one each time, or a
             `Password` or `RefreshToken`; a fresh one is asked for when the server rejects the last
    over     how requests go: by REST (files are streamed), or in messages of the socket
    stream   how live text comes; what is told is the same

    The socket opens when it is first needed. It comes back by itself, and what happened meanwhile is told.
    Every call may raise `Unauthenticated`, `Unreachable` and, where it changes something, `ConnectionLost`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token,
        over: Over = "rest",
        stream: Stream = "pages",
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        self._address = Address(url)
        self._source = source_of(token)
        self._http = Http(self._address, self._source, timeout_seconds=timing.request)
        self._feeds: set[Feed] = set()
        self._uploads = Uploads()
        self._follower = Follower(stream)
        self._connection = Connection(
            self._address.socket,
            self._http.session,
            self._follower,
            tell=self._tell,
            ended=self._end,
            timing=timing,
        )
        self._rest = RestRequests(self._http)
        self._requests: Requests = self._rest if over == "rest" else SocketRequests(self._connection)
        self._timing = timing

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

    async def read(self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[Wishes]) -> str:
        """The Markdown of a file. Raises `ReadingFailed`, `Cancelled`, `UploadDeleted`, `RequestRefused`."""
        async with aclosing(self.upload(file, filename=filename, **wishes)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    return event.result()
                if isinstance(event, Deleted):
                    raise UploadDeleted(event.upload_id)
        raise ConnectionLost("The client was closed.")

    async def upload(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[Wishes]
    ) -> AsyncGenerator[Event]:
        """All that happens to an upload of this file: `Created` first, at last `Ended` or `Deleted`.

        The server knows the same bytes again: a file that was read already ends at once with its text,
        whatever is wished; `retry` reads it anew.
        """
        how = asked(**wishes)
        with self._feed() as feed:
            await self._connection.ready()
            sent = File(file, filename)
            created = await self._patiently(lambda: self._requests.create(sent, how))
            feed.only(created.upload_id)
            yield created
            async with aclosing(self._until_end(created, feed)) as events:
                async for event in events:
                    yield event

    async def events(self) -> AsyncGenerator[Event]:
        """All that happens to all the user's uploads, without end: `Listed` first, with those that are there.

        It comes again when another reader begins, and when the server cannot tell what happened meanwhile.
        """
        await self._connection.ready()
        with self._feed() as feed:
            self._connection.ask_for_all()
            async for event in feed:
                yield event

    @property
    def uploads(self) -> Uploads:
        """The uploads by their ids: all of them since the first `Listed` of `events()`."""
        return self._uploads

    @property
    def cursor(self) -> str | None:
        """The place of the last event that was told, among all of the user's."""
        return self._follower.cursor

    # ── requests ──

    async def create(
        self, file: FileSource, *, filename: str | None = None, **wishes: Unpack[Wishes]
    ) -> Created:
        """Sends a file to be read, and does not wait for its text."""
        return await self._requests.create(File(file, filename), asked(**wishes))

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

    async def retry(self, upload_id: str, **wishes: Unpack[Wishes]) -> Instance:
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

    async def _until_end(self, created: Created, feed: Feed) -> AsyncGenerator[Event]:
        over = await self._end_of(created) if created.instance.has_ended else None
        while over is None:
            event = await anext(feed, None)
            if event is None:
                return
            over = await self._over(created, event)
            if over is None and not isinstance(event, Created | Listed | Ended):
                yield event
        yield over

    async def _over(self, created: Created, event: Event) -> Ended | Deleted | None:
        """The last event, where this one says that it is time for it.

        In doubt the server is asked: a list has no texts, and what it had already may have ended just before
        it was sent again.
        """
        if isinstance(event, Listed):
            listed = {instance.id: instance for instance in event.uploads}.get(created.upload_id)
            return await self._end_of(created) if listed is None or listed.has_ended else None
        if isinstance(event, Ended) and created.duplicate:
            return await self._end_of(created)
        return event if isinstance(event, Ended | Deleted) else None

    async def _end_of(self, created: Created) -> Ended | Deleted | None:
        """As the server has it now; None where it has not ended after all."""
        try:
            instance = await self._patiently(lambda: self._requests.retrieve(created.upload_id))
        except NotFound:
            return Deleted(instance=created.instance)
        return Ended.of(instance) if instance.has_ended else None

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """What may be done twice, over a restart of the server. The same bytes twice are one upload."""
        backoff = Backoff(self._timing.first_wait, self._timing.most_wait)
        while True:
            try:
                return await call()
            except (Unreachable, ConnectionLost):
                if backoff.attempts >= MOST_TRIES:
                    raise
            await asyncio.sleep(backoff.next_seconds())

    @contextmanager
    def _feed(self) -> Iterator[Feed]:
        feed = Feed()
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
