"""Counters of sign-in attempts: in this process, or in Redis for a whole deployment.

An attempt is admitted if it exceeds none of its limits. Only then it counts, in all of them at once. Exactly
as many are admitted as a limit allows, refused attempts prolong nothing, and refused names and addresses take
no memory. While Redis is unavailable, each process counts by itself, so that users can still sign in.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .digests import sha256_hex

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0
REDIS_TIMEOUT_SECONDS = 1.0
MAX_REDIS_CONNECTIONS = 4

# Redis runs a script as one command. KEYS: counters. ARGV: milliseconds of the window, then the limits.
_ADMIT_SCRIPT = """
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i + 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if wait == 0 then
  for _, key in ipairs(KEYS) do
    if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[1]) end
  end
end
return wait
"""


class Limit(NamedTuple):
    """Largest number of attempts in `WINDOW_SECONDS` that share a key."""

    key: str
    max_attempts: int

    @classmethod
    def of(cls, max_attempts: int, *parts: str) -> Limit:
        """Return a limit whose key reveals no name or address to others who can read Redis."""
        return cls("sign-in-tries-" + sha256_hex("\0".join(parts)), max_attempts)


class LocalCounters:
    """Counters of one process. They are used on the event loop only, so they need no lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}  # count, end of the window
        self._next_cleanup_at = 0.0

    async def admit(self, limits: Sequence[Limit]) -> float:
        """Count an attempt if it exceeds none of the limits.

        Returns:
            0 if the attempt is admitted; otherwise the seconds after which it can be.
        """
        now = self._clock()
        self._remove_expired(now)
        full = [self._counts[limit.key][1] - now for limit in limits if self._is_full(limit, now)]
        if full:
            return max(full)
        for limit in limits:
            count, ends_at = self._current(limit.key, now)
            self._counts[limit.key] = count + 1, ends_at
        return 0.0

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove counters."""
        for key in keys:
            self._counts.pop(key, None)

    async def give_back(self, key: str) -> None:
        """Take back one attempt from a counter."""
        count, ends_at = self._current(key, self._clock())
        if count:
            self._counts[key] = count - 1, ends_at

    async def close(self) -> None:
        """Close connections."""

    def _current(self, key: str, now: float) -> tuple[int, float]:
        count, ends_at = self._counts.get(key, (0, 0.0))
        return (count, ends_at) if now < ends_at else (0, now + WINDOW_SECONDS)

    def _is_full(self, limit: Limit, now: float) -> bool:
        return self._current(limit.key, now)[0] >= limit.max_attempts

    def _remove_expired(self, now: float) -> None:
        if now >= self._next_cleanup_at:
            self._counts = {key: entry for key, entry in self._counts.items() if now < entry[1]}
            self._next_cleanup_at = now + WINDOW_SECONDS


class SharedCounters(LocalCounters):
    """Counters in Redis, with counters of this process as the fallback."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__()
        self._url, self._prefix = url, prefix
        self._redis: Redis | None = None

    async def admit(self, limits: Sequence[Limit]) -> float:
        from redis import RedisError

        keys = [self._prefix + limit.key for limit in limits]
        window = int(WINDOW_SECONDS * 1000)
        try:
            wait = await self._client().eval(
                _ADMIT_SCRIPT, len(keys), *keys, window, *(limit.max_attempts for limit in limits)
            )
            return int(wait) / 1000
        except RedisError as error:
            _warn(error)
            return await super().admit(limits)

    async def remove(self, keys: Sequence[str]) -> None:
        from redis import RedisError

        await super().remove(keys)
        try:
            await self._client().delete(*(self._prefix + key for key in keys))
        except RedisError as error:
            _warn(error)

    async def give_back(self, key: str) -> None:
        from redis import RedisError

        await super().give_back(key)
        try:
            # A counter whose window ends meanwhile may become -1, for which the next window lasts for ever.
            script = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end"
            await self._client().eval(script, 1, self._prefix + key)
        except RedisError as error:
            _warn(error)

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    def _client(self) -> Redis:
        """Return the client; created at first, on the event loop that uses it."""
        if self._redis is None:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            pool = BlockingConnectionPool.from_url(
                self._url,
                max_connections=MAX_REDIS_CONNECTIONS,
                timeout=REDIS_TIMEOUT_SECONDS,
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed meanwhile
            )
            self._redis = Redis.from_pool(pool)
        return self._redis


def whole_seconds(seconds: float) -> int:
    """Round a wait up, as `Retry-After` has whole seconds."""
    return max(1, math.ceil(seconds))


def _warn(error: Exception) -> None:
    log.warning("This process counts sign-in attempts by itself, because Redis failed: %s", error)
