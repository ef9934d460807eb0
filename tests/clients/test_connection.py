"""Reconnecting connection, cut right after a waiting request continues."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from scanrill_client import Timeouts
from scanrill_client.connection import ReconnectingConnection
from scanrill_client.event_sync import EventSynchronizer
from scanrill_client.messages import Json, ServerMessage
from scanrill_client.tokens import TokenManager
from scanrill_client.websocket import MonitoredConnection


class FakeWebSocket:
    """WebSocket that collects the messages to send in `sent`."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Json] = asyncio.Queue()

    async def send_json(self, message: Json) -> None:
        await self.sent.put(message)

    async def close(self) -> None:
        pass


def open_connection(connection: ReconnectingConnection) -> FakeWebSocket:
    websocket = FakeWebSocket()
    connection._websocket = cast("MonitoredConnection", websocket)
    connection._on_subscribed()
    return websocket


async def test_request_not_sent_before_a_cut_is_sent_on_the_next_connection() -> None:
    def ignore(_argument: Any) -> None:
        pass

    connection = ReconnectingConnection(
        "ws://unused",
        cast("TokenManager", None),
        EventSynchronizer(),
        on_event=ignore,
        on_fatal_error=ignore,
        timeouts=Timeouts(),
    )
    connection._task = asyncio.create_task(asyncio.Event().wait())  # type: ignore[assignment]
    request = asyncio.create_task(connection.request({"type": "update", "instance_id": "x", "data": {}}))
    await asyncio.sleep(0)
    first = open_connection(connection)
    await connection._release(cast("MonitoredConnection", first))
    await asyncio.sleep(0)
    assert not request.done()
    second = open_connection(connection)
    async with asyncio.timeout(10):
        sent = await second.sent.get()
    assert first.sent.empty()
    connection._on_message(ServerMessage(type="updated", ref=sent["ref"]))
    assert (await request).type == "updated"
    await connection.close()
