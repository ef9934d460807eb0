"""Limits on the bodies of requests, as wrappers of ASGI's `receive`."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from backend_main.core.conf import conf
from backend_main.core.errors import BodyTooLarge, RequestTimeout
from backend_main.core.http import request_body
from backend_main.core.http.request_body import (
    MIN_BODY_BYTES_PER_SECOND,
    ClientDisconnected,
    LimitedBody,
    WholeBodies,
    replay,
)

DISCONNECT = {"type": "http.disconnect"}


def part(body: bytes, *, more_body: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


class Client:
    """A client of which `receive` gets the messages; then it waits. Each message takes `seconds`."""

    def __init__(
        self, *messages: dict[str, Any], clock: FakeClock | None = None, seconds: float = 0.0
    ) -> None:
        self._messages = iter(messages)
        self._clock = clock
        self._seconds = seconds
        self.is_waiting = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        for message in self._messages:
            if self._clock is not None:
                self._clock.now += self._seconds
                await asyncio.sleep(0)  # timers that are due run now
            return message
        self.is_waiting.set()
        return await asyncio.Event().wait() or DISCONNECT


class FakeClock:
    """The time of the event loop."""

    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(request_body, "conf", msgspec.structs.replace(conf, request_body_seconds=10.0))
    loop_time = asyncio.BaseEventLoop.time
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda loop: loop_time(loop) + clock.now)
    return clock


async def receive_all(receive: Any) -> int:
    """Receive to the end, and return the number of messages."""
    count = 0
    while True:
        message = await receive()
        count += 1
        if not message.get("more_body"):
            return count


async def test_limited_body_slow_body_that_keeps_the_floor_is_received(clock: FakeClock) -> None:
    parts = [part(bytes(MIN_BODY_BYTES_PER_SECOND * 2))] * 100
    client = Client(*parts, part(b"", more_body=False), clock=clock, seconds=1.5)
    assert await receive_all(LimitedBody(client.receive)) == 101


async def test_limited_body_slow_body_below_the_floor_is_a_timeout(clock: FakeClock) -> None:
    client = Client(*[part(b"x")] * 100, clock=clock, seconds=1.5)
    receive = LimitedBody(client.receive)
    with pytest.raises(RequestTimeout):
        await receive_all(receive)
    assert await receive() == DISCONNECT


async def test_limited_body_after_the_body_is_unlimited(clock: FakeClock) -> None:
    client = Client(part(b"x", more_body=False), DISCONNECT, clock=clock, seconds=9.0)
    receive = LimitedBody(client.receive)
    assert await receive() == part(b"x", more_body=False)
    clock.now += 1000
    assert await receive() == DISCONNECT


async def test_limited_body_time_of_the_server_does_not_count(clock: FakeClock) -> None:
    receive = LimitedBody(Client(part(b"x"), part(b"y"), clock=clock, seconds=4.0).receive)
    await receive()
    clock.now += 1000
    await asyncio.sleep(0)  # the timer is due
    assert await receive() == part(b"y")
    receive.close()


async def test_whole_body_is_joined() -> None:
    client = Client(part(b"a"), part(b"b"), part(b"c", more_body=False))
    assert await WholeBodies(1).receive(client.receive, 3) == b"abc"


async def test_whole_body_above_the_limit_is_too_large() -> None:
    with pytest.raises(BodyTooLarge):
        await WholeBodies(1).receive(Client(part(b"a"), part(b"bc")).receive, 2)


async def test_whole_body_of_a_closed_connection() -> None:
    with pytest.raises(ClientDisconnected):
        await WholeBodies(1).receive(Client(part(b"a"), DISCONNECT).receive, 2)


async def test_whole_bodies_oldest_ends_if_there_are_too_many() -> None:
    bodies = WholeBodies(2)
    clients = [Client(part(b"x")) for _ in range(3)]
    tasks = []
    for client in clients:
        tasks.append(asyncio.create_task(bodies.receive(client.receive, 9)))
        await client.is_waiting.wait()
    with pytest.raises(RequestTimeout):
        await tasks[0]
    assert [task.done() for task in tasks] == [True, False, False]
    for task in tasks[1:]:
        task.cancel()


async def test_replay_has_the_body_then_the_rest() -> None:
    receive = replay(b"abc", Client(DISCONNECT).receive)
    assert [await receive(), await receive()] == [part(b"abc", more_body=False), DISCONNECT]
