"""Tries to sign in are counted for all servers of a deployment, and go on being counted without a Redis."""

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


def counted_in(url: str) -> throttle_cache.RedisCacheWithFallback:
    """As Django makes it for each process."""
    settings = throttle_cache.cache_settings(of(url))
    backend: type[throttle_cache.RedisCacheWithFallback] = import_string(settings.pop("BACKEND"))
    return backend(settings.pop("LOCATION"), settings)


def of(url: str) -> Conf:
    return msgspec.structs.replace(conf, redis_url=url, redis_prefix="here:")


def test_what_one_process_counts_another_knows_until_it_is_forgotten(redis_server: Redis) -> None:
    one, other = counted_in(redis_server.url), counted_in(redis_server.url)
    assert other.get(KEY, []) == []
    one.set(KEY, TIMES, 60)
    assert other.get(KEY, []) == TIMES
    assert other.delete(KEY)
    assert one.get(KEY, []) == []


def test_without_redis_a_process_counts_for_itself(redis_server: Redis) -> None:
    counts = counted_in(redis_server.url)
    redis_server.stop()
    counts.set(KEY, TIMES, 60)
    assert counts.get(KEY, []) == TIMES
    redis_server.start()
    assert counts.get(KEY, []) == []
    redis_server.stop()
    counts.delete(KEY)
    assert counts.get(KEY, []) == []


def test_what_is_written_to_redis_by_others_is_no_program(redis_server: Redis, tmp_path: Path) -> None:
    class Program:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    cache = counted_in(redis_server.url)
    with redis.Redis(port=redis_server.port) as client:
        client.set(cache.make_key(KEY), pickle.dumps(Program()))
    assert cache.get(KEY, []) == []
    assert not (tmp_path / "ran").exists()


def test_a_server_alone_counts_in_itself() -> None:
    with pytest.raises(KeyError):
        throttle_cache.cache_settings(of(""))["LOCATION"]
