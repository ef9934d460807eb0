"""Subclass of uvicorn's WebSocket protocol: limits for a client's frames, and a fast path for text messages.

`websocket_frames` parses frames and counts them. This class takes one message at a time from it, limits the
memory and the time of unfinished messages, and aborts connections of clients that do not read (decision 132).

ASGI's `send` needs a turn of the event loop, and wsproto encodes each text for each socket. Both together are
most of the cost of fan-out to many sockets (decision 36). The fast path writes one frame to all sockets.

It relies on private members, so pyproject.toml pins uvicorn below the next minor version.
"""

from __future__ import annotations

import base64
import binascii
import math
import random
import socket
import struct
from asyncio import TimerHandle
from collections.abc import Hashable
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto import events

from backend_main.core.conf import conf
from backend_main.core.errors import RateLimited
from backend_main.core.live.message_memory import MessageMemory
from backend_main.core.live.rate_limit import BURST_SECONDS, TokenBucket
from backend_main.core.live.server_connection import MESSAGE_MEMORY, SERVER_CONNECTION

from .websocket_frames import (
    MAX_CHARACTER_BYTES,
    TOO_MANY_FRAMES_MESSAGE,
    BinaryMessage,
    ClientEvent,
    Close,
    FrameEncoder,
    FrameError,
    FrameParser,
    Ping,
    TextMessage,
    encode_close_frame,
    encode_pong_frame,
    encode_text_frame,
)

EMPTY_PONG_FRAME = encode_pong_frame(b"")
KEY_HEADER, KEY_BYTES = b"sec-websocket-key", 16  # RFC 6455, 4.2.1
INVALID_KEY_MESSAGE = b"Sec-WebSocket-Key is not valid. Send one key: 16 bytes in base64."
# In each interval an unfinished message must grow by this, or end: 1 KiB a second, which GPRS reaches.
PROGRESS_INTERVAL_SECONDS = 60.0
MIN_PROGRESS_BYTES = 64 * 1024
# After its close frame the server reads on, because a TCP reset could overtake the frame.
MAX_DISCARDED_BYTES = 1024 * 1024
# A client has this time to read what was sent before the close frame, and to answer it.
CLOSE_TIMEOUT_SECONDS = 10.0
# SO_LINGER with a time of 0: an abort frees the kernel's buffers, which otherwise wait for the client.
NO_LINGER = struct.pack("ii", 1, 0)


