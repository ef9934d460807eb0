"""S12 - a client never reads: the WebSocket implementation must apply back pressure to the sender.

Not every implementation does: the default of uvicorn 0.51 buffered 192 MB. The default of 0.54
(`websockets-sansio`) waits after 2.9 MB, as `wsproto` does; `wsproto` is the faster of the two.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from backend_main.backend.websocket_protocol import FastPathWSProtocol
from tests.support.raw_websocket import RawWebSocket

MESSAGE = "x" * 65_536
MAX_SENT_BYTES = 64 * 1024 * 1024
# The kernel's buffers of both sides, and the server's buffer of one connection.
MAX_BUFFERED_BYTES = 16 * 1024 * 1024
SEND_TIMEOUT_SECONDS = 1.0


class Sender:
    """An application that sends until a send blocks, or until it has sent too much."""

    def __init__(self) -> None:
        self.sent = 0
        self.finished = threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while self.sent < MAX_SENT_BYTES:
                async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                    await send({"type": "websocket.send", "text": MESSAGE})
                self.sent += len(MESSAGE)
        except TimeoutError:
            pass
        finally:
            self.finished.set()


@contextmanager
def served(application: Sender, implementation: Any) -> Iterator[int]:
    """Serve the application; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(application, ws=implementation, lifespan="off", log_config=None)
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def bytes_sent_to_client_that_never_reads(implementation: Any) -> int:
    sender = Sender()
    with served(sender, implementation) as port:
        raw = RawWebSocket(f"ws://127.0.0.1:{port}/")
        assert sender.finished.wait(60)
        raw.close()
    return sender.sent


def test_s12_websocket_implementation_applies_back_pressure() -> None:
    assert bytes_sent_to_client_that_never_reads(FastPathWSProtocol) < MAX_BUFFERED_BYTES
