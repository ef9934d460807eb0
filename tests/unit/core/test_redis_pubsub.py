"""The bell of Redis, where its connection is silent: the rest is shown on a real one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from backend_main.core.pubsub.redis import RedisPubSub

PONG = {"type": "pong", "data": b""}


class QuietConnection:
    """On which only what is given here is heard; each None is a silence of some seconds."""

    def __init__(self, *heard: dict[str, Any] | None) -> None:
        self._heard = itertools.chain(heard, itertools.repeat(None))
        self.pings = 0

    async def get_message(self, timeout: float) -> dict[str, Any] | None:
        return next(self._heard)

    async def ping(self) -> None:
        self.pings += 1


@pytest.mark.parametrize(
    ("heard", "pings"), [((), 1), ((None, PONG), 2), ((None, PONG, None, PONG), 3), ((PONG, None), 1)]
)
async def test_a_connection_that_does_not_answer_is_lost_and_one_that_does_is_not(
    heard: tuple[dict[str, Any] | None, ...], pings: int
) -> None:
    connection = QuietConnection(*heard)
    with pytest.raises(ConnectionError, match="silent"):
        await RedisPubSub("redis://127.0.0.1:1/0", "here:")._receive_messages(connection)
    assert connection.pings == pings
