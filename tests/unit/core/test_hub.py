"""Hub: who gets which events and texts, and when. No network, no database."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from backend_main.core import event_log
from backend_main.core.errors import DatabaseUnavailable, RateLimited, Unauthenticated
from backend_main.core.live import hub as live_hub
from backend_main.core.protocol import messages
from backend_main.core.pubsub.messages import PageState, PageTextUpdate, ReadingStarted
from tests.support.hub_harness import (
    OTHER,
    OWNER,
    UPLOAD,
    Clock,
    FakeClient,
    HubHarness,
    failed,
    join,
    page,
    run_until_idle,
)

# ── recipients ──


async def test_events_reach_only_the_owner_s_connections_in_order(hub: HubHarness) -> None:
    everything, one, another, foreign = (
        FakeClient(),
        FakeClient(upload_id=UPLOAD),
        FakeClient(upload_id=uuid.uuid4()),
        FakeClient(owner=OTHER),
    )
    await join(hub, everything, one, another, foreign)
    for number in range(5):
        hub.commit_event(failed(error=str(number)))
    expected = [str(number) for number in range(5)]
    assert [m["error"] for m in await everything.received] == expected
    assert [m["error"] for m in await one.received] == expected
    assert await another.received == []
    assert await foreign.received == []


async def test_connection_that_left_gets_nothing(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    hub.leave(client.connection)
    hub.leave(client.connection)
    hub.end()
    assert await client.received == []


async def test_own_change_is_sent_as_the_reply_and_not_as_an_event(hub: HubHarness) -> None:
    mine, also_mine = FakeClient(), FakeClient()
    await join(hub, mine, also_mine)
    mine.connection.begin_request(messages.Delete(instance_id=UPLOAD, ref="r"))
    message = messages.error({"a": "message"}, reply_type="Upload.deleted")
    hub.commit_event(message, requester=mine.connection)
    await run_until_idle()
    await mine.connection.finish_request(message)  # as the handler does at its end
    assert await mine.received == [{"type": "Upload.deleted", "error": {"a": "message"}, "ref": "r"}]
    assert await also_mine.received == [{"type": "Upload.deleted", "error": {"a": "message"}}]


async def test_reply_may_differ_from_its_event(hub: HubHarness) -> None:
    mine, also_mine = FakeClient(), FakeClient()
    await join(hub, mine, also_mine)
    mine.connection.begin_request(messages.Create(image_hash="x"))
    reply = messages.error({}, reply_type="as a reply")
    event = messages.error({}, reply_type="as an event")
    hub.commit_event(event, requester=mine.connection, reply=reply)
    assert [m["type"] for m in await mine.received] == ["as a reply"]
    assert [m["type"] for m in await also_mine.received] == ["as an event"]


async def test_reply_reaches_a_connection_that_follows_another_upload(hub: HubHarness) -> None:
    mine = await join(hub, FakeClient(upload_id=uuid.uuid4()))
    mine.connection.begin_request(messages.Delete(instance_id=UPLOAD))
    hub.commit_event(messages.error({}), requester=mine.connection)
    assert len(await mine.received) == 1


async def test_reply_to_create_precedes_the_upload_s_first_partial(hub: HubHarness) -> None:
    mine = await join(hub, FakeClient())
    mine.connection.begin_request(messages.Create(image_hash="x"))
    hub.commit_event(messages.error({}, reply_type="created"), requester=mine.connection)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("text"))
    received = await mine.received
    assert received[0]["type"] == "created"
    assert received[-1]["streamed_text"] == "text"


async def test_event_is_encoded_once_for_all_connections(hub: HubHarness, encoded: list[object]) -> None:
    clients = [FakeClient() for _ in range(50)]
    await join(hub, *clients)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("text"))
    for client in clients:
        await client.received
    hub.end()
    for client in clients:
        assert (await client.received)[-1]["status"] == "error"
    kinds = [type(message).__name__ for message in encoded]
    assert kinds == ["Partial", "Partial", "Failed"]


async def test_partial_that_is_not_sent_is_not_encoded(hub: HubHarness, encoded: list[object]) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("text"))
    await run_until_idle()
    hub.end()
    await client.received
    assert [type(message).__name__ for message in encoded] == ["Partial", "Failed"]


async def test_partial_without_subscribers_is_not_encoded(hub: HubHarness, encoded: list[object]) -> None:
    await join(hub, FakeClient(owner=OTHER), FakeClient(upload_id=uuid.uuid4()))
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("text"))
    await run_until_idle()
    assert encoded == []


async def test_join_beyond_the_connection_limit_of_a_user_is_refused(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    monkeypatch.setattr(live_hub, "conf", msgspec.structs.replace(live_hub.conf, max_sockets_per_user=2))
    first = await join(hub, FakeClient(), FakeClient())
    with pytest.raises(RateLimited):
        await join(hub, FakeClient())
    await join(hub, FakeClient(owner=OTHER))
    hub.leave(first.connection)
    await join(hub, FakeClient())


async def test_reply_in_reserved_slot_precedes_events_of_the_meantime(hub: HubHarness, clock: Clock) -> None:
    """Behind a newer event, it would revert what that says: an upload would stay in progress for ever."""
    client = await join(hub, FakeClient())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("words"))
    await client.received
    client.connection.begin_request(messages.ListUploads(ref="l"))
    client.connection.reserve_reply_slot()
    hub.end()
    for _ in range(3):
        hub.commit_event(messages.error({}, reply_type="later"))
    await run_until_idle()
    await client.connection.finish_request(messages.ListMessage(list=[]))
    *_, reply, end, _, _, _ = await client.received
    assert reply == {"type": "Upload.list", "list": [], "ref": "l"}
    assert end["status"] == "error"


async def test_reserved_slot_is_used_for_one_reply(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    client.connection.begin_request(messages.ListUploads())
    client.connection.reserve_reply_slot()
    await client.connection.finish_request(messages.ListMessage(list=[]))
    client.connection.begin_request(messages.Ping())
    await client.connection.finish_request(messages.Pong())
    assert [m["type"] for m in await client.received] == ["Upload.list", "pong"]


# ── live text ──


async def test_start_of_a_reading_sends_an_empty_text(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    assert await client.received == [
        {"id": str(UPLOAD), "status": "processing", "streamed_text": "", "type": "Upload.status"}
    ]


async def test_empty_text_is_sent_even_if_words_follow_at_once(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("words"))
    assert await client.streamed_texts == ["", "words"]


async def test_join_during_a_reading_sends_the_text_so_far(hub: HubHarness) -> None:
    hub.start_reading(1, "first page")
    hub.page_text(UPLOAD, 1, page("second", 2))
    await run_until_idle()
    client = await join(
        hub, FakeClient(), one := FakeClient(upload_id=UPLOAD), foreign := FakeClient(owner=OTHER)
    )
    assert await client.streamed_texts == ["first page\n\nsecond"]
    assert await one.streamed_texts == ["first page\n\nsecond"]
    assert await foreign.received == []


async def test_join_after_the_end_sends_nothing(hub: HubHarness) -> None:
    hub.start_reading()
    hub.end()
    await run_until_idle()
    assert await (await join(hub, FakeClient())).received == []


async def test_finished_page_is_replaced_once_and_the_next_follows_it(hub: HubHarness, clock: Clock) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    await client.received
    hub.page_text(UPLOAD, 1, page("draft"))
    await client.received
    hub.page_done(UPLOAD, 1, page("# The whole page", done=True))
    clock.move(0.1)
    await client.received
    clock.move(2)
    hub.page_text(UPLOAD, 1, page("two", 2))
    await client.received
    clock.move(2)
    assert await client.streamed_texts == ["", "draft", "# The whole page", "# The whole page\n\ntwo"]


async def test_further_claim_sends_the_text_no_sooner_than_its_throttle_allows(
    hub: HubHarness, clock: Clock
) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading(1, "x" * 1000)
    await client.received
    for attempt in range(2, 12):
        hub.start_reading(attempt, "x" * 1000, "y")
        await client.received
    assert len(await client.streamed_texts) == 1
    clock.move(2)
    assert (await client.streamed_texts)[1:] == ["x" * 1000 + "\n\ny"]


async def test_no_partial_follows_the_end_even_if_one_was_scheduled(hub: HubHarness, clock: Clock) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("a"))
    await client.received
    hub.page_text(UPLOAD, 1, page("a and much more, waiting for its time"))  # sets a timer
    await run_until_idle()
    hub.end()
    hub.page_text(UPLOAD, 1, page("too late"))
    hub.page_done(UPLOAD, 1, page("too late", done=True))
    await run_until_idle()
    clock.move(100)
    received = await client.received
    assert received[-1]["status"] == "error"
    assert "late" not in str(received)
    assert "waiting" not in str(received)


async def test_partial_unsent_at_the_end_is_dropped(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("unsent"))
    hub.end()
    received = [(m.get("status"), m.get("streamed_text")) for m in await client.received]
    assert received == [("processing", ""), ("error", None)]


async def test_text_of_an_earlier_reading_is_dropped(hub: HubHarness, clock: Clock) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading(1, "stale page", first_attempt=1)
    await client.received
    hub.start_reading(2, first_attempt=2)
    await client.received
    hub.page_text(UPLOAD, 1, page("stale"))
    await client.received
    hub.page_done(UPLOAD, 1, page("stale", done=True))
    hub.page_text(uuid.uuid4(), 2, page("of an upload that is not read"))
    await client.received
    clock.move(100)
    hub.page_text(UPLOAD, 2, page("fresh"))
    assert await client.streamed_texts == ["stale page", "", "fresh"]


async def test_stale_text_does_not_replace_fresh_text(hub: HubHarness) -> None:
    """The last text of a reader that lost its upload can arrive after the first one of its successor."""
    client = await join(hub, FakeClient())
    hub.start_reading(2)
    await run_until_idle()
    hub.page_text(UPLOAD, 2, page("fresh"))
    hub.page_text(UPLOAD, 1, page("stale"))
    assert (await client.streamed_texts)[-1] == "fresh"


async def test_burst_of_texts_from_the_reader_thread_is_sent_as_one_partial(
    hub: HubHarness, clock: Clock
) -> None:
    """The throttle and the send queue merge the texts; the pub/sub delivers each."""
    client = await join(hub, FakeClient())
    hub.start_reading()
    await run_until_idle()
    drafts = [page("x" * n) for n in range(1, 1000)]
    thread = threading.Thread(target=lambda: [hub.page_text(UPLOAD, 1, each) for each in drafts])
    thread.start()
    thread.join()
    await run_until_idle()
    clock.move(2)
    assert await client.streamed_texts == ["", "x" * 999]


async def test_first_words_of_a_page_do_not_overtake_the_end_of_the_previous_one(
    hub: HubHarness, clock: Clock
) -> None:
    """The reader's thread publishes all three before the loop runs."""
    client = await join(hub, FakeClient())
    hub.start_reading()
    await run_until_idle()
    hub.page_text(UPLOAD, 1, page("one"))
    hub.page_done(UPLOAD, 1, page("one", done=True))
    hub.page_text(UPLOAD, 1, page("two", 2))
    await client.received
    clock.move(2)
    assert (await client.streamed_texts)[-1] == "one\n\ntwo"
    assert "two" not in await client.streamed_texts


