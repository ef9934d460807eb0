"""Step 3 — the socket door: decode, call one function of `uploads` or `queries`, reply.

Nothing that a client sends ends its socket, but a flood of messages. What ends it is said by a close code,
always after accept: a close before accept reaches no client.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer

from .auth import authentication, origin
from .conf import conf
from .db import executor
from .errors import (
    ConnectionRejected,
    DatabaseUnavailable,
    ProtocolError,
    RateLimited,
    RequestError,
    StatusConflict,
    Unauthenticated,
    UnknownEndpoint,
    UploadNotFound,
)
from .jobs.options import ReadOptions
from .live.connection import LiveConnection
from .live.hub import hub
from .live.rate_limit import TokenBucket, large_frame_slot
from .live.send_queue import SEND_NOW, SendQueue
from .models import Status, Upload
from .protocol import messages, parsing, serializers
from .uploads import commands, queries

log = logging.getLogger(__name__)

BURST_SECONDS = 4
# Parsing more than this on the event loop would hold up the other sockets.
DECODE_IN_THREAD_CHARACTERS = 64 * 1024
CLOSE_TIMEOUT_SECONDS = 1.0


class UploadConsumer(AsyncWebsocketConsumer):
    """`/ws/core/upload/` follows all uploads of the user, `/ws/core/upload/<id>/` that one."""

    connection: LiveConnection | None = None
    _writer: asyncio.Task[None] | None = None
    _expiry: asyncio.TimerHandle | None = None
    _closing: asyncio.Task[None] | None = None
    _aborted = False

    # ── the life of a connection ──

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._task = asyncio.current_task()
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self._aborted:
                raise
        finally:
            self._cleanup()

    async def dispatch(self, message: Any) -> None:
        """Channels has a thread look after its database connection first; ours are `orm`'s."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        try:
            origin.check_origin(self.scope)
            self.identity = await executor.run_in_db_thread(
                authentication.authenticate, authentication.token_from_handshake(self.scope)
            )
            upload_id = await self._requested_upload_id()
            socket = self._create_connection(upload_id)
            await hub.join(socket)  # before accept: what commits after the handshake reaches this client
        except (ConnectionRejected, DatabaseUnavailable, UploadNotFound) as refusal:
            await self.accept()
            await self.close(refusal.close_code, str(refusal))
            return
        self.connection = socket
        await self.accept()
        self._bucket = TokenBucket(conf.messages_per_second, conf.messages_per_second * BURST_SECONDS)
        self._writer = asyncio.create_task(self._write())
        self._close_at(self.identity.expires_at)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        socket = self.connection
        if socket is None or self._closing is not None:
            return
        if not self._bucket.take():
            self.close_with(RateLimited("Too many messages."))
            return
        try:
            async with large_frame_slot(len(text_data or "")):
                await self._handle(socket, await self._decode(text_data))
        except ProtocolError as error:
            socket.send_queue.put_reply(
                messages.encode(messages.error(error.fields, reply_type=error.reply_type, ref=error.ref))
            )
        await socket.send_queue.drain()

    def close_with(self, reason: ConnectionRejected) -> None:
        """Closes the connection with the reason's code; on the event loop, at most once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close_or_abort(reason))

    # ── one request ──

    async def _handle(self, socket: LiveConnection, request: messages.Request) -> None:
        socket.begin_request(request)
        try:
            reply = await self._HANDLERS[type(request)](self, request)
        except RequestError as error:
            reply = request.error_reply(error.fields)
        except Exception:
            log.exception("a %s request failed", type(request).__name__)
            reply = request.error_reply({"server": "The server failed at this request; its log says why."})
        await socket.finish_request(reply)

    async def _subscribe(self, request: messages.Subscribe) -> messages.Message:
        """Where it opts in, the hub replies, before what follows from it."""
        socket = self._connection
        if request.since is not None:
            await hub.resume(socket, request.since, request.stream)
        elif request.stream is not None:
            await hub.set_stream_mode(socket, request.stream)
        return messages.Subscribed(instance_id=str(socket.upload_id) if socket.upload_id else None)

    async def _authenticate(self, request: messages.Authenticate) -> messages.Message:
        try:
            identity = await executor.run_in_db_thread(authentication.authenticate, request.token)
        except Unauthenticated as error:
            raise RequestError({"token": str(error)}) from None
        if identity.user.pk != self.identity.user.pk:
            raise RequestError({"token": "This is a token of another user."})
        self.identity, self._connection.issued_at = identity, identity.issued_at
        self._close_at(identity.expires_at)
        return messages.Authenticated()

    async def _create(self, request: messages.Create) -> messages.Message:
        source = commands.UploadSource(
            image_base64=request.image_base64, image_path=request.image_path, image_hash=request.image_hash
        )
        created = await executor.run_in_db_thread(
            commands.create,
            owner=self.identity.user,
            source=source,
            options=ReadOptions(**request.read_options()),
            origin=self._origin,
        )
        if self._connection.has_event_reply:
            return serializers.created(created.upload, duplicate=created.duplicate)
        try:
            return serializers.created(await self._fresh_upload(created.upload.pk), duplicate=True)
        except UploadNotFound:
            raise RequestError({"image_hash": commands.DELETED_MEANWHILE_MESSAGE}) from None

    async def _list(self, request: messages.ListUploads) -> messages.Message:
        self._connection.reserve_reply_slot()
        found = await executor.run_in_db_thread(
            queries.uploads, owner=self.identity.user, **request.filters()
        )
        return await executor.run_in_db_thread(serializers.listing, found.uploads, found.next, request)

    async def _retrieve(self, request: messages.Retrieve) -> messages.Message:
        return serializers.status(await self._fresh_upload(request.instance_id))

    async def _update(self, request: messages.Update) -> messages.Message:
        upload = await executor.run_in_db_thread(
            commands.update,
            owner=self.identity.user,
            upload_id=request.instance_id,
            filename=request.filename,
            correction=request.processed_text,
            metadata=request.metadata,
            origin=self._origin,
        )
        return serializers.updated(upload)

    async def _delete(self, request: messages.Delete) -> messages.Message:
        return await executor.run_in_db_thread(
            commands.delete, owner=self.identity.user, upload_id=request.instance_id, origin=self._origin
        )

    async def _cancel(self, request: messages.Cancel) -> messages.Message:
        upload = await executor.run_in_db_thread(
            commands.cancel, owner=self.identity.user, upload_id=request.instance_id, origin=self._origin
        )
        if not self._connection.has_event_reply:  # it was cancelled before
            upload = await self._fresh_upload(upload.pk)
        if upload.status != Status.CANCELLED:
            raise StatusConflict("This upload was read again just now; cancel it once more.")
        return serializers.failed(upload)

    async def _retry(self, request: messages.Retry) -> messages.Message:
        upload = await executor.run_in_db_thread(
            commands.retry,
            owner=self.identity.user,
            upload_id=request.instance_id,
            options=ReadOptions(**request.read_options()),
            origin=self._origin,
        )
        return serializers.updated(upload)

    async def _resync(self, request: messages.Resync) -> messages.Message:
        upload = await executor.run_in_db_thread(
            queries.upload, owner=self.identity.user, upload_id=request.instance_id
        )
        resynced = messages.Resynced(instance_id=upload.pk)
        self._connection.reply(resynced)
        hub.resync(self._connection, upload.pk)
        return resynced

    async def _ping(self, request: messages.Ping) -> messages.Message:
        return messages.Pong()

    _HANDLERS: ClassVar[dict[type[messages.Request], Callable[[Any, Any], Awaitable[messages.Message]]]] = {
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

    # ── parts ──

    @property
    def _connection(self) -> LiveConnection:
        assert self.connection is not None  # requests are heard between `connect` and `_cleanup` alone
        return self.connection

    async def _fresh_upload(self, upload_id: UUID) -> Upload:
        """For a reply that tells it, at a place where no event before it is newer."""
        self._connection.reserve_reply_slot()
        return await executor.run_in_db_thread(queries.upload, owner=self.identity.user, upload_id=upload_id)

    @property
    def _origin(self) -> LiveConnection:
        return self._connection

    async def _requested_upload_id(self) -> UUID | None:
        upload_id: UUID | None = self.scope["url_route"]["kwargs"].get("instance_id")
        if upload_id is not None:
            await executor.run_in_db_thread(queries.upload, owner=self.identity.user, upload_id=upload_id)
        return upload_id

    def _create_connection(self, upload_id: UUID | None) -> LiveConnection:
        at_once = self.scope.get("extensions", {}).get(SEND_NOW)
        outbox = SendQueue(self.send, at_once["send"]) if at_once else SendQueue(self.send)
        return LiveConnection(
            self.identity.user.pk, upload_id, self.identity.issued_at, outbox, self.close_with
        )

    async def _decode(self, text: str | None) -> messages.Request:
        if text is None:
            raise ProtocolError(
                {"message": "A text frame with a JSON object is expected, not a binary frame."}
            )
        if len(text) < DECODE_IN_THREAD_CHARACTERS:
            return parsing.parse_request(text)
        return await asyncio.to_thread(parsing.parse_request, text)

    async def _write(self) -> None:
        assert self.connection is not None
        try:
            await self.connection.send_queue.run()
        except ConnectionRejected as error:
            self.close_with(error)
        except OSError:  # the transport is gone; its disconnect message follows
            pass

    def _close_at(self, epoch_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._expiry is not None:
            self._expiry.cancel()
        expired = Unauthenticated("The token has expired.")
        self._expiry = loop.call_later(max(0.0, epoch_seconds - time.time()), self.close_with, expired)

    async def _close_or_abort(self, reason: ConnectionRejected) -> None:
        """A client that does not read does not get the close frame either: then the connection is cut."""
        if self._writer is not None:
            self._writer.cancel()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self.close(reason.close_code, str(reason))
        except TimeoutError:
            self._aborted = True
            if self._task is not None:
                self._task.cancel()
        except OSError:  # it has gone by itself
            pass

    def _cleanup(self) -> None:
        if self.connection is not None:
            hub.leave(self.connection)
            self.connection = None
        for pending in (self._writer, self._expiry):
            if pending is not None:
                pending.cancel()


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Every other WebSocket path."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(UnknownEndpoint.close_code, "There is no such endpoint.")
