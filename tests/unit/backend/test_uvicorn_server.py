"""uvicorn's server, which sleeps while nothing happens, and ends with all its connections."""

from __future__ import annotations

import asyncio
import signal
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
def sleeping(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(uvicorn_server, "MAIN_LOOP_INTERVAL_SECONDS", 3600.0)
    return Server(uvicorn.Config(nothing, log_config=None), lambda: None)


async def test_a_signal_wakes_a_server_that_sleeps(sleeping: Server) -> None:
    ending = asyncio.create_task(sleeping.main_loop())
    async with asyncio.timeout(10):
        while not sleeping.server_state.default_headers:  # it has looked, and was not told to end
            await asyncio.sleep(0)
        sleeping.handle_exit(signal.SIGTERM, None)
        await ending


async def test_a_signal_that_came_before_it_sleeps_is_not_forgotten(sleeping: Server) -> None:
    sleeping.handle_exit(signal.SIGTERM, None)
    async with asyncio.timeout(10):
        await sleeping.main_loop()


async def test_answers_have_the_date_of_now(sleeping: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_server, "MAIN_LOOP_INTERVAL_SECONDS", 0.0)
    ticking = asyncio.create_task(sleeping.main_loop())
    async with asyncio.timeout(10):
        for day, date in DATES.items():
            monkeypatch.setattr(uvicorn.server.time, "time", lambda day=day: 86_400.0 * day)
            while (b"date", date) not in sleeping.server_state.default_headers:
                await asyncio.sleep(0)
    ticking.cancel()


class Connection:
    """It ends when it is told to."""

    def __init__(self, server: Server) -> None:
        self._connections: set[Any] = server.server_state.connections
        self._connections.add(self)
        self.told = 0

    def shutdown(self) -> None:
        self.told += 1
        self._connections.discard(self)


async def test_a_connection_that_was_just_accepted_when_the_server_was_told_to_end_is_ended_too(
    sleeping: Server,
) -> None:
    sleeping.servers, sleeping.lifespan = [], LifespanOff(sleeping.config)
    known = Connection(sleeping)
    ending = asyncio.create_task(sleeping.shutdown())
    await asyncio.sleep(0)
    assert known.told == 1
    late = Connection(sleeping)
    async with asyncio.timeout(10):
        await ending
    assert (known.told, late.told) == (1, 1)
