"""The hub and sockets that want pages, or deltas: what they get, in which order, and how often."""

from __future__ import annotations

import uuid
from itertools import pairwise
from typing import Any

import pytest

from backend_main.core.protocol.messages import LinePosition, Stream
from tests.support.hub_harness import (
    OTHER,
    UPLOAD,
    Clock,
    FakeConnection,
    HubHarness,
    draft,
    joined,
    run_until_idle,
)

Partial = dict[str, Any]
PLACE = LinePosition(((0, 0), (8, 0), (8, 9), (0, 9)), 8, 9)
EACH_STREAM = pytest.mark.parametrize("stream", ["pages", "delta"])


async def following(hub: HubHarness, stream: Stream, **of: Any) -> FakeConnection:
    """A socket that has joined and opted in."""
    listener = await joined(hub, FakeConnection(**of))
    await hub.set_stream_mode(listener.socket, stream)
    return listener


async def partials(listener: FakeConnection) -> list[Partial]:
    return [message for message in await listener.heard if message["status"] == "processing"]


async def told(listener: FakeConnection) -> list[tuple[int, str, bool]]:
    """Page, text and whether it is done, of each partial."""
    return [(p["page"], p["streamed_text"], p.get("done", False)) for p in await partials(listener)]


async def pages_of(listener: FakeConnection) -> dict[int, str]:
    """The pages that a client has made up from all it heard."""
    pages: dict[int, str] = {}
    for partial in await partials(listener):
        text, offset = pages.get(partial["page"], ""), partial.get("offset", 0)
        assert offset in (0, len(text))
        pages[partial["page"]] = text[:offset] + partial["streamed_text"]
    return pages


def read_page(hub: HubHarness, number: int, text: str, *, count: int = 3, attempt: int = 1) -> None:
    """A page from its start to its end, faster than the loop looks."""
    hub.page_text(UPLOAD, attempt, draft("", number, page_count=count))
    hub.page_text(UPLOAD, attempt, draft(text, number, page_count=count, line=PLACE))
    hub.page_done(UPLOAD, attempt, draft(text, number, page_count=count, done=True))


# ── what they get ──


@EACH_STREAM
async def test_a_reader_that_takes_it_says_which_page_comes_first(hub: HubHarness, stream: Stream) -> None:
    listener = await following(hub, stream)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("words"))
    start, *_ = await partials(listener)
    expected = {"page": 1, "page_count": None, "streamed_text": "", "line": None}
    assert start.items() >= expected.items()
    assert start.get("offset") == (0 if stream == "delta" else None)
    assert "done" not in start


@EACH_STREAM
async def test_pages_do_not_take_one_another_s_place(hub: HubHarness, clock: Clock, stream: Stream) -> None:
    """A client that reads nothing meanwhile has every page afterwards, and of each the end alone."""
    listener = await following(hub, stream)
    hub.start_reading()
    for number in (1, 2, 3):
        read_page(hub, number, f"page {number}")
        await run_until_idle()
        clock.move(1)
    start, *rest = await told(listener)
    assert start == (1, "", False)
    assert rest == [(n, f"page {n}", True) for n in (1, 2, 3)]


async def test_the_newest_line_s_place_comes_with_its_page(hub: HubHarness) -> None:
    listener = await following(hub, "pages")
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("words", line=PLACE))
    last = (await partials(listener))[-1]
    assert last["line"] == {"box": [[0, 0], [8, 0], [8, 9], [0, 9]], "width": 8, "height": 9}


async def test_deltas_add_up_and_say_no_word_twice(hub: HubHarness, clock: Clock) -> None:
    listener = await following(hub, "delta")
    hub.start_reading()
    text = ""
    for number in range(40):
        text += f"line {number}\n"
        hub.page_text(UPLOAD, 1, draft(text))
        await listener.heard
        clock.move(0.2)
    hub.page_done(UPLOAD, 1, draft(text, done=True))
    assert await pages_of(listener) == {1: text}
    assert "".join(added for _, added, _ in await told(listener)) == text
    assert 5 < len(await told(listener)) < 20


async def test_deltas_that_a_slow_client_has_not_read_are_one(hub: HubHarness, clock: Clock) -> None:
    listener = await following(hub, "delta")
    hub.start_reading()
    for size in range(1, 200):
        hub.page_text(UPLOAD, 1, draft("x" * size))
        await run_until_idle()
        clock.move(0.1)
    clock.move(2)
    assert len(listener.outbox._entries) == 2
    assert await pages_of(listener) == {1: "x" * 199}


