"""The hub on a loop whose time a test moves on: no network, no database."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from backend_main.core import events, live, protocol
from backend_main.core.errors import ConnectionRefused, TooMany, Unauthenticated
from backend_main.core.events import Event, Taken
from backend_main.core.live import Hub, Slot, Socket
from backend_main.core.outbox import Outbox

OWNER, OTHER = uuid.uuid4(), uuid.uuid4()
UPLOAD = uuid.uuid4()


class Clock:
    """The loop's time, and what it is to call when."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 1000.0
        self._loop = loop
        self._later: list[tuple[float, asyncio.TimerHandle]] = []

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self._loop)
        self._later.append((when, handle))
        return handle

    def move(self, seconds: float) -> None:
        self.now += seconds
        due = [handle for when, handle in self._later if when <= self.now]
        self._later = [(when, handle) for when, handle in self._later if when > self.now]
        for handle in due:
            if not handle.cancelled():
                handle._run()


class ClockLoop:
    """The running loop, but for the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock
        self.call_at = clock.call_at

    def time(self) -> float:
        return self._clock.now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


@pytest.fixture
async def clock() -> Clock:
    return Clock(asyncio.get_running_loop())


@pytest.fixture
async def hub(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    hub = Hub()
    hub.start()
    hub._loop = ClockLoop(asyncio.get_running_loop(), clock)  # type: ignore[assignment]
    yield hub
    hub.stop()


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every message that was encoded, once for each time."""
    messages: list[object] = []
    encode = protocol.encode

    def counting(message: protocol.AnyMessage) -> str:
        messages.append(message)
        return encode(message)

    monkeypatch.setattr(live.protocol, "encode", counting)
    return messages


class Listener:
    """A socket of the hub; `heard` is what a client that reads at once would have."""

    def __init__(
        self, owner: uuid.UUID = OWNER, upload_id: uuid.UUID | None = None, issued_at: float = 0
    ) -> None:
        self.texts: list[str] = []
        self.closed: list[ConnectionRefused] = []
        self.outbox = Outbox(self._send)
        self.socket = Socket(owner, upload_id, issued_at, self.outbox, self.closed.append)

    async def _send(self, text: str) -> None:
        self.texts.append(text)

    @property
    async def heard(self) -> list[dict[str, Any]]:
        await settled()
        while self.outbox._entries:
            await self.outbox._send_next()
        return [json.loads(text) for text in self.texts]

    @property
    async def streamed(self) -> list[str]:
        return [message["streamed_text"] for message in await self.heard if "streamed_text" in message]


async def settled() -> None:
    """All callbacks that other threads, or the hub, have queued have run."""
    for _ in range(3):
        await asyncio.sleep(0)


def failed(upload_id: uuid.UUID = UPLOAD, error: str = "Broken.") -> protocol.Failed:
    return protocol.Failed(id=upload_id, status="error", error=error)


def taken(attempt: int = 1, *pages: str, owner: uuid.UUID = OWNER, upload_id: uuid.UUID = UPLOAD) -> Event:
    return Event(owner, upload_id, None, taken=Taken(attempt, pages))


def ended(upload_id: uuid.UUID = UPLOAD) -> Event:
    return Event(OWNER, upload_id, failed(upload_id), over=True)


def joined(hub: Hub, *listeners: Listener) -> Listener:
    for listener in listeners:
        hub.join(listener.socket)
    return listeners[0]


# ── who gets what ──


async def test_events_reach_the_owner_s_sockets_in_order_and_nobody_else_s(hub: Hub) -> None:
    everything, one, another, foreign = (
        Listener(),
        Listener(upload_id=UPLOAD),
        Listener(upload_id=uuid.uuid4()),
        Listener(owner=OTHER),
    )
    joined(hub, everything, one, another, foreign)
    for number in range(5):
        hub.tell(Event(OWNER, UPLOAD, failed(error=str(number))))
    expected = [str(number) for number in range(5)]
    assert [m["error"] for m in await everything.heard] == expected
    assert [m["error"] for m in await one.heard] == expected
    assert await another.heard == []
    assert await foreign.heard == []


async def test_a_socket_that_left_gets_nothing(hub: Hub) -> None:
    listener = joined(hub, Listener())
    hub.leave(listener.socket)
    hub.leave(listener.socket)
    hub.tell(ended())
    assert await listener.heard == []


