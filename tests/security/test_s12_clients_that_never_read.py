"""S12 — clients that never read are cut off with 4499; nobody else notices, and memory stays bounded."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.accounts import Account
from tests.support.memory_monitor import MemoryMonitor
from tests.support.page_images import scripted_png
from tests.support.raw_websocket import RawWebSocket
from tests.support.server import Server

MIB = 1024 * 1024
DEAF = 100
# Each update carries the whole correction, so a few of them are more than a socket may leave unread.
CORRECTION = "x" * MIB
UPDATES = 12


@pytest.mark.slow
async def test_s12_a_hundred_that_never_read_beside_one_that_does(server: Server) -> None:
    account = Account.create(server)
    async with account.client() as healthy, account.client() as writing:
        created = await writing.create(scripted_png())
        upload_id = created["instance"]["id"]
        await writing.terminal_message(upload_id)
        url = server.url(token=account.mint())
        deaf = await asyncio.gather(*(asyncio.to_thread(RawWebSocket, url) for _ in range(DEAF)))
        with MemoryMonitor(server) as watch:
            for number in range(UPDATES):
                text = f"{number} {CORRECTION}"
                data = {"processed_text": text}
                await writing.request({"type": "update", "instance_id": upload_id, "data": data})
                seen = await healthy.receive_until(lambda m: m.get("type") == "Upload.updated")
                assert seen["instance"]["processed_text"] == text
        # Some have the close frame behind what they left unread; who reads nothing at all is cut.
        codes = await asyncio.gather(*(asyncio.to_thread(raw.close_code) for raw in deaf))
        assert set(codes) <= {4499, None}
        assert await healthy.request({"type": "ping"}) == {"type": "pong"}
    for raw in deaf:
        raw.close()
    # One message on its way to each of them, and what waits is the same text for all.
    assert watch.growth < DEAF * 2 * MIB + 100 * MIB
