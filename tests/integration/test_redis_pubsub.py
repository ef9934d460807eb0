"""RedisPubSub between several processes over a real Redis, with and without outages."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import redis

from backend_main.core.pubsub.messages import (
    WORKERS_CHANNEL,
    AnySharedMessage,
    AnyUserMessage,
    JobsAvailable,
    LogAdvanced,
    PageState,
    PageTextUpdate,
    PossibleGap,
    ReadingEnded,
    ReadingStarted,
    WorkerHeartbeat,
)
from backend_main.core.pubsub.redis import RedisPublisher, RedisPubSub
from tests.support.redis import Redis

OWNER, OTHER, UPLOAD = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
PREFIX = "test:"
WAIT_SECONDS = 30.0


class Subscriber:
    """A pub/sub and the messages that it received."""

    def __init__(self, server: Redis, prefix: str = PREFIX) -> None:
        self.pubsub = RedisPubSub(server.url, prefix)
        self.received: list[tuple[AnyUserMessage, bool]] = []
        """User messages, with whether this process published them."""
        self.shared: list[AnySharedMessage | PossibleGap] = []
        self.gaps = 0
        self._changed = asyncio.Event()

    def start(self) -> None:
        self.pubsub.start(self._on_user_message)

    def on_shared_message(self, message: AnySharedMessage | PossibleGap) -> None:
        self.shared.append(message)
        self._changed.set()

    def _on_user_message(self, message: AnyUserMessage | PossibleGap, *, is_local: bool) -> None:
        if isinstance(message, PossibleGap):
            self.gaps += 1
        else:
            self.received.append((message, is_local))
        self._changed.set()

    @property
    def messages(self) -> list[AnyUserMessage]:
        return [message for message, _ in self.received]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():
                await self._changed.wait()
                self._changed.clear()

    async def until_degraded(self, degraded: bool) -> None:
        """Wait for the state; nothing announces its change."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (self.pubsub.degraded_reason is not None) != degraded:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def subscriber(
    server: Redis, *owners: uuid.UUID, prefix: str = PREFIX, shared: str | None = None
) -> AsyncIterator[Subscriber]:
    """Yields a started pub/sub, once its subscriptions to users and to a shared channel are made."""
    started = Subscriber(server, prefix)
    started.start()
    for owner in owners:
        started.pubsub.subscribe(owner)
    if shared is not None:
        started.pubsub.listen(shared, started.on_shared_message)
    await started.until_degraded(False)
    await wait_subscribed(server, *(f"user:{owner}" for owner in owners), prefix=prefix)
    if shared is not None:
        await wait_subscribed(server, shared, prefix=prefix)
    try:
        yield started
    finally:
        await started.pubsub.stop()


async def wait_subscribed(server: Redis, *channels: str, prefix: str = PREFIX) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        with redis.Redis(port=server.port) as client:
            while not all(n for _, n in client.pubsub_numsub(*(prefix + channel for channel in channels))):
                await asyncio.sleep(0.01)


async def wait_user_subscribed(server: Redis, owner: uuid.UUID) -> None:
    await wait_subscribed(server, f"user:{owner}")


@pytest.fixture
def publisher(redis_server: Redis) -> RedisPublisher:
    return RedisPublisher(redis_server.url, PREFIX)


async def test_publish_reaches_other_processes_and_this_one_once(redis_server: Redis) -> None:
    async with subscriber(redis_server, OWNER) as one, subscriber(redis_server, OWNER) as two:
        text = PageTextUpdate(OWNER, UPLOAD, 1, PageState(1, 3, "words"))
        published: list[AnyUserMessage] = [
            ReadingStarted(OWNER, UPLOAD, 1, 4, {1: "a"}, 3),
            text,
            LogAdvanced(OWNER, 5),
            ReadingEnded(OWNER, UPLOAD, 5),
        ]
        for item in published:
            one.pubsub.publish(item)
        await two.until(lambda: len(two.messages) == 4)
        # Other processes load the pages from the database.
        assert two.messages == [ReadingStarted(OWNER, UPLOAD, 1, 4, None, 3), *published[1:]]
        assert not any(local for _, local in two.received)
        # `one` received its own messages once, although Redis sent them back.
        two.pubsub.publish(LogAdvanced(OWNER, 6))
        await one.until(lambda: len(one.messages) == 5)
        assert one.messages == [*published, LogAdvanced(OWNER, 6)]


