"""The hub on a loop whose time a test moves on: no network, no database."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from backend_main.core import event_log
from backend_main.core.errors import DatabaseUnavailable, RateLimited, Unauthenticated
from backend_main.core.live import hub as live_hub
from backend_main.core.protocol import messages
from backend_main.core.pubsub.messages import PageSnapshot, PageTextUpdate, ReadingStarted
from tests.support.hub_harness import (
    OTHER,
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

# ── who gets what ──


async def test_events_reach_the_owner_s_sockets_in_order_and_nobody_else_s(hub: HubHarness) -> None:
    everything, one, another, foreign = (
        FakeConnection(),
        FakeConnection(upload_id=UPLOAD),
        FakeConnection(upload_id=uuid.uuid4()),
        FakeConnection(owner=OTHER),
    )
    await joined(hub, everything, one, another, foreign)
    for number in range(5):
        hub.commit_event(failed(error=str(number)))
    expected = [str(number) for number in range(5)]
    assert [m["error"] for m in await everything.heard] == expected
    assert [m["error"] for m in await one.heard] == expected
    assert await another.heard == []
    assert await foreign.heard == []


async def test_a_socket_that_left_gets_nothing(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    hub.leave(listener.socket)
    hub.leave(listener.socket)
    hub.end()
    assert await listener.heard == []


async def test_one_s_own_change_is_the_reply_and_no_event_as_well(hub: HubHarness) -> None:
    mine, also_mine = FakeConnection(), FakeConnection()
    await joined(hub, mine, also_mine)
    mine.socket.begin_request(messages.Delete(instance_id=UPLOAD, ref="r"))
    message = messages.error({"a": "message"}, reply_type="Upload.deleted")
    hub.commit_event(message, origin=mine.socket)
    await run_until_idle()
    await mine.socket.finish_request(message)  # what the handler does when it comes back
    assert await mine.heard == [{"type": "Upload.deleted", "error": {"a": "message"}, "ref": "r"}]
    assert await also_mine.heard == [{"type": "Upload.deleted", "error": {"a": "message"}}]


async def test_a_reply_may_differ_from_its_event(hub: HubHarness) -> None:
    mine, also_mine = FakeConnection(), FakeConnection()
    await joined(hub, mine, also_mine)
    mine.socket.begin_request(messages.Create(image_hash="x"))
    reply = messages.error({}, reply_type="as a reply")
    event = messages.error({}, reply_type="as an event")
    hub.commit_event(event, origin=mine.socket, reply=reply)
    assert [m["type"] for m in await mine.heard] == ["as a reply"]
    assert [m["type"] for m in await also_mine.heard] == ["as an event"]


async def test_the_asking_socket_gets_its_reply_on_the_other_upload_s_endpoint_too(hub: HubHarness) -> None:
    mine = await joined(hub, FakeConnection(upload_id=uuid.uuid4()))
    mine.socket.begin_request(messages.Delete(instance_id=UPLOAD))
    hub.commit_event(messages.error({}), origin=mine.socket)
    assert len(await mine.heard) == 1


async def test_a_reply_comes_before_the_first_partial_of_what_it_made(hub: HubHarness) -> None:
    mine = await joined(hub, FakeConnection())
    mine.socket.begin_request(messages.Create(image_hash="x"))
    hub.commit_event(messages.error({}, reply_type="created"), origin=mine.socket)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("text"))
    heard = await mine.heard
    assert heard[0]["type"] == "created"
    assert heard[-1]["streamed_text"] == "text"


async def test_an_event_is_encoded_once_however_many_sockets_get_it(
    hub: HubHarness, encoded: list[object]
) -> None:
    listeners = [FakeConnection() for _ in range(50)]
    await joined(hub, *listeners)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("text"))
    for listener in listeners:
        await listener.heard
    hub.end()
    for listener in listeners:
        assert (await listener.heard)[-1]["status"] == "error"
    kinds = [type(message).__name__ for message in encoded]
    assert kinds == ["Partial", "Partial", "Failed"]


async def test_a_partial_that_was_never_sent_was_never_encoded(
    hub: HubHarness, encoded: list[object]
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("text"))
    await run_until_idle()
    hub.end()
    await listener.heard
    assert [type(message).__name__ for message in encoded] == ["Partial", "Failed"]


async def test_a_partial_that_nobody_wants_is_not_encoded(hub: HubHarness, encoded: list[object]) -> None:
    await joined(hub, FakeConnection(owner=OTHER), FakeConnection(upload_id=uuid.uuid4()))
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("text"))
    await run_until_idle()
    assert encoded == []


async def test_more_sockets_than_a_user_may_have_are_refused(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    monkeypatch.setattr(live_hub, "conf", msgspec.structs.replace(live_hub.conf, max_sockets_per_user=2))
    first = await joined(hub, FakeConnection(), FakeConnection())
    with pytest.raises(RateLimited):
        await joined(hub, FakeConnection())
    await joined(hub, FakeConnection(owner=OTHER))
    hub.leave(first.socket)
    await joined(hub, FakeConnection())


async def test_a_reply_that_tells_how_things_are_stands_before_what_happens_while_they_are_looked_up(
    hub: HubHarness, clock: Clock
) -> None:
    """Behind a newer event it would take back what that says: an upload would be read for ever."""
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("words"))
    await listener.heard
    listener.socket.begin_request(messages.ListUploads(ref="l"))
    listener.socket.reserve_reply_slot()
    hub.end()
    for _ in range(3):
        hub.commit_event(messages.error({}, reply_type="later"))
    await run_until_idle()
    await listener.socket.finish_request(messages.ListMessage(list=[]))
    *_, reply, end, _, _, _ = await listener.heard
    assert reply == {"type": "Upload.list", "list": [], "ref": "l"}
    assert end["status"] == "error"


async def test_a_place_that_was_kept_is_for_one_reply(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    listener.socket.begin_request(messages.ListUploads())
    listener.socket.reserve_reply_slot()
    await listener.socket.finish_request(messages.ListMessage(list=[]))
    listener.socket.begin_request(messages.Ping())
    await listener.socket.finish_request(messages.Pong())
    assert [m["type"] for m in await listener.heard] == ["Upload.list", "pong"]


# ── live text ──


async def test_taking_an_upload_sends_an_empty_text_first(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    assert await listener.heard == [
        {"id": str(UPLOAD), "status": "processing", "streamed_text": "", "type": "Upload.status"}
    ]


async def test_the_empty_text_is_sent_however_soon_the_first_words_follow(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("words"))
    assert await listener.streamed == ["", "words"]


async def test_who_joins_while_an_upload_is_read_gets_its_text_so_far(hub: HubHarness) -> None:
    hub.start_reading(1, "first page")
    hub.page_text(UPLOAD, 1, draft("second", 2))
    await run_until_idle()
    listener = await joined(
        hub, FakeConnection(), one := FakeConnection(upload_id=UPLOAD), foreign := FakeConnection(owner=OTHER)
    )
    assert await listener.streamed == ["first page\n\nsecond"]
    assert await one.streamed == ["first page\n\nsecond"]
    assert await foreign.heard == []


async def test_who_joins_after_the_end_gets_nothing(hub: HubHarness) -> None:
    hub.start_reading()
    hub.end()
    await run_until_idle()
    assert await (await joined(hub, FakeConnection())).heard == []


async def test_a_finished_page_is_replaced_once_and_the_next_follows_it(
    hub: HubHarness, clock: Clock
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("draft"))
    await listener.heard
    hub.page_done(UPLOAD, 1, draft("# The whole page", done=True))
    clock.move(0.1)
    await listener.heard
    clock.move(2)
    hub.page_text(UPLOAD, 1, draft("two", 2))
    await listener.heard
    clock.move(2)
    assert await listener.streamed == ["", "draft", "# The whole page", "# The whole page\n\ntwo"]


async def test_another_turn_of_a_reading_sends_the_text_no_sooner_than_its_growth_asks(
    hub: HubHarness, clock: Clock
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading(1, "x" * 1000)
    await listener.heard
    for attempt in range(2, 12):
        hub.start_reading(attempt, "x" * 1000, "y")
        await listener.heard
    assert len(await listener.streamed) == 1
    clock.move(2)
    assert (await listener.streamed)[1:] == ["x" * 1000 + "\n\ny"]


async def test_no_partial_follows_the_end_not_even_one_that_waited(hub: HubHarness, clock: Clock) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("a"))
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("a and much more, waiting for its time"))  # a timer
    await run_until_idle()
    hub.end()
    hub.page_text(UPLOAD, 1, draft("too late"))
    hub.page_done(UPLOAD, 1, draft("too late", done=True))
    await run_until_idle()
    clock.move(100)
    heard = await listener.heard
    assert heard[-1]["status"] == "error"
    assert "late" not in str(heard)
    assert "waiting" not in str(heard)


async def test_a_partial_unsent_at_the_end_is_dropped(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("unsent"))
    hub.end()
    heard = [(m.get("status"), m.get("streamed_text")) for m in await listener.heard]
    assert heard == [("processing", ""), ("error", None)]


async def test_the_text_of_another_attempt_is_dropped(hub: HubHarness, clock: Clock) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading(1, "stale page", run=1)
    await listener.heard
    hub.start_reading(2, run=2)
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("stale"))
    await listener.heard
    hub.page_done(UPLOAD, 1, draft("stale", done=True))
    hub.page_text(uuid.uuid4(), 2, draft("of an upload that is not read"))
    await listener.heard
    clock.move(100)
    hub.page_text(UPLOAD, 2, draft("fresh"))
    assert await listener.streamed == ["stale page", "", "fresh"]


async def test_stale_text_does_not_push_out_fresh_text(hub: HubHarness) -> None:
    """The last words of a reader that lost its upload come after the first of the new one."""
    listener = await joined(hub, FakeConnection())
    hub.start_reading(2)
    await run_until_idle()
    hub.page_text(UPLOAD, 2, draft("fresh"))
    hub.page_text(UPLOAD, 1, draft("stale"))
    assert (await listener.streamed)[-1] == "fresh"


async def test_burst_of_texts_from_the_reader_s_thread_is_sent_as_one_partial(
    hub: HubHarness, clock: Clock
) -> None:
    """The throttle and the send queue merge the texts; the pub/sub delivers each."""
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    await run_until_idle()
    drafts = [draft("x" * n) for n in range(1, 1000)]
    thread = threading.Thread(target=lambda: [hub.page_text(UPLOAD, 1, each) for each in drafts])
    thread.start()
    thread.join()
    await run_until_idle()
    clock.move(2)
    assert await listener.streamed == ["", "x" * 999]


async def test_the_first_words_of_a_page_do_not_overtake_the_end_of_the_one_before(
    hub: HubHarness, clock: Clock
) -> None:
    """All three come from the reader's thread before the loop takes the first."""
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    await run_until_idle()
    hub.page_text(UPLOAD, 1, draft("one"))
    hub.page_done(UPLOAD, 1, draft("one", done=True))
    hub.page_text(UPLOAD, 1, draft("two", 2))
    await listener.heard
    clock.move(2)
    assert (await listener.streamed)[-1] == "one\n\ntwo"
    assert "two" not in await listener.streamed


