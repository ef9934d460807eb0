"""Step 1 — uvicorn's WebSocket protocol, with a way to send a text at once to a client that keeps up.

`send` of ASGI takes a task's turn, and wsproto frames each text for each socket anew: together that is most
of what it costs to tell many sockets one thing (decision 36).
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
    """A whole text as one frame (RFC 6455, 5.2); kept for the next socket that is sent the same."""
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
    """The scope's extension `SEND_NOW` has `try_send`."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)  # makes the scope, and a task that has not begun
        self.scope["extensions"][SEND_NOW] = {"send": self.try_send}

    async def send(self, message: Any) -> None:
        """Lets go of what the handshake needed, which is a tenth of an idle socket's memory."""
        await super().send(message)
        if message["type"] == "websocket.accept" and self.conn.connection is not None:
            # What is left has the same methods, which do without the handshake's.
            self.conn = self.conn.connection  # type: ignore[assignment]

    def shutdown(self) -> None:
        """The server ends. To tell it to who has just said goodbye is an error, and would end it at once."""
        left = self.handshake_complete and self.conn.state is ConnectionState.CLOSED
        if left and not self.close_sent:
            self.stop_keepalive()
            self.transport.close()
        else:
            super().shutdown()

    def send_keepalive_ping(self) -> None:
        """So that no proxy cuts a quiet connection, and a client hears that the server is there.

        A pong that answers nothing (RFC 6455, 5.5.3) does that too. To a ping there would come an answer, and
        to read it costs more than to send both; what it says, TCP's keep-alive says.
        """
        self.ping_timer = None
        if not (self.close_sent or self.transport.is_closing()):
            self.transport.write(EMPTY_PONG_FRAME)
            self.schedule_ping()

    def schedule_ping(self) -> None:
        """At a full second, together with others: to wake up for each costs more than to write to each.

        Who came together is spread over some of those, so that not all are written to in one go.
        """
        assert self.ping_interval is not None
        after = self.ping_interval * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret
        self.ping_timer = self.loop.call_at(math.ceil(self.loop.time() + after), self.send_keepalive_ping)

    def try_send(self, text: str) -> bool:
        """Whether it was sent: not where much is unread of what was sent before, nor outside of the talk."""
        open_ = self.handshake_complete and not (self.close_sent or self.disconnected)
        if not (open_ and self.writable.is_set()) or self.transport.is_closing():
            return False
        self.transport.write(encode_text_frame(text))
        return True
