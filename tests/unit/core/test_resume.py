"""Sockets that go on from a cursor: no gap and nothing twice, whatever meets what while they catch up."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend_main.core.errors import RequestError, SlowConsumer
from backend_main.core.live import hub as live_hub
from backend_main.core.protocol import messages
from backend_main.core.pubsub.messages import LogAdvanced, PageTextUpdate, ReadingStarted
from backend_main.core.pubsub.redis import RedisPublisher, decode
from tests.support.hub_harness import (
    OWNER,
    UPLOAD,
    Clock,
    FakeConnection,
    HubHarness,
    draft,
    failed,
    joined,
    run_until_idle,
)

EPOCH = "e"
OTHER_UPLOAD = uuid.uuid4()


async def asking(hub: HubHarness, listener: FakeConnection, since: str) -> None:
    """What the consumer does with `subscribe` and `since`."""
    listener.socket.begin_request(messages.Subscribe(since=since))
    await hub.resume(listener.socket, since, None)


async def resume(hub: HubHarness, listener: FakeConnection, since: str) -> None:
    """The same, with a client that reads what comes."""
    resuming = asyncio.create_task(asking(hub, listener, since))
    while not resuming.done():
        await listener.heard
    await resuming


def commits(hub: HubHarness, count: int, upload_id: uuid.UUID = UPLOAD) -> None:
    for _ in range(count):
        number = len(hub.log.entries[OWNER]) + 1
        hub.commit(messages.error({}, reply_type=f"event {number}"), upload_id)


def ring(hub: HubHarness) -> None:
    hub.pubsub.publish(LogAdvanced(OWNER, len(hub.log.entries[OWNER])))


async def told(listener: FakeConnection) -> list[str]:
    """What came after the acknowledgement, as `number cursor`."""
    heard = await listener.heard
    types = [message.get("type") for message in heard]
    after = heard[types.index("subscribed") + 1 :]
    return [f"{m['type']} {m['cursor']}" for m in after if "cursor" in m]


def events(*numbers: int) -> list[str]:
    return [f"event {number} {EPOCH}:{number}" for number in numbers]


# ── what comes ──


async def test_every_later_event_follows_the_cursor_given_and_the_acknowledgement_repeats_it(
    hub: HubHarness,
) -> None:
    commits(hub, 10)
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, "e:4")
    ack, *rest = await listener.heard
    assert ack == {
        "message": "subscribed",
        "model": "Upload",
        "instance_id": None,
        "type": "subscribed",
        "cursor": "e:4",
        "recovered": True,
    }
    assert await told(listener) == events(5, 6, 7, 8, 9, 10)
    commits(hub, 2)
    ring(hub)
    assert await told(listener) == events(*range(5, 13))
    assert not any("Upload.list" in str(message) for message in rest)


@pytest.mark.parametrize("since", ["f:4", "e:11", "e:2", "nonsense", "", ":", "e:", "e:-1", "e:4x", "e:٤"])
async def test_a_cursor_that_cannot_be_followed_brings_a_list_and_what_comes_after(
    hub: HubHarness, since: str
) -> None:
    commits(hub, 10)
    hub.log.floor = 3
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, since)
    ack, snapshot = await listener.heard
    assert (ack["recovered"], ack["cursor"]) == (False, "e:10")
    assert snapshot == {"type": "Upload.list", "list": []}
    commits(hub, 1)
    ring(hub)
    assert await told(listener) == events(11)


async def test_the_cursor_of_the_newest_event_brings_nothing(hub: HubHarness) -> None:
    commits(hub, 10)
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, "e:10")
    [ack] = await listener.heard
    assert ack["recovered"] is True


async def test_the_very_first_event_can_be_had_again(hub: HubHarness) -> None:
    commits(hub, 2)
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, "e:0")
    assert await told(listener) == events(1, 2)


async def test_on_the_endpoint_of_one_upload_its_events_alone_come(hub: HubHarness) -> None:
    for upload_id in (UPLOAD, OTHER_UPLOAD, UPLOAD, OTHER_UPLOAD):
        commits(hub, 1, upload_id)
    listener = await joined(hub, FakeConnection(upload_id=UPLOAD))
    await resume(hub, listener, "e:0")
    commits(hub, 1, OTHER_UPLOAD)
    commits(hub, 1, UPLOAD)
    ring(hub)
    assert await told(listener) == events(1, 3, 6)


async def test_a_socket_that_is_further_cannot_go_back(hub: HubHarness) -> None:
    """Or its cursors would fall."""
    commits(hub, 5)
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, "e:3")
    with pytest.raises(RequestError) as refused:
        await resume(hub, listener, "e:4")
    assert refused.value.fields.keys() == {"since"}
    await resume(hub, listener, "e:5")
    commits(hub, 1)
    ring(hub)
    assert [m["cursor"] for m in await listener.heard if "cursor" in m] == ["e:3", "e:4", "e:5", "e:5", "e:6"]


async def test_without_since_the_events_from_now_on_have_cursors(hub: HubHarness) -> None:
    commits(hub, 3)
    listener = await joined(hub, FakeConnection())
    commits(hub, 1)  # and no bell: the acknowledgement has to look
    listener.socket.begin_request(messages.Subscribe(stream="full"))
    await hub.set_stream_mode(listener.socket, "full")
    before, ack = await listener.heard
    assert before == {"type": "event 4", "error": {}}
    assert (ack["cursor"], "recovered" in ack) == ("e:4", False)
    commits(hub, 1)
    ring(hub)
    assert await told(listener) == events(5)


async def test_one_s_own_change_is_reply_and_event_for_who_opted_in(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, "e:0")
    listener.socket.begin_request(messages.Delete(instance_id=UPLOAD, ref="r"))
    message = messages.error({}, reply_type="Upload.deleted")
    hub.commit_event(message, origin=listener.socket)
    await asyncio.wait_for(listener.socket.finish_request(message), 5)
    _, reply, event = await listener.heard
    assert reply == {"type": "Upload.deleted", "error": {}, "ref": "r"}
    assert event == {"type": "Upload.deleted", "error": {}, "cursor": "e:1"}


async def test_a_client_that_does_not_read_is_given_no_more_than_it_takes(hub: HubHarness) -> None:
    """Or a long log would fill its outbox, and the client be cut off for what it has asked for."""
    commits(hub, 1000)
    listener = await joined(hub, FakeConnection())
    resuming = asyncio.create_task(asking(hub, listener, "e:0"))
    for _ in range(50):
        await run_until_idle()
    assert len(listener.outbox._entries) <= 5
    while not resuming.done():
        await listener.heard
    assert len(await told(listener)) == 1000


async def test_a_client_that_has_gone_is_not_waited_for(hub: HubHarness) -> None:
    commits(hub, 1000)
    listener = await joined(hub, FakeConnection())
    resuming = asyncio.create_task(asking(hub, listener, "e:0"))
    await run_until_idle()
    listener.outbox.close()
    await asyncio.wait_for(resuming, 5)


async def test_events_that_are_removed_while_a_client_catches_up_cut_it_off(hub: HubHarness) -> None:
    commits(hub, 100)
    listener = await joined(hub, FakeConnection())
    resuming = asyncio.create_task(asking(hub, listener, "e:0"))
    await run_until_idle()
    hub.log.floor = 90
    while not resuming.done():
        await listener.heard
    assert [type(error) for error in listener.closed] == [SlowConsumer]
    assert await told(listener) == events(1, 2, 3)


async def test_events_that_nobody_read_before_they_were_removed_cut_off_all(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    commits(hub, 100)
    hub.log.floor = 100
    ring(hub)
    await run_until_idle()
    assert [type(error) for error in listener.closed] == [SlowConsumer]


async def test_a_database_that_fails_is_asked_again_and_nothing_is_missing(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    commits(hub, 10)
    listener, plain = FakeConnection(), FakeConnection()
    await joined(hub, listener, plain)
    monkeypatch.setattr(live_hub, "POLL_SECONDS", 0.0)
    since, failures = hub.log.events_after, itertools.cycle([True, False])

    def sometimes(*args: Any) -> Any:
        if next(failures):
            raise OSError("the database is away")
        return since(*args)

    monkeypatch.setattr(hub.log, "events_after", sometimes)
    await resume(hub, listener, "e:0")
    commits(hub, 10)
    for _ in range(20):
        await hub._poll()
        await listener.heard
    assert await told(listener) == events(*range(1, 21))
    assert [m["type"] for m in await plain.heard] == [f"event {n}" for n in range(11, 21)]
    assert "the database is away" in caplog.text


async def test_a_subscription_that_fails_leaves_the_socket_as_it_was(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits(hub, 3)
    listener = await joined(hub, FakeConnection())

    def covers(*_args: object) -> bool:
        commits(hub, 2)
        ring(hub)
        raise OSError("the database is away")

    monkeypatch.setattr(hub.log, "has_all_since", covers)
    with pytest.raises(OSError, match="away"):
        await resume(hub, listener, "e:0")
    await run_until_idle()
    assert [m["type"] for m in await listener.heard] == ["event 4", "event 5"]
    assert all("cursor" not in m for m in await listener.heard)


# ── live text ──


async def test_live_text_waits_until_the_socket_has_caught_up(hub: HubHarness) -> None:
    commits(hub, 9)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("words"))
    await run_until_idle()
    listener = await joined(hub, FakeConnection())
    await resume(hub, listener, "e:0")
    hub.page_text(UPLOAD, 1, draft("words, and more"))
    heard = await listener.heard
    kinds = ["text" if "streamed_text" in m else m["type"] for m in heard]
    assert (
        kinds == ["text", "subscribed", *(f"event {n}" for n in range(1, 10)), "text", "text"][: len(kinds)]
    )
    assert heard[-1]["streamed_text"] in ("words", "words, and more")


async def test_a_text_waits_for_the_event_that_it_comes_after(hub: HubHarness) -> None:
    """The log is read later than the reader speaks: created before its first partial, all the same."""
    listener = await joined(hub, FakeConnection())
    commits(hub, 3)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("wor"))
    hub.page_text(UPLOAD, 1, draft("words"))
    heard = await listener.heard
    assert [m.get("streamed_text", m["type"]) for m in heard] == [
        "event 1",
        "event 2",
        "event 3",
        "",
        "words",
    ]


async def test_what_is_said_of_an_upload_after_its_end_is_passed_over(hub: HubHarness) -> None:
    """Its reader was overtaken between its claim and its first word."""
    listener = await joined(hub, FakeConnection())
    hub.commit_event(messages.error({}, reply_type="created"))
    await run_until_idle()
    taken = ReadingStarted(OWNER, UPLOAD, 1, 1, {})
    hub.commit_event(failed())
    await run_until_idle()
    for said in (taken, PageTextUpdate(OWNER, UPLOAD, 1, draft("too late"))):
        hub.pubsub.publish(said)
    assert [m.get("status", m["type"]) for m in await listener.heard] == ["created", "error"]
    assert await (await joined(hub, FakeConnection())).heard == []


async def test_an_end_that_nobody_heard_of_before_the_first_socket_leaves_no_text(hub: HubHarness) -> None:
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("words"))
    await run_until_idle()
    hub.log.reading[OWNER].clear()
    hub.commit(failed())  # the bell is on its way
    listener = await joined(hub, FakeConnection())
    hub.page_text(UPLOAD, 1, draft("words, and more"))
    assert await listener.heard == []


async def test_a_text_of_another_process_is_looked_up(hub: HubHarness, clock: Clock) -> None:
    """This process heard nothing of its beginning, as nobody here had asked for this user."""
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 3, 0, {1: "one", 2: "two"}, 4)
    listener = await joined(hub, FakeConnection())
    assert await listener.streamed == ["one\n\ntwo"]
    hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 3, draft("three", 3)), is_local=False)
    await run_until_idle()
    clock.move(2)
    assert (await listener.streamed)[-1] == "one\n\ntwo\n\nthree"

    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 4, 0, {1: "one", 2: "two", 3: "three"}, 4)
    hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 4, draft("four", 4)), is_local=False)
    await run_until_idle()
    clock.move(2)
    assert (await listener.streamed)[-1] == "one\n\ntwo\n\nthree\n\nfour"

    hub.leave(listener.socket)
    assert hub._broadcaster.attempt(UPLOAD) == -1, "what nobody here follows is not kept"


async def test_a_reading_that_begins_in_another_process_begins_empty_and_costs_no_look(
    hub: HubHarness,
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.commit(messages.error({}, reply_type="created"))
    hub.log.asked.clear()
    begun = ReadingStarted(OWNER, UPLOAD, 1, 1, {}, first_attempt=1)
    for said in (begun, PageTextUpdate(OWNER, UPLOAD, 1, draft("one", done=True))):
        hub.pubsub._dispatch(decode(RedisPublisher("redis://nowhere", "").encode(said)), is_local=False)
    told = [m.get("streamed_text", m["type"]) for m in await listener.heard]
    assert told[:2] == ["created", ""]
    assert "taken" not in hub.log.asked
    hub.leave(listener.socket)
    hub.pubsub._dispatch(begun, is_local=False)
    assert hub._broadcaster.attempt(UPLOAD) == -1, "what nobody here follows is not kept"


async def test_a_page_of_another_process_whose_end_was_lost_is_looked_up_when_its_reader_is_past_it(
    hub: HubHarness, clock: Clock
) -> None:
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 1, 0, {}, 4)
    listener = await joined(hub, FakeConnection())
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 1, 0, {1: "one"}, 4)
    for text in ("tw", "two"):
        hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 1, draft(text, 2)), is_local=False)
        await run_until_idle()
        clock.move(2)
    assert (await listener.streamed)[-1] == "one\n\ntwo"
    assert hub.log.asked.count("taken") == 2, "as the first socket came, and for the page"


async def test_the_first_socket_that_comes_back_is_told_what_another_process_read_meanwhile(
    hub: HubHarness, clock: Clock
) -> None:
    """The reader of this process has the newest claim; nobody here heard what the other one finished."""
    local = ReadingStarted(OWNER, UPLOAD, 2, 0, {}, 9, 1, "", {4: 2})
    hub.pubsub.publish(local)
    await run_until_idle()
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 2, 0, {1: "one"}, 9, 1, "", {1: 1, 4: 2})
    listener = await joined(hub, FakeConnection())
    assert await listener.streamed == ["one"]
    hub.pubsub.publish(PageTextUpdate(OWNER, UPLOAD, 2, draft("four", 4, done=True), 4))
    await run_until_idle()
    assert await listener.streamed == ["one"], "there is a gap"


async def test_a_reader_here_that_goes_on_tells_no_pages_and_a_hub_without_them_looks(
    hub: HubHarness,
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 2, 0, {1: "one"}, 9, 1, "", {2: 2})
    hub.pubsub.publish(ReadingStarted(OWNER, UPLOAD, 2, 0, None, 9, 1, "", {2: 2}))
    hub.pubsub.publish(PageTextUpdate(OWNER, UPLOAD, 2, draft("two", 2, done=True), 2))
    assert (await listener.streamed)[0] == "one"


async def test_two_readers_of_other_processes_are_brought_up_at_once(hub: HubHarness, clock: Clock) -> None:
    """What each says while its beginning is looked up waits for that, and not for the other's."""
    listener = await joined(hub, FakeConnection())
    for attempt, job in ((1, 1), (2, 4)):
        found = ReadingStarted(OWNER, UPLOAD, attempt, 0, {}, 9, 1, "", {1: 1, 4: 2})
        hub.log.reading[OWNER][UPLOAD] = found
        hub.pubsub._dispatch(
            ReadingStarted(OWNER, UPLOAD, attempt, 0, None, 9, 1, "", {job: attempt}), is_local=False
        )
        hub.pubsub._dispatch(
            PageTextUpdate(OWNER, UPLOAD, attempt, draft(f"page {job}", job, done=True), job), is_local=False
        )
    hub.log.reading_state = lambda *_: found  # type: ignore[method-assign]
    await run_until_idle()
    clock.move(2)
    for number in (2, 3):
        hub.pubsub._dispatch(
            PageTextUpdate(OWNER, UPLOAD, 1, draft(f"page {number}", number, done=True), 1), is_local=False
        )
    await run_until_idle()
    clock.move(2)
    assert (await listener.streamed)[-1] == "page 1\n\npage 2\n\npage 3\n\npage 4"


