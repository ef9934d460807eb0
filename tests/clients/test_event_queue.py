"""Event queues of consumers that may be slow."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Deleted, Event, Finished, Progress, ServerUnreachable, Snapshot, Updated
from scanrill_client.event_queue import EventQueue

from tests.clients.sample_messages import instance

UPLOADS = st.sampled_from(["u", "v"])


def progress(upload_id: str, page: int, text: str) -> Progress:
    return Progress(id=upload_id, page=page, page_count=None, page_text=text, pages=(text,))


progress_events = st.builds(progress, UPLOADS, st.integers(1, 3), st.text(max_size=3))
durable_events = (
    st.builds(lambda key: Finished(id=key, status="processed"), UPLOADS)
    | st.builds(lambda key: Updated(instance=instance(key)), UPLOADS)
    | st.builds(lambda key: Deleted(instance=instance(key)), UPLOADS)
    | st.just(Snapshot(uploads=()))
)


async def close_and_drain(queue: EventQueue) -> list[Event]:
    queue.close()
    return [event async for event in queue]


def without_progress(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Progress)]


def pages_between_durable_events(events: list[Event], key: str) -> list[dict[int | None, str]]:
    """Return the last text of each page of an upload, between one durable event and the next."""
    found: list[dict[int | None, str]] = [{}]
    for event in events:
        if isinstance(event, Progress):
            if event.id == key:
                found[-1][event.page] = event.page_text
        elif event.upload_id in (None, key):
            found.append({})
    return found


@given(st.lists(progress_events | durable_events))
def test_event_queue_keeps_durable_events_and_the_last_progress_of_each_page(
    events: list[Event],
) -> None:
    queue = EventQueue()
    for event in events:
        queue.put(event)
    read = asyncio.run(close_and_drain(queue))
    assert without_progress(read) == without_progress(events)
    for key in ("u", "v"):
        assert pages_between_durable_events(read, key) == pages_between_durable_events(events, key)
    assert len(read) <= len(events)


@given(st.lists(progress_events | durable_events))
def test_event_queue_filter_keeps_one_upload_and_snapshots(events: list[Event]) -> None:
    queue = EventQueue()
    for event in events:
        queue.put(event)
    queue.filter_to("u")
    queue.put(progress("v", 1, "no"))
    assert {event.upload_id for event in asyncio.run(close_and_drain(queue))} <= {"u", None}


async def test_event_queue_merges_waiting_progress_events_of_a_page() -> None:
    queue = EventQueue()
    for number in range(1000):
        queue.put(progress("u", 1, str(number)))
    [event] = await close_and_drain(queue)
    assert isinstance(event, Progress)
    assert event.page_text == "999"


async def test_event_queue_merges_progress_after_an_earlier_one_was_consumed() -> None:
    queue = EventQueue()
    for event in (progress("u", 1, "a"), Finished(id="u", status="error"), progress("u", 1, "b")):
        queue.put(event)
    await anext(queue)
    queue.put(progress("u", 1, "c"))
    assert len(await close_and_drain(queue)) == 2


async def test_event_queue_put_wakes_a_waiting_consumer() -> None:
    queue = EventQueue()
    reading = asyncio.create_task(anext(queue))
    await asyncio.sleep(0)
    queue.put(Snapshot(uploads=()))
    assert await reading == Snapshot(uploads=())


async def test_event_queue_close_raises_after_the_waiting_events() -> None:
    queue = EventQueue()
    queue.put(Snapshot(uploads=()))
    queue.close(ServerUnreachable())
    assert isinstance(await anext(queue), Snapshot)
    for _ in range(2):
        with pytest.raises(ServerUnreachable):
            await anext(queue)