# ── throttle ──


async def test_throttled_text_is_sent_when_due_and_only_the_latest(hub: HubHarness, clock: Clock) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    await client.received
    hub.page_text(UPLOAD, 1, page("x" * 100))
    assert (await client.streamed_texts)[-1] == "x" * 100
    for size in (101, 102, 103):
        hub.page_text(UPLOAD, 1, page("x" * size))
        assert len((await client.streamed_texts)[-1]) == 100
    clock.move(0.99)
    assert len((await client.streamed_texts)[-1]) == 100
    clock.move(0.02)
    assert [len(text) for text in await client.streamed_texts] == [0, 100, 103]
    clock.move(100)
    assert len(await client.streamed_texts) == 3


async def test_text_that_grew_by_an_eighth_is_due_before_the_second(hub: HubHarness, clock: Clock) -> None:
    client = await join(hub, FakeClient())
    hub.start_reading()
    await client.received
    hub.page_text(UPLOAD, 1, page("x" * 100))
    await client.received
    hub.page_text(UPLOAD, 1, page("x" * 101))
    await client.received
    hub.page_text(UPLOAD, 1, page("x" * 113))
    await client.received
    clock.move(0.11)
    assert [len(text) for text in await client.streamed_texts] == [0, 100, 113]


# ── start, stop and poll ──


