"""Hub.resume: no gap and no duplicate, whatever happens during the catch-up."""

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
    FakeClient,
    HubHarness,
    failed,
    join,
    page,
    replace_executor,
    run_until_idle,
)

EPOCH = "e"
OTHER_UPLOAD = uuid.uuid4()


async def subscribe_since(hub: HubHarness, client: FakeClient, since: str) -> None:
    """Handle `subscribe` with `since` as the consumer does."""
    client.connection.begin_request(messages.Subscribe(since=since))
    await hub.resume(client.connection, since, None)


async def resume(hub: HubHarness, client: FakeClient, since: str) -> None:
    """Subscribe with a client that reads meanwhile."""
    resuming = asyncio.create_task(subscribe_since(hub, client, since))
    while not resuming.done():
        await client.received
    await resuming


def commit_events(hub: HubHarness, count: int, upload_id: uuid.UUID = UPLOAD) -> None:
    for _ in range(count):
        number = len(hub.log.events[OWNER]) + 1
        hub.commit(messages.error({}, reply_type=f"event {number}"), upload_id)


def notify(hub: HubHarness) -> None:
    hub.pubsub.publish(LogAdvanced(OWNER, len(hub.log.events[OWNER])))


async def cursors_received(client: FakeClient) -> list[str]:
    """The events after the acknowledgement, as `type cursor`."""
    received = await client.received
    types = [message.get("type") for message in received]
    after = received[types.index("subscribed") + 1 :]
    return [f"{m['type']} {m['cursor']}" for m in after if "cursor" in m]


def events(*numbers: int) -> list[str]:
    return [f"event {number} {EPOCH}:{number}" for number in numbers]


# ── events ──


async def test_resume_repeats_the_cursor_and_sends_every_later_event(
    hub: HubHarness,
) -> None:
    commit_events(hub, 10)
    client = await join(hub, FakeClient())
    await resume(hub, client, "e:4")
    ack, *rest = await client.received
    assert ack == {
        "message": "subscribed",
        "model": "Upload",
        "instance_id": None,
        "type": "subscribed",
        "cursor": "e:4",
        "recovered": True,
    }
    assert await cursors_received(client) == events(5, 6, 7, 8, 9, 10)
    commit_events(hub, 2)
    notify(hub)
    assert await cursors_received(client) == events(*range(5, 13))
    assert not any("Upload.list" in str(message) for message in rest)


@pytest.mark.parametrize("since", ["f:4", "e:11", "e:2", "nonsense", "", ":", "e:", "e:-1", "e:4x", "e:٤"])
async def test_resume_from_an_unusable_cursor_sends_a_list_and_later_events(
    hub: HubHarness, since: str
) -> None:
    commit_events(hub, 10)
    hub.log.removed_up_to = 3
    client = await join(hub, FakeClient())
    await resume(hub, client, since)
    ack, snapshot = await client.received
    assert (ack["recovered"], ack["cursor"]) == (False, "e:10")
    assert snapshot == {"type": "Upload.list", "list": []}
    commit_events(hub, 1)
    notify(hub)
    assert await cursors_received(client) == events(11)


async def test_resume_from_the_newest_event_sends_nothing(hub: HubHarness) -> None:
    commit_events(hub, 10)
    client = await join(hub, FakeClient())
    await resume(hub, client, "e:10")
    [ack] = await client.received
    assert ack["recovered"] is True


async def test_resume_from_0_sends_the_first_event(hub: HubHarness) -> None:
    commit_events(hub, 2)
    client = await join(hub, FakeClient())
    await resume(hub, client, "e:0")
    assert await cursors_received(client) == events(1, 2)


async def test_resume_for_one_upload_sends_only_its_events(hub: HubHarness) -> None:
    for upload_id in (UPLOAD, OTHER_UPLOAD, UPLOAD, OTHER_UPLOAD):
        commit_events(hub, 1, upload_id)
    client = await join(hub, FakeClient(upload_id=UPLOAD))
    await resume(hub, client, "e:0")
    commit_events(hub, 1, OTHER_UPLOAD)
    commit_events(hub, 1, UPLOAD)
    notify(hub)
    assert await cursors_received(client) == events(1, 3, 6)


async def test_resume_from_before_the_position_is_refused(hub: HubHarness) -> None:
    """Its cursors would decrease."""
    commit_events(hub, 5)
    client = await join(hub, FakeClient())
    await resume(hub, client, "e:3")
    with pytest.raises(RequestError) as refused:
        await resume(hub, client, "e:4")
    assert refused.value.fields.keys() == {"since"}
    await resume(hub, client, "e:5")
    commit_events(hub, 1)
    notify(hub)
    assert [m["cursor"] for m in await client.received if "cursor" in m] == [
        "e:3",
        "e:4",
        "e:5",
        "e:5",
        "e:6",
    ]