async def test_a_reader_that_lost_its_upload_is_not_looked_up_at_each_word(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    for _ in range(10):
        hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 1, draft("stale")), is_local=False)
        await run_until_idle()
    assert await listener.heard == []
    assert hub.log.asked.count("taken") == 1


# ── read once, encoded once ──


async def test_the_log_is_read_once_for_all_sockets_and_each_form_made_once(
    hub: HubHarness, encoded: list[object]
) -> None:
    listeners = [FakeConnection() for _ in range(20)]
    await joined(hub, *listeners)
    for listener in listeners[10:]:
        await hub.set_stream_mode(listener.socket, "full")
    hub.log.asked.clear()
    encoded.clear()
    hub.commit_event(failed())
    for listener in listeners:
        await listener.heard
    assert hub.log.asked == ["since"]
    assert len(encoded) == 1
    texts = {listener.texts[-1] for listener in listeners}
    assert len(texts) == 2
    assert len({id(listener.texts[-1]) for listener in listeners}) == 2


async def test_a_lost_bell_delays_and_no_more(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    commits(hub, 5)
    await run_until_idle()
    assert await listener.heard == []
    await hub._poll()
    assert [m["type"] for m in await listener.heard] == [f"event {n}" for n in range(1, 6)]


async def test_a_handler_that_fails_ends_neither_the_bell_nor_a_socket(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await joined(hub, FakeConnection())
    with monkeypatch.context() as patch:
        patch.setattr(hub._broadcaster, "start_reading", lambda *_args, **_options: 1 / 0)
        hub.start_reading()
        hub.commit_event(failed())
        await run_until_idle()
    assert "pub/sub message could not be handled" in caplog.text
    assert [m["status"] for m in await listener.heard] == ["error"]
    assert listener.closed == []


# ── any interleaving ──


class Steps:
    """Everything that the hub asks of the database waits here until a test lets it go on."""

    def __init__(self) -> None:
        self.waiting: list[tuple[asyncio.Future[None], str]] = []

    async def look(self, work: Callable[..., object], *args: object) -> object:
        for moment in ("before", "after"):
            if moment == "after":
                result = work(*args)
            gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append((gate, moment))
            await gate
        return result

    def let(self, which: int) -> None:
        if self.waiting:
            gate, _ = self.waiting.pop(which % len(self.waiting))
            if not gate.done():
                gate.set_result(None)


@pytest.mark.parametrize("order", [(0, 0, 0, 0, 0, 0), (0, 1, 1, 1, 1, 0), (1, 0, 1, 1, 1, 0)])
async def test_a_subscription_while_a_failed_one_still_catches_up_has_every_event(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    listener = await joined(hub, FakeConnection())
    steps, covers = Steps(), hub.log.has_all_since
    monkeypatch.setattr(live_hub.executor, "run_short_query", steps.look)
    commits(hub, 6)
    failing = asyncio.create_task(asking(hub, listener, "e:0"))
    ring(hub)
    await run_until_idle()
    monkeypatch.setattr(hub.log, "has_all_since", lambda *_: 1 / 0)
    while not failing.done():
        steps.let(len(steps.waiting) - 1)
        await run_until_idle()
    assert isinstance(failing.exception(), ZeroDivisionError)
    monkeypatch.setattr(hub.log, "has_all_since", covers)

    again = asyncio.create_task(asking(hub, listener, "e:0"))
    for which in order:
        await run_until_idle()
        steps.let(which)
        await listener.heard
    commits(hub, 1)
    ring(hub)
    while not (again.done() and not steps.waiting):
        steps.let(0)
        await listener.heard
    await again
    assert await told(listener) == events(*range(1, 8))


KINDS = ["commit", "happen", "happen", "let", "let", "let", "let", "look", "read"]
ACTS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 7)), min_size=10, max_size=40)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, before=st.integers(0, 6), since=st.integers(-1, 6), gone=st.integers(0, 4))
def test_no_gap_and_nothing_twice_at_any_interleaving(
    acts: list[tuple[str, int]], before: int, since: int, gone: int
) -> None:
    """Catching up, snapshot, bell and look meet in every order that hypothesis thinks of."""
    asyncio.run(interleaved(acts, before, since, gone))


