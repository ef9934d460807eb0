"""Step 12 — the bell of all processes that share a Redis: its pub/sub, a channel for each user.

What this process says is heard here at once, whatever becomes of Redis, and published by a thread of its own,
so nobody who commits or reads waits for a network. With Redis away, sockets stay and events come by the hub's
look; it connects again by itself. Needs the extra `redis`, and no Django: `RedisPublisher` is for who only speaks.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from .local import CoalescingQueue, LocalPubSub
from .messages import (
    SYSTEM_OWNER_ID,
    AnyPubSubMessage,
    PossibleGap,
    PubSubMessage,
    ReadingStarted,
    SharedHandler,
    SubscriberJoined,
    user_channel,
)

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2.0
# A connection on which nothing was heard for so long is asked whether it still is one.
PING_AFTER_IDLE_SECONDS = 5.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 2.0
SENDER_BYTES = 8

_decoder = msgspec.msgpack.Decoder(AnyPubSubMessage)
_encoder = msgspec.msgpack.Encoder()


class RedisPublisher:
    """Says items to all hubs on a Redis; from any thread, and from a process without a server too."""

    def __init__(self, url: str, prefix: str) -> None:
        self.publisher_client = secrets.token_bytes(SENDER_BYTES)
        self.is_failing = False
        self._prefix = prefix
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once more, for a connection that Redis closed meanwhile
        )
        self._queue = CoalescingQueue()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def publish(self, item: AnyPubSubMessage) -> None:
        """Soon, and of what was not sent yet the newest of each key alone."""
        if self._queue.put(item):
            self._wake.set()
        if self._thread is None:
            self._start()

    def send(self, items: Iterable[PubSubMessage]) -> None:
        """Now, all of them, on the caller's thread. Raises redis.RedisError."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for item in items:
                packed = self.encode(item)
                for channel in item.channels:
                    pipeline.publish(self._prefix + channel, packed)
            pipeline.execute()

    def close(self) -> None:
        """Sends what waits, as far as that is quick."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2 * TIMEOUT_SECONDS)
        self._redis.close()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set() or not self.is_failing:
            self._wake.wait(LAST_RETRY_SECONDS if self.is_failing else None)
            self._wake.clear()
            items = self._queue.pop_all()
            if items or self.is_failing:
                self._try_send(items)
            elif self._closing.is_set():
                return

    def _try_send(self, items: list[PubSubMessage]) -> None:
        """What fails is lost: the log has the events, and the next text of a page has all of this one."""
        try:
            if items:
                self.send(items)
            else:
                self._redis.ping()  # it failed, and nobody has said anything since
            self.is_failing = False
        except (RedisError, OSError) as error:
            if not self.is_failing:
                log.warning("Redis does not take what is said: %s", error)
            self.is_failing = True
            self._closing.wait(FIRST_RETRY_SECONDS)
        except Exception:
            log.exception("what was said could not be published")

    def encode(self, item: PubSubMessage) -> bytes:
        if isinstance(item, ReadingStarted) and not item.is_first_claim:
            # The pages are in the database, for those who want them.
            item = msgspec.structs.replace(item, pages=None)
        return self.publisher_client + _encoder.encode(item)


class NoRetry(AsyncRetry):
    """redis-py opens a connection that failed anew, also where it is to try once.

    Here that would be done by two at once, who listens and who subscribes: one closes what the other opens.
    """

    async def call_with_retry(self, do: Any, *_handlers: Any, **_options: Any) -> Any:
        return await do()


class FailFastPubSub(redis.asyncio.client.PubSub):
    """It ends with its connection: what is said until another is open was missed, which is to be told."""

    async def on_connect(self, connection: Any) -> None:
        """Called when it is opened anew, and not at first."""
        raise redis.ConnectionError("it was lost")


class RedisPubSub(LocalPubSub):
    """The same for this process and the others."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__()
        self._publisher = RedisPublisher(url, prefix)
        self._url, self._prefix = url, prefix
        self._wanted: set[str] = set()
        self._subscribed: set[str] = set()
        self._pubsub: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = False
        self._shared_handlers: dict[str, SharedHandler] = {}

    @property
    def degraded_reason(self) -> str | None:
        if self._connected and not self._publisher.is_failing:
            return None
        return "Redis does not answer: what happens in other processes is seen seconds later"

    def start(self, hear: Any) -> None:
        super().start(hear)
        self._spawn(self._receive_loop())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().stop()
        await asyncio.to_thread(self._publisher.close)

    def publish(self, item: AnyPubSubMessage) -> None:
        super().publish(item)
        self._publisher.publish(item)

    def subscribe(self, owner_id: UUID) -> None:
        channel = user_channel(owner_id)
        self._wanted.add(channel)
        if channel in self._subscribed:
            # It was not wanted for so short a time that nobody did anything about it.
            self._on_subscribed(channel)
        else:
            self._spawn(self._reconcile())

    def unsubscribe(self, owner_id: UUID) -> None:
        self._wanted.discard(user_channel(owner_id))
        self._spawn(self._reconcile())

    def listen(self, channel: str, on_message: SharedHandler) -> None:
        self._shared_handlers[channel] = on_message
        self._wanted.add(channel)
        self._spawn(self._reconcile())

    # ── listening ──

    async def _receive_loop(self) -> None:
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._receive_until_closed()
            except (RedisError, OSError, TimeoutError) as error:
                if self._connected:
                    delay = FIRST_RETRY_SECONDS
                    log.warning("the connection to Redis is lost: %s", error)
            except Exception:
                log.exception("listening to Redis failed")
            finally:
                self._pubsub, self._connected = None, False
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
            delay = min(2 * delay, LAST_RETRY_SECONDS)

    async def _receive_until_closed(self) -> None:
        """Until the connection breaks, which is an exception."""
        client = redis.asyncio.Redis.from_url(
            self._url,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            retry=NoRetry(NoBackoff(), 0),
        )
        async with client, FailFastPubSub(client.connection_pool) as pubsub:
            # A channel of nobody's: without any, there would be nothing to listen to.
            await pubsub.subscribe(f"{self._prefix}nobody")
            self._subscribed = set()
            self._pubsub, self._connected = pubsub, True
            try:
                await self._reconcile()
                self._dispatch(PossibleGap(), local=False)
                for handler in self._shared_handlers.values():
                    self._call(handler, PossibleGap())
                await self._receive_messages(pubsub)
            finally:
                self._pubsub = None
                await self._cancel_pending_subscribes()

    async def _receive_messages(self, pubsub: Any) -> None:
        asked = False
        while True:
            message = await pubsub.get_message(timeout=PING_AFTER_IDLE_SECONDS)
            if message is not None:
                asked = False
                if message["type"] == "message":
                    self._on_raw_message(self._channel_of(message), message["data"])
                elif message["type"] == "subscribe":
                    self._on_subscribed(self._channel_of(message))
            elif asked:
                raise ConnectionError("it is silent")
            else:
                asked = True
                await pubsub.ping()

    def _channel_of(self, message: dict[str, Any]) -> str:
        channel: bytes = message["channel"]
        return channel.decode().removeprefix(self._prefix)

    def _on_raw_message(self, channel: str, data: bytes) -> None:
        if data[:SENDER_BYTES] == self._publisher.publisher_client:
            return  # this process has it since it was published
        if (item := decode(data)) is None:
            return
        if (handler := self._shared_handlers.get(channel)) is not None:
            self._call(handler, item)
        else:
            self._dispatch(item, local=False)

    @staticmethod
    def _call(handler: SharedHandler, item: Any) -> None:
        """A defect of a handler must not end the connection."""
        try:
            handler(item)
        except Exception:
            log.exception("A message of a shared channel could not be handled.")

    def _on_subscribed(self, channel: str) -> None:
        """What was said of a user before is not heard; only the pages that are done could be looked up."""
        _, is_of_user, owner_id = channel.rpartition(user_channel(""))
        if is_of_user and owner_id != str(SYSTEM_OWNER_ID):
            self._publisher.publish(SubscriberJoined(UUID(owner_id)))

    async def _reconcile(self) -> None:
        """Subscribes to what is wanted and to nothing else."""
        with suppress(RedisError, OSError):  # then the connection is lost, and the next one begins with this
            while (pubsub := self._pubsub) is not None and self._subscribed != self._wanted:
                new, old = self._wanted - self._subscribed, self._subscribed - self._wanted
                self._subscribed = set(self._wanted)
                if new:
                    await pubsub.subscribe(*(self._prefix + channel for channel in new))
                if old:
                    await pubsub.unsubscribe(*(self._prefix + channel for channel in old))

    async def _cancel_pending_subscribes(self) -> None:
        """Whoever just subscribes on a connection that is lost: the next one begins with what is wanted."""
        subscribing = self._tasks - {asyncio.current_task()}
        for task in subscribing:
            task.cancel()
        await asyncio.gather(*subscribing, return_exceptions=True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class BackgroundPubSub:
    """A `RedisPubSub` on an event loop in a thread of its own, for a process that has no loop."""

    def __init__(self, pubsub: RedisPubSub) -> None:
        self._pubsub = pubsub
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="pubsub", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def listen(self, channel: str, on_message: SharedHandler) -> None:
        """Pass on what other processes publish on a shared channel; `on_message` runs on the loop."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._pubsub.listen, channel, on_message)

    def publish(self, item: AnyPubSubMessage) -> None:
        self._pubsub.publish(item)

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(3 * TIMEOUT_SECONDS)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pubsub.start(None)
        self._started.set()
        await self._stopping.wait()
        await self._pubsub.stop()


def decode(data: bytes) -> AnyPubSubMessage | None:
    """What a `RedisPublisher` sent."""
    try:
        item: AnyPubSubMessage = _decoder.decode(memoryview(data)[SENDER_BYTES:])
    except msgspec.DecodeError:
        log.warning("Redis brought a message that is none of this version's")
        return None
    return item
