"""Counting of sign-in attempts in Redis, and in each process without Redis."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest
import redis
from django.utils.module_loading import import_string

from backend_main.core.auth import throttle_cache
from backend_main.core.conf import Conf, conf
from tests.support.redis import Redis

KEY, TIMES = "password-tries-of-somebody", [3.5, 2.25]


def make_cache(url: str) -> throttle_cache.RedisCacheWithFallback:
    """Make the cache as Django does in each process."""
    settings = throttle_cache.cache_settings(conf_with(url))
    backend: type[throttle_cache.RedisCacheWithFallback] = import_string(settings.pop("BACKEND"))
    return backend(settings.pop("LOCATION"), settings)


def conf_with(url: str) -> Conf:
    return msgspec.structs.replace(conf, redis_url=url, redis_prefix="here:")


def test_redis_cache_is_shared_between_processes_until_reset(redis_server: Redis) -> None:
    one, other = make_cache(redis_server.url), make_cache(redis_server.url)
    assert other.get(KEY, []) == []
    one.set(KEY, TIMES, 60)
    assert other.get(KEY, []) == TIMES
    assert other.delete(KEY)
    assert one.get(KEY, []) == []


def test_redis_cache_without_redis_falls_back_to_the_process(redis_server: Redis) -> None:
    cache = make_cache(redis_server.url)
    redis_server.stop()
    cache.set(KEY, TIMES, 60)
    assert cache.get(KEY, []) == TIMES
    redis_server.start()
    assert cache.get(KEY, []) == []
    redis_server.stop()
    cache.delete(KEY)
    assert cache.get(KEY, []) == []


def test_redis_cache_does_not_load_pickles(redis_server: Redis, tmp_path: Path) -> None:
    class Program:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    cache = make_cache(redis_server.url)
    with redis.Redis(port=redis_server.port) as client:
        client.set(cache.make_key(KEY), pickle.dumps(Program()))
    assert cache.get(KEY, []) == []
    assert not (tmp_path / "ran").exists()


def test_cache_settings_without_redis_url_use_the_process() -> None:
    with pytest.raises(KeyError):
        throttle_cache.cache_settings(conf_with(""))["LOCATION"]
