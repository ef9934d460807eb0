"""Limits on connections: by address, in all, and those without a whole request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from backend_main.backend import connection_limits
from backend_main.backend.connection_limits import MIN_RESERVE, ConnectionLimits
from backend_main.core.errors import RateLimited, ServerBusy

MAX_CONNECTIONS = 10
LOW_DESCRIPTOR = 5


class HalfOpen:
    """A connection that has sent no whole request."""

    is_evicted = False

    def evict(self) -> None:
        self.is_evicted = True


@pytest.fixture
def limits() -> ConnectionLimits:
    return ConnectionLimits(descriptors=MIN_RESERVE + MAX_CONNECTIONS, max_per_address=3)


def admit(limits: ConnectionLimits, count: int) -> list[Any]:
    return [limits.admit(f"192.0.2.{number}", LOW_DESCRIPTOR) for number in range(count)]


def test_admit_above_the_limit_of_an_address_is_rate_limited(limits: ConnectionLimits) -> None:
    admissions = [limits.admit("192.0.2.1", LOW_DESCRIPTOR) for _ in range(3)]
    with pytest.raises(RateLimited):
        limits.admit("192.0.2.1", LOW_DESCRIPTOR)
    limits.admit("192.0.2.2", LOW_DESCRIPTOR)
    admissions[0].release()
    admissions[0].release()  # a second time changes nothing
    limits.admit("192.0.2.1", LOW_DESCRIPTOR)
    with pytest.raises(RateLimited):
        limits.admit("192.0.2.1", LOW_DESCRIPTOR)


def test_admit_trusted_proxy_has_no_limit_of_its_own(limits: ConnectionLimits) -> None:
    for _ in range(MAX_CONNECTIONS):
        limits.admit(None, LOW_DESCRIPTOR)


def test_admit_default_limit_of_an_address_is_half_of_all() -> None:
    limits = ConnectionLimits(descriptors=MIN_RESERVE + MAX_CONNECTIONS, max_per_address=0)
    for _ in range(MAX_CONNECTIONS // 2):
        limits.admit("192.0.2.1", LOW_DESCRIPTOR)
    with pytest.raises(RateLimited):
        limits.admit("192.0.2.1", LOW_DESCRIPTOR)


def test_admit_without_space_and_nothing_half_open_is_busy(limits: ConnectionLimits) -> None:
    admissions = admit(limits, MAX_CONNECTIONS)
    with pytest.raises(ServerBusy):
        limits.admit("192.0.2.99", LOW_DESCRIPTOR)
    admissions[0].release()
    limits.admit("192.0.2.99", LOW_DESCRIPTOR)


async def test_admit_without_space_evicts_the_oldest_half_open(limits: ConnectionLimits) -> None:
    admit(limits, MAX_CONNECTIONS)
    first, second = HalfOpen(), HalfOpen()
    limits.half_open |= {first: None, second: None}
    limits.admit("192.0.2.99", LOW_DESCRIPTOR)
    assert (first.is_evicted, second.is_evicted) == (True, False)
    assert [*limits.half_open] == [second]


async def test_admit_above_the_limit_of_an_address_evicts_nothing(limits: ConnectionLimits) -> None:
    for number in range(MAX_CONNECTIONS):
        limits.admit(f"192.0.2.{number // 3}", LOW_DESCRIPTOR)
    limits.half_open[oldest := HalfOpen()] = None
    with pytest.raises(RateLimited):
        limits.admit("192.0.2.0", LOW_DESCRIPTOR)
    assert not oldest.is_evicted
    assert [*limits.half_open] == [oldest]


async def test_admit_with_a_descriptor_of_the_reserve_evicts(limits: ConnectionLimits) -> None:
    limits.half_open[oldest := HalfOpen()] = None
    limits.admit("192.0.2.1", MAX_CONNECTIONS + MIN_RESERVE // 2)
    assert oldest.is_evicted


async def test_admit_with_too_many_half_open_evicts(
    limits: ConnectionLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_HALF_OPEN", 1)
    limits.half_open[oldest := HalfOpen()] = None
    limits.admit("192.0.2.1", LOW_DESCRIPTOR)
    assert oldest.is_evicted


async def test_refusal_log_has_a_line_each_interval(
    limits: ConnectionLimits, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    delayed: list[Callable[[], None]] = []

    def call_later(_seconds: float, callback: Callable[[], None]) -> object:
        delayed.append(callback)
        return object()

    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", call_later)
    with caplog.at_level(logging.WARNING):
        for reason in ("a", "a", "b"):
            limits.refusals.add(reason)
        delayed.pop()()
        delayed.pop()()  # nothing was refused meanwhile
    assert [record.getMessage() for record in caplog.records] == [
        "Refused or closed connections: 1 × a",
        "Refused or closed connections: 1 × a; 1 × b",
    ]
    assert not delayed
