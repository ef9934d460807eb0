"""How much may be asked for at once: messages a second, large frames in work; sockets a user in `live`."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext

LARGE_FRAME_CHARACTERS = 1024 * 1024
# While a large frame is decoded and written, a copy of its base64 is beside it: so many such copies at most.
LARGE_FRAMES_AT_ONCE = 2

_large_frames = asyncio.Semaphore(LARGE_FRAMES_AT_ONCE)


def large_frame_slot(characters: int) -> AbstractAsyncContextManager[None]:
    """Held from a frame's decoding to its reply; waits where enough large ones are in work already."""
    return _large_frames if characters > LARGE_FRAME_CHARACTERS else nullcontext()


class TokenBucket:
    """`rate` messages a second, and `burst` at once after a pause."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, time.monotonic()

    def take(self) -> bool:
        """Whether one more message is within the limit."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
