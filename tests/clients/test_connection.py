"""A connection that is cut just as somebody who waited for it goes on."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from scanrill_client import Timeouts
from scanrill_client.connection import ReconnectingConnection
from scanrill_client.event_sync import EventSynchronizer
from scanrill_client.messages import Json, ServerMessage
from scanrill_client.tokens import TokenManager
from scanrill_client.websocket import MonitoredConnection


class Line:
    """As far as a connection uses a wire; `said` is what it was given to send."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[Json] = asyncio.Queue()

    async def tell(self, message: Json) -> None:
        await self.said.put(message)

    async def close(self) -> None:
        pass


def opened(connection: ReconnectingConnection) -> Line:
    line = Line()
    connection._websocket = cast("MonitoredConnection", line)
    connection._subscribed()
    return line


async def test_a_request_whose_connection_is_gone_before_it_is_sent_goes_out_on_the_next() -> None:
    def nobody(_what: Any) -> None:
        pass

    connection = ReconnectingConnection(
        "ws://nobody",
        cast("TokenManager", None),
        EventSynchronizer(),
        tell=nobody,
        ended=nobody,
        timeouts=Timeouts(),
    )
    connection._task = asyncio.create_task(asyncio.Event().wait())  # type: ignore[assignment]
    asking = asyncio.create_task(connection.request({"type": "update", "instance_id": "x", "data": {}}))
    await asyncio.sleep(0)
    first = opened(connection)
    await connection._let_go(cast("MonitoredConnection", first))
    await asyncio.sleep(0)
    assert not asking.done()
    second = opened(connection)
    async with asyncio.timeout(10):
        sent = await second.said.get()
    assert first.said.empty()
    connection._take(ServerMessage(type="updated", ref=sent["ref"]))
    assert (await asking).type == "updated"
    await connection.close()
