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

from . import auth, decoding, orm, protocol, queries, serializers, uploads
from .conf import conf
from .errors import (
    ConnectionRefused,
    EndpointUnknown,
    Invalid,
    ProtocolError,
    TooMany,
    Unauthenticated,
    Unavailable,
    UploadNotFound,
    WrongStatus,
)
from .limits import TokenBucket, frame_in_work
from .live import hub
from .models import Status, Upload
from .outbox import SEND_NOW, Outbox
from .sockets import Socket
from .wishes import Wishes

log = logging.getLogger(__name__)

BURST_SECONDS = 4
# Parsing more than this on the event loop would hold up the other sockets.
DECODE_IN_THREAD_CHARACTERS = 64 * 1024
CLOSE_SECONDS = 1.0


class UploadConsumer(AsyncWebsocketConsumer):
    """`/ws/core/upload/` follows all uploads of the user, `/ws/core/upload/<id>/` that one."""

    socket: Socket | None = None
    _writer: asyncio.Task[None] | None = None
    _expiry: asyncio.TimerHandle | None = None
    _closing: asyncio.Task[None] | None = None
    _cut = False

    # ── the life of a connection ──

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._task = asyncio.current_task()
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self._cut:
                raise
        finally:
            self._leave()

    async def dispatch(self, message: Any) -> None:
        """Channels has a thread look after its database connection first; ours are `orm`'s."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        try:
            auth.check_origin(self.scope)
            self.identity = await orm.run(auth.identify, auth.token_of(self.scope))
            upload_id = await self._followed_upload()
            socket = self._socket(upload_id)
            await hub.join(socket)  # before accept: what commits after the handshake reaches this client
        except (ConnectionRefused, Unavailable, UploadNotFound) as refusal:
            await self.accept()
            await self.close(refusal.close_code, str(refusal))
            return
        self.socket = socket
        await self.accept()
        self._bucket = TokenBucket(conf.messages_per_second, conf.messages_per_second * BURST_SECONDS)
        self._writer = asyncio.create_task(self._write())
        self._close_at(self.identity.expires_at)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        socket = self.socket
        if socket is None or self._closing is not None:
            return
        if not self._bucket.take():
            self.end(TooMany("Too many messages."))
            return
        try:
            async with frame_in_work(len(text_data or "")):
                await self._handle(socket, await self._decode(text_data))
        except ProtocolError as error:
            socket.outbox.put_reply(
                protocol.encode(protocol.error(error.fields, reply_type=error.reply_type, ref=error.ref))
            )
        await socket.outbox.drain()

    def end(self, reason: ConnectionRefused) -> None:
        """Closes the connection with the reason's code; on the event loop, at most once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._end(reason))

    # ── one request ──

    async def _handle(self, socket: Socket, request: protocol.Request) -> None:
        socket.ask(request)
        try:
            reply = await self._HANDLERS[type(request)](self, request)
        except Invalid as error:
            reply = request.failure(error.fields)
        except Exception:
            log.exception("a %s request failed", type(request).__name__)
            reply = request.failure({"server": "The server failed at this request; its log says why."})
        await socket.conclude(reply)

    async def _subscribe(self, request: protocol.Subscribe) -> protocol.Message:
        """Where it opts in, the hub replies, before what follows from it."""
        socket = self._joined
        if request.since is not None:
            await hub.resume(socket, request.since, request.stream)
        elif request.stream is not None:
            await hub.follow(socket, request.stream)
        return protocol.Subscribed(instance_id=str(socket.upload_id) if socket.upload_id else None)

    async def _authenticate(self, request: protocol.Authenticate) -> protocol.Message:
        try:
            identity = await orm.run(auth.identify, request.token)
        except Unauthenticated as error:
            raise Invalid({"token": str(error)}) from None
        if identity.user.pk != self.identity.user.pk:
            raise Invalid({"token": "This is a token of another user."})
        self.identity, self._joined.issued_at = identity, identity.issued_at
        self._close_at(identity.expires_at)
        return protocol.Authenticated()

    async def _create(self, request: protocol.Create) -> protocol.Message:
        source = uploads.Source(
            image_base64=request.image_base64, image_path=request.image_path, image_hash=request.image_hash
        )
        created = await orm.run(
            uploads.create,
            owner=self.identity.user,
            source=source,
            asked=Wishes(**request.wishes()),
            origin=self._origin,
        )
        if self._joined.expects:
            return serializers.created(created.upload, duplicate=created.duplicate)
        try:
            return serializers.created(await self._as_it_is(created.upload.pk), duplicate=True)
        except UploadNotFound:
            raise Invalid({"image_hash": uploads.GONE}) from None

    async def _list(self, request: protocol.ListUploads) -> protocol.Message:
        self._joined.reserve()
        found = await orm.run(queries.uploads, owner=self.identity.user, **request.filters())
        return await orm.run(serializers.listing, found.uploads, found.next, request)

    async def _retrieve(self, request: protocol.Retrieve) -> protocol.Message:
        return serializers.status(await self._as_it_is(request.instance_id))

    async def _update(self, request: protocol.Update) -> protocol.Message:
        upload = await orm.run(
            uploads.update,
            owner=self.identity.user,
            upload_id=request.instance_id,
            filename=request.filename,
            correction=request.processed_text,
            metadata=request.metadata,
            origin=self._origin,
        )
        return serializers.updated(upload)

    async def _delete(self, request: protocol.Delete) -> protocol.Message:
        return await orm.run(
            uploads.delete, owner=self.identity.user, upload_id=request.instance_id, origin=self._origin
        )

    async def _cancel(self, request: protocol.Cancel) -> protocol.Message:
        upload = await orm.run(
            uploads.cancel, owner=self.identity.user, upload_id=request.instance_id, origin=self._origin
        )
        if not self._joined.expects:  # it was cancelled before
            upload = await self._as_it_is(upload.pk)
        if upload.status != Status.CANCELLED:
            raise WrongStatus("This upload was read again just now; cancel it once more.")
        return serializers.failed(upload)

    async def _retry(self, request: protocol.Retry) -> protocol.Message:
        upload = await orm.run(
            uploads.retry,
            owner=self.identity.user,
            upload_id=request.instance_id,
            asked=Wishes(**request.wishes()),
            origin=self._origin,
        )
        return serializers.updated(upload)

    async def _resync(self, request: protocol.Resync) -> protocol.Message:
        upload = await orm.run(queries.upload, owner=self.identity.user, upload_id=request.instance_id)
        resynced = protocol.Resynced(instance_id=upload.pk)
        self._joined.answer(resynced)
        hub.resync(self._joined, upload.pk)
        return resynced

    async def _ping(self, request: protocol.Ping) -> protocol.Message:
        return protocol.Pong()

    _HANDLERS: ClassVar[dict[type[protocol.Request], Callable[[Any, Any], Awaitable[protocol.Message]]]] = {
        protocol.Subscribe: _subscribe,
        protocol.Create: _create,
        protocol.ListUploads: _list,
        protocol.Retrieve: _retrieve,
        protocol.Update: _update,
        protocol.Delete: _delete,
        protocol.Cancel: _cancel,
        protocol.Retry: _retry,
        protocol.Resync: _resync,
        protocol.Authenticate: _authenticate,
        protocol.Ping: _ping,
    }

    # ── parts ──

    @property
    def _joined(self) -> Socket:
        assert self.socket is not None  # requests are heard between `connect` and `_leave` alone
        return self.socket

    async def _as_it_is(self, upload_id: UUID) -> Upload:
        """For a reply that tells it, at a place where no event before it is newer."""
        self._joined.reserve()
        return await orm.run(queries.upload, owner=self.identity.user, upload_id=upload_id)

    @property
    def _origin(self) -> Socket:
        return self._joined

    async def _followed_upload(self) -> UUID | None:
        upload_id: UUID | None = self.scope["url_route"]["kwargs"].get("instance_id")
        if upload_id is not None:
            await orm.run(queries.upload, owner=self.identity.user, upload_id=upload_id)
        return upload_id

    def _socket(self, upload_id: UUID | None) -> Socket:
        at_once = self.scope.get("extensions", {}).get(SEND_NOW)
        outbox = Outbox(self.send, at_once["send"]) if at_once else Outbox(self.send)
        return Socket(self.identity.user.pk, upload_id, self.identity.issued_at, outbox, self.end)

    async def _decode(self, text: str | None) -> protocol.Request:
        if text is None:
            raise ProtocolError(
                {"message": "A text frame with a JSON object is expected, not a binary frame."}
            )
        if len(text) < DECODE_IN_THREAD_CHARACTERS:
            return decoding.decode(text)
        return await asyncio.to_thread(decoding.decode, text)

    async def _write(self) -> None:
        assert self.socket is not None
        try:
            await self.socket.outbox.run()
        except ConnectionRefused as error:
            self.end(error)
        except OSError:  # the transport is gone; its disconnect message follows
            pass

    def _close_at(self, epoch_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._expiry is not None:
            self._expiry.cancel()
        expired = Unauthenticated("The token has expired.")
        self._expiry = loop.call_later(max(0.0, epoch_seconds - time.time()), self.end, expired)

    async def _end(self, reason: ConnectionRefused) -> None:
        """A client that does not read does not get the close frame either: then the connection is cut."""
        if self._writer is not None:
            self._writer.cancel()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close(reason.close_code, str(reason))
        except TimeoutError:
            self._cut = True
            if self._task is not None:
                self._task.cancel()
        except OSError:  # it has gone by itself
            pass

    def _leave(self) -> None:
        if self.socket is not None:
            hub.leave(self.socket)
            self.socket = None
        for pending in (self._writer, self._expiry):
            if pending is not None:
                pending.cancel()


class UnknownEndpoint(AsyncWebsocketConsumer):
    """Every other WebSocket path."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(EndpointUnknown.close_code, "There is no such endpoint.")
