"""Server-Sent Events: the events and the live text of a socket, as a stream over HTTP.

The connection is one of the hub, as that of a socket which has opted in: it has the same cursors, limits and
close reasons. Each event's data is a message of the WebSocket API. Format: HTML Living Standard, 9.2.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from ..auth import authentication
from ..auth.authentication import Identity
from ..db import executor
from ..errors import ConnectionRejected, ScanrillError, ShuttingDown, Unauthenticated
from ..live.connection import LiveConnection
from ..live.send_queue import SendQueue
from ..live.server_connection import abort_connection, set_shutdown_callback
from ..models import Upload
from ..protocol import field_types, messages, parsing, serializers
from ..runtime import runtime_of
from ..uploads import queries
from ..uploads.quotas import OPEN_STATUSES
from .parameters import parse_query
from .problems import problem
from .responses import encode_headers
from .stream_routes import StreamRoute
from .types import Receive, Scope, Send
from .waiting import run_while_connected

# HTML Living Standard, 9.2.7: proxies end idle connections, and 15 s are shorter than their time-outs.
HEARTBEAT_INTERVAL_SECONDS = 15.0
RETRY_MILLISECONDS = 2_000
CLOSE_TIMEOUT_SECONDS = 1.0
MAX_CURSOR_CHARACTERS = 100
PARAMETERS = ("since", "stream")
EVENT_STREAM = "text/event-stream"
HEADERS = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would collect events until its buffer is full
}
_TERMINAL = re.compile(r'\{"id":"[^"]+","status":"(processed|error|cancelled)"')
# A message ends with its cursor. A key of the same name in a field would have a brace behind it.
_CURSOR = re.compile(r'"cursor":"([^"]+)"}\Z')


async def stream_events(scope: Scope, receive: Receive, send: Send, upload_id: UUID | None = None) -> None:
    """Serve `GET /api/events` and `GET /api/uploads/{id}/events`, with `?since=&stream=`."""
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    request = _parse(scope)
    if upload_id is not None:
        user = identity.user
        await executor.run_for_user(user.pk, queries.upload, owner=user, upload_id=upload_id)
    stream = EventStream(scope, send, identity, upload_id, request.stream or "full")
    async with stream.joined():
        await run_while_connected(receive, stream.run(request))


class EventStream:
    """Response that sends the messages of a connection as events, until the connection is closed.

    Args:
        scope: ASGI's scope of the request.
        send: ASGI's `send`.
        identity: The user, and the credential whose end ends the stream.
        upload_id: The upload that it follows; None for all of the user's.
        mode: The stream mode of its live text.
    """

    def __init__(
        self,
        scope: Scope,
        send: Send,
        identity: Identity,
        upload_id: UUID | None,
        mode: field_types.StreamName,
    ) -> None:
        self._scope = scope
        self._send = send
        self._hub = runtime_of(scope).hub
        self.headers = dict(HEADERS)
        self._cursor: str | None = None
        self._is_first = True
        self._expires_at = identity.expires_at
        self._closed: asyncio.Future[ScanrillError | None] = asyncio.get_running_loop().create_future()
        self._queue = SendQueue(self._send_message)
        self._sending = asyncio.Lock()
        self.connection = LiveConnection(
            identity.user.pk,
            upload_id,
            identity.issued_at,
            self._queue,
            self.close,
            credential_id=identity.credential_id,
            stream=mode,
        )

    def close(self, reason: ScanrillError | None) -> None:
        """End the stream; an event names the reason if there is one."""
        if not self._closed.done():
            self._closed.set_result(reason)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[None]:
        """Be a connection of the hub, within the limits of the user. Raises `RateLimited`."""
        set_shutdown_callback(self._scope, lambda: self.close(ShuttingDown()))
        await self._hub.join_without_events(self.connection)
        try:
            yield
        finally:
            self._hub.leave(self.connection)

    async def run(self, request: messages.Subscribe) -> None:
        """Send events until the connection is closed for a reason."""
        headers = encode_headers(self.headers)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write_start()
        loop = asyncio.get_running_loop()
        expiry = None
        if not math.isinf(self._expires_at):
            expired = Unauthenticated("The token or API key has expired.")
            expiry = loop.call_later(max(0.0, self._expires_at - time.time()), self.close, expired)
        try:
            reason = await self._send_until_closed(request)
        finally:
            if expiry is not None:
                expiry.cancel()
        await self._send_end(reason)

    async def _write_start(self) -> None:
        await self._write(f"retry: {RETRY_MILLISECONDS}\n\n")

    async def _send_until_closed(self, request: messages.Subscribe) -> ScanrillError | None:
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._write_messages(), self._open(request), self._send_heartbeats())
        ]
        try:
            return await self._closed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, request: messages.Subscribe) -> None:
        self.connection.begin_request(request)
        try:
            await self._hub.open_event_stream(self.connection, request.since)
        except ScanrillError as error:
            self.close(error)

    async def _write_messages(self) -> None:
        try:
            await self._queue.run()
        except ConnectionRejected as error:
            self.close(error)
        except OSError:  # the client closed the connection
            pass

    async def _send_message(self, text: str) -> None:
        if self._is_first:
            await self._send_first(text)
            return
        if found := _CURSOR.search(text, max(0, len(text) - MAX_CURSOR_CHARACTERS)):
            self._cursor = found[1]
        await self._write_event(text)

    async def _send_first(self, text: str) -> None:
        """Send `subscribed`. If a list follows, the list has the cursor: without the list none is valid."""
        self._is_first = False
        subscribed = msgspec.json.decode(text)
        if subscribed.get("recovered", True):
            self._cursor = subscribed["cursor"]
            await self._write_event(text)
        else:
            await self._write_event(text)
            self._cursor = subscribed["cursor"]

    async def _write_event(self, text: str) -> None:
        cursor, self._cursor = self._cursor, None
        await self._write((f"id: {cursor}\n" if cursor else "") + f"data: {text}\n\n")

    async def _send_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL_SECONDS)
            if not self._sending.locked():  # a client that does not read needs none
                await self._write(": heartbeat\n\n")

    async def _send_end(self, reason: ScanrillError | None) -> None:
        """End the response. Close the connection of a client that does not read it."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._write_end(reason)
                await self._send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            abort_connection(self._scope)
            await asyncio.Event().wait()  # until the disconnection cancels it

    async def _write_end(self, reason: ScanrillError | None) -> None:
        if reason is not None:
            data = msgspec.json.encode(problem(reason)).decode()
            await self._write(f"event: close\ndata: {data}\n\n")

    async def _write(self, text: str) -> None:
        async with self._sending:
            await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})


