"""Step 1 — uvicorn's server, which says when it listens, sleeps while nothing happens, and ends with all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from types import FrameType
from typing import Any

import uvicorn

MAIN_LOOP_INTERVAL_SECONDS = 1.0
# As often as uvicorn looks whether all connections have ended.
LATE_CONNECTION_POLL_SECONDS = 0.1


class Server(uvicorn.Server):
    """`on_listening` is called when it does."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._exit_requested = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._exit_requested.set)

    async def main_loop(self) -> None:
        """uvicorn's looks ten times a second whether it was told to end: most of an idle server's cost."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # the date of all answers is set anew at the ticks divisible by ten
            with suppress(TimeoutError):
                async with asyncio.timeout(MAIN_LOOP_INTERVAL_SECONDS):
                    await self._exit_requested.wait()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """uvicorn tells the connections that there are; one that was just being accepted would serve on."""
        ending = asyncio.create_task(
            self._close_late_connections(notified=set(self.server_state.connections))
        )
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _close_late_connections(self, notified: set[Any]) -> None:
        while True:
            for connection in self.server_state.connections - notified:
                connection.shutdown()
                notified.add(connection)
            await asyncio.sleep(LATE_CONNECTION_POLL_SECONDS)