async def test_opt_in_without_since_adds_cursors_to_later_events(hub: HubHarness) -> None:
    commit_events(hub, 3)
    client = await join(hub, FakeClient())
    commit_events(hub, 1)  # without a notification: the acknowledgement must query
    client.connection.begin_request(messages.Subscribe(stream="full"))
    await hub.set_stream_mode(client.connection, "full")
    before, ack = await client.received
    assert before == {"type": "event 4", "error": {}}
    assert (ack["cursor"], "recovered" in ack) == ("e:4", False)
    commit_events(hub, 1)
    notify(hub)
    assert await cursors_received(client) == events(5)


async def test_own_change_is_reply_and_event_after_opt_in(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    await resume(hub, client, "e:0")
    client.connection.begin_request(messages.Delete(instance_id=UPLOAD, ref="r"))
    message = messages.error({}, reply_type="Upload.deleted")
    hub.commit_event(message, requester=client.connection)
    await asyncio.wait_for(client.connection.finish_request(message), 5)
    _, reply, event = await client.received
    assert reply == {"type": "Upload.deleted", "error": {}, "ref": "r"}
    assert event == {"type": "Upload.deleted", "error": {}, "cursor": "e:1"}


async def test_resume_sends_no_faster_than_the_client_reads(hub: HubHarness) -> None:
    """A long log would fill its send queue, and the client would be disconnected for its own request."""
    commit_events(hub, 1000)
    client = await join(hub, FakeClient())
    resuming = asyncio.create_task(subscribe_since(hub, client, "e:0"))
    for _ in range(50):
        await run_until_idle()
    assert len(client.send_queue._entries) <= 5
    while not resuming.done():
        await client.received
    assert len(await cursors_received(client)) == 1000


async def test_resume_ends_when_the_client_has_gone(hub: HubHarness) -> None:
    commit_events(hub, 1000)
    client = await join(hub, FakeClient())
    resuming = asyncio.create_task(subscribe_since(hub, client, "e:0"))
    await run_until_idle()
    client.send_queue.close()
    await asyncio.wait_for(resuming, 5)


async def test_resume_disconnects_if_events_are_removed_meanwhile(hub: HubHarness) -> None:
    commit_events(hub, 100)
    client = await join(hub, FakeClient())
    resuming = asyncio.create_task(subscribe_since(hub, client, "e:0"))
    await run_until_idle()
    hub.log.removed_up_to = 90
    while not resuming.done():
        await client.received
    assert [type(error) for error in client.closed] == [SlowConsumer]
    assert await cursors_received(client) == events(1, 2, 3)


async def test_events_removed_before_they_were_read_disconnect_all(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    commit_events(hub, 100)
    hub.log.removed_up_to = 100
    notify(hub)
    await run_until_idle()
    assert [type(error) for error in client.closed] == [SlowConsumer]


async def test_database_failures_delay_events_and_lose_none(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    commit_events(hub, 10)
    client, plain = FakeClient(), FakeClient()
    await join(hub, client, plain)
    monkeypatch.setattr(live_hub, "POLL_SECONDS", 0.0)
    events_after, failures = hub.log.events_after, itertools.cycle([True, False])

    def sometimes(*args: Any) -> Any:
        if next(failures):
            raise OSError("the database is away")
        return events_after(*args)

    monkeypatch.setattr(hub.log, "events_after", sometimes)
    await resume(hub, client, "e:0")
    commit_events(hub, 10)
    for _ in range(20):
        await hub._poll()
        await client.received
    assert await cursors_received(client) == events(*range(1, 21))
    assert [m["type"] for m in await plain.received] == [f"event {n}" for n in range(11, 21)]
    assert "the database is away" in caplog.text


async def test_failed_resume_leaves_the_connection_unchanged(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_events(hub, 3)
    client = await join(hub, FakeClient())

    def has_all_since(*_args: object) -> bool:
        commit_events(hub, 2)
        notify(hub)
        raise OSError("the database is away")

    monkeypatch.setattr(hub.log, "has_all_since", has_all_since)
    with pytest.raises(OSError, match="away"):
        await resume(hub, client, "e:0")
    await run_until_idle()
    assert [m["type"] for m in await client.received] == ["event 4", "event 5"]
    assert all("cursor" not in m for m in await client.received)


# ── live text ──


async def test_live_text_waits_until_the_connection_has_caught_up(hub: HubHarness) -> None:
    commit_events(hub, 9)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("words"))
    await run_until_idle()
    client = await join(hub, FakeClient())
    await resume(hub, client, "e:0")
    hub.page_text(UPLOAD, 1, page("words, and more"))
    received = await client.received
    kinds = ["text" if "streamed_text" in m else m["type"] for m in received]
    assert (
        kinds == ["text", "subscribed", *(f"event {n}" for n in range(1, 10)), "text", "text"][: len(kinds)]
    )
    assert received[-1]["streamed_text"] in ("words", "words, and more")


async def test_live_text_waits_for_the_event_that_it_follows(hub: HubHarness) -> None:
    """The hub reads the log after the reader's message: `created` still precedes the first partial."""
    client = await join(hub, FakeClient())
    commit_events(hub, 3)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("wor"))
    hub.page_text(UPLOAD, 1, page("words"))
    received = await client.received
    assert [m.get("streamed_text", m["type"]) for m in received] == [
        "event 1",
        "event 2",
        "event 3",
        "",
        "words",
    ]


async def test_messages_about_an_upload_after_its_end_are_ignored(hub: HubHarness) -> None:
    """The upload ended between the reader's claim and its first message."""
    client = await join(hub, FakeClient())
    hub.commit_event(messages.error({}, reply_type="created"))
    await run_until_idle()
    started = ReadingStarted(OWNER, UPLOAD, 1, 1, {})
    hub.commit_event(failed())
    await run_until_idle()
    for message in (started, PageTextUpdate(OWNER, UPLOAD, 1, page("too late"))):
        hub.pubsub.publish(message)
    assert [m.get("status", m["type"]) for m in await client.received] == ["created", "error"]
    assert await (await join(hub, FakeClient())).received == []


async def test_join_after_an_unannounced_end_sends_no_text(hub: HubHarness) -> None:
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("words"))
    await run_until_idle()
    hub.log.reading[OWNER].clear()
    hub.commit(failed())  # its notification is still to come
    client = await join(hub, FakeClient())
    hub.page_text(UPLOAD, 1, page("words, and more"))
    assert await client.received == []


async def test_text_of_another_process_is_loaded_from_the_database(hub: HubHarness, clock: Clock) -> None:
    """This process had no subscription to the user when the reading started."""
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 3, 0, {1: "one", 2: "two"}, 4)
    client = await join(hub, FakeClient())
    assert await client.streamed_texts == ["one\n\ntwo"]
    hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 3, page("three", 3)), is_local=False)
    await run_until_idle()
    clock.move(2)
    assert (await client.streamed_texts)[-1] == "one\n\ntwo\n\nthree"

    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 4, 0, {1: "one", 2: "two", 3: "three"}, 4)
    hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 4, page("four", 4)), is_local=False)
    await run_until_idle()
    clock.move(2)
    assert (await client.streamed_texts)[-1] == "one\n\ntwo\n\nthree\n\nfour"

    hub.leave(client.connection)
    assert hub._broadcaster.attempt(UPLOAD) == -1, "a document without connections is not kept"