async def test_stop_ends_delivery(hub: HubHarness) -> None:
    client = await join(hub, FakeClient())
    assert hub.on_change_committed in event_log._listeners
    await hub.stop()
    assert hub.on_change_committed not in event_log._listeners
    hub.end()
    hub.page_text(UPLOAD, 1, page("x"))
    assert await client.received == []


async def test_poll_closes_only_connections_with_revoked_tokens(hub: HubHarness) -> None:
    hub.log.valid_from[OWNER] = 100.0
    hub.log.deactivated.add(OTHER)
    old, new, deactivated = (
        FakeClient(issued_at=99.0),
        FakeClient(issued_at=101.0),
        FakeClient(owner=OTHER),
    )
    await join(hub, old, new, deactivated)
    await hub._poll()
    assert [type(error) for error in old.closed] == [Unauthenticated]
    assert [type(error) for error in deactivated.closed] == [Unauthenticated]
    assert new.closed == []


async def test_poll_of_several_batches_reaches_every_user(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "POLL_BATCH_USERS", 2)
    clients = [FakeClient(owner=uuid.uuid4()) for _ in range(5)]
    await join(hub, *clients)
    for client in clients:
        hub.commit(failed(), owner=client.connection.owner_id)
    await hub._poll()
    assert [len(await client.received) for client in clients] == [1] * 5
    hub.log.deactivated.update(client.connection.owner_id for client in clients)
    await hub._poll()
    assert [len(client.closed) for client in clients] == [1] * 5


