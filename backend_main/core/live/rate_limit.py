"""Limits of one process and connection: messages a second, and large frames at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext

LARGE_FRAME_CHARACTERS = 1024 * 1024
# A large frame's base64 stays in memory while it is decoded and written.
MAX_LARGE_FRAMES = 2


class LargeFrameLimit:
    """Limits how many large frames one process handles at once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MAX_LARGE_FRAMES)

    def place(self, characters: int) -> AbstractAsyncContextManager[None]:
        """Return a context that waits for a place for a large frame; enter it from decoding to reply."""
        return self._places if characters > LARGE_FRAME_CHARACTERS else nullcontext()


class TokenBucket:
    """Allows `rate` messages a second, and `burst` at once after a pause."""

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
