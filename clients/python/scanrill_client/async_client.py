"""Client for asyncio: requests, and the events of uploads."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import httpx
from msgspec import UNSET, UnsetType

from .backoff import Backoff
from .connection import ReconnectingConnection, Timeouts
from .event_methods import EventMethods
from .event_queue import EventQueue
from .event_sync import EventSynchronizer
from .events import Created
from .file_methods import FileMethods
from .http import HttpClient, new_http_client
from .key_methods import KeyMethods
from .messages import Engines, Instance, Listing, Me, Page, Sessions, Stream
from .reading_methods import ReadingMethods
from .request_options import ListFilters, ReadOptions, UploadOptions
from .rest_requests import (
    RequestTransport,
    RestRequests,
    list_filters,
    read_options,
    update_fields,
    upload_options,
)
from .search_results import SearchResults
from .server_url import ServerURL
from .socket_requests import SocketRequests
from .tokens import TokenSource, as_token_source
from .upload_file import FileSource, UploadFile
from .upload_store import UploadStore

Token = str | TokenSource | Callable[[], str | Awaitable[str]]
Transport = Literal["rest", "socket"]


class AsyncClient(EventMethods, FileMethods, ReadingMethods, KeyMethods):
    """Client of one server, for one user.

        async with AsyncClient("http://127.0.0.1:8000", token=…) as client:
            print(await client.read("receipt.jpg"))

    The WebSocket opens when a call first needs it. It reconnects, and then delivers the missed events.

    Args:
        url: The URL of the server.
        token: An access token; a function, async or not, that returns a new one; or a `Password` or
            `RefreshToken`. The client fetches a new token when the server rejects the current one.
        api_key: A key from `scanrill key add`, in place of a token.
        transport: "rest" streams files. "socket" sends requests as messages over the WebSocket.
        stream: The form in which the server sends live text. The events are the same.
        timeouts: The waits, in seconds.
        tls: The TLS context for REST and the WebSocket, as for a certificate authority of your own.
        http_client: An `httpx.AsyncClient` for REST, as for a proxy. You close it.

    Raises:
        ValueError: The URL is not valid, or it contains a token; or `token` and `api_key` are both given
            or both absent.
        TypeError: `http_client` is not an `httpx.AsyncClient`.

    Every method may also raise `Unauthenticated`, `ServerUnreachable`, `ConnectionRejected` and
    `UnexpectedResponse`. Methods that change something may raise `ConnectionLost`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token | None = None,
        api_key: str | None = None,
        transport: Transport = "rest",
        stream: Stream = "pages",
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._server_url = ServerURL(url)
        self._source = as_token_source(_one_credential(token, api_key))
        self._http = HttpClient(
            self._server_url,
            self._source,
            client=http_client or new_http_client(self._timeouts.request, tls),
            is_own=http_client is None,
            new_backoff=lambda: Backoff(self._timeouts.initial_backoff, self._timeouts.max_backoff),
        )
        self._queues: set[EventQueue] = set()
        self._uploads = UploadStore()
        self._synchronizer = EventSynchronizer(stream)
        self._connection = ReconnectingConnection(
            self._server_url.socket,
            self._http.tokens,
            self._synchronizer,
            on_event=self._publish,
            on_fatal_error=self._close_queues,
            timeouts=self._timeouts,
            tls=tls,
        )
        self._rest = RestRequests(self._http)
        self._requests: RequestTransport = (
            self._rest if transport == "rest" else SocketRequests(self._connection)
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._server_url} {self._source!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Open the WebSocket and subscribe. Optional: the other methods do so when they need it."""
        await self._connection.wait_open()

    async def close(self) -> None:
        """Close all connections and end all iterations over events."""
        await self._connection.close()
        await self._http.close()
        self._close_queues(None)

    @property
    def uploads(self) -> UploadStore:
        """The uploads by id; complete from the first `Snapshot` of `events()` on."""
        return self._uploads

    @property
    def cursor(self) -> str | None:
        """The position of the last event in the user's event log."""
        return self._synchronizer.cursor

    # ── requests ──

    async def create(
        self, file: FileSource, *, filename: str | None = None, **options: Unpack[UploadOptions]
    ) -> Created:
        """Upload a file without waiting for its text. The arguments are those of `read`.

        Raises:
            RequestError: The server rejected the file or an option.
            TypeError: The file object is in text mode.
        """
        option_fields = upload_options(**options)
        with UploadFile(file, filename) as upload_file:
            return await self._requests.create(upload_file, option_fields)

    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[ListFilters],
    ) -> Listing:
        """Return uploads without their texts, newest first by default.

        Args:
            limit: The size of a page of the list; by default 50 over REST, and at most 10,000.
            cursor: The `next` of the page before, with the same filters.
            filters: See `ListFilters`.
        """
        fields = list_filters(limit=limit, cursor=cursor, **filters)
        return await self._requests.list(fields)

    async def list_all(self, *, limit: int = 100, **filters: Unpack[ListFilters]) -> AsyncGenerator[Instance]:
        """Yield all uploads, newest first, page by page of the list.

        Args:
            limit: The number of uploads for each request.
            filters: Those of `list`.
        """
        cursor: str | None = None
        while True:
            listing = await self.list(limit=limit, cursor=cursor, **filters)
            for instance in listing.uploads:
                yield instance
            cursor = listing.next
            if cursor is None:
                return

    async def retrieve(self, upload_id: str) -> Instance:
        """Return an upload with its texts. Raises `NotFound`."""
        return await self._requests.retrieve(upload_id)

    async def update(
        self,
        upload_id: str,
        *,
        filename: str | UnsetType = UNSET,
        processed_text: str | UnsetType | None = UNSET,
        metadata: Mapping[str, Any] | UnsetType = UNSET,
    ) -> Instance:
        """Change fields of an upload and return it.

        Args:
            upload_id: The id of the upload.
            filename: The new name.
            processed_text: A person's correction of the text; None removes it.
            metadata: JSON of the caller; it replaces the earlier metadata.

        Raises:
            NotFound: The upload does not exist.
            RequestError: A field is not valid.
        """
        return await self._requests.update(upload_id, update_fields(filename, processed_text, metadata))

    async def delete(self, upload_id: str) -> Instance:
        """Delete an upload and return its last state. Raises `NotFound`."""
        return await self._requests.delete(upload_id)

    async def cancel(self, upload_id: str) -> Instance:
        """Stop the reading of an upload; finished pages keep their text.

        Raises:
            RequestError: The upload does not exist, or its reading is over.
        """
        return await self._requests.cancel(upload_id)

    async def retry(self, upload_id: str, **options: Unpack[ReadOptions]) -> Instance:
        """Read a finished upload again, from page 1. Options that are not given keep their value.

        Raises:
            RequestError: The upload does not exist, its reading is not over, or an option is not valid.
        """
        return await self._requests.retry(upload_id, read_options(**options))

    async def me(self) -> Me:
        """Return the user of the token, and limits of the server."""
        return await self._rest.me()

    async def sessions(self) -> Sessions:
        """Return the sign-ins of the user that have not ended, the last used first."""
        return await self._rest.sessions()

    async def end_session(self, session_id: str) -> None:
        """Sign out a session: its sockets close, and its tokens are invalid.

        Raises:
            NotFound: The user has no such session, or it has ended.
        """
        await self._rest.end_session(session_id)

    async def engines(self) -> Engines:
        """Return the OCR engines of the server, with the reason why one is unavailable."""
        return await self._rest.engines()

    async def search(self, q: str, *, limit: int = 20, cursor: str | None = None) -> SearchResults:
        """Find pages, file names and corrections, best first.

        Args:
            q: Words, "a phrase", prefix*, -without, and the filters name:, status:, before: and after:.
            limit: Maximum number of hits, up to 100.
            cursor: `next` of the previous results.

        Raises:
            RequestError: On `q`, `limit` or `cursor` if it is not valid.
        """
        return await self._rest.search(q, limit, cursor)

    async def page(self, upload_id: str, number: int, *, words: bool = False) -> Page:
        """Return a finished page with its lines.

        Args:
            upload_id: The id of the upload.
            number: The page number, from 1.
            words: Whether the lines have their words.

        Raises:
            NotFound: The page does not exist, or is not finished.
        """
        return await self._rest.page(upload_id, number, words=words)


def _one_credential(token: Token | None, api_key: str | None) -> Token:
    credential = api_key if token is None else token
    if credential is None or (token is not None and api_key is not None):
        raise ValueError("Pass either token= or api_key=.")
    return credential