async def test_poll_keeps_a_connection_that_joins_during_its_query(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = FakeClient(owner=OTHER)

    async def slow(work: Callable[..., object], *args: object) -> object:
        result = work(*args)
        monkeypatch.undo()
        await join(hub, late)
        return result

    await join(hub, FakeClient())
    with monkeypatch.context() as patch:
        patch.setattr(live_hub.executor, "run_short_query", slow)
        await hub._poll()
    assert late.closed == []


async def test_failed_load_of_a_reading_is_repeated_at_its_next_text(
    hub: HubHarness, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = FakeClient()
    await hub.join(client.connection)
    started = ReadingStarted(OWNER, UPLOAD, 2, 0, {1: "one"}, 3, 1)
    hub.log.reading[OWNER][UPLOAD] = started

    def unavailable(*_args: object) -> ReadingStarted | None:
        raise DatabaseUnavailable

    reading_state = hub.log.reading_state
    monkeypatch.setattr(hub.log, "reading_state", unavailable)
    hub._on_message(started, is_local=False)
    hub._on_message(PageTextUpdate(OWNER, UPLOAD, 2, PageState(2, 3, "tw")), is_local=False)
    assert await client.streamed_texts == []
    assert [record.levelname for record in caplog.records] == ["WARNING"], "not an error"
    monkeypatch.setattr(hub.log, "reading_state", reading_state)
    hub._on_message(PageTextUpdate(OWNER, UPLOAD, 2, PageState(2, 3, "two")), is_local=False)
    assert await client.streamed_texts == ["one"], "finished pages, at once"
    clock.move(1.0)
    assert await client.streamed_texts == ["one", "one\n\ntwo"]
