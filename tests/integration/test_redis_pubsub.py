"""The bell of several processes, over a real Redis: who hears what, and what happens when Redis does not."""

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

from backend_main.core.pubsub.local import LocalPubSub
from backend_main.core.pubsub.messages import (
    SYSTEM_OWNER_ID,
    AnyPubSubMessage,
    JobsAvailable,
    LogAdvanced,
    PageSnapshot,
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


class Ear:
    """A bell, and all that it brought: items with whether this process said them."""

    def __init__(self, bell: LocalPubSub) -> None:
        self.bell = bell
        self.heard: list[tuple[AnyPubSubMessage | PossibleGap, bool]] = []
        self._changed = asyncio.Event()

    def hear(self, item: AnyPubSubMessage | PossibleGap, local: bool) -> None:
        self.heard.append((item, local))
        self._changed.set()

    @property
    def items(self) -> list[AnyPubSubMessage | PossibleGap]:
        return [item for item, _ in self.heard if not isinstance(item, PossibleGap)]

    @property
    def looks(self) -> int:
        return sum(isinstance(item, PossibleGap) for item, _ in self.heard)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not true():
                await self._changed.wait()
                self._changed.clear()

    async def until_there(self, problem: bool) -> None:
        """Whether the bell says that it has a problem; nothing tells that it changes."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (self.bell.degraded_reason is not None) != problem:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(server: Redis, *owners: uuid.UUID, prefix: str = PREFIX) -> AsyncIterator[Ear]:
    ear = Ear(RedisPubSub(server.url, prefix))
    ear.bell.start(ear.hear)
    for owner in owners:
        ear.bell.subscribe(owner)
    await ear.until_there(problem=False)
    await subscribed(server, *owners, prefix=prefix)
    try:
        yield ear
    finally:
        await ear.bell.stop()


async def subscribed(server: Redis, *owners: uuid.UUID, prefix: str = PREFIX) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        with redis.Redis(port=server.port) as client:
            while not all(n for _, n in client.pubsub_numsub(*(f"{prefix}user:{o}" for o in owners))):
                await asyncio.sleep(0.01)


@pytest.fixture
def publisher(redis_server: Redis) -> RedisPublisher:
    return RedisPublisher(redis_server.url, PREFIX)


async def test_what_one_process_says_the_others_hear_and_itself_at_once(redis_server: Redis) -> None:
    async with listening(redis_server, OWNER) as one, listening(redis_server, OWNER) as two:
        text = PageTextUpdate(OWNER, UPLOAD, 1, PageSnapshot(1, 3, "words"))
        said: list[AnyPubSubMessage] = [
            ReadingStarted(OWNER, UPLOAD, 1, 4, {1: "a"}, 3),
            text,
            LogAdvanced(OWNER, 5),
            ReadingEnded(OWNER, UPLOAD, 5),
        ]
        for item in said:
            one.bell.publish(item)
        await two.until(lambda: len(two.items) == 4)
        # The pages are looked up by who wants them.
        assert two.items == [ReadingStarted(OWNER, UPLOAD, 1, 4, None, 3), *said[1:]]
        assert not any(local for _, local in two.heard)
        # What came back from Redis before what `two` says now was not heard twice.
        two.bell.publish(LogAdvanced(OWNER, 6))
        await one.until(lambda: len(one.items) == 5)
        assert one.items == [*said, LogAdvanced(OWNER, 6)]


async def test_only_the_users_that_are_followed_are_heard(
    redis_server: Redis, publisher: RedisPublisher
) -> None:
    async with listening(redis_server, OWNER) as ear:
        await asyncio.to_thread(publisher.send, [LogAdvanced(OTHER, 1), LogAdvanced(OWNER, 1)])
        await ear.until(lambda: ear.items == [LogAdvanced(OWNER, 1)])
        ear.bell.subscribe(OTHER)
        await subscribed(redis_server, OTHER)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OTHER, 2)])
        await ear.until(lambda: ear.items[1:] == [LogAdvanced(OTHER, 2)])
        ear.bell.unsubscribe(OWNER)
        ear.bell.unsubscribe(OTHER)
        ear.bell.subscribe(OTHER)
        while dict(redis.Redis(port=redis_server.port).pubsub_numsub(f"{PREFIX}user:{OWNER}"))[
            f"{PREFIX}user:{OWNER}".encode()
        ]:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OWNER, 3), LogAdvanced(OTHER, 3)])
        await ear.until(lambda: ear.items[2:] == [LogAdvanced(OTHER, 3)])


async def test_those_who_read_hear_that_there_is_work_whose_ever_it_is(redis_server: Redis) -> None:
    async with listening(redis_server, SYSTEM_OWNER_ID) as reader, listening(redis_server) as server:
        server.bell.publish(JobsAvailable(SYSTEM_OWNER_ID))
        await reader.until(lambda: reader.heard[-1:] == [(JobsAvailable(SYSTEM_OWNER_ID), False)])


async def test_two_deployments_on_one_redis_do_not_hear_each_other(redis_server: Redis) -> None:
    async with listening(redis_server, OWNER) as ours, listening(redis_server, OWNER, prefix="b:") as theirs:
        theirs.bell.publish(LogAdvanced(OWNER, 1))
        ours.bell.publish(LogAdvanced(OWNER, 2))
        async with listening(redis_server, OWNER) as witness:
            ours.bell.publish(LogAdvanced(OWNER, 3))
            await witness.until(lambda: LogAdvanced(OWNER, 3) in witness.items)
        assert ours.items == [LogAdvanced(OWNER, 2), LogAdvanced(OWNER, 3)]
        assert theirs.items == [LogAdvanced(OWNER, 1)]


async def test_a_program_without_django_can_say_live_text(redis_server: Redis) -> None:
    program = f"""
import sys, uuid
from backend_main.core.pubsub.messages import PageSnapshot, PageTextUpdate
from backend_main.core.pubsub.redis import RedisPublisher
publisher = RedisPublisher({redis_server.url!r}, {PREFIX!r})
owner, upload = uuid.UUID({str(OWNER)!r}), uuid.UUID({str(UPLOAD)!r})
publisher.publish(PageTextUpdate(owner, upload, 1, PageSnapshot(1, 1, "from elsewhere")))
publisher.close()
assert not [name for name in sys.modules if name.split(".")[0] in ("django", "channels")]
"""
    async with listening(redis_server, OWNER) as ear:
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True, timeout=60)
        await ear.until(
            lambda: ear.items == [PageTextUpdate(OWNER, UPLOAD, 1, PageSnapshot(1, 1, "from elsewhere"))]
        )


async def test_what_another_version_says_is_passed_over(
    redis_server: Redis, publisher: RedisPublisher
) -> None:
    async with listening(redis_server, OWNER) as ear:
        with redis.Redis(port=redis_server.port) as client:
            for data in (b"", b"short", b"8 bytes!{}", b"\xff" * 40):
                client.publish(f"{PREFIX}user:{OWNER}", data)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OWNER, 1)])
        await ear.until(lambda: ear.items == [LogAdvanced(OWNER, 1)])


async def test_with_redis_away_the_own_process_is_heard_and_afterwards_all_are(redis_server: Redis) -> None:
    async with listening(redis_server, OWNER) as one, listening(redis_server, OWNER) as two:
        looks = two.looks
        await asyncio.to_thread(redis_server.stop)
        await two.until_there(problem=True)
        two.bell.publish(LogAdvanced(OWNER, 1))
        await two.until(lambda: two.items == [LogAdvanced(OWNER, 1)])
        assert one.items == []
        await asyncio.to_thread(redis_server.start)
        # What was said meanwhile is lost: it looks for itself.
        await two.until(lambda: two.looks > looks)
        await subscribed(redis_server, OWNER)
        for seq in range(2, 1000):
            one.bell.publish(LogAdvanced(OWNER, seq))
            two.bell.publish(LogAdvanced(OTHER, seq))
            if two.bell.degraded_reason is None and len(two.items) > 2:
                break
            await asyncio.sleep(0.02)
        await two.until_there(problem=False)
        assert isinstance(two.items[-1], LogAdvanced)


async def test_a_connection_that_was_cut_is_made_again(
    redis_server: Redis, publisher: RedisPublisher
) -> None:
    async with listening(redis_server, OWNER) as ear:
        looks = ear.looks
        await asyncio.to_thread(redis_server.drop_connections)
        await ear.until(lambda: ear.looks > looks)
        await subscribed(redis_server, OWNER)
        await asyncio.to_thread(redis_server.flush)
        await asyncio.to_thread(publisher.send, [LogAdvanced(OWNER, 7)])
        await ear.until(lambda: ear.items == [LogAdvanced(OWNER, 7)])


async def test_a_connection_that_was_cut_is_opened_once_by_who_listens_and_not_by_the_library_too(
    redis_server: Redis,
) -> None:
    async with listening(redis_server, OWNER) as ear:
        looks = ear.looks
        with redis.Redis(port=redis_server.port) as client:
            opened = client.info("stats")["total_connections_received"]
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await ear.until(lambda: ear.looks > looks)
            assert client.info("stats")["total_connections_received"] == opened + 1


async def test_who_subscribes_while_the_connection_is_cut_is_subscribed_on_the_next(
    redis_server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    owners = [uuid.uuid4() for _ in range(20)]
    async with listening(redis_server, OWNER) as ear:
        with redis.Redis(port=redis_server.port) as client:
            for turns, owner in enumerate(owners):
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                for _ in range(turns):  # the connection is lost somewhere among these
                    await asyncio.sleep(0)
                ear.bell.subscribe(owner)
                await subscribed(redis_server, owner)
    gc.collect()  # what a task raised is told when it goes
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_bell_starts_without_redis_and_finds_it_later(redis_server: Redis) -> None:
    await asyncio.to_thread(redis_server.stop)
    ear = Ear(RedisPubSub(redis_server.url, PREFIX))
    ear.bell.start(ear.hear)
    ear.bell.subscribe(OWNER)
    try:
        assert ear.bell.degraded_reason
        await asyncio.to_thread(redis_server.start)
        await ear.until(lambda: ear.looks > 0)
        await ear.until_there(problem=False)
    finally:
        await ear.bell.stop()


async def test_a_worker_that_lives_is_heard_of(redis_server: Redis) -> None:
    async with listening(redis_server, SYSTEM_OWNER_ID) as ear:
        ear.bell._last_worker_heartbeat_at -= 1000
        assert ear.bell.seconds_since_worker_heartbeat > 999
        await asyncio.to_thread(
            RedisPublisher(redis_server.url, PREFIX).send, [WorkerHeartbeat(SYSTEM_OWNER_ID)]
        )
        await ear.until(lambda: WorkerHeartbeat(SYSTEM_OWNER_ID) in ear.items)
        assert ear.bell.seconds_since_worker_heartbeat < 999
