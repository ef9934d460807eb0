"""S12 - a client that does not read is aborted after its close, so that the kernel's buffers are freed."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from uvicorn.server import ServerState

from backend_main.backend import websocket_protocol
from backend_main.backend.websocket_protocol import FastPathWSProtocol
from tests.support.raw_websocket import CLOSE, PING, RawWebSocket, client_frame
from tests.support.websocket_server import serve

TEXT_BYTES = 100_000


class FullApplication:
    """ASGI application that fills the buffers of its client, then ends in one of several ways."""

    def __init__(self, ending: str) -> None:
        self._ending = ending
        self.full = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if self._ending == "close":
            await send({"type": "websocket.close", "code": 4499})
        try:
            async with asyncio.timeout(0.2):
                while self._ending != "close":
                    await send({"type": "websocket.send", "text": "x" * TEXT_BYTES})
        except TimeoutError:
            pass
        self.full.set()
        while self._ending == "client" and (await receive())["type"] == "websocket.receive":
            pass


def ends_with_reset(connection: socket.socket) -> bool:
    """Read to the end. Return whether it is a reset, and not the regular end of a stream."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        return True
    return False


@pytest.mark.parametrize("ending", ["return", "client", "protocol error", "close"])
async def test_s12_connection_of_a_client_that_does_not_read_is_aborted(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()
    connection_lost = FastPathWSProtocol.connection_lost

    def record(self: FastPathWSProtocol, exc: Exception | None) -> None:
        connection_lost(self, exc)
        lost.set()

    monkeypatch.setattr(FastPathWSProtocol, "connection_lost", record)
    monkeypatch.setattr(websocket_protocol, "CLOSE_TIMEOUT_SECONDS", 0.01)
    application, state = FullApplication("client" if ending == "protocol error" else ending), ServerState()
    async with serve(application, state) as url:
        raw = await asyncio.to_thread(RawWebSocket, url)
        [connection] = state.connections
        assert isinstance(connection, FastPathWSProtocol)
        await application.full.wait()
        if ending == "client":
            raw.send(b"", opcode=CLOSE)
        elif ending == "protocol error":
            raw.socket.sendall(client_frame(b"x" * 126, opcode=PING))
        async with asyncio.timeout(30):
            await lost.wait()
        # A reset, not the end of a stream: the kernel of the server has dropped what was not read.
        assert await asyncio.to_thread(ends_with_reset, raw.socket)
        raw.close()


async def test_s12_discarding_stops_at_a_limit() -> None:
    """After its close frame the server reads on, but not everything that a client sends."""
    application, state = FullApplication("client"), ServerState()
    async with serve(application, state) as url:
        raw = await asyncio.to_thread(RawWebSocket, url)
        await application.full.wait()
        [connection] = state.connections
        assert isinstance(connection, FastPathWSProtocol)
        connection.data_received(client_frame(b"x" * 126, opcode=PING))
        assert connection.transport.is_reading()
        for _ in range(20):
            connection.data_received(bytes(TEXT_BYTES))
        assert not connection.transport.is_reading()
        connection._abort()
        raw.close()
