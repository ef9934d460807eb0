"""Fixtures: a user of the shared server, clients, and a proxy between client and server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from scanrill_client import AsyncClient, Event, Progress, Timeouts

from tests.acceptance.conftest import ReadingGate, gate
from tests.chaos.proxy import Proxy
from tests.support.accounts import Account
from tests.support.server import Server

__all__ = ["ReadingGate", "gate"]

E = TypeVar("E", bound=Event)
MakeClient = Callable[..., AsyncClient]
# With these a client reconnects at once: tests wait for events, not for time.
FAST_TIMEOUTS = Timeouts(initial_backoff=0.01, max_backoff=0.05, rate_limit_delay=0.05)


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.create(server)


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    """Function that creates a client of an account, through a proxy if one is given; closes it at the end."""
    made: list[AsyncClient] = []

    def make(account: Account, proxy: Proxy | None = None, **options: Any) -> AsyncClient:
        port = account.server.port if proxy is None else proxy.port
        options = {"token": account.mint(), "timeouts": FAST_TIMEOUTS} | options
        client = AsyncClient(f"http://127.0.0.1:{port}", **options)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()


async def next_event(
    events: AsyncGenerator[Event], kind: type[E], condition: Callable[[E], bool] = lambda _: True
) -> E:
    """Return the next event of this kind that meets the condition; skip the others."""
    async for event in events:
        if isinstance(event, kind) and condition(event):
            return event
    raise AssertionError(f"the events ended before a matching {kind.__name__}")


async def wait_for_text(events: AsyncGenerator[Event], text: str) -> Progress:
    """Wait until the live text equals this text."""
    return await next_event(events, Progress, lambda progress: progress.text == text)


async def wait_until_synchronized(client: AsyncClient, events: AsyncGenerator[Event]) -> None:
    """Wait until the client's upload store equals the list of the server."""
    while comparable_uploads(client) != {
        each.id: _comparable(each) for each in (await client.list()).uploads
    }:
        await anext(events)


def comparable_uploads(client: AsyncClient) -> dict[str, tuple[Any, ...]]:
    return {key: _comparable(each) for key, each in client.uploads.items()}


def _comparable(upload: Any) -> tuple[Any, ...]:
    """Return the fields that every event of an upload carries."""
    return upload.filename, upload.status, upload.error, upload.metadata
