"""Publisher of live text for `fan_out.py`, in its own process like a reader on another machine.

Every kind sends the same messages through the same Redis: by `PUBLISH` for the servers of Node.js, by
`group_send` for the consumer of the tutorial, and by scanrill's publisher. Commands and replies are lines of
JSON.

    python -m benchmarks.fan_out_publisher KIND REDIS_PORT PROGRESS_FILE
"""

import asyncio
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from channels_redis.core import RedisChannelLayer

from backend_main.core.pubsub import redis as redis_pubsub
from backend_main.core.pubsub.messages import PageState, PageTextUpdate, ReadingStarted
from benchmarks.fan_out_client import (
    STAMP,
    STAMP_DIGITS,
    Progress,
    stamped,
)

CHANNEL = "bench:"
PREFIX = "scanrill:"
PAGES = 200
MESSAGE_BYTES = 1024
MAX_BATCH = 16
POLL_INTERVAL_SECONDS = 0.001
Message = dict[str, Any]


def partial(upload_id: str) -> bytes:
    """Return a partial of a finished page as scanrill encodes it, of `MESSAGE_BYTES`, with an empty stamp."""
    message: Message = {
        "id": upload_id,
        "status": "processing",
        "type": "Upload.status",
        "page": 100,
        "page_count": PAGES,
        "streamed_text": STAMP.decode() + "0" * STAMP_DIGITS,
        "line": None,
        "done": True,
    }
    missing = MESSAGE_BYTES - len(json.dumps(message, separators=(",", ":")))
    message["streamed_text"] += (" the quick brown fox" * MESSAGE_BYTES)[:missing]
    return json.dumps(message, separators=(",", ":")).encode()


def redis_host(port: int) -> Message:
    """Return options for channels_redis 4.3, with the defaults of redis-py before version 8.

    channels_redis waits 5 s for a message, which redis-py 8 treats as an error, and needs more than 100
    connections.
    """
    return {"host": "127.0.0.1", "port": port, "socket_timeout": None, "max_connections": 2**31}


class Publisher(ABC):
    """Base class of the publishers. `users` are the targets of a batch, one message each."""

    def __init__(self, redis_port: int) -> None:
        self.redis_port = redis_port

    async def prepare(self, users: Sequence[str]) -> None:  # noqa: B027 - optional
        """Prepare for messages to these users."""

    @abstractmethod
    async def send(self, users: Sequence[str]) -> None:
        """Send one message to each user."""


class RedisPublisher(Publisher):
    """Publisher by `PUBLISH` on a channel per user, a batch in one round trip."""

    def __init__(self, redis_port: int) -> None:
        super().__init__(redis_port)
        self._redis = redis.Redis(port=redis_port)
        self._message = partial("0b7d1a52-3e0f-4c7e-9a5e-1f1f5d9f1c11")

    async def send(self, users: Sequence[str]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for user in users:
                pipeline.publish(CHANNEL + user, stamped(self._message))
            pipeline.execute()


class ChannelLayerPublisher(Publisher):
    """Publisher by `group_send`, a batch concurrently: one after the other would be slower still."""

    def __init__(self, redis_port: int) -> None:
        super().__init__(redis_port)
        self._layer = RedisChannelLayer(hosts=[redis_host(redis_port)])
        self._message = partial("0b7d1a52-3e0f-4c7e-9a5e-1f1f5d9f1c11")

    async def send(self, users: Sequence[str]) -> None:
        await asyncio.gather(*map(self._send, users))

    async def _send(self, user: str) -> None:
        message = json.loads(stamped(self._message))
        await self._layer.group_send(f"user_{user}", {"type": "upload.status", "message": message})


class ScanrillPublisher(Publisher):
    """scanrill's publisher, a batch in one round trip. Each message is a finished page of a document.

    A user is written as `OWNER DOCUMENT…` with ids. Documents come one after the other, each page once.
    """

    def __init__(self, redis_port: int) -> None:
        super().__init__(redis_port)
        self._publisher = redis_pubsub.RedisPublisher(f"redis://127.0.0.1:{redis_port}", PREFIX)
        self._text = json.loads(partial(str(UUID(int=0))))["streamed_text"].encode()
        self._pages: dict[str, Iterator[PageTextUpdate]] = {}

    async def prepare(self, users: Sequence[str]) -> None:
        for user in users:
            owner, *documents = map(UUID, user.split())
            self._publisher.send(
                ReadingStarted(owner, document, 1, 0, first_attempt=1) for document in documents
            )

    async def send(self, users: Sequence[str]) -> None:
        self._publisher.send(next(self._pages_of(user)) for user in users)

    def _pages_of(self, user: str) -> Iterator[PageTextUpdate]:
        if user not in self._pages:
            self._pages[user] = self._all_pages(*map(UUID, user.split()))
        return self._pages[user]

    def _all_pages(self, owner: UUID, *documents: UUID) -> Iterator[PageTextUpdate]:
        for document in documents:
            for number in range(1, PAGES + 1):
                text = stamped(self._text).decode()
                yield PageTextUpdate(owner, document, 1, PageState(number, PAGES, text, done=True))


KINDS: dict[str, type[Publisher]] = {
    "redis": RedisPublisher,
    "channel-layer": ChannelLayerPublisher,
    "scanrill": ScanrillPublisher,
}


class LoadGenerator:
    """Generator of load: at a rate, or limited by the messages in flight."""

    def __init__(self, publisher: Publisher, progress: Progress) -> None:
        self._publisher, self._progress = publisher, progress

    async def prepare(self, users: list[str]) -> Message:
        await self._publisher.prepare(users)
        return {}

    async def run(
        self, users: list[str], fan: int, seconds: float, rate: float, window: int, max_messages: int
    ) -> Message:
        """Send to the users in turn, at most `max_messages`. Each message reaches `fan` sockets."""
        started, before, sent = time.monotonic(), self._progress.deliveries, 0
        while (elapsed := time.monotonic() - started) < seconds and sent < max_messages:
            in_flight = sent - (self._progress.deliveries - before) // fan
            budget = int(elapsed * rate) + 1 - sent if rate else window - in_flight
            if budget > 0:
                batch = [users[(sent + n) % len(users)] for n in range(min(budget, MAX_BATCH))]
                await self._publisher.send(batch)
                sent += len(batch)
            else:
                await asyncio.sleep(POLL_INTERVAL_SECONDS)
        return {"sent": sent, "started_at": int(started * 1e9)}


async def serve(kind: str, redis_port: int, progress: Path) -> None:
    """Carry out commands until standard input ends."""
    generator = LoadGenerator(KINDS[kind](redis_port), Progress(progress))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        print(json.dumps(await getattr(generator, command.pop("do"))(**command)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