async def test_one_s_own_change_is_the_reply_and_no_event_as_well(hub: Hub) -> None:
    mine, also_mine = Listener(), Listener()
    joined(hub, mine, also_mine)
    mine.socket.ask(protocol.Delete(instance_id=UPLOAD, ref="r"))
    message = protocol.error({"a": "message"}, reply_type="Upload.deleted")
    hub.tell(Event(OWNER, UPLOAD, message, origin=mine.socket.id))
    await settled()
    mine.socket.answer(message)  # what the handler does when it comes back
    assert await mine.heard == [{"type": "Upload.deleted", "error": {"a": "message"}, "ref": "r"}]
    assert await also_mine.heard == [{"type": "Upload.deleted", "error": {"a": "message"}}]


async def test_a_reply_may_differ_from_its_event(hub: Hub) -> None:
    mine, also_mine = Listener(), Listener()
    joined(hub, mine, also_mine)
    mine.socket.ask(protocol.Create(image_hash="x"))
    reply = protocol.error({}, reply_type="as a reply")
    event = protocol.error({}, reply_type="as an event")
    hub.tell(Event(OWNER, UPLOAD, event, origin=mine.socket.id, reply=reply))
    assert [m["type"] for m in await mine.heard] == ["as a reply"]
    assert [m["type"] for m in await also_mine.heard] == ["as an event"]


async def test_the_asking_socket_gets_its_reply_on_the_other_upload_s_endpoint_too(hub: Hub) -> None:
    mine = joined(hub, Listener(upload_id=uuid.uuid4()))
    mine.socket.ask(protocol.Delete(instance_id=UPLOAD))
    hub.tell(Event(OWNER, UPLOAD, protocol.error({}), origin=mine.socket.id))
    assert len(await mine.heard) == 1


async def test_a_reply_comes_before_the_first_partial_of_what_it_made(hub: Hub) -> None:
    mine = joined(hub, Listener())
    mine.socket.ask(protocol.Create(image_hash="x"))
    hub.tell(Event(OWNER, UPLOAD, protocol.error({}, reply_type="created"), origin=mine.socket.id))
    hub.tell(taken())
    hub.page_text(UPLOAD, 1, "text")
    heard = await mine.heard
    assert heard[0]["type"] == "created"
    assert heard[-1]["streamed_text"] == "text"


async def test_an_event_is_encoded_once_however_many_sockets_get_it(hub: Hub, encoded: list[object]) -> None:
    listeners = [Listener() for _ in range(50)]
    joined(hub, *listeners)
    hub.tell(taken())
    hub.page_text(UPLOAD, 1, "text")
    hub.tell(ended())
    for listener in listeners:
        assert (await listener.heard)[-1]["status"] == "error"
    kinds = [type(message).__name__ for message in encoded]
    assert kinds == ["Partial", "Partial", "Failed"]


async def test_a_partial_that_nobody_wants_is_not_encoded(hub: Hub, encoded: list[object]) -> None:
    joined(hub, Listener(owner=OTHER), Listener(upload_id=uuid.uuid4()))
    hub.tell(taken())
    hub.page_text(UPLOAD, 1, "text")
    await settled()
    assert encoded == []


async def test_more_sockets_than_a_user_may_have_are_refused(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    monkeypatch.setattr(live, "conf", msgspec.structs.replace(live.conf, max_sockets_per_user=2))
    first = joined(hub, Listener(), Listener())
    with pytest.raises(TooMany):
        joined(hub, Listener())
    joined(hub, Listener(owner=OTHER))
    hub.leave(first.socket)
    joined(hub, Listener())


# ── live text ──


async def test_taking_an_upload_sends_an_empty_text_first(hub: Hub) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    assert await listener.heard == [
        {"id": str(UPLOAD), "status": "processing", "streamed_text": "", "type": "Upload.status"}
    ]


async def test_the_empty_text_is_sent_however_soon_the_first_words_follow(hub: Hub) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    hub.page_text(UPLOAD, 1, "words")
    assert await listener.streamed == ["", "words"]


async def test_who_joins_while_an_upload_is_read_gets_its_text_so_far(hub: Hub) -> None:
    hub.tell(taken(1, "first page"))
    hub.page_text(UPLOAD, 1, "second")
    await settled()
    listener = joined(hub, Listener(), one := Listener(upload_id=UPLOAD), foreign := Listener(owner=OTHER))
    assert await listener.streamed == ["first page\n\nsecond"]
    assert await one.streamed == ["first page\n\nsecond"]
    assert await foreign.heard == []


async def test_who_joins_after_the_end_gets_nothing(hub: Hub) -> None:
    hub.tell(taken())
    hub.tell(ended())
    await settled()
    assert await joined(hub, Listener()).heard == []


async def test_a_finished_page_is_replaced_once_and_the_next_follows_it(hub: Hub, clock: Clock) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    await listener.heard
    hub.page_text(UPLOAD, 1, "draft")
    await listener.heard
    hub.page_done(UPLOAD, 1, "# The whole page")
    clock.move(0.1)
    await listener.heard
    clock.move(2)
    hub.page_text(UPLOAD, 1, "two")
    await listener.heard
    clock.move(2)
    assert await listener.streamed == ["", "draft", "# The whole page", "# The whole page\n\ntwo"]


async def test_another_turn_of_a_reading_sends_the_text_no_sooner_than_its_growth_asks(
    hub: Hub, clock: Clock
) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken(1, "x" * 1000))
    await listener.heard
    for attempt in range(2, 12):
        hub.tell(taken(attempt, "x" * 1000, "y"))
        await listener.heard
    assert len(await listener.streamed) == 1
    clock.move(2)
    assert (await listener.streamed)[1:] == ["x" * 1000 + "\n\ny"]


