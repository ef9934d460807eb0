"""Limits of one process and connection: messages and frames a second, and large messages at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from ..fair_sharing import FairSemaphore

# From this size a message is parsed in a thread: on the event loop it would block the other connections.
MIN_THREAD_CHARACTERS = 64 * 1024
# From this size a message takes a place while its base64 is decoded and written.
MIN_LARGE_MESSAGE_CHARACTERS = 1024 * 1024
MAX_PLACES = 2
# A client may send the messages and frames of this time at once.
BURST_SECONDS = 4


class LargeMessageLimit:
    """Limits how many large messages are in work at once, by turns of users. For the event loop only.

    A free place goes to the waiting user who has fewest places. Many messages of one user thus delay another
    user's by one message at most.

    Args:
        min_characters: Size from which a message needs a place.
    """

    def __init__(self, min_characters: int) -> None:
        self._min_characters = min_characters
        self._places = FairSemaphore(MAX_PLACES)

    @asynccontextmanager
    async def place(self, user: Hashable, characters: int) -> AsyncIterator[None]:
        """Wait for a place for a message of this size. Do not hold it while waiting for a client."""
        if characters < self._min_characters:
            yield
            return
        async with self._places.place(user):
            yield


class TokenBucket:
    """Allows `rate` messages or frames a second, and `burst` at once after a pause."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated_at = time.monotonic()

    def consume(self) -> bool:
        """Take a token. Return whether there was one."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
        self._updated_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