class FastPathWSProtocol(WSProtocol):
    """uvicorn's protocol with another parser. It is the extension `SERVER_CONNECTION` of its scope."""

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.close_timeout = CLOSE_TIMEOUT_SECONDS
        rate = conf.messages_per_second
        self.frame_rate = TokenBucket(rate, rate * BURST_SECONDS)
        self._parser = FrameParser(config.ws_max_size, self.frame_rate.consume)
        self._memory: MessageMemory = app_state.get(MESSAGE_MEMORY) or MessageMemory(
            conf.message_memory_bytes
        )
        self._owner: Hashable = None
        self._is_established = False
        self._is_failed = False
        self._waiting_bytes = self._handled_bytes = self._counted_bytes = 0
        self._discarded_bytes = 0
        self._unanswered_ping: bytes | None = None
        self._progress_timer: TimerHandle | None = None
        self._progress: tuple[int, int] = (0, 0)

    # ── extension for the application ──

    def set_owner(self, owner: Hashable) -> None:
        """Set the user whose messages these are, for limits by user."""
        self._owner = owner

    def try_send(self, text: str) -> bool:
        """Write a text frame to the transport, unless its buffer is full or the connection is not open.

        Returns:
            Whether the frame was written.
        """
        is_open = self.handshake_complete and not (self.close_sent or self.disconnected)
        if not (is_open and self.writable.is_set()) or self.transport.is_closing():
            return False
        self.transport.write(encode_text_frame(text))
        return True

    # ── handshake ──

    def handle_connect(self, event: Any) -> None:
        # Until the handshake is complete, the client has nothing to send.
        self.transport.pause_reading()
        if not _has_valid_key(event.extra_headers):
            self._reject(400, INVALID_KEY_MESSAGE)
            return
        super().handle_connect(
            event
        )  # creates the scope, and the task of the application, which has not started
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[SERVER_CONNECTION] = self

    def _reject(self, status: int, body: bytes) -> None:
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
        rejection = events.RejectConnection(status_code=status, headers=headers, has_body=True)
        self.transport.write(self.conn.send(rejection) + self.conn.send(events.RejectData(data=body)))
        self.response_started = True
        self._close_transport()

    async def run_asgi(self) -> None:
        try:
            await super().run_asgi()
        finally:
            self._waiting_bytes = self._handled_bytes = 0
            self._count_memory()
            if not self.disconnected:
                self._abort_later()

    async def send(self, message: Any) -> None:
        """Send an ASGI message. After the handshake, free its state: a tenth of an idle socket's memory."""
        if self._is_established and self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.accept" and self.handshake_complete:
            self.conn = FrameEncoder()  # type: ignore[assignment]  # it has what uvicorn calls from here on
            self._is_established = True
            self.transport.resume_reading()
        elif message["type"] == "websocket.close" and self._is_established:
            self._begin_closing()
            self._handle_frames()  # the client's close frame may have arrived

    # ── frames of the client ──

    def data_received(self, data: bytes) -> None:
        if not self._is_established:
            super().data_received(data)
        elif self._is_failed:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > MAX_DISCARDED_BYTES:
                self.transport.pause_reading()
        else:
            self._parser.feed(data)
            self._handle_frames()

    async def receive(self) -> Any:
        """Return the next ASGI message. The application has handled the one before it."""
        self._handled_bytes = 0
        self._count_memory()
        message = await self.queue.get()
        self._handled_bytes, self._waiting_bytes = self._waiting_bytes, 0
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._handle_frames()  # those that came with the last message
            if not self.read_paused:
                self.transport.resume_reading()
        return message

    def _handle_frames(self) -> None:
        """Handle all frames that have arrived, up to the end of the next message."""
        if self._is_failed or self.disconnected:
            return
        try:
            while not self.read_paused and (event := self._parser.next_event()) is not None:
                self._handle_event(event)
        except FrameError as error:
            self._fail(error.code, str(error))
            return
        self._send_pong()
        self._watch_progress()
        self._count_memory()

    def _handle_event(self, event: ClientEvent) -> None:
        if isinstance(event, Close):
            self._handle_close_frame(event)
        elif self.close_sent:
            # No application takes a token for it.
            if isinstance(event, TextMessage | BinaryMessage) and not self.frame_rate.consume():
                raise FrameError(RateLimited.close_code, TOO_MANY_FRAMES_MESSAGE)
        elif isinstance(event, Ping):
            self._unanswered_ping = event.payload
        elif isinstance(event, TextMessage):
            self._waiting_bytes = _memory_bytes(event.text)
            self._put_message({"type": "websocket.receive", "text": event.text})
        elif isinstance(event, BinaryMessage):
            self._put_message({"type": "websocket.receive", "bytes": b""})

    def _put_message(self, message: Any) -> None:
        self.queue.put_nowait(message)
        self.read_paused = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._send_pong()

    def _send_pong(self) -> None:
        """Answer the last ping (RFC 6455, 5.5.3) as soon as the client reads."""
        if self._unanswered_ping is None or not self.writable.is_set() or self.close_sent:
            return
        self.transport.write(encode_pong_frame(self._unanswered_ping))
        self._unanswered_ping = None

    # ── limits ──

    def drop_unfinished_message(self) -> None:
        self._fail(RateLimited.close_code, "Too many large messages at once. Send large files by POST.")

    def _count_memory(self) -> None:
        unfinished, finished = self._parser.held_bytes, self._waiting_bytes + self._handled_bytes
        if unfinished or finished or self._counted_bytes:
            self._counted_bytes = unfinished + finished
            owner = id(self) if self._owner is None else self._owner
            self._memory.update(self, owner, unfinished=unfinished, finished=finished)

    def _watch_progress(self) -> None:
        """Start or stop the timer of the unfinished message."""
        if self.read_paused or self.close_sent or not self._parser.is_unfinished:
            self._stop_progress_timer()
        elif self._progress_timer is None:
            self._progress = self._parser.message_count, self._parser.received_bytes
            self._progress_timer = self.loop.call_later(PROGRESS_INTERVAL_SECONDS, self._check_progress)

    def _check_progress(self) -> None:
        self._progress_timer = None
        count, received = self._progress
        grown = self._parser.received_bytes - received
        if self._parser.message_count == count and grown < MIN_PROGRESS_BYTES:
            self._fail(RateLimited.close_code, "A message was not finished in time.")
        else:
            self._watch_progress()

    def _stop_progress_timer(self) -> None:
        if self._progress_timer is not None:
            self._progress_timer.cancel()
            self._progress_timer = None

    # ── close ──

    def _fail(self, code: int, reason: str) -> None:
        """Close the connection because of the client's frames. Later ones are discarded."""
        if self._is_failed:
            return
        self._is_failed = True
        is_open = not self.transport.is_closing()
        if is_open and self.close_sent:
            self.transport.pause_reading()  # the close timer ends the connection
        elif is_open:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
            self.transport.write(encode_close_frame(code, reason))
            if self.transport.can_write_eof():
                self.transport.write_eof()
        self.close_sent = True
        self._begin_closing()
        self._parser.clear()

    def _begin_closing(self) -> None:
        """Free what the client has sent. Abort the connection unless the client closes it in time."""
        self.stop_keepalive()
        self._stop_progress_timer()
        self._parser.discard_messages()
        self._count_memory()
        self._abort_later()

    def _handle_close_frame(self, close: Close) -> None:
        if not self.close_sent:
            self.close_sent = True
            self.transport.write(encode_close_frame(close.code, ""))
            self.queue.put_nowait(
                {"type": "websocket.disconnect", "code": close.code, "reason": close.reason}
            )
        self._begin_closing()
        self._close_transport()

    def _close_transport(self) -> None:
        self.transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        """Abort the connection after a time: a client that does not read would keep it open."""
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(self.close_timeout, self._abort)

    def _abort(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection, and free its memory without waiting for the garbage collector."""
        super().connection_lost(exc)
        self._stop_progress_timer()
        self._parser.clear()
        self._count_memory()
        if hasattr(self, "scope"):
            self.scope["extensions"].pop(SERVER_CONNECTION, None)

    # ── keep-alive ──

    def send_keepalive_ping(self) -> None:
        """Send a pong, so that proxies keep the connection and clients notice that the server is alive.

        An unsolicited pong is allowed (RFC 6455, 5.5.3). A ping would cause a reply, which costs more to read
        than both frames cost to send. TCP keep-alive already detects dead peers.
        """
        self.ping_timer = None
        if self.close_sent or self.transport.is_closing():
            return
        if self.writable.is_set():
            self.transport.write(EMPTY_PONG_FRAME)
        self.schedule_ping()

    def schedule_ping(self) -> None:
        """Schedule the next pong at a full second, so that one wake-up serves many sockets.

        A random part of the interval spreads sockets that connected together.
        """
        assert self.ping_interval is not None
        after = self.ping_interval * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret
        self.ping_timer = self.loop.call_at(math.ceil(self.loop.time() + after), self.send_keepalive_ping)


def _has_valid_key(headers: list[tuple[bytes, bytes]]) -> bool:
    keys = [value for name, value in headers if name.lower() == KEY_HEADER]
    try:
        return len(keys) == 1 and len(base64.b64decode(keys[0], validate=True)) == KEY_BYTES
    except binascii.Error:
        return False


def _memory_bytes(text: str) -> int:
    return len(text) * (1 if text.isascii() else MAX_CHARACTER_BYTES)