async def test_no_partial_follows_the_end_not_even_one_that_waited(hub: Hub, clock: Clock) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    hub.page_text(UPLOAD, 1, "a")
    await listener.heard
    hub.page_text(UPLOAD, 1, "a and much more, waiting for its time")  # a timer
    await settled()
    hub.tell(ended())
    hub.page_text(UPLOAD, 1, "too late")
    hub.page_done(UPLOAD, 1, "too late")
    await settled()
    clock.move(100)
    heard = await listener.heard
    assert heard[-1]["status"] == "error"
    assert "late" not in str(heard)
    assert "waiting" not in str(heard)


async def test_a_partial_unsent_at_the_end_is_dropped(hub: Hub) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    hub.page_text(UPLOAD, 1, "unsent")
    hub.tell(ended())
    heard = [(m.get("status"), m.get("streamed_text")) for m in await listener.heard]
    assert heard == [("processing", ""), ("error", None)]


async def test_the_text_of_another_attempt_is_dropped(hub: Hub, clock: Clock) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken(1, "stale page"))
    await listener.heard
    hub.tell(taken(2))
    await listener.heard
    hub.page_text(UPLOAD, 1, "stale")
    await listener.heard
    hub.page_done(UPLOAD, 1, "stale")
    hub.page_text(uuid.uuid4(), 2, "of an upload that is not read")
    await listener.heard
    clock.move(100)
    hub.page_text(UPLOAD, 2, "fresh")
    assert await listener.streamed == ["stale page", "", "fresh"]


async def test_stale_text_does_not_push_out_fresh_text(hub: Hub) -> None:
    """The last words of a reader that lost its upload come after the first of the new one."""
    listener = joined(hub, Listener())
    hub.tell(taken(2))
    await settled()
    hub.page_text(UPLOAD, 2, "fresh")
    hub.page_text(UPLOAD, 1, "stale")
    assert (await listener.streamed)[-1] == "fresh"


