"""The events of one user: one reader of the log at a time, however often the bell rings."""

from __future__ import annotations

import asyncio
import uuid

from backend_main.core.live.replay import EncodedEvent
from backend_main.core.live.user_events import UserEventStream
from tests.support.hub_harness import OWNER, FakeConnection, run_until_idle


class SlowLog:
    """A log whose readers wait until a test lets them go on; `delivered` is what the feed has given out."""

    def __init__(self) -> None:
        self.head = 0
        self.readers: list[asyncio.Future[None]] = []
        self.delivered: list[int] = []
        self.feed = UserEventStream(
            OWNER,
            read=self._read,
            deliver=lambda _stream, event: self.delivered.append(event.seq),
            on_gap=self._on_gap,
        )

    async def _read(self, _owner_id: uuid.UUID, seq: int) -> list[EncodedEvent]:
        found = [an_event(number) for number in range(seq + 1, self.head + 1)]
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.readers.append(gate)
        await gate
        return found

    def _on_gap(self, _feed: UserEventStream) -> None:
        raise AssertionError("nothing was removed")

    def notify(self, seq: int) -> None:
        self.head = max(self.head, seq)
        self.feed.notify(seq)

    async def let_all_read(self) -> None:
        await run_until_idle()
        while self.readers:
            for gate in self.readers:
                gate.set_result(None)
            self.readers.clear()
            await run_until_idle()


def an_event(seq: int) -> EncodedEvent:
    return EncodedEvent(seq, uuid.uuid4(), "", ends_reading=False, text=f'{{"n":{seq}}}')


async def test_however_often_it_is_rung_there_is_one_reader_and_each_event_comes_once() -> None:
    log = SlowLog()
    log.feed.start_at(0)
    for seq in (1, 2, 3):
        log.notify(seq)
        await run_until_idle()
        assert len(log.readers) == 1
    await log.let_all_read()
    assert log.delivered == [1, 2, 3]


async def test_a_bell_that_rings_while_the_log_is_read_is_not_forgotten() -> None:
    log = SlowLog()
    log.feed.start_at(0)
    log.notify(1)
    await run_until_idle()
    log.notify(4)
    reaching = asyncio.create_task(log.feed.wait_until_delivered(4))
    await log.let_all_read()
    await reaching
    assert log.delivered == [1, 2, 3, 4]
    log.notify(2)  # an old one, late
    await log.let_all_read()
    log.notify(5)
    await log.let_all_read()
    assert log.delivered == [1, 2, 3, 4, 5]


async def test_who_waits_for_a_feed_that_has_not_begun_goes_on_where_it_begins() -> None:
    log = SlowLog()
    waiting = [asyncio.create_task(log.feed.wait_until_delivered(seq)) for seq in (1, 2)]
    await run_until_idle()
    log.head = 2
    log.feed.start_at(1)
    await run_until_idle()
    assert [task.done() for task in waiting] == [True, False]
    await log.let_all_read()
    assert waiting[1].done()


async def test_a_socket_passes_over_what_is_not_after_its_position() -> None:
    listener = FakeConnection()
    listener.socket.position = 5
    for seq in (4, 5, 6, 6, 3, 7):
        listener.socket.deliver(an_event(seq), "e")
    assert [message["n"] for message in await listener.heard] == [6, 7]
    assert listener.socket.position == 7
