"""S11 - a small compressed frame inflates to a huge one: the server negotiates no compression."""

from __future__ import annotations

import asyncio

from tests.support.accounts import Account
from tests.support.memory_monitor import MemoryMonitor
from tests.support.raw_websocket import RawWebSocket, deflate
from tests.support.server import Server

MIB = 1024 * 1024
BOMB = b'{"type": "list", "junk": "' + b"A" * (200 * MIB) + b'"}'
PROTOCOL_ERROR = 1002


async def test_s11_compressed_frame_is_rejected_without_inflating(server: Server) -> None:
    account = Account.create(server)
    url = server.url(token=account.mint())
    bomb = deflate(BOMB)
    assert len(bomb) < MIB
    raw = await asyncio.to_thread(RawWebSocket, url, extension="permessage-deflate")
    assert "permessage-deflate" not in raw.handshake_response
    with MemoryMonitor(server) as monitor:
        raw.send(bomb, rsv1=True)
        assert await asyncio.to_thread(raw.close_code) in (PROTOCOL_ERROR, None)
    raw.close()
    assert monitor.growth < 50 * MIB
    async with account.client() as client:
        assert (await client.request({"type": "list"}))["list"] == []
