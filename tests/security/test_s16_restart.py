"""S16 - a server stops with open sockets: it closes all with 1012, and clients can reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server

SOCKETS = 200


async def test_s16_stop_closes_200_sockets_with_1012_and_they_reconnect(
    new_server: Callable[..., Server],
) -> None:
    server = new_server()
    account = Account.create(server)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(account.client()) for _ in range(SOCKETS)]
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        codes = await asyncio.gather(*(client.close_code() for client in clients))
        assert set(codes) == {1012}
        assert await stopping == 0
    server.start()
    async with AsyncExitStack() as stack:
        reconnected = [await stack.enter_async_context(account.client()) for _ in range(SOCKETS)]
        created = await reconnected[0].create(scripted_png(lines=["after the restart"]))
        terminal_messages = await asyncio.gather(
            *(client.terminal_message(created["instance"]["id"]) for client in reconnected)
        )
        assert {message["raw_text"] for message in terminal_messages} == {"after the restart"}