@EACH_STREAM
async def test_a_socket_on_another_upload_hears_nothing(hub: HubHarness, stream: Stream) -> None:
    another, foreign = (
        await following(hub, stream, upload_id=uuid.uuid4()),
        await following(hub, stream, owner=OTHER),
    )
    hub.start_reading()
    read_page(hub, 1, "one")
    assert await another.heard == []
    assert await foreign.heard == []


@EACH_STREAM
async def test_nothing_follows_the_end_however_many_pages_wait(
    hub: HubHarness, clock: Clock, stream: Stream
) -> None:
    listener = await following(hub, stream)
    hub.start_reading()
    for number in (1, 2):
        read_page(hub, number, "text")
    hub.page_text(UPLOAD, 1, draft("waits for its time", 3))
    await run_until_idle()
    hub.end()
    read_page(hub, 3, "too late")
    await run_until_idle()
    clock.move(100)
    assert [m["status"] for m in await listener.heard] == ["processing", "error"]


async def test_each_message_is_encoded_once_for_each_stream(hub: HubHarness, encoded: list[object]) -> None:
    streams: list[Stream] = ["full", "pages", "delta"]
    listeners = [await following(hub, stream) for stream in streams for _ in range(20)]
    hub.start_reading()
    for listener in listeners:
        await listener.heard
    assert len(encoded) == 3
    hub.page_text(UPLOAD, 1, draft("text"))
    for listener in listeners:
        await listener.heard
    assert len(encoded) == 6


# ── those who come later ──


@EACH_STREAM
async def test_who_opts_in_in_the_middle_gets_every_page_so_far_then_the_current_one(
    hub: HubHarness, clock: Clock, stream: Stream
) -> None:
    hub.start_reading()
    read_page(hub, 1, "one")
    read_page(hub, 2, "two")
    await run_until_idle()
    clock.move(1)
    hub.page_text(UPLOAD, 1, draft("thr", 3))
    await run_until_idle()
    listener = await following(hub, stream)
    assert await told(listener) == [(1, "one", True), (2, "two", True), (3, "thr", False)]
    hub.page_done(UPLOAD, 1, draft("three", 3, done=True))
    assert await pages_of(listener) == {1: "one", 2: "two", 3: "three"}


async def test_a_delta_goes_on_from_what_a_late_comer_was_given(hub: HubHarness, clock: Clock) -> None:
    """Text that waits for its time is in the next delta, and in nothing that comes before it."""
    early = await following(hub, "delta")
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("x" * 100))
    await run_until_idle()
    hub.page_text(UPLOAD, 1, draft("x" * 101))
    await run_until_idle()
    late = await following(hub, "delta")
    assert await pages_of(late) == {1: "x" * 100}
    clock.move(2)
    assert await pages_of(late) == await pages_of(early) == {1: "x" * 101}


async def test_pages_that_a_hundred_late_comers_get_are_encoded_once(
    hub: HubHarness, encoded: list[object]
) -> None:
    hub.start_reading()
    read_page(hub, 1, "one")
    read_page(hub, 2, "two")
    await run_until_idle()
    for listener in [await following(hub, "pages") for _ in range(100)]:
        await listener.heard
    assert len(encoded) == 2


async def test_another_stream_takes_the_place_of_what_waits_in_the_first(hub: HubHarness) -> None:
    hub.start_reading(1, "one")
    await run_until_idle()
    listener = await joined(hub, FakeConnection())
    await hub.set_stream_mode(listener.socket, "delta")
    await hub.set_stream_mode(listener.socket, "full")
    await hub.set_stream_mode(listener.socket, "pages")
    assert await told(listener) == [(1, "one", True), (2, "", False)]


async def test_the_same_stream_once_more_brings_nothing(hub: HubHarness) -> None:
    hub.start_reading(1, "one")
    await run_until_idle()
    listener = await following(hub, "pages")
    await listener.heard
    await hub.set_stream_mode(listener.socket, "pages")
    assert len(await told(listener)) == 2


@pytest.mark.parametrize("stream", ["full", "pages", "delta"])
async def test_resync_brings_all_there_is_once_more(hub: HubHarness, stream: Stream) -> None:
    listener = await following(hub, stream)
    hub.start_reading()
    read_page(hub, 1, "one")
    hub.page_text(UPLOAD, 1, draft("tw", 2))
    await listener.heard
    before = len(listener.texts)
    hub.resync(listener.socket, UPLOAD)
    hub.resync(listener.socket, uuid.uuid4())
    again = (await listener.heard)[before:]
    if stream == "full":
        assert [m["streamed_text"] for m in again] == ["one\n\ntw"]
    else:
        # The second page's words wait for their time yet.
        assert [(m["page"], m["streamed_text"], m.get("offset", 0)) for m in again] == [(1, "one", 0)]


