"""WebSocket entry point: a consumer parses a request, calls one command or query, and replies.

No message from a client closes its connection, except too many messages a second. A close code gives the
reason for a close. The server always accepts first, because a close before the accept does not reach the
client.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from .auth import authentication, credentials, origin
from .conf import conf
from .db import executor
from .errors import (
    ConnectionRejected,
    DatabaseUnavailable,
    ProtocolError,
    RateLimited,
    RequestError,
    ScanrillError,
    StatusConflict,
    TokenKeysUnavailable,
    Unauthenticated,
    UnknownEndpoint,
    UploadNotFound,
)
from .jobs.options import ReadOptions
from .live.connection import LiveConnection
from .live.rate_limit import BURST_SECONDS, MIN_THREAD_CHARACTERS, TokenBucket
from .live.send_queue import SendQueue
from .live.server_connection import SERVER_CONNECTION, ServerConnection
from .models import Status, Upload
from .protocol import messages, parsing, serializers
from .protocol.subprotocol import answered_subprotocol
from .runtime import Runtime, runtime_of
from .uploads import commands, listing, queries

T = TypeVar("T")

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_SECONDS = 1.0
UNKNOWN_ENDPOINT_MESSAGE = "Unknown endpoint."
# An API key with the scope `read` may send these; all others need `write`.
READ_REQUESTS = (
    messages.Subscribe,
    messages.ListUploads,
    messages.Retrieve,
    messages.Resync,
    messages.Authenticate,
    messages.Ping,
)


class UploadConsumer(AsyncWebsocketConsumer):
    """Consumer of `/ws/core/upload/` (all uploads of the user) and `/ws/core/upload/<id>/` (one upload)."""

    _runtime: Runtime
    _connection: LiveConnection | None = None
    _writer: asyncio.Task[None] | None = None
    _expiry: asyncio.TimerHandle | None = None
    _closing: asyncio.Task[None] | None = None
    _aborted = False

    # ── connect, receive, close ──

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._task = asyncio.current_task()
        self._runtime = runtime_of(scope)
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self._aborted:
                raise
        finally:
            if self._connection is not None:
                self._runtime.hub.leave(self._connection)
                self._connection = None
            for pending in (self._writer, self._expiry):
                if pending is not None:
                    pending.cancel()

    async def dispatch(self, message: Any) -> None:
        """Call the handler of an ASGI message.

        Channels would first wait for a thread that closes old database connections. Here only the threads of
        `db.executor` have any.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        try:
            if "//" in self.scope["path"]:  # the router of Channels ignores slashes at the start
                raise UnknownEndpoint(UNKNOWN_ENDPOINT_MESSAGE)
            origin.check_origin(self.scope)
            self.identity = await executor.run_in_db_thread(
                authentication.authenticate, credentials.credential_of_handshake(self.scope)
            )
            upload_id: UUID | None = self.scope["url_route"]["kwargs"].get("instance_id")
            if upload_id is not None:
                await executor.run_in_db_thread(queries.upload, owner=self.identity.user, upload_id=upload_id)
            connection = self._create_connection(upload_id)
            # Before the accept: the client receives every later commit.
            await self._runtime.hub.join(connection)
        except (ConnectionRejected, DatabaseUnavailable, TokenKeysUnavailable, UploadNotFound) as error:
            await self.accept(answered_subprotocol(self.scope))
            await self.close(error.close_code, str(error))
            return
        self._connection = connection
        await self.accept(answered_subprotocol(self.scope))
        self._writer = asyncio.create_task(self._write(connection))
        self._close_at(self.identity.expires_at)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        connection = self._connection
        if connection is None or self._closing is not None:
            return
        if not self._bucket.consume():
            self.close_with(RateLimited("Too many messages."))
            return
        try:
            await self._handle(connection, await self._parse(text_data))
        except ProtocolError as error:
            reply = messages.error(error.fields, reply_type=error.reply_type, ref=error.ref)
            connection.send_queue.put_reply(messages.encode(_with_code(connection, reply, error)))
        await connection.send_queue.drain()

    def close_with(self, reason: ConnectionRejected) -> None:
        """Close the connection with the code of the reason, once. Call it on the event loop."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close_or_abort(reason))

    # ── requests ──

    async def _handle(self, connection: LiveConnection, request: messages.Request) -> None:
        connection.begin_request(request)
        try:
            authentication.require(self.identity, "read" if isinstance(request, READ_REQUESTS) else "write")
            reply = await self._HANDLERS[type(request)](self, connection, request)
        except RequestError as error:
            reply = _with_code(connection, request.error_reply(error.fields), error)
        except Exception:
            log.exception("A request failed: %s", type(request).__name__)
            message = request.error_reply({"server": "Internal server error. See the server log."})
            reply = _with_code(connection, message, ScanrillError())
        await connection.finish_request(reply)

    async def _subscribe(self, connection: LiveConnection, request: messages.Subscribe) -> messages.Message:
        # With `since` or `stream`, the hub replies by itself, before the events and texts that follow.
        if request.since is not None:
            await self._runtime.hub.resume(connection, request.since, request.stream)
        elif request.stream is not None:
            await self._runtime.hub.set_stream_mode(connection, request.stream)
        return messages.Subscribed(instance_id=str(connection.upload_id) if connection.upload_id else None)

    async def _authenticate(
        self, connection: LiveConnection, request: messages.Authenticate
    ) -> messages.Message:
        try:
            identity = await executor.run_in_db_thread(authentication.authenticate, request.token)
        except Unauthenticated as error:
            raise RequestError({"token": str(error)}) from None
        if identity.user.pk != self.identity.user.pk:
            raise RequestError({"token": "This token belongs to another user."})
        self.identity = identity
        connection.issued_at, connection.credential_id = identity.issued_at, identity.credential_id
        self._close_at(identity.expires_at)
        return messages.Authenticated()

    async def _create(self, connection: LiveConnection, request: messages.Create) -> messages.Message:
        source = commands.UploadSource(
            image_base64=request.image_base64, image_path=request.image_path, image_hash=request.image_hash
        )
        characters = len(request.image_base64 or "")
        async with self._runtime.ingest_limit.place(self.identity.user.pk, characters):
            created = await self._run(
                commands.create,
                source=source,
                options=ReadOptions(**request.read_options()),
                filename=request.filename,
                metadata=request.metadata,
                on_duplicate=request.on_duplicate or "existing",
                requester=connection,
            )
        if connection.has_event_reply:
            return serializers.created(created.upload, duplicate=created.duplicate)
        try:
            return serializers.created(
                await self._load_at_reply(connection, created.upload.pk), duplicate=True
            )
        except UploadNotFound:
            raise RequestError({"image_hash": commands.DELETED_MEANWHILE_MESSAGE}) from None

    async def _list(self, connection: LiveConnection, request: messages.ListUploads) -> messages.Message:
        user, filters = self.identity.user, request.filters()
        run = executor.run_for_user if listing.is_short(**filters) else executor.run_long_query
        # Until the client has read the list: one that does not read holds no further lists in memory.
        async with self._runtime.unread_lists.place(user.pk):
            connection.reserve_reply_slot()
            found = await run(user.pk, listing.uploads, owner=user, **filters)
            reply = serializers.listing(found.items, found.next, request, found.total)
            connection.reply(reply)
            await connection.send_queue.drain()
        return reply

    async def _retrieve(self, connection: LiveConnection, request: messages.Retrieve) -> messages.Message:
        return serializers.status(await self._load_at_reply(connection, request.instance_id))

    async def _update(self, connection: LiveConnection, request: messages.Update) -> messages.Message:
        upload = await self._run(
            commands.update,
            upload_id=request.instance_id,
            filename=request.filename,
            correction=request.processed_text,
            metadata=request.metadata,
            requester=connection,
        )
        return serializers.updated(upload)

    async def _delete(self, connection: LiveConnection, request: messages.Delete) -> messages.Message:
        return await self._run(commands.delete, upload_id=request.instance_id, requester=connection)

    async def _cancel(self, connection: LiveConnection, request: messages.Cancel) -> messages.Message:
        upload = await self._run(commands.cancel, upload_id=request.instance_id, requester=connection)
        if not connection.has_event_reply:  # the upload was cancelled before
            upload = await self._load_at_reply(connection, upload.pk)
        if upload.status != Status.CANCELLED:
            raise StatusConflict("A retry started meanwhile. Cancel the upload again.")
        return serializers.failed(upload)

    async def _retry(self, connection: LiveConnection, request: messages.Retry) -> messages.Message:
        upload = await self._run(
            commands.retry,
            upload_id=request.instance_id,
            options=ReadOptions(**request.read_options()),
            requester=connection,
        )
        return serializers.updated(upload)

    async def _resync(self, connection: LiveConnection, request: messages.Resync) -> messages.Message:
        upload = await self._run(queries.upload, upload_id=request.instance_id)
        resynced = messages.Resynced(instance_id=upload.pk)
        connection.reply(resynced)  # before the live text, which the hub sends
        self._runtime.hub.resync(connection, upload.pk)
        return resynced

    async def _ping(self, connection: LiveConnection, request: messages.Ping) -> messages.Message:
        return messages.Pong()

    _HANDLERS: ClassVar[
        dict[type[messages.Request], Callable[[Any, LiveConnection, Any], Awaitable[messages.Message]]]
    ] = {
        messages.Subscribe: _subscribe,
        messages.Create: _create,
        messages.ListUploads: _list,
        messages.Retrieve: _retrieve,
        messages.Update: _update,
        messages.Delete: _delete,
        messages.Cancel: _cancel,
        messages.Retry: _retry,
        messages.Resync: _resync,
        messages.Authenticate: _authenticate,
        messages.Ping: _ping,
    }

    # ── helpers ──

    async def _load_at_reply(self, connection: LiveConnection, upload_id: UUID) -> Upload:
        """Reserve the place of the reply, then load the upload, so no event before the reply is newer."""
        connection.reserve_reply_slot()
        return await self._run(queries.upload, upload_id=upload_id)

    async def _run(self, function: Callable[..., T], **arguments: Any) -> T:
        """Call a command or query for the user, on a database thread, when it is the user's turn."""
        user = self.identity.user
        return await executor.run_for_user(user.pk, function, owner=user, **arguments)

    def _create_connection(self, upload_id: UUID | None) -> LiveConnection:
        server: ServerConnection | None = self.scope.get("extensions", {}).get(SERVER_CONNECTION)
        rate = conf.messages_per_second
        if server is None:
            self._bucket, send_queue = TokenBucket(rate, rate * BURST_SECONDS), SendQueue(self.send)
        else:
            server.set_owner(self.identity.user.pk)
            self._bucket, send_queue = server.frame_rate, SendQueue(self.send, server.try_send)
        identity = self.identity
        return LiveConnection(
            identity.user.pk,
            upload_id,
            identity.issued_at,
            send_queue,
            self.close_with,
            credential_id=identity.credential_id,
        )

    async def _parse(self, text: str | None) -> messages.Request:
        if text is None:
            raise ProtocolError(
                {"message": "A text frame with a JSON object is expected, not a binary frame."}
            )
        if len(text) < MIN_THREAD_CHARACTERS:
            return parsing.parse_request(text)
        async with self._runtime.parsing_limit.place(self.identity.user.pk, len(text)):
            return await asyncio.to_thread(parsing.parse_request, text)

    async def _write(self, connection: LiveConnection) -> None:
        try:
            await connection.send_queue.run()
        except ConnectionRejected as error:
            self.close_with(error)
        except OSError:  # the transport is closed; its disconnect message follows
            pass

    def _close_at(self, epoch_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if math.isinf(epoch_seconds):
            return
        expired = Unauthenticated("The token or API key has expired.")
        self._expiry = loop.call_later(max(0.0, epoch_seconds - time.time()), self.close_with, expired)

    async def _close_or_abort(self, reason: ConnectionRejected) -> None:
        """Send the close frame. Abort the connection of a client that does not read it."""
        if self._writer is not None:
            self._writer.cancel()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self.close(reason.close_code, str(reason))
        except TimeoutError:
            self._aborted = True
            if self._task is not None:
                self._task.cancel()
        except OSError:  # the client closed the connection
            pass


def _with_code(
    connection: LiveConnection, reply: messages.ErrorMessage, error: ScanrillError
) -> messages.ErrorMessage:
    """Add what a program needs to an error; the specification's clients get its keys alone."""
    if not connection.opted_in:
        return reply
    return msgspec.structs.replace(reply, code=error.code, retryable=error.is_retryable)


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Consumer of all other WebSocket paths: it closes the connection with 4404."""

    async def connect(self) -> None:
        await self.accept(answered_subprotocol(self.scope))
        await self.close(UnknownEndpoint.close_code, UNKNOWN_ENDPOINT_MESSAGE)
