"""S12 - clients never read: the server closes them with 4499, serves others, and bounds its memory."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.accounts import Account
from tests.support.memory_monitor import MemoryMonitor
from tests.support.page_images import scripted_png
from tests.support.raw_websocket import RawWebSocket
from tests.support.server import Server

MIB = 1024 * 1024
CLIENTS = 100
# Each update carries the whole correction, so a few exceed a socket's send queue.
CORRECTION = "x" * MIB
UPDATES = 12


@pytest.mark.slow
async def test_s12_hundred_clients_that_never_read_do_not_affect_another(server: Server) -> None:
    account = Account.create(server)
    async with account.client() as healthy, account.client() as writer:
        created = await writer.create(scripted_png())
        upload_id = created["instance"]["id"]
        await writer.terminal_message(upload_id)
        url = server.url(token=account.mint())
        stalled = await asyncio.gather(*(asyncio.to_thread(RawWebSocket, url) for _ in range(CLIENTS)))
        with MemoryMonitor(server) as monitor:
            for number in range(UPDATES):
                text = f"{number} {CORRECTION}"
                data = {"processed_text": text}
                await writer.request({"type": "update", "instance_id": upload_id, "data": data})
                seen = await healthy.receive_until(lambda m: m.get("type") == "Upload.updated")
                assert seen["instance"]["processed_text"] == text
        # Some find the close frame behind their unread messages; the connections of others are aborted.
        codes = await asyncio.gather(*(asyncio.to_thread(raw.close_code) for raw in stalled))
        assert set(codes) <= {4499, None}
        assert await healthy.request({"type": "ping"}) == {"type": "pong"}
    for raw in stalled:
        raw.close()
    # One message in transit to each client; the queued text is shared by all of them.
    assert monitor.growth < CLIENTS * 2 * MIB + 100 * MIB