async def test_first_claim_in_another_process_needs_no_query(
    hub: HubHarness,
) -> None:
    client = await join(hub, FakeClient())
    hub.commit(messages.error({}, reply_type="created"))
    hub.log.queries.clear()
    started = ReadingStarted(OWNER, UPLOAD, 1, 1, {}, first_attempt=1)
    for message in (started, PageTextUpdate(OWNER, UPLOAD, 1, page("one", done=True))):
        hub.pubsub._dispatch(decode(RedisPublisher("redis://nowhere", "").encode(message)), is_local=False)
    texts = [m.get("streamed_text", m["type"]) for m in await client.received]
    assert texts[:2] == ["created", ""]
    assert "reading_state" not in hub.log.queries
    hub.leave(client.connection)
    hub.pubsub._dispatch(started, is_local=False)
    assert hub._broadcaster.attempt(UPLOAD) == -1, "a document without connections is not kept"


async def test_lost_page_end_of_another_process_is_loaded_with_the_next_page(
    hub: HubHarness, clock: Clock
) -> None:
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 1, 0, {}, 4)
    client = await join(hub, FakeClient())
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 1, 0, {1: "one"}, 4)
    for text in ("tw", "two"):
        hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 1, page(text, 2)), is_local=False)
        await run_until_idle()
        clock.move(2)
    assert (await client.streamed_texts)[-1] == "one\n\ntwo"
    assert hub.log.queries.count("reading_state") == 2, "for the first connection, and for the page"


