"""Live text in the modes `pages` and `delta`: contents, order and frequency."""

from __future__ import annotations

import uuid
from itertools import pairwise
from typing import Any

import pytest

from backend_main.core.protocol.field_types import StreamName
from backend_main.core.protocol.messages import LinePosition
from tests.support.hub_harness import (
    OTHER,
    UPLOAD,
    Clock,
    FakeClient,
    HubHarness,
    join,
    page,
    run_until_idle,
)

Partial = dict[str, Any]
PLACE = LinePosition(((0, 0), (8, 0), (8, 9), (0, 9)), 8, 9)
EACH_PAGE_MODE = pytest.mark.parametrize("stream", ["pages", "delta"])


async def join_with_mode(hub: HubHarness, stream: StreamName, **of: Any) -> FakeClient:
    """Join, and opt in with a stream mode."""
    client = await join(hub, FakeClient(**of))
    await hub.set_stream_mode(client.connection, stream)
    return client


async def partials(client: FakeClient) -> list[Partial]:
    return [message for message in await client.received if message["status"] == "processing"]


async def page_states(client: FakeClient) -> list[tuple[int, str, bool]]:
    """Page, text and `done` of each partial."""
    return [(p["page"], p["streamed_text"], p.get("done", False)) for p in await partials(client)]


async def pages_of(client: FakeClient) -> dict[int, str]:
    """The pages that a client makes from all it received."""
    pages: dict[int, str] = {}
    for partial in await partials(client):
        text, offset = pages.get(partial["page"], ""), partial.get("offset", 0)
        assert offset in (0, len(text))
        pages[partial["page"]] = text[:offset] + partial["streamed_text"]
    return pages


def read_page(hub: HubHarness, number: int, text: str, *, count: int = 3, attempt: int = 1) -> None:
    """Publish a page from start to end, before the loop runs."""
    hub.page_text(UPLOAD, attempt, page("", number, page_count=count))
    hub.page_text(UPLOAD, attempt, page(text, number, page_count=count, line=PLACE))
    hub.page_done(UPLOAD, attempt, page(text, number, page_count=count, done=True))


# ── contents ──


@EACH_PAGE_MODE
async def test_start_of_a_reading_announces_its_first_page(hub: HubHarness, stream: StreamName) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("words"))
    start, *_ = await partials(client)
    expected = {"page": 1, "page_count": None, "streamed_text": "", "line": None}
    assert start.items() >= expected.items()
    assert start.get("offset") == (0 if stream == "delta" else None)
    assert "done" not in start


@EACH_PAGE_MODE
async def test_pages_do_not_replace_one_another(hub: HubHarness, clock: Clock, stream: StreamName) -> None:
    """A client that reads later gets each finished page, and no earlier text of it."""
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    for number in (1, 2, 3):
        read_page(hub, number, f"page {number}")
        await run_until_idle()
        clock.move(1)
    start, *rest = await page_states(client)
    assert start == (1, "", False)
    assert rest == [(n, f"page {n}", True) for n in (1, 2, 3)]


async def test_partial_has_the_position_of_the_newest_line(hub: HubHarness) -> None:
    client = await join_with_mode(hub, "pages")
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("words", line=PLACE))
    last = (await partials(client))[-1]
    assert last["line"] == {"box": [[0, 0], [8, 0], [8, 9], [0, 9]], "width": 8, "height": 9}


async def test_deltas_add_up_without_repeating_text(hub: HubHarness, clock: Clock) -> None:
    client = await join_with_mode(hub, "delta")
    hub.start_reading()
    text = ""
    for number in range(40):
        text += f"line {number}\n"
        hub.page_text(UPLOAD, 1, page(text))
        await client.received
        clock.move(0.2)
    hub.page_done(UPLOAD, 1, page(text, done=True))
    assert await pages_of(client) == {1: text}
    assert "".join(added for _, added, _ in await page_states(client)) == text
    assert 5 < len(await page_states(client)) < 20


async def test_unread_deltas_of_a_slow_client_are_merged(hub: HubHarness, clock: Clock) -> None:
    client = await join_with_mode(hub, "delta")
    hub.start_reading()
    for size in range(1, 200):
        hub.page_text(UPLOAD, 1, page("x" * size))
        await run_until_idle()
        clock.move(0.1)
    clock.move(2)
    assert len(client.send_queue._entries) == 2
    assert await pages_of(client) == {1: "x" * 199}


