"""A reader's engines: its own stays, one other comes when asked for, and both keep to one memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.reading import (
    BatchedEvent,
    EngineProcessPool,
    Options,
    PageDone,
)
from backend_main.reading.child_process import engine_pool
from backend_main.reading.engines import known_engines

from .conftest import Scripted

LIMIT = 1000


class FakeHost:
    """Weighs what the test says."""

    all: list[FakeHost] = []

    def __init__(self, engine: str, threads: int = 0, max_memory_bytes: int = 0) -> None:
        self.engine, self.max_memory_bytes = engine, max_memory_bytes
        self.starts = self.stops = self.cancels = self.resident_bytes = 0
        self.is_ready = False
        FakeHost.all.append(self)

    def start(self) -> None:
        self.starts += 1
        self.is_ready = True

    def stop(self) -> None:
        self.stops += 1
        self.is_ready, self.resident_bytes = False, 0

    def cancel(self) -> None:
        self.cancels += 1

    def read_batched(self, _path: Path, _options: Options) -> Iterator[BatchedEvent]:
        return iter(())


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[FakeHost]:
    FakeHost.all = []
    monkeypatch.setattr(engine_pool, "EngineProcess", FakeHost)
    return FakeHost.all


def read(pool: EngineProcessPool, engine: str) -> None:
    list(pool.read_batched("page.png", Options(engine=engine)))


def test_only_the_own_engine_is_started_ahead(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    pool.start()
    assert [(host.engine, host.starts) for host in fakes] == [("own", 1)]
    assert pool.is_ready


def test_another_engine_comes_when_asked_for_and_stays_for_the_next_page(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    for engine in ("own", "other", "own", "other"):
        read(pool, engine)
    assert [host.engine for host in fakes] == ["own", "other"]
    assert all(host.stops == 0 for host in fakes)


def test_a_third_engine_takes_the_place_of_the_second(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    for engine in ("own", "second", "third"):
        read(pool, engine)
    assert [(host.engine, host.stops) for host in fakes] == [("own", 0), ("second", 1), ("third", 0)]


def test_together_they_keep_to_one_memory(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    fakes[0].resident_bytes = 300
    read(pool, "other")
    assert fakes[1].max_memory_bytes == LIMIT - 300
    assert fakes[0].stops == 0


def test_an_own_engine_that_has_grown_makes_room(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    fakes[0].resident_bytes = 700
    read(pool, "other")
    assert fakes[0].stops == 1
    assert fakes[1].max_memory_bytes == LIMIT


def test_one_that_nobody_asks_for_any_more_goes(
    fakes: list[FakeHost], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    read(pool, "other")
    pool.start()
    assert fakes[1].stops == 0
    monkeypatch.setattr(engine_pool, "IDLE_SECONDS", -1.0)
    pool.start()
    assert fakes[1].stops == 1


def test_a_cancel_reaches_the_one_that_reads(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    read(pool, "other")
    pool.cancel()
    read(pool, "own")
    pool.cancel()
    assert [host.cancels for host in fakes] == [1, 1]


def test_a_stop_ends_both_and_what_comes_after_it(fakes: list[FakeHost]) -> None:
    pool = EngineProcessPool("own", max_memory_bytes=LIMIT)
    read(pool, "other")
    pool.stop()
    assert [host.stops for host in fakes] == [1, 1]
    read(pool, "late")
    assert fakes[2].stops == 1


def test_two_engines_read_in_turn_in_processes_of_their_own(scripted: Scripted) -> None:
    assert "rapid" in known_engines()
    page = scripted(lines=["still", "here"])
    pool = EngineProcessPool("dummy")
    try:
        pool.start()
        texts = []
        for engine in ("dummy", "rapid", "dummy"):
            [done] = [e for e in pool.read_batched(page, Options(engine=engine)) if isinstance(e, PageDone)]
            texts.append(done.markdown)
        assert texts == ["still\nhere", "", "still\nhere"]
    finally:
        pool.stop()
