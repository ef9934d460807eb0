"""Users of the shared server, their clients, and a proxy between the two."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from scanrill_client import AsyncClient, Event, Progress, Timeouts

from tests.acceptance.conftest import Barrier, barrier
from tests.chaos.proxy import Proxy
from tests.support.accounts import Account
from tests.support.server import Server

__all__ = ["Barrier", "barrier"]

E = TypeVar("E", bound=Event)
Make = Callable[..., AsyncClient]
# Reconnects at once: what a test waits for is what happens, and not the time.
QUICK = Timeouts(initial_backoff=0.01, max_backoff=0.05, rate_limit_delay=0.05)


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.on(server)


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def client_of() -> AsyncIterator[Make]:
    """Makes a client of an account, through a proxy where one is given, and closes it in the end."""
    made: list[AsyncClient] = []

    def make(account: Account, proxy: Proxy | None = None, **options: Any) -> AsyncClient:
        port = account.server.port if proxy is None else proxy.port
        options = {"token": account.mint(), "timeouts": QUICK} | options
        client = AsyncClient(f"http://127.0.0.1:{port}", **options)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()


async def until(
    events: AsyncGenerator[Event], kind: type[E], wanted: Callable[[E], bool] = lambda _: True
) -> E:
    """The next event of a kind that is wanted; those before it are passed over."""
    async for event in events:
        if isinstance(event, kind) and wanted(event):
            return event
    raise AssertionError(f"the events ended before a {kind.__name__} that is wanted")


async def shown(events: AsyncGenerator[Event], text: str) -> Progress:
    """Waits for live text that is exactly this."""
    return await until(events, Progress, lambda progress: progress.text == text)


async def same_as_server(client: AsyncClient, events: AsyncGenerator[Event]) -> None:
    """Waits until the client's fold is what the server's list says."""
    while folded(client) != {each.id: _told(each) for each in (await client.list()).uploads}:
        await anext(events)


def folded(client: AsyncClient) -> dict[str, tuple[Any, ...]]:
    return {key: _told(each) for key, each in client.uploads.items()}


def _told(upload: Any) -> tuple[Any, ...]:
    """What each message of an upload's end tells, too."""
    return upload.filename, upload.status, upload.error, upload.metadata
