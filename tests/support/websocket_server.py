"""WebSocket protocol of the server in this process, with an application whose steps a test releases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from backend_main.backend.websocket_protocol import FastPathWSProtocol
from backend_main.core.live.message_memory import MessageMemory
from backend_main.core.live.server_connection import MESSAGE_MEMORY, SERVER_CONNECTION


class SteppedApplication:
    """ASGI application with one connection; the test releases each step."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.started, self.accept, self.accepted = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.close, self.closed = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.started.set()
        await self.accept.wait()
        await send({"type": "websocket.accept"})
        self.accepted.set()
        await self.close.wait()
        await send({"type": "websocket.close"})
        self.closed.set()

    def try_send(self, text: str) -> bool:
        sent: bool = self.scope["extensions"][SERVER_CONNECTION].try_send(text)
        return sent


@asynccontextmanager
async def serve(
    application: Any,
    state: ServerState | None = None,
    *,
    message_memory: MessageMemory | None = None,
    **options: Any,
) -> AsyncIterator[str]:
    """Serve the application, and yield its URL. `state` has its connections."""
    app_state = {MESSAGE_MEMORY: message_memory}
    config = uvicorn.Config(
        application, ws=FastPathWSProtocol, ws_per_message_deflate=False, log_config=None, **options
    )
    config.load()
    state = state or ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: FastPathWSProtocol(config, state, app_state), "127.0.0.1", 0
    )
    async with server:
        try:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            for connection in state.connections:
                connection.transport.abort()
            while state.connections:  # until the transports are closed
                await asyncio.sleep(0)


class FrameRecorder(ClientConnection):
    """Client that records all frames that it receives."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frames: asyncio.Queue[tuple[Opcode, bytes]] = asyncio.Queue()

    def process_event(self, event: Any) -> None:
        super().process_event(event)
        if isinstance(event, Frame):
            self.frames.put_nowait((event.opcode, bytes(event.data)))
