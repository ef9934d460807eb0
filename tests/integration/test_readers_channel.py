"""The readers' channel over a real Redis: a process that reads receives every end, also after an outage."""

from __future__ import annotations

import asyncio
import queue
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from backend_main.core.pubsub.messages import (
    READERS_CHANNEL,
    AnySharedMessage,
    LogAdvanced,
    PossibleGap,
    ReadingEnded,
    SubscriberJoined,
)
from backend_main.core.pubsub.redis import BackgroundPubSub, RedisPublisher, RedisPubSub
from tests.support.redis import Redis

PREFIX = "test:"
WAIT_SECONDS = 30.0

Received = queue.SimpleQueue[AnySharedMessage]
Publish = Callable[[ReadingEnded | LogAdvanced], None]


@pytest.fixture
def received(redis_server: Redis) -> Iterator[Received]:
    """The messages that a worker's pub/sub receives."""
    messages: Received = queue.SimpleQueue()

    def on_message(message: AnySharedMessage | PossibleGap) -> None:
        if not isinstance(message, PossibleGap):
            messages.put(message)

    pubsub = BackgroundPubSub(RedisPubSub(redis_server.url, PREFIX))
    pubsub.start()
    pubsub.listen(READERS_CHANNEL, on_message)
    yield messages
    pubsub.stop()


@pytest.fixture
def publish(redis_server: Redis) -> Iterator[Publish]:
    """Publishes as another process does."""
    publisher = RedisPublisher(redis_server.url, PREFIX)
    yield publisher.publish
    publisher.close()


def new_end() -> ReadingEnded:
    return ReadingEnded(uuid.uuid4(), uuid.uuid4(), 3)


def wait_until_subscribed(publish: Publish, received: Received) -> None:
    """Publish an end until it arrives: one that comes before the subscription is lost."""
    end = new_end()
    for _ in range(round(WAIT_SECONDS / 0.05)):
        publish(end)
        with suppress(queue.Empty):
            if received.get(timeout=0.05) == end:
                return
    raise AssertionError("no message arrived")


def received_until(received: Received, last: ReadingEnded) -> list[AnySharedMessage]:
    messages = [received.get(timeout=WAIT_SECONDS)]
    while messages[-1] != last:
        messages.append(received.get(timeout=WAIT_SECONDS))
    return messages


def test_readers_channel_carries_the_ends_of_all_users_and_nothing_else(
    publish: Publish, received: Received
) -> None:
    wait_until_subscribed(publish, received)
    one, two = new_end(), new_end()
    publish(one)
    publish(LogAdvanced(one.owner_id, 4))
    publish(two)
    assert received_until(received, two)[-2:] == [one, two]


def test_readers_channel_ignores_other_deployments(
    redis_server: Redis, publish: Publish, received: Received
) -> None:
    wait_until_subscribed(publish, received)
    foreign, own = new_end(), new_end()
    publisher = RedisPublisher(redis_server.url, "other:")
    publisher.send([foreign])
    publisher.close()
    publish(own)
    assert foreign not in received_until(received, own)


async def test_subscribe_to_a_user_asks_the_readers_for_their_current_page(
    redis_server: Redis, publish: Publish, received: Received
) -> None:
    await asyncio.to_thread(wait_until_subscribed, publish, received)
    owner_id, pubsub = uuid.uuid4(), RedisPubSub(redis_server.url, PREFIX)
    pubsub.start(None)
    pubsub.listen("shared", lambda message: None)  # not a user's channel, so readers get no message
    pubsub.subscribe(owner_id)
    while isinstance(message := await asyncio.to_thread(received.get, timeout=WAIT_SECONDS), ReadingEnded):
        pass
    assert message == SubscriberJoined(owner_id)
    # A process that leaves and returns at once has missed messages too.
    pubsub.unsubscribe(owner_id)
    pubsub.subscribe(owner_id)
    assert await asyncio.to_thread(received.get, timeout=WAIT_SECONDS) == message
    await pubsub.stop()


@pytest.mark.parametrize("how", ["stopped", "cut"])
def test_lost_connection_of_a_worker_is_opened_again(
    how: str, redis_server: Redis, publish: Publish, received: Received
) -> None:
    wait_until_subscribed(publish, received)
    if how == "cut":
        redis_server.drop_connections()
    else:
        redis_server.stop()
        publish(new_end())
        redis_server.start()
    wait_until_subscribed(publish, received)
