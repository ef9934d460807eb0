"""A WebSocket server of a few lines that says what a test tells it to say, and a web server as simple."""

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


class Conversation:
    """One client's connection, from the server's side."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self.pings = 0

    async def hears(self) -> Json:
        """The next request, but for pings, which are answered."""
        message: Json = json.loads(await self._socket.recv())
        if message["type"] == "ping":
            self.pings += 1
            await self.says({"type": "pong"})
            return await self.hears()
        return message

    async def says(self, *messages: ServerMessage | Json | str) -> None:
        for message in messages:
            if isinstance(message, str):
                await self._socket.send(message)
            else:
                await self._socket.send(json.dumps(_plain(message)))

    async def closes(self, code: int, reason: str = "") -> None:
        await self._socket.close(code, reason)

    async def is_left(self) -> None:
        await self._socket.wait_closed()


def _plain(message: ServerMessage | Json) -> Json:
    fields: Json = msgspec.to_builtins(message)
    return {name: value for name, value in fields.items() if value is not None}


Script = Callable[[Conversation], Awaitable[None]]


@asynccontextmanager
async def socket_server(*scripts: Script) -> AsyncIterator[str]:
    """Its address. Each connection gets the next script; those after the last get the last."""
    waiting = list(scripts)

    async def serve(socket: ServerConnection) -> None:
        script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        with suppress(websockets.ConnectionClosed):
            await script(Conversation(socket))

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        [listening] = server.sockets
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@asynccontextmanager
async def web_server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its address, and the heads of the requests that came. It answers all of them alike, and hangs up."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
