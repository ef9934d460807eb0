"""Fake WebSocket and HTTP servers whose messages a test scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import websockets
from scanrill_client.messages import ServerMessage
from websockets.asyncio.server import ServerConnection

Json = dict[str, Any]


class FakeServerConnection:
    """Server side of one client's connection."""

    def __init__(self, websocket: ServerConnection) -> None:
        self._websocket = websocket
        self.pings = 0

    async def receive(self) -> Json:
        """Return the next request. Pings are counted and answered."""
        message: Json = json.loads(await self._websocket.recv())
        if message["type"] == "ping":
            self.pings += 1
            await self.send({"type": "pong"})
            return await self.receive()
        return message

    async def send(self, *messages: ServerMessage | Json | str) -> None:
        """Send messages as JSON; a string is sent as it is."""
        for message in messages:
            if isinstance(message, str):
                await self._websocket.send(message)
            else:
                await self._websocket.send(json.dumps(_without_none(message)))

    async def close(self, code: int, reason: str = "") -> None:
        await self._websocket.close(code, reason)

    async def wait_closed(self) -> None:
        await self._websocket.wait_closed()


def _without_none(message: ServerMessage | Json) -> Json:
    fields: Json = msgspec.to_builtins(message)
    return {name: value for name, value in fields.items() if value is not None}


Script = Callable[[FakeServerConnection], Awaitable[None]]


@asynccontextmanager
async def fake_websocket_server(*scripts: Script) -> AsyncIterator[str]:
    """Run a WebSocket server and yield its URL.

    Args:
        scripts: One for each connection, in order; further connections get the last one.
    """
    waiting = list(scripts)

    async def serve(websocket: ServerConnection) -> None:
        script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        with suppress(websockets.ConnectionClosed):
            await script(FakeServerConnection(websocket))

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        [listening] = server.sockets
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@asynccontextmanager
async def fake_http_server(response: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Run an HTTP server that sends one response to every request, and closes.

    Yields:
        The URL, and the list of the request heads that arrive.
    """
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(response)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
