"""Step 12 — hears, in a process that reads, which uploads have ended in any other that shares its Redis, and
which users another one listens to from now on.

A channel for all of them: whoever reads something does not know who else will cancel or delete it. With Redis
away nothing is heard; then a reader finds out when it next extends its lease. Needs no Django.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from .messages import ReadingEnded, SubscriberJoined
from .redis import (
    FIRST_RETRY_SECONDS,
    LAST_RETRY_SECONDS,
    PING_AFTER_IDLE_SECONDS,
    TIMEOUT_SECONDS,
    decode,
    readers_channel,
)

log = logging.getLogger(__name__)


class Endings:
    """`hear` is called on a thread of its own; it is quick and does not raise."""

    def __init__(
        self, url: str, prefix: str, hear: Callable[[ReadingEnded | SubscriberJoined], None]
    ) -> None:
        self._url, self._channel, self._hear = url, readers_channel(prefix), hear
        self._stopping = threading.Event()
        self._connected = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="endings", daemon=True).start()

    def stop(self) -> None:
        """What is said from now on is not heard; the thread ends when it finds the time."""
        self._stopping.set()

    def _run(self) -> None:
        delay = FIRST_RETRY_SECONDS
        while not self._stopping.is_set():
            try:
                self._listen()
            except (RedisError, OSError) as error:
                if self._connected:
                    delay = FIRST_RETRY_SECONDS
                    log.warning("what ends elsewhere is heard seconds later: %s", error)
            except Exception:
                log.exception("listening for what ends elsewhere failed")
            finally:
                self._connected = False
            self._stopping.wait(delay)
            delay = min(2 * delay, LAST_RETRY_SECONDS)

    def _listen(self) -> None:
        """Until stopped, or until the connection breaks, which is an exception."""
        client: Any = redis.Redis.from_url(
            self._url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        with client, client.pubsub() as pubsub:
            pubsub.subscribe(self._channel)
            self._connected = True
            self._hear_messages(pubsub)

    def _hear_messages(self, pubsub: Any) -> None:
        asked = False
        while not self._stopping.is_set():
            message = pubsub.get_message(timeout=PING_AFTER_IDLE_SECONDS)
            if message is not None:
                asked = False
                if message["type"] == "message":
                    self._take(message["data"])
            elif asked:
                raise ConnectionError("it is silent")
            else:
                asked = True
                pubsub.ping()

    def _take(self, data: bytes) -> None:
        if isinstance(item := decode(data), ReadingEnded | SubscriberJoined) and not self._stopping.is_set():
            self._hear(item)
