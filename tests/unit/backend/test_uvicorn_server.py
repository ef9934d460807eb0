"""Subclass of uvicorn's server: sleep, signals, the Date header and late connections."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.lifespan.off import LifespanOff

from backend_main.backend import uvicorn_server
from backend_main.backend.uvicorn_server import Server

DATES = {1: b"Fri, 02 Jan 1970 00:00:00 GMT", 2: b"Sat, 03 Jan 1970 00:00:00 GMT"}
"""By days since 1970."""


async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(uvicorn_server, "MAIN_LOOP_INTERVAL_SECONDS", 3600.0)
    return Server(uvicorn.Config(nothing, log_config=None), lambda: None)


@pytest.fixture
def switch_interval() -> Iterator[None]:
    """Restore the interval of the interpreter."""
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("switch_interval")
async def test_startup_lets_threads_switch_often(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def startup(_server: uvicorn.Server, _sockets: Any = None) -> None:
        pass

    monkeypatch.setattr(uvicorn.Server, "startup", startup)
    sys.setswitchinterval(0.005)
    await server.startup()
    assert sys.getswitchinterval() == pytest.approx(uvicorn_server.THREAD_SWITCH_SECONDS)


async def test_signal_wakes_a_sleeping_server(server: Server) -> None:
    ending = asyncio.create_task(server.main_loop())
    async with asyncio.timeout(10):
        while not server.server_state.default_headers:  # it has checked for a signal once
            await asyncio.sleep(0)
        server.handle_exit(signal.SIGTERM, None)
        await ending


async def test_signal_before_the_main_loop_ends_it(server: Server) -> None:
    server.handle_exit(signal.SIGTERM, None)
    async with asyncio.timeout(10):
        await server.main_loop()


async def test_main_loop_updates_the_date_header(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_server, "MAIN_LOOP_INTERVAL_SECONDS", 0.0)
    ticking = asyncio.create_task(server.main_loop())
    async with asyncio.timeout(10):
        for day, date in DATES.items():
            monkeypatch.setattr(uvicorn.server.time, "time", lambda day=day: 86_400.0 * day)
            while (b"date", date) not in server.server_state.default_headers:
                await asyncio.sleep(0)
    ticking.cancel()


class FakeConnection:
    """Connection that counts its shutdowns."""

    def __init__(self, server: Server) -> None:
        self._connections: set[Any] = server.server_state.connections
        self._connections.add(self)
        self.shutdowns = 0

    def shutdown(self) -> None:
        self.shutdowns += 1
        self._connections.discard(self)


async def test_shutdown_closes_a_connection_accepted_meanwhile(
    server: Server,
) -> None:
    server.servers, server.lifespan = [], LifespanOff(server.config)
    known = FakeConnection(server)
    ending = asyncio.create_task(server.shutdown())
    await asyncio.sleep(0)
    assert known.shutdowns == 1
    late = FakeConnection(server)
    async with asyncio.timeout(10):
        await ending
    assert (known.shutdowns, late.shutdowns) == (1, 1)
