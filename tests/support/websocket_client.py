"""A client of the WebSocket API that uses only the specification's messages."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

Message = dict[str, Any]
WAIT_TIMEOUT_SECONDS = 60.0
TERMINAL = ("processed", "error", "cancelled")


class WebSocketClient:
    """A connection: `async with WebSocketClient(url) as client:`. `seen` holds all received messages."""

    def __init__(self, url: str, **options: Any) -> None:
        # The library's default limit is 1 MiB per frame.
        self._connecting = websockets.connect(url, max_size=None, **options)
        self.seen: list[Message] = []

    async def __aenter__(self) -> WebSocketClient:
        self.socket: ClientConnection = await self._connecting
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.socket.close()

    async def send(self, message: Message) -> None:
        await self.socket.send(json.dumps(message))

    async def send_text(self, text: str) -> None:
        await self.socket.send(text)

    async def receive(self) -> Message:
        """Return the next message."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            message: Message = json.loads(await self.socket.recv())
        self.seen.append(message)
        return message

    async def receive_until(self, matches: Callable[[Message], bool]) -> Message:
        """Return the next message that matches."""
        while not matches(message := await self.receive()):
            pass
        return message

    async def received(self, matches: Callable[[Message], bool]) -> Message:
        """Return the first message that matches, among those received and those to come."""
        for message in self.seen:
            if matches(message):
                return message
        return await self.receive_until(matches)

    async def request(self, message: Message) -> Message:
        """Send a request and return its reply, which a `ref` identifies."""
        ref = f"request-{len(self.seen)}"
        await self.send(message | {"ref": ref})
        reply = await self.receive_until(lambda m: m.get("ref") == ref)
        return {key: value for key, value in reply.items() if key != "ref"}

    async def create(self, image: bytes, **data: Any) -> Message:
        """Send a `create` with these bytes and return its reply."""
        return await self.request(
            {"type": "create", "data": {"image_base64": base64.b64encode(image).decode(), **data}}
        )

    async def terminal_message(self, upload_id: str) -> Message:
        """Return the next terminal message of an upload."""
        return await self.receive_until(lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL)

    async def close_code(self) -> int:
        """Wait until the server closes, and return the close code."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code
