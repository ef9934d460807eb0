"""TokenBucket: the rate of a client's messages."""

from __future__ import annotations

import pytest

from backend_main.core.live import rate_limit
from backend_main.core.live.rate_limit import TokenBucket


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one number that a test increases."""
    now = [1000.0]
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: now[0])
    return now


def test_token_bucket_allows_a_burst_and_no_more(clock: list[float]) -> None:
    bucket = TokenBucket(rate=5, burst=20)
    assert [bucket.consume() for _ in range(21)] == [True] * 20 + [False]


def test_token_bucket_refills_at_its_rate(clock: list[float]) -> None:
    bucket = TokenBucket(rate=5, burst=20)
    for _ in range(20):
        bucket.consume()
    clock[0] += 1.0
    assert [bucket.consume() for _ in range(6)] == [True] * 5 + [False]


def test_token_bucket_after_a_long_pause_allows_one_burst(clock: list[float]) -> None:
    bucket = TokenBucket(rate=5, burst=20)
    clock[0] += 3600
    assert sum(bucket.consume() for _ in range(100)) == 20


def test_token_bucket_refusal_costs_no_token(clock: list[float]) -> None:
    bucket = TokenBucket(rate=1, burst=1)
    assert bucket.consume()
    for _ in range(10):
        assert not bucket.consume()
    clock[0] += 1.0
    assert bucket.consume()
