"""Step 3 — where tries to sign in are counted: in this process, or in Redis for all of a deployment.

While Redis is away each process counts for itself, and people sign in all the same.
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

# Room enough that trying other names does not push one's own out.
MAX_ENTRIES = 20_000
# A Redis that says nothing holds up a sign-in for so long, twice.
REDIS_TIMEOUT_SECONDS = 1.0


def cache_settings(conf: Conf) -> dict[str, Any]:
    """Django's settings of the cache that its throttles count in."""
    own = {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}}
    if not conf.redis_url:
        return own | {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
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
    """Django's own would read pickles: whoever writes to Redis could run programs here."""

    def dumps(self, value: object) -> bytes:
        return msgspec.json.encode(value)

    def loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class RedisCacheWithFallback(RedisCache):
    """As far as throttles use a cache: `get`, `set`, `delete`."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._local = LocMemCache("tries", {"OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES}})

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._call_shared_or_local(super().get, self._local.get, key, default, version)

    def set(self, key: Any, value: Any, *rest: Any, **named: Any) -> None:
        self._call_shared_or_local(super().set, self._local.set, key, value, *rest, **named)

    def delete(self, key: Any, version: int | None = None) -> bool:
        self._local.delete(key, version)
        return bool(self._call_shared_or_local(super().delete, self._local.delete, key, version))

    def _call_shared_or_local(
        self, shared: Callable[..., Any], own: Callable[..., Any], *arguments: Any, **named: Any
    ) -> Any:
        from redis import RedisError

        try:
            return shared(*arguments, **named)
        except (RedisError, msgspec.DecodeError) as error:
            log.warning("tries to sign in are counted by each process for itself: %s", error)
            return own(*arguments, **named)
