"""S12 — the WebSocket implementation that uvicorn runs with waits for a client that does not read.

Not all did: the default one of uvicorn 0.51 took 192 MB into memory. That of 0.54 (`websockets-sansio`) waits
after 2.9 MB, as `wsproto` does; `wsproto` is the quicker of the two.
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
MOST_BYTES = 64 * 1024 * 1024
# The kernel's buffers of both sides, and what the server keeps of one connection.
BOUND_BYTES = 16 * 1024 * 1024
BLOCKED_SECONDS = 1.0


class Sender:
    """An application that sends until its client would have to read, or until it has sent too much."""

    def __init__(self) -> None:
        self.sent = 0
        self.over = threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while self.sent < MOST_BYTES:
                async with asyncio.timeout(BLOCKED_SECONDS):
                    await send({"type": "websocket.send", "text": MESSAGE})
                self.sent += len(MESSAGE)
        except TimeoutError:
            pass
        finally:
            self.over.set()


@contextmanager
def served(application: Sender, implementation: Any) -> Iterator[int]:
    """Its port."""
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


def bytes_taken_for_one_that_never_reads(implementation: Any) -> int:
    sender = Sender()
    with served(sender, implementation) as port:
        raw = RawWebSocket(f"ws://127.0.0.1:{port}/")
        assert sender.over.wait(60)
        raw.close()
    return sender.sent


def test_s12_the_implementation_in_use_waits_for_the_client() -> None:
    assert bytes_taken_for_one_that_never_reads(FastPathWSProtocol) < BOUND_BYTES