async def test_subscribe_and_unsubscribe_select_the_users_whose_messages_arrive(
    redis_server: Redis, publisher: RedisPublisher
) -> None:
    async with subscriber(redis_server, OWNER) as one:
        await asyncio.to_thread(publisher.send, [LogAdvanced(OTHER, 1), LogAdvanced(OWNER, 1)])
        await one.until(lambda: one.messages == [LogAdvanced(OWNER, 1)])
        one.pubsub.subscribe(OTHER)
        await wait_user_subscribed(redis_server, OTHER)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OTHER, 2)])
        await one.until(lambda: one.messages[1:] == [LogAdvanced(OTHER, 2)])
        one.pubsub.unsubscribe(OWNER)
        one.pubsub.unsubscribe(OTHER)
        one.pubsub.subscribe(OTHER)
        while dict(redis.Redis(port=redis_server.port).pubsub_numsub(f"{PREFIX}user:{OWNER}"))[
            f"{PREFIX}user:{OWNER}".encode()
        ]:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OWNER, 3), LogAdvanced(OTHER, 3)])
        await one.until(lambda: one.messages[2:] == [LogAdvanced(OTHER, 3)])


async def test_shared_channel_receives_messages_of_other_processes_only(redis_server: Redis) -> None:
    async with (
        subscriber(redis_server, shared=WORKERS_CHANNEL) as one,
        subscriber(redis_server, shared=WORKERS_CHANNEL) as two,
        subscriber(redis_server, OWNER) as other,
    ):
        two.pubsub.publish(JobsAvailable())
        await one.until(lambda: JobsAvailable() in one.shared)
        one.pubsub.publish(WorkerHeartbeat())
        await two.until(lambda: WorkerHeartbeat() in two.shared)
        other.pubsub.publish(LogAdvanced(OWNER, 1))
        await other.until(lambda: other.messages == [LogAdvanced(OWNER, 1)])
        assert [m for m in one.shared if m != PossibleGap()] == [JobsAvailable()]
        assert [m for m in two.shared if m != PossibleGap()] == [WorkerHeartbeat()]
        assert one.messages == two.messages == []


async def test_prefix_separates_deployments_on_one_redis(redis_server: Redis) -> None:
    async with (
        subscriber(redis_server, OWNER) as ours,
        subscriber(redis_server, OWNER, prefix="b:") as theirs,
    ):
        theirs.pubsub.publish(LogAdvanced(OWNER, 1))
        ours.pubsub.publish(LogAdvanced(OWNER, 2))
        async with subscriber(redis_server, OWNER) as witness:
            ours.pubsub.publish(LogAdvanced(OWNER, 3))
            await witness.until(lambda: LogAdvanced(OWNER, 3) in witness.messages)
        assert ours.messages == [LogAdvanced(OWNER, 2), LogAdvanced(OWNER, 3)]
        assert theirs.messages == [LogAdvanced(OWNER, 1)]


async def test_publisher_works_without_django(redis_server: Redis) -> None:
    program = f"""
import sys, uuid
from backend_main.core.pubsub.messages import PageState, PageTextUpdate
from backend_main.core.pubsub.redis import RedisPublisher
publisher = RedisPublisher({redis_server.url!r}, {PREFIX!r})
owner, upload = uuid.UUID({str(OWNER)!r}), uuid.UUID({str(UPLOAD)!r})
publisher.publish(PageTextUpdate(owner, upload, 1, PageState(1, 1, "from elsewhere")))
publisher.close()
assert not [name for name in sys.modules if name.split(".")[0] in ("django", "channels")]
"""
    async with subscriber(redis_server, OWNER) as one:
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True, timeout=60)
        await one.until(
            lambda: one.messages == [PageTextUpdate(OWNER, UPLOAD, 1, PageState(1, 1, "from elsewhere"))]
        )