async def test_first_connection_to_return_gets_pages_of_another_process(
    hub: HubHarness, clock: Clock
) -> None:
    """The local reader has the newest claim; messages about the other's pages did not arrive here."""
    local = ReadingStarted(OWNER, UPLOAD, 2, 0, {}, 9, 1, "", {4: 2})
    hub.pubsub.publish(local)
    await run_until_idle()
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 2, 0, {1: "one"}, 9, 1, "", {1: 1, 4: 2})
    client = await join(hub, FakeClient())
    assert await client.streamed_texts == ["one"]
    hub.pubsub.publish(PageTextUpdate(OWNER, UPLOAD, 2, page("four", 4, done=True), 4))
    await run_until_idle()
    assert await client.streamed_texts == ["one"], "there is a gap"


async def test_local_continuation_without_pages_loads_them(
    hub: HubHarness,
) -> None:
    client = await join(hub, FakeClient())
    hub.log.reading[OWNER][UPLOAD] = ReadingStarted(OWNER, UPLOAD, 2, 0, {1: "one"}, 9, 1, "", {2: 2})
    hub.pubsub.publish(ReadingStarted(OWNER, UPLOAD, 2, 0, None, 9, 1, "", {2: 2}))
    hub.pubsub.publish(PageTextUpdate(OWNER, UPLOAD, 2, page("two", 2, done=True), 2))
    assert (await client.streamed_texts)[0] == "one"


async def test_readings_of_two_other_processes_are_loaded_at_once(hub: HubHarness, clock: Clock) -> None:
    """Messages of each reader wait for the load of its own start, not of the other's."""
    client = await join(hub, FakeClient())
    for attempt, job in ((1, 1), (2, 4)):
        found = ReadingStarted(OWNER, UPLOAD, attempt, 0, {}, 9, 1, "", {1: 1, 4: 2})
        hub.log.reading[OWNER][UPLOAD] = found
        hub.pubsub._dispatch(
            ReadingStarted(OWNER, UPLOAD, attempt, 0, None, 9, 1, "", {job: attempt}), is_local=False
        )
        hub.pubsub._dispatch(
            PageTextUpdate(OWNER, UPLOAD, attempt, page(f"page {job}", job, done=True), job), is_local=False
        )
    hub.log.reading_state = lambda *_: found  # type: ignore[method-assign]
    await run_until_idle()
    clock.move(2)
    for number in (2, 3):
        hub.pubsub._dispatch(
            PageTextUpdate(OWNER, UPLOAD, 1, page(f"page {number}", number, done=True), 1), is_local=False
        )
    await run_until_idle()
    clock.move(2)
    assert (await client.streamed_texts)[-1] == "page 1\n\npage 2\n\npage 3\n\npage 4"


