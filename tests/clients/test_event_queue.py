"""Events on their way to a reader who may be slow."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Deleted, Event, Finished, Progress, ServerUnreachable, Snapshot, Updated
from scanrill_client.event_queue import EventQueue

from tests.clients.sample_messages import instance

UPLOADS = st.sampled_from(["u", "v"])


def draft(upload_id: str, page: int, text: str) -> Progress:
    return Progress(id=upload_id, page=page, page_count=None, page_text=text, pages=(text,))


drafts = st.builds(draft, UPLOADS, st.integers(1, 3), st.text(max_size=3))
lasting = (
    st.builds(lambda key: Finished(id=key, status="processed"), UPLOADS)
    | st.builds(lambda key: Updated(instance=instance(key)), UPLOADS)
    | st.builds(lambda key: Deleted(instance=instance(key)), UPLOADS)
    | st.just(Snapshot(uploads=()))
)


async def all_of(feed: EventQueue) -> list[Event]:
    feed.end()
    return [event async for event in feed]


def without_drafts(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Progress)]


def blocks(events: list[Event], key: str) -> list[dict[int | None, str]]:
    """What an upload's pages are, last, between one lasting event and the next."""
    found: list[dict[int | None, str]] = [{}]
    for event in events:
        if isinstance(event, Progress):
            if event.id == key:
                found[-1][event.page] = event.page_text
        elif event.upload_id in (None, key):
            found.append({})
    return found


@given(st.lists(drafts | lasting))
def test_a_slow_reader_gets_all_that_lasts_in_order_and_the_last_draft_of_each_page(
    events: list[Event],
) -> None:
    feed = EventQueue()
    for event in events:
        feed.put(event)
    read = asyncio.run(all_of(feed))
    assert [e for e in read if not isinstance(e, Progress)] == [
        e for e in events if not isinstance(e, Progress)
    ]
    for key in ("u", "v"):
        assert blocks(read, key) == blocks(events, key)
    assert len(read) <= len(events)


@given(st.lists(drafts | lasting))
def test_one_upload_alone_is_heard_with_what_is_about_all(events: list[Event]) -> None:
    feed = EventQueue()
    for event in events:
        feed.put(event)
    feed.only("u")
    feed.put(draft("v", 1, "no"))
    assert {event.upload_id for event in asyncio.run(all_of(feed))} <= {"u", None}


async def test_of_many_drafts_that_wait_one_is_left() -> None:
    feed = EventQueue()
    for number in range(1000):
        feed.put(draft("u", 1, str(number)))
    [event] = await all_of(feed)
    assert isinstance(event, Progress)
    assert event.page_text == "999"


async def test_a_draft_that_was_read_does_not_part_the_next_one_from_those_that_follow_it() -> None:
    feed = EventQueue()
    for event in (draft("u", 1, "a"), Finished(id="u", status="error"), draft("u", 1, "b")):
        feed.put(event)
    await anext(feed)
    feed.put(draft("u", 1, "c"))
    assert len(await all_of(feed)) == 2


async def test_a_reader_that_waits_is_woken() -> None:
    feed = EventQueue()
    reading = asyncio.create_task(anext(feed))
    await asyncio.sleep(0)
    feed.put(Snapshot(uploads=()))
    assert await reading == Snapshot(uploads=())


async def test_what_came_before_the_end_is_read_before_the_error() -> None:
    feed = EventQueue()
    feed.put(Snapshot(uploads=()))
    feed.end(ServerUnreachable())
    assert isinstance(await anext(feed), Snapshot)
    for _ in range(2):
        with pytest.raises(ServerUnreachable):
            await anext(feed)
