"""S13 - a client floods the server: it closes this socket with 4429, and no other."""

from __future__ import annotations

import asyncio
import json

import websockets

from tests.support.accounts import Account
from tests.support.server import Server

FLOOD, PINGS = 10_000, 50


async def test_s13_flood_of_messages_closes_only_its_own_socket(server: Server) -> None:
    flooder, neighbor = Account.create(server), Account.create(server)
    async with (
        flooder.client() as flooding_client,
        neighbor.client() as other,
        flooder.client() as second_client,
    ):

        async def flood() -> None:
            message = json.dumps({"type": "ping"})
            try:
                for _ in range(FLOOD):
                    await flooding_client.send_text(message)
            except websockets.ConnectionClosed:
                pass

        async def read_replies() -> None:
            """Read all replies: the server stops reading from a client that does not."""
            try:
                while True:
                    await flooding_client.socket.recv()
            except websockets.ConnectionClosed:
                pass

        flooded = asyncio.gather(flood(), read_replies())
        for _ in range(PINGS):
            assert await other.request({"type": "ping"}) == {"type": "pong"}
        await flooded
        assert await flooding_client.close_code() == 4429
        assert await other.request({"type": "ping"}) == {"type": "pong"}
        assert await second_client.request({"type": "ping"}) == {"type": "pong"}
