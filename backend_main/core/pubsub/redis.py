"""Pub/sub between the processes that share a Redis.

This process gets its own messages at once, whatever the state of Redis. A thread publishes them, so neither a
commit nor a reader waits for the network. While Redis is away, connections stay open, and events arrive by
polling the database. It reconnects by itself. Needs the extra `redis`, and no Django.
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

from .local import LocalPubSub
from .messages import (
    AnyPubSubMessage,
    PossibleGap,
    PubSubMessage,
    SharedMessageHandler,
    SubscriberJoined,
    UserMessageHandler,
    user_channel,
)

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2.0
# After this time without a message, a ping checks the connection.
PING_AFTER_IDLE_SECONDS = 5.0
FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 2.0
PUBLISHER_ID_BYTES = 8

_decoder = msgspec.msgpack.Decoder(AnyPubSubMessage)
_encoder = msgspec.msgpack.Encoder()


class CoalescingQueue:
    """Unsent messages in order. The newest message of a key takes the place of the oldest."""

    def __init__(self) -> None:
        self._messages: dict[object, PubSubMessage] = {}
        self._lock = threading.Lock()

    def put(self, message: PubSubMessage) -> bool:
        """Add a message. Return whether the queue was empty."""
        with self._lock:
            was_empty, key = not self._messages, message.coalescing_key
            earlier = self._messages.get(key)
            self._messages[key] = message if earlier is None else message.merge(earlier)
        return was_empty

    def pop_all(self) -> list[PubSubMessage]:
        with self._lock:
            messages, self._messages = self._messages, {}
        return list(messages.values())


class RedisPublisher:
    """The sending half: publishes from any thread, and from a process that receives nothing."""

    def __init__(self, url: str, prefix: str) -> None:
        self.publisher_id = secrets.token_bytes(PUBLISHER_ID_BYTES)
        self.is_failing = False
        self._prefix = prefix
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed meanwhile
        )
        self._queue = CoalescingQueue()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def publish(self, message: AnyPubSubMessage) -> None:
        """Send a message soon. It replaces an unsent message with the same key."""
        if self._queue.put(message):
            self._wake.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
                    self._thread.start()

    def send(self, messages: Iterable[PubSubMessage]) -> None:
        """Send messages now, on the caller's thread. Raises redis.RedisError."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for message in messages:
                data = self.encode(message)
                for channel in message.channels:
                    pipeline.publish(self._prefix + channel, data)
            pipeline.execute()

    def encode(self, message: PubSubMessage) -> bytes:
        return self.publisher_id + _encoder.encode(message.remote_form)

    def close(self) -> None:
        """Send unsent messages, if Redis answers, and stop."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(2 * TIMEOUT_SECONDS)
        self._redis.close()

    def _run(self) -> None:
        while not self._closing.is_set() or not self.is_failing:
            self._wake.wait(LAST_RETRY_SECONDS if self.is_failing else None)
            self._wake.clear()
            messages = self._queue.pop_all()
            if messages or self.is_failing:
                self._try_send(messages)
            elif self._closing.is_set():
                return

    def _try_send(self, messages: list[PubSubMessage]) -> None:
        """Send messages; drop them on failure: the log has the events, the next text has all of a page."""
        try:
            if messages:
                self.send(messages)
            else:
                self._redis.ping()  # it failed before, and there is nothing to send
            self.is_failing = False
        except (RedisError, OSError) as error:
            if not self.is_failing:
                log.warning("Messages could not be published to Redis: %s", error)
            self.is_failing = True
            self._closing.wait(FIRST_RETRY_SECONDS)
        except Exception:
            log.exception("Messages could not be published.")


class NoRetry(AsyncRetry):
    """Disables redis-py's reconnect, which runs even where a policy allows no retry.

    The receiving and the subscribing task would reconnect at once, and each close the other's connection.
    """

    async def call_with_retry(self, do: Any, *_handlers: Any, **_options: Any) -> Any:
        return await do()


class FailFastPubSub(redis.asyncio.client.PubSub):
    """Ends with its connection: messages up to the next one are lost, and subscribers must learn that."""

    async def on_connect(self, connection: Any) -> None:
        """Refuse to reconnect. redis-py does not call this for the first connection."""
        raise redis.ConnectionError("The connection was lost.")


class RedisPubSub(LocalPubSub):
    """Pub/sub between this process and the others on a Redis."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__()
        self._publisher = RedisPublisher(url, prefix)
        self._url, self._prefix = url, prefix
        self._shared_handlers: dict[str, SharedMessageHandler] = {}
        self._wanted: set[str] = set()
        self._subscribed: set[str] = set()
        self._pubsub: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = False

    @property
    def degraded_reason(self) -> str | None:
        if self._connected and not self._publisher.is_failing:
            return None
        return "Redis does not answer: changes made by other processes arrive seconds late"

    def start(self, on_user_message: UserMessageHandler | None) -> None:
        super().start(on_user_message)
        self._spawn(self._receive_loop())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().stop()
        await asyncio.to_thread(self._publisher.close)

    def publish(self, message: AnyPubSubMessage) -> None:
        super().publish(message)
        self._publisher.publish(message)

    def subscribe(self, owner_id: UUID) -> None:
        channel = user_channel(owner_id)
        self._wanted.add(channel)
        if channel in self._subscribed:
            # The user left and returned before the channel was unsubscribed from.
            self._on_subscribed(channel)
        else:
            self._spawn(self._reconcile())

    def unsubscribe(self, owner_id: UUID) -> None:
        self._wanted.discard(user_channel(owner_id))
        self._spawn(self._reconcile())

    def listen(self, channel: str, on_message: SharedMessageHandler) -> None:
        self._shared_handlers[channel] = on_message
        self._wanted.add(channel)
        self._spawn(self._reconcile())

    # ── receiving ──

    async def _receive_loop(self) -> None:
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._receive_until_closed()
            except (RedisError, OSError, TimeoutError) as error:
                if self._connected:
                    delay = FIRST_RETRY_SECONDS
                    log.warning("The connection to Redis was lost: %s", error)
            except Exception:
                log.exception("Messages could not be received from Redis.")
            finally:
                self._pubsub, self._connected = None, False
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
            delay = min(2 * delay, LAST_RETRY_SECONDS)

    async def _receive_until_closed(self) -> None:
        """Receive until the connection breaks, which raises."""
        client = redis.asyncio.Redis.from_url(
            self._url,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            retry=NoRetry(NoBackoff(), 0),
        )
        async with client, FailFastPubSub(client.connection_pool) as pubsub:
            # redis-py receives nothing, not even a pong, without a subscription: this channel stays unused.
            await pubsub.subscribe(f"{self._prefix}nobody")
            self._subscribed = set()
            self._pubsub, self._connected = pubsub, True
            try:
                await self._reconcile()
                self._dispatch(PossibleGap(), is_local=False)
                for handler in self._shared_handlers.values():
                    _call(handler, PossibleGap())
                await self._receive_messages(pubsub)
            finally:
                self._pubsub = None
                # Cancel what subscribes on the lost connection: the next one starts with the wanted channels.
                subscribing = self._tasks - {asyncio.current_task()}
                for task in subscribing:
                    task.cancel()
                await asyncio.gather(*subscribing, return_exceptions=True)

    async def _receive_messages(self, pubsub: Any) -> None:
        is_ping_unanswered = False
        while True:
            message = await pubsub.get_message(timeout=PING_AFTER_IDLE_SECONDS)
            if message is not None:
                is_ping_unanswered = False
                if message["type"] in ("message", "subscribe"):
                    self._on_raw_message(message)
            elif is_ping_unanswered:
                raise ConnectionError("Redis did not answer a ping.")
            else:
                is_ping_unanswered = True
                await pubsub.ping()

    def _on_raw_message(self, raw: dict[str, Any]) -> None:
        channel = raw["channel"].decode().removeprefix(self._prefix)
        if raw["type"] == "subscribe":
            self._on_subscribed(channel)
        elif raw["data"].startswith(self._publisher.publisher_id):
            pass  # `publish` has dispatched it
        elif (message := decode(raw["data"])) is not None:
            if handler := self._shared_handlers.get(channel):
                _call(handler, message)
            else:
                self._dispatch(message, is_local=False)

    def _on_subscribed(self, channel: str) -> None:
        """Ask readers for the current page: the database has only finished ones."""
        if channel.startswith(user_channel("")):
            self._publisher.publish(SubscriberJoined(UUID(channel.removeprefix(user_channel("")))))

    async def _reconcile(self) -> None:
        """Subscribe to the wanted channels, and unsubscribe from all others."""
        with suppress(RedisError, OSError):  # the connection is lost, and the next one starts with this
            while (pubsub := self._pubsub) is not None and self._subscribed != self._wanted:
                new, old = self._wanted - self._subscribed, self._subscribed - self._wanted
                self._subscribed = set(self._wanted)
                if new:
                    await pubsub.subscribe(*(self._prefix + channel for channel in new))
                if old:
                    await pubsub.unsubscribe(*(self._prefix + channel for channel in old))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class BackgroundPubSub:
    """A `RedisPubSub` on an event loop in a thread of its own, for a process without a loop."""

    def __init__(self, pubsub: RedisPubSub) -> None:
        self._pubsub = pubsub
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="pubsub", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(3 * TIMEOUT_SECONDS)

    def publish(self, message: AnyPubSubMessage) -> None:
        self._pubsub.publish(message)

    def listen(self, channel: str, on_message: SharedMessageHandler) -> None:
        """Receive messages of other processes on a shared channel; `on_message` runs on the loop's thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._pubsub.listen, channel, on_message)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pubsub.start(None)
        self._started.set()
        await self._stopping.wait()
        await self._pubsub.stop()


def decode(data: bytes) -> Any:
    """Return the message that a `RedisPublisher` encoded; None for one of another version."""
    try:
        return _decoder.decode(memoryview(data)[PUBLISHER_ID_BYTES:])
    except msgspec.DecodeError:
        log.warning("Ignored a message in Redis that this version cannot decode.")
        return None


def _call(handler: SharedMessageHandler, message: Any) -> None:
    """Call a handler. Its defects must not end the connection."""
    try:
        handler(message)
    except Exception:
        log.exception("A message of a shared channel could not be handled.")
