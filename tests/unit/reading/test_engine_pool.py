"""Tests of the engines of one reader: the default one stays, a requested one joins, both share one limit."""

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
from backend_main.reading.types import FormulaOption

from .conftest import Scripted

LIMIT = 1000


class FakeEngineProcess:
    """Engine process without a process. The test sets its memory."""

    instances: list[FakeEngineProcess] = []

    def __init__(
        self,
        engine: str,
        threads: int = 0,
        max_memory_bytes: int = 0,
        formulas: FormulaOption = "text",
        required_measures: tuple[str, ...] = (),
    ) -> None:
        self.required_measures = required_measures
        self.engine, self.max_memory_bytes, self.formulas = engine, max_memory_bytes, formulas
        self.starts = self.stops = self.cancels = self.resident_bytes = 0
        self.is_ready = False
        FakeEngineProcess.instances.append(self)

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
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[FakeEngineProcess]:
    FakeEngineProcess.instances = []
    monkeypatch.setattr(engine_pool, "EngineProcess", FakeEngineProcess)
    return FakeEngineProcess.instances


def read(pool: EngineProcessPool, engine: str) -> None:
    list(pool.read_batched("page.png", Options(engine=engine)))


def test_start_starts_the_default_engine_only(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    pool.start()
    assert [(process.engine, process.starts) for process in fakes] == [("default", 1)]
    assert pool.is_ready


def test_requested_engine_stays_for_the_next_page(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    for engine in ("default", "other", "default", "other"):
        read(pool, engine)
    assert [process.engine for process in fakes] == ["default", "other"]
    assert all(process.stops == 0 for process in fakes)


def test_file_that_allows_vision_is_read_in_a_process_of_its_own(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("rapid")
    for formulas in ("vision", "vision", "text"):
        list(pool.read_batched("page.png", Options(formulas=formulas)))  # type: ignore[arg-type]
    assert [(process.engine, process.formulas) for process in fakes] == [
        ("rapid", "text"),
        ("rapid", "vision"),
    ]


def test_third_engine_replaces_the_second(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    for engine in ("default", "second", "third"):
        read(pool, engine)
    assert [(process.engine, process.stops) for process in fakes] == [
        ("default", 0),
        ("second", 1),
        ("third", 0),
    ]


def test_second_engine_gets_the_memory_left_by_the_default(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    fakes[0].resident_bytes = 300
    read(pool, "other")
    assert fakes[1].max_memory_bytes == LIMIT - 300
    assert fakes[0].stops == 0


def test_default_engine_that_has_grown_stops_for_the_second(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    fakes[0].resident_bytes = 700
    read(pool, "other")
    assert fakes[0].stops == 1
    assert fakes[1].max_memory_bytes == LIMIT


def test_start_stops_an_idle_second_engine(
    fakes: list[FakeEngineProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    read(pool, "other")
    pool.start()
    assert fakes[1].stops == 0
    monkeypatch.setattr(engine_pool, "IDLE_SECONDS", -1.0)
    pool.start()
    assert fakes[1].stops == 1


def test_cancel_reaches_the_engine_that_reads(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    read(pool, "other")
    pool.cancel()
    read(pool, "default")
    pool.cancel()
    assert [process.cancels for process in fakes] == [1, 1]


def test_stop_stops_both_engines_and_later_ones(fakes: list[FakeEngineProcess]) -> None:
    pool = EngineProcessPool("default", max_memory_bytes=LIMIT)
    read(pool, "other")
    pool.stop()
    assert [process.stops for process in fakes] == [1, 1]
    read(pool, "late")
    assert fakes[2].stops == 1


def test_pool_reads_with_two_engines_in_turn(scripted: Scripted) -> None:
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