class ReadingStream(EventStream):
    """Event stream of one upload that ends with the upload."""

    _upload: Upload

    def follow(self, upload: Upload) -> None:
        """Set the upload, after the stream has joined: it then has all events since."""
        self._upload = upload
        self.connection.upload_id = upload.pk

    async def _open(self, request: messages.Subscribe) -> None:
        await super()._open(request)
        if self._upload.status not in OPEN_STATUSES:  # the user's upload of the same bytes: no event follows
            self._queue.put_reply(messages.encode(serializers.terminal(self._upload)))

    async def _send_message(self, text: str) -> None:
        await super()._send_message(text)
        if _TERMINAL.match(text):
            self.close(None)


def _parse(scope: Scope) -> messages.Subscribe:
    """Return the request of a query; the header `Last-Event-ID` of a client that reconnects comes first."""
    data: dict[str, Any] = {**parse_query(scope["query_string"], PARAMETERS)}
    last_event_id = dict(scope["headers"]).get(b"last-event-id", b"").decode("latin-1")
    if last_event_id:
        data["since"] = last_event_id
    return parsing.build_request(messages.Subscribe, data)


EVENTS = StreamRoute("api/events", {"GET": stream_events}, has_body=False)
UPLOAD_EVENTS = StreamRoute("api/uploads/<uuid:upload_id>/events", {"GET": stream_events}, has_body=False)
