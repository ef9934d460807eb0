"""Users of the shared server, their clients, and a proxy between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from scanrill_client import AsyncClient, Timing

from tests.acceptance.conftest import Barrier, barrier
from tests.chaos.proxy import Proxy
from tests.support.accounts import Account
from tests.support.server import Server

__all__ = ["Barrier", "barrier"]

# Reconnects at once: what a test waits for is what happens, and not the time.
QUICK = Timing(first_wait=0.01, most_wait=0.05, too_many=0.05)


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.on(server)


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def client_of() -> AsyncIterator[Callable[..., AsyncClient]]:
    """Makes a client of an account, through a proxy where one is given, and closes it in the end."""
    made: list[AsyncClient] = []

    def make(account: Account, proxy: Proxy | None = None, **options: Any) -> AsyncClient:
        port = account.server.port if proxy is None else proxy.port
        options = {"token": account.mint(), "timing": QUICK} | options
        client = AsyncClient(f"http://127.0.0.1:{port}", **options)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.close()
