"""RedisPubSub on a silent connection, and the queue of its publisher. Integration tests use a real Redis."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from backend_main.core.pubsub.messages import (
    JobsAvailable,
    LogAdvanced,
    PageState,
    PageTextUpdate,
    SubscriberJoined,
)
from backend_main.core.pubsub.redis import CoalescingQueue, RedisPubSub

PONG = {"type": "pong", "data": b""}


class QuietConnection:
    """Returns the given messages, then none. Each None is one idle interval."""

    def __init__(self, *messages: dict[str, Any] | None) -> None:
        self._messages = itertools.chain(messages, itertools.repeat(None))
        self.pings = 0

    async def get_message(self, timeout: float) -> dict[str, Any] | None:
        return next(self._messages)

    async def ping(self) -> None:
        self.pings += 1


@pytest.mark.parametrize(
    ("messages", "pings"), [((), 1), ((None, PONG), 2), ((None, PONG, None, PONG), 3), ((PONG, None), 1)]
)
async def test_receive_from_silent_connection_fails_after_an_unanswered_ping(
    messages: tuple[dict[str, Any] | None, ...], pings: int
) -> None:
    connection = QuietConnection(*messages)
    with pytest.raises(ConnectionError, match="did not answer a ping"):
        await RedisPubSub("redis://127.0.0.1:1/0", "here:")._receive_messages(connection)
    assert connection.pings == pings


# ── the publisher's queue ──

OWNER, UPLOAD = uuid.uuid4(), uuid.uuid4()


def text(text: str, number: int = 1, attempt: int = 1) -> PageTextUpdate:
    return PageTextUpdate(OWNER, UPLOAD, attempt, PageState(number, text=text))


def test_coalescing_queue_keeps_the_newest_text_of_each_page_at_the_oldest_s_place() -> None:
    queue = CoalescingQueue()
    for message in (text("a"), text("b", 2), text("ab"), text("stale", attempt=2), text("abc")):
        queue.put(message)
    assert queue.pop_all() == [text("abc"), text("b", 2), text("stale", attempt=2)]
    assert queue.pop_all() == []


def test_coalescing_queue_keeps_the_highest_seq_of_each_user() -> None:
    queue, other = CoalescingQueue(), uuid.uuid4()
    for message in (LogAdvanced(OWNER, 2), LogAdvanced(other, 1), LogAdvanced(OWNER, 1)):
        queue.put(message)
    assert queue.pop_all() == [LogAdvanced(OWNER, 2), LogAdvanced(other, 1)]


def test_coalescing_queue_keeps_one_message_for_all_jobs_and_one_for_each_joined_user() -> None:
    queue, other = CoalescingQueue(), uuid.uuid4()
    for message in (JobsAvailable(), SubscriberJoined(OWNER), SubscriberJoined(other), JobsAvailable()):
        queue.put(message)
    assert queue.pop_all() == [JobsAvailable(), SubscriberJoined(OWNER), SubscriberJoined(other)]


def test_coalescing_queue_put_says_whether_the_queue_was_empty() -> None:
    queue = CoalescingQueue()
    assert [queue.put(JobsAvailable()), queue.put(JobsAvailable())] == [True, False]
    queue.pop_all()
    assert queue.put(JobsAvailable())