# ── how often ──


async def test_a_text_that_waits_goes_out_when_its_time_has_come_and_only_the_latest(
    hub: HubHarness, clock: Clock
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("x" * 100))
    assert (await listener.streamed)[-1] == "x" * 100
    for size in (101, 102, 103):
        hub.page_text(UPLOAD, 1, draft("x" * size))
        assert len((await listener.streamed)[-1]) == 100
    clock.move(0.99)
    assert len((await listener.streamed)[-1]) == 100
    clock.move(0.02)
    assert [len(text) for text in await listener.streamed] == [0, 100, 103]
    clock.move(100)
    assert len(await listener.streamed) == 3


async def test_a_text_that_grew_by_an_eighth_need_not_wait_for_the_second(
    hub: HubHarness, clock: Clock
) -> None:
    listener = await joined(hub, FakeConnection())
    hub.start_reading()
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("x" * 100))
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("x" * 101))
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("x" * 113))
    await listener.heard
    clock.move(0.11)
    assert [len(text) for text in await listener.streamed] == [0, 100, 113]


# ── its own life ──


async def test_after_stop_nothing_is_delivered(hub: HubHarness) -> None:
    listener = await joined(hub, FakeConnection())
    assert hub.on_change_committed in event_log._listeners
    await hub.stop()
    assert hub.on_change_committed not in event_log._listeners
    hub.end()
    hub.page_text(UPLOAD, 1, draft("x"))
    assert await listener.heard == []