@EACH_PAGE_MODE
async def test_connection_that_follows_another_upload_gets_nothing(
    hub: HubHarness, stream: StreamName
) -> None:
    another, foreign = (
        await join_with_mode(hub, stream, upload_id=uuid.uuid4()),
        await join_with_mode(hub, stream, owner=OTHER),
    )
    hub.start_reading()
    read_page(hub, 1, "one")
    assert await another.received == []
    assert await foreign.received == []


@EACH_PAGE_MODE
async def test_nothing_follows_the_end_even_if_pages_are_unsent(
    hub: HubHarness, clock: Clock, stream: StreamName
) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    for number in (1, 2):
        read_page(hub, number, "text")
    hub.page_text(UPLOAD, 1, page("not due", 3))
    await run_until_idle()
    hub.end()
    read_page(hub, 3, "too late")
    await run_until_idle()
    clock.move(100)
    assert [m["status"] for m in await client.received] == ["processing", "error"]


async def test_message_is_encoded_once_for_each_stream_mode(hub: HubHarness, encoded: list[object]) -> None:
    streams: list[StreamName] = ["full", "pages", "delta"]
    clients = [await join_with_mode(hub, stream) for stream in streams for _ in range(20)]
    hub.start_reading()
    for client in clients:
        await client.received
    assert len(encoded) == 3
    hub.page_text(UPLOAD, 1, page("text"))
    for client in clients:
        await client.received
    assert len(encoded) == 6


# ── late connections ──


@EACH_PAGE_MODE
async def test_opt_in_during_a_reading_sends_all_pages_then_the_current_one(
    hub: HubHarness, clock: Clock, stream: StreamName
) -> None:
    hub.start_reading()
    read_page(hub, 1, "one")
    read_page(hub, 2, "two")
    await run_until_idle()
    clock.move(1)
    hub.page_text(UPLOAD, 1, page("thr", 3))
    await run_until_idle()
    client = await join_with_mode(hub, stream)
    assert await page_states(client) == [(1, "one", True), (2, "two", True), (3, "thr", False)]
    hub.page_done(UPLOAD, 1, page("three", 3, done=True))
    assert await pages_of(client) == {1: "one", 2: "two", 3: "three"}


async def test_delta_continues_from_the_text_that_a_late_connection_got(
    hub: HubHarness, clock: Clock
) -> None:
    """Throttled text is in the next delta only."""
    early = await join_with_mode(hub, "delta")
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("x" * 100))
    await run_until_idle()
    hub.page_text(UPLOAD, 1, page("x" * 101))
    await run_until_idle()
    late = await join_with_mode(hub, "delta")
    assert await pages_of(late) == {1: "x" * 100}
    clock.move(2)
    assert await pages_of(late) == await pages_of(early) == {1: "x" * 101}


async def test_pages_for_a_hundred_late_connections_are_encoded_once(
    hub: HubHarness, encoded: list[object]
) -> None:
    hub.start_reading()
    read_page(hub, 1, "one")
    read_page(hub, 2, "two")
    await run_until_idle()
    for client in [await join_with_mode(hub, "pages") for _ in range(100)]:
        await client.received
    assert len(encoded) == 2


async def test_change_of_mode_replaces_unsent_partials(hub: HubHarness) -> None:
    hub.start_reading(1, "one")
    await run_until_idle()
    client = await join(hub, FakeClient())
    await hub.set_stream_mode(client.connection, "delta")
    await hub.set_stream_mode(client.connection, "full")
    await hub.set_stream_mode(client.connection, "pages")
    assert await page_states(client) == [(1, "one", True), (2, "", False)]


async def test_set_stream_mode_to_the_present_mode_sends_nothing(hub: HubHarness) -> None:
    hub.start_reading(1, "one")
    await run_until_idle()
    client = await join_with_mode(hub, "pages")
    await client.received
    await hub.set_stream_mode(client.connection, "pages")
    assert len(await page_states(client)) == 2


@pytest.mark.parametrize("stream", ["full", "pages", "delta"])
async def test_resync_sends_all_the_text_again(hub: HubHarness, stream: StreamName) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    read_page(hub, 1, "one")
    hub.page_text(UPLOAD, 1, page("tw", 2))
    await client.received
    before = len(client.texts)
    hub.resync(client.connection, UPLOAD)
    hub.resync(client.connection, uuid.uuid4())
    repeated = (await client.received)[before:]
    if stream == "full":
        assert [m["streamed_text"] for m in repeated] == ["one\n\ntw"]
    else:
        # The second page's text is not due.
        assert [(m["page"], m["streamed_text"], m.get("offset", 0)) for m in repeated] == [(1, "one", 0)]


