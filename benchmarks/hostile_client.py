"""A hostile client: its address, its token, and connections that do what client libraries do not allow."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.page_images import scripted_png
from tests.support.raw_websocket import client_frame
from tests.support.websocket_client import WebSocketClient

CONNECT_TIMEOUT_SECONDS = 20.0
SMALL_BUFFER_BYTES = 4096
MIB = 1024 * 1024


class Refused(Exception):
    """The server has refused the attack: by a status, or by the end of the connection."""


@dataclass
class HostileClient:
    """A client that attacks. `own` keeps what an attack has prepared on the server.

    Args:
        port: Port of the server.
        address: Address of the loopback network from which it connects.
        token: Valid access token of its user.
        unknown_key_token: Token whose key id the key service does not have.
    """

    port: int
    address: str
    token: str
    unknown_key_token: str
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def authorization(self) -> str:
        return f"Authorization: Bearer {self.token}"

    def head(self, method: str, path: str, *headers: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def http(self) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=self.address)
        return httpx.AsyncClient(
            transport=transport,
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        )

    def websocket(self) -> WebSocketClient:
        url = f"ws://127.0.0.1:{self.port}/ws/core/upload/?token={self.token}"
        return WebSocketClient(url, local_addr=(self.address, 0), compression=None)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[RawConnection]:
        """Open a TCP connection with a small receive buffer."""
        raw = socket.socket()
        try:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
            raw.setblocking(False)
            raw.bind((self.address, 0))
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
            yield RawConnection(raw)
        finally:
            raw.close()

    @asynccontextmanager
    async def raw_websocket(self) -> AsyncIterator[RawConnection]:
        """Open a WebSocket that reads only on request."""
        async with self.connection() as connection:
            await connection.send(
                self.head(
                    "GET",
                    f"/ws/core/upload/?token={self.token}",
                    "Connection: Upgrade",
                    "Upgrade: websocket",
                    "Sec-WebSocket-Version: 13",
                    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
                )
            )
            if not (await connection.receive(12)).endswith(b"101"):
                raise Refused("handshake")
            yield connection

    async def uploads(self, count: int) -> list[str]:
        """Return ids of uploads of this client; create them at first."""
        if "uploads" not in self.own:
            ids: list[str] = []
            async with self.websocket() as client:
                for _ in range(count):
                    ids.append(await self.create(client, scripted_png()))
                    await client.terminal_message(ids[-1])
            self.own["uploads"] = ids
        return list(self.own["uploads"])

    @staticmethod
    async def create(client: WebSocketClient, content: bytes) -> str:
        client.seen.clear()
        reply = await client.create(content)
        if "error" in reply:
            raise Refused(str(reply["error"]))
        return str(reply["instance"]["id"])


class RawConnection:
    """A connection of bytes."""

    def __init__(self, raw: socket.socket) -> None:
        self._socket, self._loop = raw, asyncio.get_running_loop()

    async def send(self, data: bytes, *, seconds: float = 60.0) -> None:
        """Send the bytes. Raises TimeoutError if the server does not read them in time."""
        async with asyncio.timeout(seconds):
            await self._loop.sock_sendall(self._socket, data)

    async def send_message(self, message: dict[str, Any], *, seconds: float = 60.0) -> None:
        await self.send(client_frame(json.dumps(message).encode()), seconds=seconds)

    async def receive(self, size: int = 65536, *, seconds: float = 60.0) -> bytes:
        """Return what the server has sent. Raises Refused at the end of the connection."""
        async with asyncio.timeout(seconds):
            data = await self._loop.sock_recv(self._socket, size)
        if not data:
            raise Refused("end of the connection")
        return data

    async def wait_for_end(self, *, seconds: float) -> None:
        """Read until the server ends the connection, which raises Refused, or until the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.receive(seconds=seconds)
        except TimeoutError:
            return
