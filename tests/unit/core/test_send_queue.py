"""The outbox with a transport that is a list, and a gate that stands for a client which does not read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from backend_main.core.errors import SlowConsumer
from backend_main.core.live import send_queue as module
from backend_main.core.live.send_queue import LazyEvent, PartialKey, SendQueue
from tests.support.hub_harness import run_until_idle

A, B = uuid.uuid4(), uuid.uuid4()


@dataclass(frozen=True)
class Text:
    """A partial that has all the text."""

    text: str

    def encoded(self) -> str:
        return self.text

    def merge(self, later: Text) -> Text:
        return later


class Client:
    """Takes one text for each `read`; `greedy` takes all."""

    def __init__(self, *, greedy: bool) -> None:
        self.texts: list[str] = []
        self._sent = asyncio.Condition()
        self._room = asyncio.Semaphore(0)
        self._greedy = greedy

    def try_send(self, text: str) -> bool:
        if self._greedy:
            self.texts.append(text)
        return self._greedy

    async def send(self, text: str) -> None:
        if not self._greedy:
            await self._room.acquire()
        async with self._sent:
            self.texts.append(text)
            self._sent.notify_all()

    def read(self) -> None:
        self._room.release()

    async def has(self, count: int) -> list[str]:
        """The texts, once there are as many."""
        async with asyncio.timeout(5), self._sent:
            await self._sent.wait_for(lambda: len(self.texts) >= count)
        return self.texts


@asynccontextmanager
async def running(outbox: SendQueue) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(outbox.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, SlowConsumer):
            await task


@pytest.fixture
async def client() -> Client:
    return Client(greedy=True)


async def test_a_gate_lets_all_through_who_waited_when_it_was_opened_even_if_it_was_closed_again() -> None:
    gate = LazyEvent()
    await gate.wait()
    gate.close()
    waiting = [asyncio.create_task(gate.wait()) for _ in range(3)]
    await run_until_idle()
    assert not any(task.done() for task in waiting)
    gate.open()
    gate.close()
    await asyncio.gather(*waiting)
    late = asyncio.create_task(gate.wait())
    await run_until_idle()
    assert not late.done()
    gate.open()
    await late


async def test_texts_go_out_in_the_order_they_came_in(client: Client) -> None:
    outbox = SendQueue(client.send)
    async with running(outbox):
        outbox.put_event("created")
        outbox.put_reply("reply")
        outbox.put_partial(PartialKey(A), Text("partial"))
        outbox.put_event("end")
        assert await client.has(4) == ["created", "reply", "partial", "end"]


async def test_what_a_client_that_keeps_up_is_told_waits_for_no_turn_of_a_task(client: Client) -> None:
    outbox = SendQueue(client.send, client.try_send)
    async with running(outbox):
        await run_until_idle()
        outbox.put_event("event")
        outbox.put_partial(PartialKey(A), Text("partial"))
        assert client.texts == ["event", "partial"]


async def test_nothing_is_sent_past_what_waits(client: Client) -> None:
    outbox = SendQueue(client.send, client.try_send)
    outbox.put_event("before anything runs")
    async with running(outbox):
        outbox.put_partial(PartialKey(A), Text("partial"))
        await client.has(2)
        await run_until_idle()
        outbox.put_reply("reply")
        outbox.put_event("event")
        outbox.put_partial(PartialKey(A), Text("later"))
        assert await client.has(5) == ["before anything runs", "partial", "reply", "event", "later"]


async def test_nothing_is_sent_past_what_is_being_sent() -> None:
    client = Client(greedy=False)
    outbox = SendQueue(client.send, client.try_send)
    async with running(outbox):
        outbox.put_event("one")
        await run_until_idle()
        client._greedy = True
        outbox.put_event("two")
        assert client.texts == []
        client.read()
        assert await client.has(2) == ["one", "two"]


async def test_what_is_not_taken_at_once_waits_its_turn() -> None:
    client = Client(greedy=False)
    outbox = SendQueue(client.send, client.try_send)
    async with running(outbox):
        await run_until_idle()
        outbox.put_event("event")
        outbox.put_partial(PartialKey(A), Text("a1"))
        outbox.put_partial(PartialKey(A), Text("a2"))
        client.read()
        client.read()
        assert await client.has(2) == ["event", "a2"]


async def test_only_the_newest_partial_of_an_upload_goes_out_in_the_place_of_the_first(
    client: Client,
) -> None:
    outbox = SendQueue(client.send)
    outbox.put_partial(PartialKey(A), Text("a1"))
    outbox.put_partial(PartialKey(B), Text("b1"))
    outbox.put_event("event")
    outbox.put_partial(PartialKey(A), Text("a2"))
    outbox.put_partial(PartialKey(A), Text("a3"))
    outbox.put_partial(PartialKey(B), Text("b2"))
    async with running(outbox):
        assert await client.has(3) == ["a3", "b2", "event"]


async def test_a_partial_that_was_sent_makes_room_for_the_next(client: Client) -> None:
    outbox = SendQueue(client.send)
    async with running(outbox):
        outbox.put_partial(PartialKey(A), Text("a1"))
        await client.has(1)
        outbox.put_partial(PartialKey(A), Text("a2"))
        assert await client.has(2) == ["a1", "a2"]


async def test_a_dropped_partial_is_not_sent_and_leaves_the_others(client: Client) -> None:
    outbox = SendQueue(client.send)
    outbox.put_partial(PartialKey(A), Text("a1"))
    outbox.put_partial(PartialKey(B), Text("b1"))
    outbox.drop_partial(PartialKey(A))
    outbox.put_event("end of a")
    outbox.drop_partial(PartialKey(A))
    async with running(outbox):
        assert await client.has(2) == ["b1", "end of a"]


async def test_partials_of_different_pages_each_have_a_place(client: Client) -> None:
    outbox = SendQueue(client.send)
    outbox.put_partial(PartialKey(A, 1), Text("1"))
    outbox.put_partial(PartialKey(A, 2), Text("2"))
    outbox.put_partial(PartialKey(A), Text("all"))
    outbox.put_partial(PartialKey(A, 1), Text("1, newer"))
    async with running(outbox):
        assert await client.has(3) == ["1, newer", "2", "all"]


async def test_all_partials_of_an_upload_are_dropped_at_once_and_nothing_else(client: Client) -> None:
    outbox = SendQueue(client.send)
    outbox.put_event("begin of a")
    for page in (None, 1, 2):
        outbox.put_partial(PartialKey(A, page), Text("a"))
        outbox.put_partial(PartialKey(B, page), Text(f"b {page}"))
    outbox.drop_partials(A)
    outbox.put_event("end of a")
    outbox.drop_partials(A)
    async with running(outbox):
        assert await client.has(5) == ["begin of a", "b None", "b 1", "b 2", "end of a"]


async def test_what_goes_out_in_the_place_of_two_is_theirs_to_say() -> None:
    class Adding(Text):
        def merge(self, later: Text) -> Text:
            return Adding(self.text + later.text)

    client = Client(greedy=True)
    outbox = SendQueue(client.send)
    for text in "abc":
        outbox.put_partial(PartialKey(A, 1), Adding(text))
    async with running(outbox):
        assert await client.has(1) == ["abc"]


async def test_a_partial_after_a_dropped_one_takes_a_place_at_the_end(client: Client) -> None:
    outbox = SendQueue(client.send)
    outbox.put_partial(PartialKey(A), Text("a1"))
    outbox.drop_partial(PartialKey(A))
    outbox.put_event("read again")
    outbox.put_partial(PartialKey(A), Text("a2"))
    async with running(outbox):
        assert await client.has(2) == ["read again", "a2"]


async def test_a_client_with_too_many_events_unread_is_too_slow() -> None:
    client = Client(greedy=False)
    outbox = SendQueue(client.send)
    async with running(outbox) as task:
        for number in range(module.MAX_UNSENT_EVENTS + 1):
            outbox.put_event(str(number))
        with pytest.raises(SlowConsumer):
            async with asyncio.timeout(5):
                await task
    assert client.texts == []


async def test_as_many_events_as_are_allowed_all_go_out(client: Client) -> None:
    outbox = SendQueue(client.send)
    for number in range(module.MAX_UNSENT_EVENTS):
        outbox.put_event(str(number))
    async with running(outbox):
        assert await client.has(module.MAX_UNSENT_EVENTS) == [str(n) for n in range(module.MAX_UNSENT_EVENTS)]


async def test_events_that_were_sent_no_longer_count(client: Client) -> None:
    outbox = SendQueue(client.send)
    async with running(outbox):
        for number in range(3 * module.MAX_UNSENT_EVENTS):
            outbox.put_event("x" * (module.MAX_UNSENT_EVENT_CHARACTERS // 2))
            await client.has(number + 1)
    assert len(client.texts) == 3 * module.MAX_UNSENT_EVENTS


async def test_a_client_with_too_much_text_of_events_unread_is_too_slow(client: Client) -> None:
    outbox = SendQueue(client.send)
    outbox.put_event("x" * module.MAX_UNSENT_EVENT_CHARACTERS)
    for _ in range(module.MAX_OVERSIZED_EVENTS):
        outbox.put_event("y")
    with pytest.raises(SlowConsumer):
        await outbox.run()


async def test_what_comes_after_a_reserved_place_waits_for_its_reply(client: Client) -> None:
    outbox = SendQueue(client.send)
    upload = uuid.uuid4()
    async with running(outbox):
        outbox.put_event("before")
        await client.has(1)
        ticket = outbox.reserve()
        outbox.put_event("after")
        outbox.put_partial(PartialKey(upload), Text("dropped"))
        outbox.drop_partials(upload)
        outbox.put_reply("another")
        await asyncio.sleep(0)
        assert client.texts == ["before"]
        outbox.fill(ticket, "reply")
        await client.has(4)
    assert client.texts == ["before", "reply", "after", "another"]


async def test_nothing_is_sent_past_a_reserved_place(client: Client) -> None:
    past: list[str] = []

    def try_send(text: str) -> bool:
        past.append(text)
        return True

    outbox = SendQueue(client.send, try_send)
    async with running(outbox):
        await asyncio.sleep(0)
        ticket = outbox.reserve()
        outbox.put_event("after")
        outbox.fill(ticket, "reply")
        await client.has(2)
    assert (client.texts, past) == (["reply", "after"], [])


async def test_a_few_events_may_be_of_any_size(client: Client) -> None:
    outbox = SendQueue(client.send)
    for _ in range(module.MAX_OVERSIZED_EVENTS):
        outbox.put_event("x" * (module.MAX_UNSENT_EVENT_CHARACTERS + 1))
    async with running(outbox):
        await client.has(module.MAX_OVERSIZED_EVENTS)


async def test_partials_and_replies_count_against_nobody(client: Client) -> None:
    outbox = SendQueue(client.send)
    for _ in range(2 * module.MAX_UNSENT_EVENTS):
        outbox.put_partial(PartialKey(uuid.uuid4()), Text("x" * 20_000))
        outbox.put_reply("x" * 20_000)
    async with running(outbox):
        await client.has(4 * module.MAX_UNSENT_EVENTS)


async def test_a_client_that_reads_nothing_for_too_long_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEND_TIMEOUT_SECONDS", 0.01)
    outbox = SendQueue(Client(greedy=False).send)
    outbox.put_partial(PartialKey(A), Text("a1"))
    with pytest.raises(SlowConsumer):
        await outbox.run()


async def test_a_client_is_heard_again_once_it_has_read_its_replies() -> None:
    client = Client(greedy=False)
    outbox = SendQueue(client.send)
    await outbox.drain()
    reply = "x" * (module.LOW_WATER_CHARACTERS // 2 + 1)
    outbox.put_reply(reply)
    await outbox.drain()
    outbox.put_reply(reply)
    waiting = asyncio.create_task(outbox.drain())
    async with running(outbox):
        await asyncio.sleep(0)
        assert not waiting.done()
        client.read()
        async with asyncio.timeout(5):
            await waiting
    assert client.texts == [reply]


async def test_a_transport_that_fails_ends_the_run() -> None:
    async def gone(_text: str) -> None:
        raise OSError("gone")

    outbox = SendQueue(gone)
    outbox.put_event("x")
    with pytest.raises(OSError, match="gone"):
        await outbox.run()
