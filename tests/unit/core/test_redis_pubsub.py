"""RedisPubSub on a silent connection, and the queue of its publisher. Integration tests use a real Redis."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from backend_main.core.pubsub.redis import RedisPubSub

PONG = {"type": "pong", "data": b""}


class QuietConnection:
    """Returns the given messages, then none. Each None is one idle interval."""

    def __init__(self, *messages: dict[str, Any] | None) -> None:
        self._messages = itertools.chain(messages, itertools.repeat(None))
        self.pings = 0

    async def get_message(self, timeout: float) -> dict[str, Any] | None:
        return next(self._messages)

    async def ping(self) -> None:
        self.pings += 1


@pytest.mark.parametrize(
    ("messages", "pings"), [((), 1), ((None, PONG), 2), ((None, PONG, None, PONG), 3), ((PONG, None), 1)]
)
async def test_receive_from_silent_connection_fails_after_an_unanswered_ping(
    messages: tuple[dict[str, Any] | None, ...], pings: int
) -> None:
    connection = QuietConnection(*messages)
    with pytest.raises(ConnectionError, match="did not answer a ping"):
        await RedisPubSub("redis://127.0.0.1:1/0", "here:")._receive_messages(connection)
    assert connection.pings == pings
