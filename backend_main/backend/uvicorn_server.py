"""Subclass of uvicorn's server: it reports when it listens, sleeps while idle, and closes late connections.

It overrides private methods, so pyproject.toml pins uvicorn below the next minor version.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from types import FrameType
from typing import Any

import uvicorn

MAIN_LOOP_INTERVAL_SECONDS = 1.0
# The interval at which uvicorn itself checks whether all connections are closed.
LATE_CONNECTION_POLL_SECONDS = 0.1

# Python's default is 5 ms. While another thread computes, a thread waits that long for the interpreter lock
# after each call of the database: beside two such threads, six queries took 55 ms, with 0.5 ms 6 ms.
THREAD_SWITCH_SECONDS = 0.0005


class Server(uvicorn.Server):
    """uvicorn's server. It calls `on_listening` once, when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._exit_requested = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket] | None = None) -> None:
        sys.setswitchinterval(THREAD_SWITCH_SECONDS)
        await super().startup(sockets)
        self._on_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._exit_requested.set)

    async def main_loop(self) -> None:
        """Wait for the exit signal. uvicorn polls it ten times a second: most of an idle server's cost."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # uvicorn sets the Date header at ticks divisible by ten
            with suppress(TimeoutError):
                async with asyncio.timeout(MAIN_LOOP_INTERVAL_SECONDS):
                    await self._exit_requested.wait()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Shut down all connections, also those accepted meanwhile, which uvicorn would keep serving."""
        closing = asyncio.create_task(
            self._close_late_connections(notified=set(self.server_state.connections))
        )
        try:
            await super().shutdown(sockets)
        finally:
            closing.cancel()

    async def _close_late_connections(self, notified: set[Any]) -> None:
        while True:
            for connection in self.server_state.connections - notified:
                connection.shutdown()
                notified.add(connection)
            await asyncio.sleep(LATE_CONNECTION_POLL_SECONDS)
