"""Whoever reads hears of every end, over a real Redis, and goes on doing so when Redis has been away."""

from __future__ import annotations

import asyncio
import queue
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from backend_main.core.pubsub.messages import (
    SYSTEM_OWNER_ID,
    LogAdvanced,
    ReadingEnded,
    SubscriberJoined,
)
from backend_main.core.pubsub.reader_subscription import Endings
from backend_main.core.pubsub.redis import RedisPublisher, RedisPubSub
from tests.support.redis import Redis

PREFIX = "test:"
WAIT_SECONDS = 30.0


@pytest.fixture
def heard(redis_server: Redis) -> Iterator[queue.SimpleQueue[ReadingEnded | SubscriberJoined]]:
    over: queue.SimpleQueue[ReadingEnded | SubscriberJoined] = queue.SimpleQueue()
    endings = Endings(redis_server.url, PREFIX, over.put)
    endings.start()
    yield over
    endings.stop()


@pytest.fixture
def say(redis_server: Redis) -> Iterator[Callable[[ReadingEnded | LogAdvanced], None]]:
    publisher = RedisPublisher(redis_server.url, PREFIX)
    yield publisher.publish
    publisher.close()


def an_end() -> ReadingEnded:
    return ReadingEnded(uuid.uuid4(), uuid.uuid4(), 3)


def until_heard(
    say: Callable[[ReadingEnded], None], heard: queue.SimpleQueue[ReadingEnded | SubscriberJoined]
) -> None:
    """Says an end again and again: who does not listen yet has lost it."""
    over = an_end()
    for _ in range(round(WAIT_SECONDS / 0.05)):
        say(over)
        with suppress(queue.Empty):
            if heard.get(timeout=0.05) == over:
                return
    raise AssertionError("it was never heard")


def test_the_ends_of_all_users_are_heard_and_nothing_else(
    say: Callable[[ReadingEnded | LogAdvanced], None],
    heard: queue.SimpleQueue[ReadingEnded | SubscriberJoined],
) -> None:
    until_heard(say, heard)
    one, two = an_end(), an_end()
    say(one)
    say(LogAdvanced(one.owner_id, 4))
    say(two)
    said = [heard.get(timeout=WAIT_SECONDS)]
    while said[-1] != two:
        said.append(heard.get(timeout=WAIT_SECONDS))
    assert said[-2:] == [one, two]


def test_other_deployments_are_not_heard(
    redis_server: Redis,
    say: Callable[[ReadingEnded], None],
    heard: queue.SimpleQueue[ReadingEnded | SubscriberJoined],
) -> None:
    until_heard(say, heard)
    theirs, ours = an_end(), an_end()
    publisher = RedisPublisher(redis_server.url, "theirs:")
    publisher.send([theirs])
    publisher.close()
    say(ours)
    said = [heard.get(timeout=WAIT_SECONDS)]
    while said[-1] != ours:
        said.append(heard.get(timeout=WAIT_SECONDS))
    assert theirs not in said


async def test_who_begins_to_listen_to_a_user_asks_those_who_read_for_what_was_said(
    redis_server: Redis,
    say: Callable[[ReadingEnded], None],
    heard: queue.SimpleQueue[ReadingEnded | SubscriberJoined],
) -> None:
    await asyncio.to_thread(until_heard, say, heard)
    owner_id, bell = uuid.uuid4(), RedisPubSub(redis_server.url, PREFIX)
    bell.start(lambda item, local: None)
    for each in (SYSTEM_OWNER_ID, owner_id):
        bell.subscribe(each)
    while isinstance(said := await asyncio.to_thread(heard.get, timeout=WAIT_SECONDS), ReadingEnded):
        pass
    assert said == SubscriberJoined(owner_id)
    # Who comes back at once has forgotten all the same what was said.
    bell.unsubscribe(owner_id)
    bell.subscribe(owner_id)
    assert await asyncio.to_thread(heard.get, timeout=WAIT_SECONDS) == said
    await bell.stop()


@pytest.mark.parametrize("how", ["stopped", "cut"])
def test_a_connection_that_is_lost_is_made_again(
    how: str,
    redis_server: Redis,
    say: Callable[[ReadingEnded], None],
    heard: queue.SimpleQueue[ReadingEnded | SubscriberJoined],
) -> None:
    until_heard(say, heard)
    if how == "cut":
        redis_server.drop_connections()
    else:
        redis_server.stop()
        say(an_end())
        redis_server.start()
    until_heard(say, heard)
