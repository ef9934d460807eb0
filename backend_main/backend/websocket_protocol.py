"""Subclass of uvicorn's WebSocket protocol with a fast path for text messages.

ASGI's `send` needs a turn of the event loop, and wsproto encodes each text for each socket. Both together are
most of the cost of fan-out to many sockets (decision 36). The fast path writes one frame to all sockets.

It relies on private members, so pyproject.toml pins uvicorn below the next minor version.
"""

from __future__ import annotations

import math
import random
import struct
from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.connection import ConnectionState

from backend_main.core.live.send_queue import SEND_NOW

FINAL_TEXT_FRAME = 0x81
EMPTY_PONG_FRAME = b"\x8a\x00"


@lru_cache(maxsize=1)
def encode_text_frame(text: str) -> bytes:
    """Encode a text as one unmasked frame (RFC 6455, 5.2). The last frame is cached for the next socket."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((FINAL_TEXT_FRAME, size))
    elif size < 2**16:
        head = struct.pack("!BBH", FINAL_TEXT_FRAME, 126, size)
    else:
        head = struct.pack("!BBQ", FINAL_TEXT_FRAME, 127, size)
    return head + payload


class FastPathWSProtocol(WSProtocol):
    """uvicorn's protocol on wsproto. The extension `SEND_NOW` of the scope has `try_send`."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(
            event
        )  # creates the scope, and the task of the application, which has not started
        self.scope["extensions"][SEND_NOW] = {"send": self.try_send}

    async def send(self, message: Any) -> None:
        """Send an ASGI message. After the handshake, free its state: a tenth of an idle socket's memory."""
        await super().send(message)
        if message["type"] == "websocket.accept" and self.conn.connection is not None:
            # The inner connection has the methods that uvicorn uses from here on.
            self.conn = self.conn.connection  # type: ignore[assignment]

    def shutdown(self) -> None:
        """Close the connection because the server shuts down.

        If the client has just closed it, another close frame would raise in wsproto and abort the shutdown.
        """
        client_closed = self.handshake_complete and self.conn.state is ConnectionState.CLOSED
        if client_closed and not self.close_sent:
            self.stop_keepalive()
            self.transport.close()
        else:
            super().shutdown()

    def send_keepalive_ping(self) -> None:
        """Send a pong, so that proxies keep the connection and clients notice that the server is alive.

        An unsolicited pong is allowed (RFC 6455, 5.5.3). A ping would cause a reply, which costs more to read
        than both frames cost to send. TCP keep-alive already detects dead peers.
        """
        self.ping_timer = None
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(EMPTY_PONG_FRAME)
            self.schedule_ping()

    def schedule_ping(self) -> None:
        """Schedule the next pong at a full second, so that one wake-up serves many sockets.

        A random part of the interval spreads sockets that connected together.
        """
        assert self.ping_interval is not None
        after = self.ping_interval * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret
        self.ping_timer = self.loop.call_at(math.ceil(self.loop.time() + after), self.send_keepalive_ping)

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
