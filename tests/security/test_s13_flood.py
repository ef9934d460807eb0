"""S13 — a flood of messages ends its own socket with 4429, and nobody else's."""

from __future__ import annotations

import asyncio
import json

import websockets

from tests.support.accounts import Account
from tests.support.server import Server

FLOOD, QUESTIONS = 10_000, 50


async def test_s13_ten_thousand_messages_end_one_socket_and_no_other(server: Server) -> None:
    flooder, neighbour = Account.create(server), Account.create(server)
    async with flooder.client() as flooding, neighbour.client() as other, flooder.client() as own:

        async def flood() -> None:
            message = json.dumps({"type": "ping"})
            try:
                for _ in range(FLOOD):
                    await flooding.send_text(message)
            except websockets.ConnectionClosed:
                pass

        async def hear() -> None:
            """One that does not read its answers is not heard any more, so it could not flood."""
            try:
                while True:
                    await flooding.socket.recv()
            except websockets.ConnectionClosed:
                pass

        flooded = asyncio.gather(flood(), hear())
        for _ in range(QUESTIONS):
            assert await other.request({"type": "ping"}) == {"type": "pong"}
        await flooded
        assert await flooding.close_code() == 4429
        assert await other.request({"type": "ping"}) == {"type": "pong"}
        assert await own.request({"type": "ping"}) == {"type": "pong"}