async def test_a_revoked_token_s_socket_is_closed_and_its_neighbour_is_not(hub: HubHarness) -> None:
    hub.log.valid_from[OWNER] = 100.0
    hub.log.deactivated.add(OTHER)
    old, new, deactivated = (
        FakeConnection(issued_at=99.0),
        FakeConnection(issued_at=101.0),
        FakeConnection(owner=OTHER),
    )
    await joined(hub, old, new, deactivated)
    await hub._poll()
    assert [type(error) for error in old.closed] == [Unauthenticated]
    assert [type(error) for error in deactivated.closed] == [Unauthenticated]
    assert new.closed == []


async def test_of_more_users_than_one_look_asks_for_none_is_left_out(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "POLL_BATCH_USERS", 2)
    listeners = [FakeConnection(owner=uuid.uuid4()) for _ in range(5)]
    await joined(hub, *listeners)
    for listener in listeners:
        hub.commit(failed(), owner=listener.socket.owner_id)
    await hub._poll()
    assert [len(await listener.heard) for listener in listeners] == [1] * 5
    hub.log.deactivated.update(listener.socket.owner_id for listener in listeners)
    await hub._poll()
    assert [len(listener.closed) for listener in listeners] == [1] * 5


async def test_a_socket_that_joins_while_the_users_are_looked_up_stays(
    hub: HubHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = FakeConnection(owner=OTHER)

    async def slow(work: Callable[..., object], *args: object) -> object:
        result = work(*args)
        monkeypatch.undo()
        await joined(hub, late)
        return result

    await joined(hub, FakeConnection())
    with monkeypatch.context() as patch:
        patch.setattr(live_hub.executor, "run_short_query", slow)
        await hub._poll()
    assert late.closed == []


async def test_a_text_whose_beginning_the_database_did_not_tell_begins_with_what_is_said_next(
    hub: HubHarness, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listener = FakeConnection()
    await hub.join(listener.socket)
    taken = ReadingStarted(OWNER, UPLOAD, 2, 0, {1: "one"}, 3, 1)
    hub.log.reading[OWNER][UPLOAD] = taken

    def away(*_asked: object) -> ReadingStarted | None:
        raise DatabaseUnavailable

    told = hub.log.reading_state
    monkeypatch.setattr(hub.log, "reading_state", away)
    hub._on_message(taken, is_local=False)
    hub._on_message(PageTextUpdate(OWNER, UPLOAD, 2, PageSnapshot(2, 3, "tw")), is_local=False)
    assert await listener.streamed == []
    assert [record.levelname for record in caplog.records] == ["WARNING"], "no defect"
    monkeypatch.setattr(hub.log, "reading_state", told)
    hub._on_message(PageTextUpdate(OWNER, UPLOAD, 2, PageSnapshot(2, 3, "two")), is_local=False)
    assert await listener.streamed == ["one"], "what was done before, at once"
    clock.move(1.0)
    assert await listener.streamed == ["one", "one\n\ntwo"]
