"""Pub/sub within this process."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from uuid import UUID

from .messages import (
    AnyPubSubMessage,
    AnyUserMessage,
    PossibleGap,
    PubSubMessage,
    SharedMessageHandler,
    UserMessage,
    UserMessageHandler,
)

log = logging.getLogger(__name__)


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


class LocalPubSub:
    """Pub/sub within this process, and the base of `RedisPubSub`.

    `publish` may be called from any thread, every other method on the loop.
    """

    def __init__(self) -> None:
        self._queue = CoalescingQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_user_message: UserMessageHandler | None = None

    @property
    def degraded_reason(self) -> str | None:
        """Why other processes may receive messages late; None if they do not."""
        return None

    def start(self, on_user_message: UserMessageHandler | None) -> None:
        """Start delivery.

        Args:
            on_user_message: gets every user message of this process, and those of other processes about
                users that this process subscribes to. None where nobody needs them.
        """
        self._on_user_message, self._loop = on_user_message, asyncio.get_running_loop()

    async def stop(self) -> None:
        self._on_user_message = self._loop = None
        self._queue.pop_all()

    def subscribe(self, owner_id: UUID) -> None:
        """Receive messages of other processes about a user."""

    def unsubscribe(self, owner_id: UUID) -> None:
        """Stop receiving messages of other processes about a user."""

    def listen(self, channel: str, on_message: SharedMessageHandler) -> None:
        """Receive messages of other processes on a shared channel."""

    def publish(self, message: AnyPubSubMessage) -> None:
        if self._on_user_message is None or not isinstance(message, UserMessage):
            return
        if (loop := self._loop) is not None and self._queue.put(message):
            with suppress(RuntimeError):  # the loop has been closed since
                loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        for message in self._queue.pop_all():
            self._dispatch(message, is_local=True)  # type: ignore[arg-type] # `publish` takes no others

    def _dispatch(self, message: AnyUserMessage | PossibleGap, *, is_local: bool) -> None:
        """Call the handler. Its defects must not reach the publisher, nor end the delivery."""
        if self._on_user_message is None:
            return
        try:
            self._on_user_message(message, is_local=is_local)
        except Exception:
            log.exception("A pub/sub message could not be handled.")
