"""M5 - the limits of a page hold however much the decoder's process says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend_main.reading import EngineCrashed, EngineProcess, EngineTimeout, Line, Options
from backend_main.reading.child_process import page_budget
from tests.support.hostile import register_hostile_engine, skip_without_measures
from tests.support.page_images import scripted_png

MIB = 1 << 20
MEMORY_BYTES = 400 * MIB


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProcess]:
    register_hostile_engine(monkeypatch)
    with EngineProcess("hostile", threads=1, max_memory_bytes=MEMORY_BYTES) as process:
        yield process


def page(directory: Path, **script: object) -> Path:
    path = directory / "page.png"
    path.write_bytes(scripted_png(**script))
    return path


def test_m5_page_with_endless_lines_ends_at_the_time_limit(process: EngineProcess, tmp_path: Path) -> None:
    with pytest.raises(EngineTimeout):
        for _ in process.read(page(tmp_path, attack="chatter"), Options(engine="hostile", page_seconds=1.0)):
            pass


def test_m5_page_that_allocates_between_lines_ends_at_the_memory_limit(
    process: EngineProcess, tmp_path: Path
) -> None:
    with pytest.raises(EngineCrashed, match="too much memory"):
        for _ in process.read(page(tmp_path, attack="fill memory")):
            pass


def test_m5_allocation_at_once_fails_in_the_process(process: EngineProcess, tmp_path: Path) -> None:
    """Between two measurements, a process could otherwise allocate all memory of the machine."""
    skip_without_measures("limits")
    events = process.read(page(tmp_path, attack="allocate", bytes=4 * MEMORY_BYTES))
    assert [event.text for event in events if isinstance(event, Line)] == ["before", "failed"]


def test_m5_page_that_is_done_again_ends_the_process(process: EngineProcess, tmp_path: Path) -> None:
    """Each end of a page starts the time of the next one."""
    with pytest.raises(EngineCrashed, match="unexpected reply"):
        for _ in process.read(page(tmp_path, attack="send pages")):
            pass


def test_m5_replies_of_a_page_are_limited_in_bytes(
    process: EngineProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_budget, "MAX_PAGE_REPLY_BYTES", 10_000)
    with pytest.raises(EngineCrashed, match="too much text"):
        for _ in process.read(page(tmp_path, attack="chatter")):
            pass


def test_m5_kernel_limits_the_processor_time_of_a_page(process: EngineProcess, tmp_path: Path) -> None:
    """A parent that is busy with a database measures nothing."""
    events = process.read(page(tmp_path, attack="compute"), Options(engine="hostile", page_seconds=600.0))
    next(events)
    soft, hard = psutil.Process(process.pid).rlimit(psutil.RLIMIT_CPU)
    assert 0 < soft < 605 * psutil.cpu_count() + 60
    assert hard == psutil.RLIM_INFINITY
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_CPU, (1, hard))
    with pytest.raises(EngineCrashed, match="stopped unexpectedly"):
        list(events)
