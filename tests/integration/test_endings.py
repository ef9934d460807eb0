"""Whoever reads hears of every end, over a real Redis, and goes on doing so when Redis has been away."""

from __future__ import annotations

import asyncio
import queue
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from backend_main.core.bell import NOBODY, Listening, Over, Ring
from backend_main.core.endings import Endings
from backend_main.core.redis_bell import Publisher, RedisBell
from tests.support.redis import Redis

PREFIX = "test:"
WAIT_SECONDS = 30.0


@pytest.fixture
def heard(redis_server: Redis) -> Iterator[queue.SimpleQueue[Over | Listening]]:
    over: queue.SimpleQueue[Over | Listening] = queue.SimpleQueue()
    endings = Endings(redis_server.url, PREFIX, over.put)
    endings.start()
    yield over
    endings.stop()


@pytest.fixture
def say(redis_server: Redis) -> Iterator[Callable[[Over | Ring], None]]:
    publisher = Publisher(redis_server.url, PREFIX)
    yield publisher.say
    publisher.close()


def an_end() -> Over:
    return Over(uuid.uuid4(), uuid.uuid4(), 3)


def until_heard(say: Callable[[Over], None], heard: queue.SimpleQueue[Over | Listening]) -> None:
    """Says an end again and again: who does not listen yet has lost it."""
    over = an_end()
    for _ in range(round(WAIT_SECONDS / 0.05)):
        say(over)
        with suppress(queue.Empty):
            if heard.get(timeout=0.05) == over:
                return
    raise AssertionError("it was never heard")


def test_the_ends_of_all_users_are_heard_and_nothing_else(
    say: Callable[[Over | Ring], None], heard: queue.SimpleQueue[Over | Listening]
) -> None:
    until_heard(say, heard)
    one, two = an_end(), an_end()
    say(one)
    say(Ring(one.owner_id, 4))
    say(two)
    said = [heard.get(timeout=WAIT_SECONDS)]
    while said[-1] != two:
        said.append(heard.get(timeout=WAIT_SECONDS))
    assert said[-2:] == [one, two]


def test_other_deployments_are_not_heard(
    redis_server: Redis, say: Callable[[Over], None], heard: queue.SimpleQueue[Over | Listening]
) -> None:
    until_heard(say, heard)
    theirs, ours = an_end(), an_end()
    publisher = Publisher(redis_server.url, "theirs:")
    publisher.send([theirs])
    publisher.close()
    say(ours)
    said = [heard.get(timeout=WAIT_SECONDS)]
    while said[-1] != ours:
        said.append(heard.get(timeout=WAIT_SECONDS))
    assert theirs not in said


async def test_who_begins_to_listen_to_a_user_asks_those_who_read_for_what_was_said(
    redis_server: Redis, say: Callable[[Over], None], heard: queue.SimpleQueue[Over | Listening]
) -> None:
    await asyncio.to_thread(until_heard, say, heard)
    owner_id, bell = uuid.uuid4(), RedisBell(redis_server.url, PREFIX)
    bell.start(lambda item, local: None)
    for each in (NOBODY, owner_id):
        bell.follow(each)
    while isinstance(said := await asyncio.to_thread(heard.get, timeout=WAIT_SECONDS), Over):
        pass
    assert said == Listening(owner_id)
    # Who comes back at once has forgotten all the same what was said.
    bell.unfollow(owner_id)
    bell.follow(owner_id)
    assert await asyncio.to_thread(heard.get, timeout=WAIT_SECONDS) == said
    await bell.stop()


@pytest.mark.parametrize("how", ["stopped", "cut"])
def test_a_connection_that_is_lost_is_made_again(
    how: str, redis_server: Redis, say: Callable[[Over], None], heard: queue.SimpleQueue[Over | Listening]
) -> None:
    until_heard(say, heard)
    if how == "cut":
        redis_server.drop_connections()
    else:
        redis_server.stop()
        say(an_end())
        redis_server.start()
    until_heard(say, heard)
