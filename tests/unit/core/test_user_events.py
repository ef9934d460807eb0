"""UserEventStream: one read of the log at a time, however often it is notified."""

from __future__ import annotations

import asyncio
import uuid

from backend_main.core.live.replay import EncodedEvent
from backend_main.core.live.user_events import UserEventStream
from tests.support.hub_harness import OWNER, FakeClient, run_until_idle


class SlowLog:
    """A log whose reads wait until a test releases them; `delivered` has the seqs of delivered events."""

    def __init__(self) -> None:
        self.head = 0
        self.waiting_reads: list[asyncio.Future[None]] = []
        self.delivered: list[int] = []
        self.stream = UserEventStream(
            OWNER,
            read=self._read,
            deliver=lambda _stream, event: self.delivered.append(event.seq),
            on_gap=self._on_gap,
        )

    async def _read(self, _owner_id: uuid.UUID, seq: int) -> list[EncodedEvent]:
        found = [new_event(number) for number in range(seq + 1, self.head + 1)]
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting_reads.append(future)
        await future
        return found

    def _on_gap(self, _stream: UserEventStream) -> None:
        raise AssertionError("nothing was removed")

    def notify(self, seq: int) -> None:
        self.head = max(self.head, seq)
        self.stream.notify(seq)

    async def release_reads(self) -> None:
        await run_until_idle()
        while self.waiting_reads:
            for future in self.waiting_reads:
                future.set_result(None)
            self.waiting_reads.clear()
            await run_until_idle()


def new_event(seq: int) -> EncodedEvent:
    return EncodedEvent(seq, uuid.uuid4(), "", ends_reading=False, text=f'{{"n":{seq}}}')


async def test_notify_during_a_read_starts_no_second_read() -> None:
    log = SlowLog()
    log.stream.start_at(0)
    for seq in (1, 2, 3):
        log.notify(seq)
        await run_until_idle()
        assert len(log.waiting_reads) == 1
    await log.release_reads()
    assert log.delivered == [1, 2, 3]


async def test_notify_during_a_read_is_not_lost() -> None:
    log = SlowLog()
    log.stream.start_at(0)
    log.notify(1)
    await run_until_idle()
    log.notify(4)
    waiting = asyncio.create_task(log.stream.wait_until_delivered(4))
    await log.release_reads()
    await waiting
    assert log.delivered == [1, 2, 3, 4]
    log.notify(2)  # late
    await log.release_reads()
    log.notify(5)
    await log.release_reads()
    assert log.delivered == [1, 2, 3, 4, 5]


async def test_wait_until_delivered_before_start_ends_at_the_start() -> None:
    log = SlowLog()
    waiting = [asyncio.create_task(log.stream.wait_until_delivered(seq)) for seq in (1, 2)]
    await run_until_idle()
    log.head = 2
    log.stream.start_at(1)
    await run_until_idle()
    assert [task.done() for task in waiting] == [True, False]
    await log.release_reads()
    assert waiting[1].done()


async def test_connection_skips_events_up_to_its_position() -> None:
    client = FakeClient()
    client.connection.position = 5
    for seq in (4, 5, 6, 6, 3, 7):
        client.connection.deliver(new_event(seq), "e")
    assert [message["n"] for message in await client.received] == [6, 7]
    assert client.connection.position == 7
