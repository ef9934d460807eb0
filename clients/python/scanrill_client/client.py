"""Synchronous client: `AsyncClient` on an event loop in a background thread."""

from __future__ import annotations

import os
import ssl
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, Unpack

import httpx
from msgspec import UNSET, UnsetType

from .api_keys import ApiKeys, KeyScope, NewApiKey
from .async_client import AsyncClient, Token, Transport
from .background_loop import BackgroundLoop
from .connection import Timeouts
from .events import AnyEvent, Created
from .messages import Engines, Instance, Listing, Me, Page, Sessions, Stream
from .readings import Reading, ReadingComparison, Readings
from .request_options import ExportOptions, ListFilters, ReadOptions, UploadOptions
from .search_results import SearchResults
from .upload_file import FileSource
from .upload_store import UploadStore


class Client:
    """Synchronous client of one server, for one user. Several threads may use it at once.

    A child process after `os.fork` has connections of its own. It cannot use a client with `http_client`.

    `AsyncClient` describes the arguments, the methods and their errors.

    with Client("http://127.0.0.1:8000", token=…) as client:
        print(client.read("receipt.jpg"))
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
        self._has_own_http = http_client is None
        self._new_client: Callable[[], AsyncClient] = partial(
            AsyncClient,
            url,
            token=token,
            api_key=api_key,
            transport=transport,
            stream=stream,
            timeouts=timeouts,
            tls=tls,
            http_client=http_client,
        )
        self._client = self._new_client()
        self._loop = BackgroundLoop()
        _clients.add(self)

    def _after_fork(self) -> None:
        """Begin again in a child process: threads, sockets and locks are those of the parent.

        The parent's client stays referenced: its end would close connections that the parent uses.
        """
        self._before_fork = (self._client, self._loop)
        self._loop.abandon()
        self._loop = BackgroundLoop()
        if self._has_own_http:
            self._client = self._new_client()
        else:
            self._loop.abandon()

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

    def read(
        self,
        file: FileSource,
        *,
        filename: str | None = None,
        timeout: float | None = None,
        **options: Unpack[UploadOptions],
    ) -> str:
        """Upload a file, wait for its text and return it as Markdown."""
        return self._loop.run(self._client.read(file, filename=filename, timeout=timeout, **options))

    def upload(
        self, file: FileSource, *, filename: str | None = None, **options: Unpack[UploadOptions]
    ) -> Generator[AnyEvent]:
        """Upload a file and yield its events: `Created` first, `Finished` or `Deleted` last."""
        return self._loop.iterate(self._client.upload(file, filename=filename, **options))

    def wait(self, upload_id: str, *, timeout: float | None = None) -> Instance:
        """Wait until the reading of an upload has ended, and return the upload with its texts."""
        return self._loop.run(self._client.wait(upload_id, timeout=timeout))

    def follow(self, upload_id: str) -> Generator[AnyEvent]:
        """Yield the events of an upload until its reading has ended."""
        return self._loop.iterate(self._client.follow(upload_id))

    def events(self) -> Generator[AnyEvent]:
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
        self, file: FileSource, *, filename: str | None = None, **options: Unpack[UploadOptions]
    ) -> Created:
        """Upload a file without waiting for its text."""
        return self._loop.run(self._client.create(file, filename=filename, **options))

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        **filters: Unpack[ListFilters],
    ) -> Listing:
        """Return uploads without their texts, newest first."""
        listing = self._client.list(limit=limit, cursor=cursor, **filters)
        return self._loop.run(listing)

    def list_all(self, *, limit: int = 100, **filters: Unpack[ListFilters]) -> Generator[Instance]:
        """Yield all uploads, newest first; `limit` is the number for each request. Filters: as `list`."""
        return self._loop.iterate(self._client.list_all(limit=limit, **filters))

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

    def api_keys(self) -> ApiKeys:
        """Return the API keys of the user that are not revoked, the newest first."""
        return self._loop.run(self._client.api_keys())

    def create_api_key(
        self, name: str, *, scope: KeyScope = "write", expires_in_days: int | None = None
    ) -> NewApiKey:
        """Create an API key; None: it does not expire. Its text comes once, in `key`."""
        made = self._client.create_api_key(name, scope=scope, expires_in_days=expires_in_days)
        return self._loop.run(made)

    def revoke_api_key(self, key_id: str) -> None:
        """Revoke an API key: it is invalid at once, and its sockets close."""
        self._loop.run(self._client.revoke_api_key(key_id))

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


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _reset_clients() -> None:
    for client in list(_clients):
        client._after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_reset_clients)