async def test_resync_of_what_is_followed_on_another_socket_brings_nothing(hub: HubHarness) -> None:
    hub.start_reading(1, "one")
    await run_until_idle()
    another, foreign = FakeConnection(upload_id=uuid.uuid4()), FakeConnection(owner=OTHER)
    await joined(hub, another, foreign)
    for listener in (another, foreign):
        hub.resync(listener.socket, UPLOAD)
        assert await listener.heard == []


# ── another turn, another attempt ──


@EACH_STREAM
async def test_another_turn_of_a_reading_says_the_next_page_and_no_page_again(
    hub: HubHarness, clock: Clock, stream: Stream
) -> None:
    listener = await following(hub, stream)
    hub.start_reading()
    read_page(hub, 1, "one")
    assert len(await told(listener)) == 2
    hub.start_reading(2, "one", page_count=3)
    assert await told(listener) == [(1, "", False), (1, "one", True), (2, "", False)]


@EACH_STREAM
async def test_a_done_page_still_unread_is_not_lost_by_another_turn(hub: HubHarness, stream: Stream) -> None:
    listener = await following(hub, stream)
    hub.start_reading()
    read_page(hub, 1, "one")
    await run_until_idle()
    hub.start_reading(2, "one", page_count=3)
    read_page(hub, 2, "two", attempt=2)
    assert await pages_of(listener) == {1: "one", 2: "two"}


@EACH_STREAM
async def test_a_page_begun_anew_is_empty_first_and_what_waited_of_it_is_gone(
    hub: HubHarness, clock: Clock, stream: Stream
) -> None:
    listener = await following(hub, stream)
    hub.start_reading()
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("lost with its reader"))
    await run_until_idle()
    hub.start_reading(2)
    await run_until_idle()
    clock.move(1)
    hub.page_text(UPLOAD, 2, draft("fresh"))
    assert await told(listener) == [(1, "", False), (1, "", False), (1, "fresh", False)]


@EACH_STREAM
async def test_pages_of_before_a_restart_are_told_when_a_reader_goes_on(
    hub: HubHarness, stream: Stream
) -> None:
    listener = await following(hub, stream)
    hub.start_reading(4, "one", "two", page_count=3)
    assert await told(listener) == [(1, "one", True), (2, "two", True), (3, "", False)]
    assert {p["page_count"] for p in await partials(listener)} == {3}


# ── how often ──


async def test_a_page_comes_ten_times_a_second_at_most_and_as_it_grows(hub: HubHarness, clock: Clock) -> None:
    listener = await following(hub, "pages")
    hub.start_reading()
    times: list[float] = []
    for size in range(0, 4000, 20):
        hub.page_text(UPLOAD, 1, draft("x" * size, page_count=1))
        before = len(listener.texts)
        await listener.heard
        times += [clock.now] * (len(listener.texts) - before)
        clock.move(0.02)
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times[1:]))
    assert 15 < len(times) < 40


async def test_a_delta_is_some_lines_as_what_stands_around_one_would_be_most_of_it(
    hub: HubHarness, clock: Clock
) -> None:
    listener, pages = await following(hub, "delta"), await following(hub, "pages")
    hub.start_reading()
    await listener.heard
    hub.page_text(UPLOAD, 1, draft("", page_count=1))
    text = ""
    for _ in range(30):
        text += "x" * 30 + "\n"
        await listener.heard
        hub.page_text(UPLOAD, 1, draft(text, page_count=1))
        await listener.heard
        await pages.heard
        clock.move(0.05)
    hub.page_done(UPLOAD, 1, draft(text, done=True))
    assert [len(added) for _, added, _ in await told(listener)] == [0, 31, 465, 434]
    assert len(await told(pages)) > 10


async def test_a_page_s_growth_is_its_own_however_long_the_document(hub: HubHarness, clock: Clock) -> None:
    """The same words that `full` holds back are a great deal on a new page."""
    full, pages = await following(hub, "full"), await following(hub, "pages")
    hub.start_reading(1, "x" * 10_000)
    await full.heard
    clock.move(1)
    hub.page_text(UPLOAD, 1, draft("a", 2))
    assert (await told(pages))[-1] == (2, "a", False)
    await full.heard
    clock.move(0.1)
    hub.page_text(UPLOAD, 1, draft("a few", 2))
    assert (await told(pages))[-1] == (2, "a few", False)
    assert "a few" not in str(await full.heard)


async def test_the_end_of_a_page_does_not_wait(hub: HubHarness) -> None:
    listener = await following(hub, "pages")
    hub.start_reading()
    hub.page_text(UPLOAD, 1, draft("x" * 100))
    await listener.heard
    hub.page_done(UPLOAD, 1, draft("x" * 101, done=True))
    assert (await told(listener))[-1] == (1, "x" * 101, True)