async def test_reader_that_lost_its_upload_is_queried_once(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    for _ in range(10):
        hub.pubsub._dispatch(PageTextUpdate(OWNER, UPLOAD, 1, page("stale")), is_local=False)
        await run_until_idle()
    assert await client.received == []
    assert hub.log.queries.count("reading_state") == 1


# ── read once, encoded once ──


async def test_log_is_read_and_encoded_once_for_all_connections(
    hub: HubHarness, encoded: list[object]
) -> None:
    clients = [FakeClient() for _ in range(20)]
    await join(hub, *clients)
    for client in clients[10:]:
        await hub.set_stream_mode(client.connection, "full")
    hub.log.queries.clear()
    encoded.clear()
    hub.commit_event(failed())
    for client in clients:
        await client.received
    assert hub.log.queries == ["events_after"]
    assert len(encoded) == 1
    texts = {client.texts[-1] for client in clients}
    assert len(texts) == 2
    assert len({id(client.texts[-1]) for client in clients}) == 2


async def test_lost_notification_delays_events_until_the_poll(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    commit_events(hub, 5)
    await run_until_idle()
    assert await client.received == []
    await hub._poll()
    assert [m["type"] for m in await client.received] == [f"event {n}" for n in range(1, 6)]


async def test_failing_handler_ends_neither_the_pubsub_nor_a_connection(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = await join(hub, FakeClient())
    with monkeypatch.context() as patch:
        patch.setattr(hub._broadcaster, "start_reading", lambda *_args, **_options: 1 / 0)
        hub.start_reading()
        hub.commit_event(failed())
        await run_until_idle()
    assert "pub/sub message could not be handled" in caplog.text
    assert [m["status"] for m in await client.received] == ["error"]
    assert client.closed == []


# ── interleavings ──


class Steps:
    """The hub's queries wait here until a test releases them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[asyncio.Future[None], str]] = []

    async def run_query(self, work: Callable[..., object], *args: object) -> object:
        for moment in ("before", "after"):
            if moment == "after":
                result = work(*args)
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append((future, moment))
            await future
        return result

    def release(self, which: int) -> None:
        if self.waiting:
            future, _ = self.waiting.pop(which % len(self.waiting))
            if not future.done():
                future.set_result(None)


@pytest.mark.parametrize("order", [(0, 0, 0, 0, 0, 0), (0, 1, 1, 1, 1, 0), (1, 0, 1, 1, 1, 0)])
async def test_resume_during_the_catch_up_of_a_failed_one_sends_every_event(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    client = await join(hub, FakeClient())
    steps, has_all_since = Steps(), hub.log.has_all_since
    replace_executor(monkeypatch, steps.run_query)
    commit_events(hub, 6)
    monkeypatch.setattr(hub.log, "has_all_since", lambda *_: 1 / 0)
    failing = asyncio.create_task(subscribe_since(hub, client, "e:0"))
    notify(hub)
    await run_until_idle()
    while not failing.done():
        steps.release(len(steps.waiting) - 1)
        await run_until_idle()
    assert isinstance(failing.exception(), ZeroDivisionError)
    monkeypatch.setattr(hub.log, "has_all_since", has_all_since)

    resuming = asyncio.create_task(subscribe_since(hub, client, "e:0"))
    for which in order:
        await run_until_idle()
        steps.release(which)
        await client.received
    commit_events(hub, 1)
    notify(hub)
    while not (resuming.done() and not steps.waiting):
        steps.release(0)
        await client.received
    await resuming
    assert await cursors_received(client) == events(*range(1, 8))


KINDS = ["commit", "publish", "publish", "release", "release", "release", "release", "poll", "read"]
ACTS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 7)), min_size=10, max_size=40)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, before=st.integers(0, 6), since=st.integers(-1, 6), removed=st.integers(0, 4))
def test_resume_has_no_gap_and_no_duplicate_in_any_interleaving(
    acts: list[tuple[str, int]], before: int, since: int, removed: int
) -> None:
    """Catch-up, snapshot, notification and poll in every order."""
    asyncio.run(interleaved(acts, before, since, removed))


async def interleaved(acts: list[tuple[str, int]], before: int, since: int, removed: int) -> None:
    steps = Steps()
    with pytest.MonkeyPatch.context() as patch:
        replace_executor(patch, steps.run_query)
        hub = HubHarness()
        hub.pubsub.start(hub._on_message)
        hub._broadcaster.start()
        commit_events(hub, before)
        hub.log.removed_up_to = min(removed, before)
        client, plain = FakeClient(), FakeClient()
        work = asyncio.create_task(join_and_resume(hub, client, plain, since))
        for act, which in acts:
            match act:
                case "commit":
                    commit_events(hub, 1 + which % 3)
                case "publish":
                    commit_events(hub, 1)
                    notify(hub)
                case "release":
                    steps.release(which)
                case "poll":
                    hub._spawn(hub._poll())
                case "read":
                    await client.received
            await run_until_idle(3)
        await release_all(hub, steps, client, plain, work)
        check(await client.received, len(hub.log.events[OWNER]), since)
        types = [message["type"] for message in await plain.received]
        first = int(types[0].split()[1]) if types else 0
        assert types == [f"event {n}" for n in range(first, len(hub.log.events[OWNER]) + 1)] or not types
        for task in hub._tasks:
            task.cancel()


async def join_and_resume(hub: HubHarness, client: FakeClient, plain: FakeClient, since: int) -> None:
    await join(hub, plain, client)
    await subscribe_since(hub, client, f"e:{since}" if since >= 0 else "f:0")


async def release_all(
    hub: HubHarness, steps: Steps, client: FakeClient, plain: FakeClient, work: asyncio.Task[None]
) -> None:
    hub._spawn(hub._poll())
    for _ in range(500):
        await run_until_idle()
        await client.received
        await plain.received
        if not steps.waiting and work.done():
            hub._spawn(hub._poll())
            await run_until_idle()
            if not steps.waiting:
                break
        steps.release(0)
    await work


def check(received: list[dict[str, Any]], head: int, since: int) -> None:
    """Check that every event follows the acknowledgement's cursor once, in order, after the list."""
    types = [message.get("type") for message in received]
    at = types.index("subscribed")
    ack, rest = received[at], received[at + 1 :]
    assert all("cursor" not in message for message in received[:at])
    start = int(ack["cursor"].partition(":")[2])
    if ack["recovered"]:
        assert start == since
    else:
        assert rest.pop(0)["type"] == "Upload.list"
    assert [message["cursor"] for message in rest] == [f"e:{n}" for n in range(start + 1, head + 1)]