async def interleaved(acts: list[tuple[str, int]], before: int, since: int, gone: int) -> None:
    steps = Steps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_hub.executor, "run_short_query", steps.look)
        hub = HubHarness()
        hub.pubsub.start(hub._on_message)
        hub._broadcaster.start()
        commits(hub, before)
        hub.log.floor = min(gone, before)
        listener, plain = FakeConnection(), FakeConnection()
        work = asyncio.create_task(come_back(hub, listener, plain, since))
        for act, which in acts:
            match act:
                case "commit":
                    commits(hub, 1 + which % 3)
                case "happen":
                    commits(hub, 1)
                    ring(hub)
                case "let":
                    steps.let(which)
                case "look":
                    hub._spawn(hub._poll())
                case "read":
                    await listener.heard
            await run_until_idle(3)
        await until_all_is_said(hub, steps, listener, plain, work)
        check(await listener.heard, len(hub.log.entries[OWNER]), since)
        types = [message["type"] for message in await plain.heard]
        first = int(types[0].split()[1]) if types else 0
        assert types == [f"event {n}" for n in range(first, len(hub.log.entries[OWNER]) + 1)] or not types
        for task in hub._tasks:
            task.cancel()


async def come_back(hub: HubHarness, listener: FakeConnection, plain: FakeConnection, since: int) -> None:
    await joined(hub, plain, listener)
    await asking(hub, listener, f"e:{since}" if since >= 0 else "f:0")


async def until_all_is_said(
    hub: HubHarness, steps: Steps, listener: FakeConnection, plain: FakeConnection, work: asyncio.Task[None]
) -> None:
    hub._spawn(hub._poll())
    for _ in range(500):
        await run_until_idle()
        await listener.heard
        await plain.heard
        if not steps.waiting and work.done():
            hub._spawn(hub._poll())
            await run_until_idle()
            if not steps.waiting:
                break
        steps.let(0)
    await work


def check(heard: list[dict[str, Any]], head: int, since: int) -> None:
    """After the acknowledgement: every event after its cursor, once, in order, the list before them."""
    types = [message.get("type") for message in heard]
    at = types.index("subscribed")
    ack, rest = heard[at], heard[at + 1 :]
    assert all("cursor" not in message for message in heard[:at])
    start = int(ack["cursor"].partition(":")[2])
    if ack["recovered"]:
        assert start == since
    else:
        assert rest.pop(0)["type"] == "Upload.list"
    assert [message["cursor"] for message in rest] == [f"e:{n}" for n in range(start + 1, head + 1)]
