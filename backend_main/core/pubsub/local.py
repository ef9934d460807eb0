"""Pub/sub within this process."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from uuid import UUID

from .messages import (
    AnyPubSubMessage,
    MessageHandler,
    PossibleGap,
    PubSubMessage,
    SharedHandler,
    WorkerHeartbeat,
)

log = logging.getLogger(__name__)


class CoalescingQueue:
    """What was said and nobody has heard yet: in order, the newest of each key in the place of the oldest."""

    def __init__(self) -> None:
        self._items: dict[object, PubSubMessage] = {}
        self._lock = threading.Lock()

    def put(self, item: PubSubMessage) -> bool:
        """Whether there was nothing before."""
        with self._lock:
            first, key = not self._items, item.coalescing_key
            earlier = self._items.get(key)
            self._items[key] = item if earlier is None else item.merge(earlier)
        return first

    def pop_all(self) -> list[PubSubMessage]:
        with self._lock:
            items, self._items = self._items, {}
        return list(items.values())


class LocalPubSub:
    """`start` and `stop`, `subscribe` and `unsubscribe` on the loop; `publish` from any thread."""

    def __init__(self) -> None:
        self._queue = CoalescingQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handler: MessageHandler | None = None
        self._last_worker_heartbeat_at = time.monotonic()

    @property
    def degraded_reason(self) -> str | None:
        """Why it is not heard everywhere just now."""
        return None

    @property
    def seconds_since_worker_heartbeat(self) -> float:
        """How long no worker has said that it lives, of the time in which it would have been heard."""
        return time.monotonic() - self._last_worker_heartbeat_at

    def start(self, hear: MessageHandler | None) -> None:
        self._handler, self._loop = hear, asyncio.get_running_loop()

    async def stop(self) -> None:
        self._handler = self._loop = None
        self._queue.pop_all()

    def subscribe(self, owner_id: UUID) -> None:
        """From now on what other processes say of this user is heard too."""

    def unsubscribe(self, owner_id: UUID) -> None:
        pass

    def listen(self, channel: str, on_message: SharedHandler) -> None:
        """Pass on what other processes publish on a shared channel."""

    def publish(self, item: AnyPubSubMessage) -> None:
        if self._handler is None:
            return
        if (loop := self._loop) is not None and self._queue.put(item):
            with suppress(RuntimeError):  # the loop has been closed since
                loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        for item in self._queue.pop_all():
            self._dispatch(item, local=True)

    def _dispatch(self, item: PubSubMessage | PossibleGap, *, local: bool) -> None:
        """What fails here is our defect, and is not to end the one who rang, or what else is heard."""
        if isinstance(item, WorkerHeartbeat | PossibleGap):
            self._last_worker_heartbeat_at = time.monotonic()
        try:
            if self._handler is not None:
                self._handler(item, local)  # type: ignore[arg-type] # only what `publish` takes comes here
        except Exception:
            log.exception("what the bell said could not be taken in")