async def test_resync_of_an_upload_not_followed_sends_nothing(hub: HubHarness) -> None:
    hub.start_reading(1, "one")
    await run_until_idle()
    another, foreign = FakeClient(upload_id=uuid.uuid4()), FakeClient(owner=OTHER)
    await join(hub, another, foreign)
    for client in (another, foreign):
        hub.resync(client.connection, UPLOAD)
        assert await client.received == []


# ── further claims ──


@EACH_PAGE_MODE
async def test_further_claim_announces_the_next_page_and_repeats_none(
    hub: HubHarness, clock: Clock, stream: StreamName
) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    read_page(hub, 1, "one")
    assert len(await page_states(client)) == 2
    hub.start_reading(2, "one", page_count=3)
    assert await page_states(client) == [(1, "", False), (1, "one", True), (2, "", False)]


@EACH_PAGE_MODE
async def test_further_claim_keeps_an_unsent_finished_page(hub: HubHarness, stream: StreamName) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    read_page(hub, 1, "one")
    await run_until_idle()
    hub.start_reading(2, "one", page_count=3)
    read_page(hub, 2, "two", attempt=2)
    assert await pages_of(client) == {1: "one", 2: "two"}


@EACH_PAGE_MODE
async def test_restarted_page_is_empty_first_and_its_unsent_text_is_dropped(
    hub: HubHarness, clock: Clock, stream: StreamName
) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading()
    await client.received
    hub.page_text(UPLOAD, 1, page("lost with its reader"))
    await run_until_idle()
    hub.start_reading(2)
    await run_until_idle()
    clock.move(1)
    hub.page_text(UPLOAD, 2, page("fresh"))
    assert await page_states(client) == [(1, "", False), (1, "", False), (1, "fresh", False)]


@EACH_PAGE_MODE
async def test_start_of_a_reading_sends_pages_finished_before_a_restart(
    hub: HubHarness, stream: StreamName
) -> None:
    client = await join_with_mode(hub, stream)
    hub.start_reading(4, "one", "two", page_count=3)
    assert await page_states(client) == [(1, "one", True), (2, "two", True), (3, "", False)]
    assert {p["page_count"] for p in await partials(client)} == {3}


# ── throttle ──


async def test_pages_are_sent_at_most_ten_times_a_second_as_they_grow(hub: HubHarness, clock: Clock) -> None:
    client = await join_with_mode(hub, "pages")
    hub.start_reading()
    times: list[float] = []
    for size in range(0, 4000, 20):
        hub.page_text(UPLOAD, 1, page("x" * size, page_count=1))
        before = len(client.texts)
        await client.received
        times += [clock.now] * (len(client.texts) - before)
        clock.move(0.02)
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(times[1:]))
    assert 15 < len(times) < 40


async def test_delta_carries_several_lines(hub: HubHarness, clock: Clock) -> None:
    client, pages = await join_with_mode(hub, "delta"), await join_with_mode(hub, "pages")
    hub.start_reading()
    await client.received
    hub.page_text(UPLOAD, 1, page("", page_count=1))
    text = ""
    for _ in range(30):
        text += "x" * 30 + "\n"
        await client.received
        hub.page_text(UPLOAD, 1, page(text, page_count=1))
        await client.received
        await pages.received
        clock.move(0.05)
    hub.page_done(UPLOAD, 1, page(text, done=True))
    assert [len(added) for _, added, _ in await page_states(client)] == [0, 31, 465, 434]
    assert len(await page_states(pages)) > 10


async def test_growth_of_a_page_is_measured_apart_from_the_document(hub: HubHarness, clock: Clock) -> None:
    """Little growth of the document can be great growth of a page."""
    full, pages = await join_with_mode(hub, "full"), await join_with_mode(hub, "pages")
    hub.start_reading(1, "x" * 10_000)
    await full.received
    clock.move(1)
    hub.page_text(UPLOAD, 1, page("a", 2))
    assert (await page_states(pages))[-1] == (2, "a", False)
    await full.received
    clock.move(0.1)
    hub.page_text(UPLOAD, 1, page("a few", 2))
    assert (await page_states(pages))[-1] == (2, "a few", False)
    assert "a few" not in str(await full.received)


async def test_end_of_a_page_is_not_throttled(hub: HubHarness) -> None:
    client = await join_with_mode(hub, "pages")
    hub.start_reading()
    hub.page_text(UPLOAD, 1, page("x" * 100))
    await client.received
    hub.page_done(UPLOAD, 1, page("x" * 101, done=True))
    assert (await page_states(client))[-1] == (1, "x" * 101, True)