async def test_a_burst_of_lines_from_the_reader_s_thread_is_one_delivery(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop is woken once for what it has not yet taken, and it takes the latest."""
    listener = joined(hub, Listener())
    hub.tell(taken())
    await settled()
    calls: list[object] = []
    call = hub._call
    monkeypatch.setattr(hub, "_call", lambda *args: (calls.append(args), call(*args)))
    thread = threading.Thread(target=lambda: [hub.page_text(UPLOAD, 1, "x" * n) for n in range(1, 1000)])
    thread.start()
    thread.join()
    assert len(calls) == 1
    assert (await listener.streamed)[-1] == "x" * 999


# ── how often ──


def growing(
    slot: Slot, sizes: Iterator[int], *, every_seconds: float, until: float
) -> list[tuple[float, int]]:
    """(time, characters) of each partial that the rule lets out, for a text that grows steadily."""
    sent, now = [], 0.0
    while now < until:
        size = next(sizes)
        if slot.due(size) <= now:
            slot.sent_at, slot.sent_characters = now, size
            sent.append((now, size))
        now += every_seconds
    return sent


def test_the_first_text_is_due_at_once() -> None:
    slot = Slot(OWNER, UPLOAD, 1, [], sent_characters=0, sent_at=50.0)
    assert slot.due(1) == 50.0


def test_an_eighth_more_is_due_after_a_tenth_of_a_second() -> None:
    slot = Slot(OWNER, UPLOAD, 1, [], sent_characters=800, sent_at=50.0)
    assert slot.due(900) == pytest.approx(50.1)
    assert slot.due(899) == pytest.approx(51.0)


def test_a_little_more_of_a_long_text_is_due_when_the_last_has_been_paid_for() -> None:
    slot = Slot(OWNER, UPLOAD, 1, [], sent_characters=320 * 1024, sent_at=50.0)
    assert slot.due(320 * 1024 + 1) == pytest.approx(60.0)


def test_a_shorter_text_than_the_last_is_due_too() -> None:
    slot = Slot(OWNER, UPLOAD, 1, [], sent_characters=800, sent_at=50.0)
    assert slot.due(10) == pytest.approx(51.0)


def test_partials_are_never_closer_than_a_tenth_of_a_second_and_their_cost_stays_low() -> None:
    slot = Slot(OWNER, UPLOAD, 1, [])
    sizes = iter(range(0, 10**9, 50))  # 2,500 characters a second
    sent = growing(slot, sizes, every_seconds=0.02, until=120.0)
    times = [when for when, _size in sent if when]
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times))
    assert all(later - earlier <= 10 for earlier, later in pairwise(times))
    final = 120 * 2500
    assert sum(size for _when, size in sent) <= 20 * final


async def test_a_text_that_waits_goes_out_when_its_time_has_come_and_only_the_latest(
    hub: Hub, clock: Clock
) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    await listener.heard
    hub.page_text(UPLOAD, 1, "x" * 100)
    assert (await listener.streamed)[-1] == "x" * 100
    for size in (101, 102, 103):
        hub.page_text(UPLOAD, 1, "x" * size)
        assert len((await listener.streamed)[-1]) == 100
    clock.move(0.99)
    assert len((await listener.streamed)[-1]) == 100
    clock.move(0.02)
    assert [len(text) for text in await listener.streamed] == [0, 100, 103]
    clock.move(100)
    assert len(await listener.streamed) == 3


async def test_a_text_that_grew_by_an_eighth_need_not_wait_for_the_second(hub: Hub, clock: Clock) -> None:
    listener = joined(hub, Listener())
    hub.tell(taken())
    await listener.heard
    hub.page_text(UPLOAD, 1, "x" * 100)
    await listener.heard
    hub.page_text(UPLOAD, 1, "x" * 101)
    await listener.heard
    hub.page_text(UPLOAD, 1, "x" * 113)
    await listener.heard
    clock.move(0.11)
    assert [len(text) for text in await listener.streamed] == [0, 100, 113]


# ── its own life ──


async def test_after_stop_nothing_is_delivered(clock: Clock) -> None:
    hub = Hub()
    hub.start()
    listener = joined(hub, Listener())
    hub.stop()
    for listen in events._listeners:
        assert getattr(listen, "__self__", None) is not hub
    hub.tell(ended())
    hub.page_text(UPLOAD, 1, "x")
    assert await listener.heard == []


async def test_a_revoked_token_s_socket_is_closed_and_its_neighbour_is_not(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def now(work: Callable[..., object], *args: object) -> object:
        return work(*args)

    monkeypatch.setattr(live.orm, "run", now)
    monkeypatch.setattr(live.queries, "tokens_valid_from", lambda _ids: {OWNER: 100.0})
    old, new, deactivated = Listener(issued_at=99.0), Listener(issued_at=101.0), Listener(owner=OTHER)
    joined(hub, old, new, deactivated)
    await hub._close_the_revoked()
    assert [type(error) for error in old.closed] == [Unauthenticated]
    assert [type(error) for error in deactivated.closed] == [Unauthenticated]
    assert new.closed == []


async def test_a_socket_that_joins_while_the_users_are_looked_up_stays(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Listener(owner=OTHER)

    async def slow(work: Callable[..., object], *args: object) -> object:
        result = work(*args)
        joined(hub, late)
        return result

    monkeypatch.setattr(live.orm, "run", slow)
    monkeypatch.setattr(live.queries, "tokens_valid_from", lambda ids: dict.fromkeys(ids, 0.0))
    joined(hub, Listener())
    await hub._close_the_revoked()
    assert late.closed == []