async def test_message_of_another_version_is_ignored(redis_server: Redis, publisher: RedisPublisher) -> None:
    async with subscriber(redis_server, OWNER) as one:
        with redis.Redis(port=redis_server.port) as client:
            for data in (b"", b"short", b"8 bytes!{}", b"\xff" * 40):
                client.publish(f"{PREFIX}user:{OWNER}", data)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OWNER, 1)])
        await one.until(lambda: one.messages == [LogAdvanced(OWNER, 1)])


async def test_publish_during_an_outage_reaches_this_process_and_later_all(redis_server: Redis) -> None:
    async with subscriber(redis_server, OWNER) as one, subscriber(redis_server, OWNER) as two:
        gaps = two.gaps
        await asyncio.to_thread(redis_server.stop)
        await two.until_degraded(True)
        two.pubsub.publish(LogAdvanced(OWNER, 1))
        await two.until(lambda: two.messages == [LogAdvanced(OWNER, 1)])
        assert one.messages == []
        await asyncio.to_thread(redis_server.start)
        # Messages of the outage are lost, so the subscriber learns of a possible gap.
        await two.until(lambda: two.gaps > gaps)
        await wait_user_subscribed(redis_server, OWNER)
        for seq in range(2, 1000):
            one.pubsub.publish(LogAdvanced(OWNER, seq))
            two.pubsub.publish(LogAdvanced(OTHER, seq))
            if two.pubsub.degraded_reason is None and len(two.messages) > 2:
                break
            await asyncio.sleep(0.02)
        await two.until_degraded(False)
        assert isinstance(two.messages[-1], LogAdvanced)


async def test_cut_connection_is_opened_again(redis_server: Redis, publisher: RedisPublisher) -> None:
    async with subscriber(redis_server, OWNER) as one:
        gaps = one.gaps
        await asyncio.to_thread(redis_server.drop_connections)
        await one.until(lambda: one.gaps > gaps)
        await wait_user_subscribed(redis_server, OWNER)
        await asyncio.to_thread(redis_server.flush)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OWNER, 7)])
        await one.until(lambda: one.messages == [LogAdvanced(OWNER, 7)])


async def test_cut_connection_is_not_opened_a_second_time_by_the_library(
    redis_server: Redis,
) -> None:
    async with subscriber(redis_server, OWNER) as one:
        gaps = one.gaps
        with redis.Redis(port=redis_server.port) as client:
            opened = client.info("stats")["total_connections_received"]
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await one.until(lambda: one.gaps > gaps)
            assert client.info("stats")["total_connections_received"] == opened + 1


async def test_subscribe_while_the_connection_is_cut_takes_effect_on_the_next(
    redis_server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    owners = [uuid.uuid4() for _ in range(20)]
    async with subscriber(redis_server, OWNER) as one:
        with redis.Redis(port=redis_server.port) as client:
            for turns, owner in enumerate(owners):
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                for _ in range(turns):  # the connection breaks during one of these
                    await asyncio.sleep(0)
                one.pubsub.subscribe(owner)
                await wait_user_subscribed(redis_server, owner)
    gc.collect()  # logs what an unawaited task raised
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_start_without_redis_connects_later(redis_server: Redis) -> None:
    await asyncio.to_thread(redis_server.stop)
    one = Subscriber(redis_server)
    one.start()
    one.pubsub.subscribe(OWNER)
    try:
        assert one.pubsub.degraded_reason
        await asyncio.to_thread(redis_server.start)
        await one.until(lambda: one.gaps > 0)
        await one.until_degraded(False)
    finally:
        await one.pubsub.stop()


async def test_shared_channel_learns_of_a_possible_gap_after_a_reconnect(redis_server: Redis) -> None:
    async with subscriber(redis_server, shared=WORKERS_CHANNEL) as one:
        one.shared.clear()
        await asyncio.to_thread(redis_server.drop_connections)
        await one.until(lambda: PossibleGap() in one.shared)
