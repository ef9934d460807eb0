"""Step 1 — uvicorn's WebSocket protocol, with a way to send a text at once to a client that keeps up.

`send` of ASGI takes a task's turn, and wsproto frames each text for each socket anew: together that is most
of what it costs to tell many sockets one thing (decision 36).
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from backend_main.core.outbox import SEND_NOW

FINAL_TEXT = 0x81


@lru_cache(maxsize=1)
def framed(text: str) -> bytes:
    """A whole text as one frame (RFC 6455, 5.2); kept for the next socket that is sent the same."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((FINAL_TEXT, size))
    elif size < 2**16:
        head = struct.pack("!BBH", FINAL_TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", FINAL_TEXT, 127, size)
    return head + payload


class Protocol(WSProtocol):
    """The scope's extension `SEND_NOW` has `send_now`."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)  # makes the scope, and a task that has not begun
        self.scope["extensions"][SEND_NOW] = {"send": self.send_now}

    async def send(self, message: Any) -> None:
        """Lets go of what the handshake needed, which is a tenth of an idle socket's memory."""
        await super().send(message)
        if message["type"] == "websocket.accept" and self.conn.connection is not None:
            # What is left has the same methods, which do without the handshake's.
            self.conn = self.conn.connection  # type: ignore[assignment]

    def send_now(self, text: str) -> bool:
        """Whether it was sent: not where much is unread of what was sent before, nor outside of the talk."""
        open_ = self.handshake_complete and not (self.close_sent or self.disconnected)
        if not (open_ and self.writable.is_set()) or self.transport.is_closing():
            return False
        self.transport.write(framed(text))
        return True
