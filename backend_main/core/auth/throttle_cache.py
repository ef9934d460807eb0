"""Cache that counts sign-in attempts: in this process, or in Redis for a whole deployment.

If Redis is unavailable, each process counts by itself, so that users can still sign in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from ..conf import Conf

log = logging.getLogger(__name__)

# Large enough that attempts with other names do not evict the entry of the attacked name.
MAX_ENTRIES = 20_000
# With an unresponsive Redis, a sign-in waits for this timeout twice: to read and to write the count.
REDIS_TIMEOUT_SECONDS = 1.0


def cache_settings(conf: Conf) -> dict[str, Any]:
    """Return Django's settings for the cache of its throttles."""
    local = {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}}
    if not conf.redis_url:
        return local | {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {
        "BACKEND": f"{__name__}.{RedisCacheWithFallback.__qualname__}",
        "LOCATION": conf.redis_url,
        "KEY_PREFIX": conf.redis_prefix,
        "OPTIONS": {
            "serializer": JSONCacheSerializer(),
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        },
    }


class JSONCacheSerializer:
    """Serializer without pickles: Django's own would let anybody who writes to Redis run code here."""

    def dumps(self, value: object) -> bytes:
        return msgspec.json.encode(value)

    def loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class RedisCacheWithFallback(RedisCache):
    """Redis cache with a local fallback for the methods that throttles use: `get`, `set`, `delete`."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._local = LocMemCache("tries", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._call_shared_or_local(super().get, self._local.get, key, default, version)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._call_shared_or_local(super().set, self._local.set, key, value, *args, **kwargs)

    def delete(self, key: Any, version: int | None = None) -> bool:
        self._local.delete(key, version)
        return bool(self._call_shared_or_local(super().delete, self._local.delete, key, version))

    def _call_shared_or_local(
        self, shared: Callable[..., Any], local: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        from redis import RedisError

        try:
            return shared(*args, **kwargs)
        except (RedisError, msgspec.DecodeError) as error:
            log.warning("Each process counts sign-in attempts by itself, because Redis failed: %s", error)
            return local(*args, **kwargs)
