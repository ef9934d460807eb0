"""The queue with a transport that is a list, and a event that stands for a client which does not read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from backend_main.core.errors import SlowConsumer
from backend_main.core.live import send_queue as send_queue
from backend_main.core.live.send_queue import LazyEvent, PartialKey, SendQueue
from tests.support.hub_harness import run_until_idle

A, B = uuid.uuid4(), uuid.uuid4()


@dataclass(frozen=True)
class Text:
    """A partial with all the text."""

    text: str

    def encoded(self) -> str:
        return self.text

    def merge(self, later: Text) -> Text:
        return later


class Client:
    """Receives one text for each `read`, or all at once."""

    def __init__(self, *, reads_all: bool) -> None:
        self.texts: list[str] = []
        self._sent = asyncio.Condition()
        self._reads = asyncio.Semaphore(0)
        self._reads_all = reads_all

    def try_send(self, text: str) -> bool:
        if self._reads_all:
            self.texts.append(text)
        return self._reads_all

    async def send(self, text: str) -> None:
        if not self._reads_all:
            await self._reads.acquire()
        async with self._sent:
            self.texts.append(text)
            self._sent.notify_all()

    def read(self) -> None:
        self._reads.release()

    async def has(self, count: int) -> list[str]:
        """Wait for that many texts, and return them."""
        async with asyncio.timeout(5), self._sent:
            await self._sent.wait_for(lambda: len(self.texts) >= count)
        return self.texts


@asynccontextmanager
async def running(queue: SendQueue) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(queue.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, SlowConsumer):
            await task


@pytest.fixture
async def client() -> Client:
    return Client(reads_all=True)


async def test_lazy_event_open_ends_all_waits_even_if_closed_at_once() -> None:
    event = LazyEvent()
    await event.wait()
    event.close()
    waiting = [asyncio.create_task(event.wait()) for _ in range(3)]
    await run_until_idle()
    assert not any(task.done() for task in waiting)
    event.open()
    event.close()
    await asyncio.gather(*waiting)
    late = asyncio.create_task(event.wait())
    await run_until_idle()
    assert not late.done()
    event.open()
    await late


async def test_texts_are_sent_in_order(client: Client) -> None:
    queue = SendQueue(client.send)
    async with running(queue):
        queue.put_event("created")
        queue.put_reply("reply")
        queue.put_partial(PartialKey(A), Text("partial"))
        queue.put_event("end")
        assert await client.has(4) == ["created", "reply", "partial", "end"]


async def test_idle_queue_sends_at_once(client: Client) -> None:
    queue = SendQueue(client.send, client.try_send)
    async with running(queue):
        await run_until_idle()
        queue.put_event("event")
        queue.put_partial(PartialKey(A), Text("partial"))
        assert client.texts == ["event", "partial"]


async def test_send_now_does_not_overtake_unsent_texts(client: Client) -> None:
    queue = SendQueue(client.send, client.try_send)
    queue.put_event("before anything runs")
    async with running(queue):
        queue.put_partial(PartialKey(A), Text("partial"))
        await client.has(2)
        await run_until_idle()
        queue.put_reply("reply")
        queue.put_event("event")
        queue.put_partial(PartialKey(A), Text("later"))
        assert await client.has(5) == ["before anything runs", "partial", "reply", "event", "later"]


async def test_send_now_does_not_overtake_a_text_being_sent() -> None:
    client = Client(reads_all=False)
    queue = SendQueue(client.send, client.try_send)
    async with running(queue):
        queue.put_event("one")
        await run_until_idle()
        client._reads_all = True
        queue.put_event("two")
        assert client.texts == []
        client.read()
        assert await client.has(2) == ["one", "two"]


async def test_text_that_send_now_refuses_is_queued() -> None:
    client = Client(reads_all=False)
    queue = SendQueue(client.send, client.try_send)
    async with running(queue):
        await run_until_idle()
        queue.put_event("event")
        queue.put_partial(PartialKey(A), Text("a1"))
        queue.put_partial(PartialKey(A), Text("a2"))
        client.read()
        client.read()
        assert await client.has(2) == ["event", "a2"]


async def test_newest_partial_is_sent_in_the_place_of_the_first(
    client: Client,
) -> None:
    queue = SendQueue(client.send)
    queue.put_partial(PartialKey(A), Text("a1"))
    queue.put_partial(PartialKey(B), Text("b1"))
    queue.put_event("event")
    queue.put_partial(PartialKey(A), Text("a2"))
    queue.put_partial(PartialKey(A), Text("a3"))
    queue.put_partial(PartialKey(B), Text("b2"))
    async with running(queue):
        assert await client.has(3) == ["a3", "b2", "event"]


async def test_partial_after_a_sent_one_is_sent_too(client: Client) -> None:
    queue = SendQueue(client.send)
    async with running(queue):
        queue.put_partial(PartialKey(A), Text("a1"))
        await client.has(1)
        queue.put_partial(PartialKey(A), Text("a2"))
        assert await client.has(2) == ["a1", "a2"]


async def test_drop_partial_keeps_the_others(client: Client) -> None:
    queue = SendQueue(client.send)
    queue.put_partial(PartialKey(A), Text("a1"))
    queue.put_partial(PartialKey(B), Text("b1"))
    queue.drop_partial(PartialKey(A))
    queue.put_event("end of a")
    queue.drop_partial(PartialKey(A))
    async with running(queue):
        assert await client.has(2) == ["b1", "end of a"]


async def test_partials_of_different_pages_do_not_replace_one_another(client: Client) -> None:
    queue = SendQueue(client.send)
    queue.put_partial(PartialKey(A, 1), Text("1"))
    queue.put_partial(PartialKey(A, 2), Text("2"))
    queue.put_partial(PartialKey(A), Text("all"))
    queue.put_partial(PartialKey(A, 1), Text("1, newer"))
    async with running(queue):
        assert await client.has(3) == ["1, newer", "2", "all"]


async def test_drop_partials_drops_those_of_one_upload_only(client: Client) -> None:
    queue = SendQueue(client.send)
    queue.put_event("begin of a")
    for page in (None, 1, 2):
        queue.put_partial(PartialKey(A, page), Text("a"))
        queue.put_partial(PartialKey(B, page), Text(f"b {page}"))
    queue.drop_partials(A)
    queue.put_event("end of a")
    queue.drop_partials(A)
    async with running(queue):
        assert await client.has(5) == ["begin of a", "b None", "b 1", "b 2", "end of a"]


async def test_unsent_partials_are_merged_by_their_own_method() -> None:
    class Adding(Text):
        def merge(self, later: Text) -> Text:
            return Adding(self.text + later.text)

    client = Client(reads_all=True)
    queue = SendQueue(client.send)
    for text in "abc":
        queue.put_partial(PartialKey(A, 1), Adding(text))
    async with running(queue):
        assert await client.has(1) == ["abc"]


async def test_partial_after_a_dropped_one_is_queued_at_the_end(client: Client) -> None:
    queue = SendQueue(client.send)
    queue.put_partial(PartialKey(A), Text("a1"))
    queue.drop_partial(PartialKey(A))
    queue.put_event("read again")
    queue.put_partial(PartialKey(A), Text("a2"))
    async with running(queue):
        assert await client.has(2) == ["read again", "a2"]


async def test_too_many_unsent_events_raise_slow_consumer() -> None:
    client = Client(reads_all=False)
    queue = SendQueue(client.send)
    async with running(queue) as task:
        for number in range(send_queue.MAX_UNSENT_EVENTS + 1):
            queue.put_event(str(number))
        with pytest.raises(SlowConsumer):
            async with asyncio.timeout(5):
                await task
    assert client.texts == []


async def test_as_many_unsent_events_as_allowed_are_sent(client: Client) -> None:
    queue = SendQueue(client.send)
    for number in range(send_queue.MAX_UNSENT_EVENTS):
        queue.put_event(str(number))
    async with running(queue):
        expected = [str(number) for number in range(send_queue.MAX_UNSENT_EVENTS)]
        assert await client.has(send_queue.MAX_UNSENT_EVENTS) == expected


async def test_sent_events_do_not_count(client: Client) -> None:
    queue = SendQueue(client.send)
    async with running(queue):
        for number in range(3 * send_queue.MAX_UNSENT_EVENTS):
            queue.put_event("x" * (send_queue.MAX_UNSENT_EVENT_CHARACTERS // 2))
            await client.has(number + 1)
    assert len(client.texts) == 3 * send_queue.MAX_UNSENT_EVENTS


async def test_too_much_unsent_event_text_raises_slow_consumer(client: Client) -> None:
    queue = SendQueue(client.send)
    queue.put_event("x" * send_queue.MAX_UNSENT_EVENT_CHARACTERS)
    for _ in range(send_queue.MAX_OVERSIZED_EVENTS):
        queue.put_event("y")
    with pytest.raises(SlowConsumer):
        await queue.run()


async def test_texts_behind_a_reserved_slot_wait_for_its_reply(client: Client) -> None:
    queue = SendQueue(client.send)
    upload = uuid.uuid4()
    async with running(queue):
        queue.put_event("before")
        await client.has(1)
        slot = queue.reserve()
        queue.put_event("after")
        queue.put_partial(PartialKey(upload), Text("dropped"))
        queue.drop_partials(upload)
        queue.put_reply("another")
        await asyncio.sleep(0)
        assert client.texts == ["before"]
        queue.fill(slot, "reply")
        await client.has(4)
    assert client.texts == ["before", "reply", "after", "another"]


async def test_send_now_does_not_overtake_a_reserved_slot(client: Client) -> None:
    sent_now: list[str] = []

    def try_send(text: str) -> bool:
        sent_now.append(text)
        return True

    queue = SendQueue(client.send, try_send)
    async with running(queue):
        await asyncio.sleep(0)
        slot = queue.reserve()
        queue.put_event("after")
        queue.fill(slot, "reply")
        await client.has(2)
    assert (client.texts, sent_now) == (["reply", "after"], [])


async def test_few_unsent_events_may_have_any_size(client: Client) -> None:
    queue = SendQueue(client.send)
    for _ in range(send_queue.MAX_OVERSIZED_EVENTS):
        queue.put_event("x" * (send_queue.MAX_UNSENT_EVENT_CHARACTERS + 1))
    async with running(queue):
        await client.has(send_queue.MAX_OVERSIZED_EVENTS)


async def test_partials_and_replies_have_no_limit(client: Client) -> None:
    queue = SendQueue(client.send)
    for _ in range(2 * send_queue.MAX_UNSENT_EVENTS):
        queue.put_partial(PartialKey(uuid.uuid4()), Text("x" * 20_000))
        queue.put_reply("x" * 20_000)
    async with running(queue):
        await client.has(4 * send_queue.MAX_UNSENT_EVENTS)


async def test_send_timeout_raises_slow_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_queue, "SEND_TIMEOUT_SECONDS", 0.01)
    queue = SendQueue(Client(reads_all=False).send)
    queue.put_partial(PartialKey(A), Text("a1"))
    with pytest.raises(SlowConsumer):
        await queue.run()


async def test_drain_waits_until_replies_are_sent() -> None:
    client = Client(reads_all=False)
    queue = SendQueue(client.send)
    await queue.drain()
    reply = "x" * (send_queue.LOW_WATER_CHARACTERS // 2 + 1)
    queue.put_reply(reply)
    await queue.drain()
    queue.put_reply(reply)
    waiting = asyncio.create_task(queue.drain())
    async with running(queue):
        await asyncio.sleep(0)
        assert not waiting.done()
        client.read()
        async with asyncio.timeout(5):
            await waiting
    assert client.texts == [reply]


async def test_transport_failure_ends_the_run() -> None:
    async def gone(_text: str) -> None:
        raise OSError("gone")

    queue = SendQueue(gone)
    queue.put_event("x")
    with pytest.raises(OSError, match="gone"):
        await queue.run()
