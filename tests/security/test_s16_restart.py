"""S16 — a server that is told to end says 1012 to everybody, and they come back to the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server

SOCKETS = 200


async def test_s16_two_hundred_sockets_are_told_and_come_back(new_server: Callable[..., Server]) -> None:
    server = new_server()
    account = Account.create(server)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(account.client()) for _ in range(SOCKETS)]
        ending = asyncio.create_task(asyncio.to_thread(server.stop))
        codes = await asyncio.gather(*(client.close_code() for client in clients))
        assert set(codes) == {1012}
        assert await ending == 0
    server.start()
    async with AsyncExitStack() as stack:
        back = [await stack.enter_async_context(account.client()) for _ in range(SOCKETS)]
        created = await back[0].create(scripted_png(lines=["after the restart"]))
        ends = await asyncio.gather(*(client.terminal_message(created["instance"]["id"]) for client in back))
        assert {end["raw_text"] for end in ends} == {"after the restart"}
