"""Tests of an engine in a child process: crashes, hangs, memory, cancelling, recycling and isolation."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from backend_main.reading import (
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineProcess,
    EngineTimeout,
    Line,
    Options,
    PageDone,
    PageStarted,
    ReadEvent,
    UnknownEngine,
    UnreadableFile,
)

from .conftest import Scripted, wait_until


def texts(events: list[ReadEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Line)]


def assert_reads(process: EngineProcess, path: Path) -> None:
    assert texts(list(process.read(path))) == ["still", "here"]


@pytest.fixture
def good(scripted: Scripted) -> Path:
    return scripted("good.png", lines=["still", "here"])


def test_read_yields_start_lines_and_end_of_a_page(process: EngineProcess, good: Path) -> None:
    events = list(process.read(good))
    assert [type(event) for event in events] == [PageStarted, Line, Line, PageDone]
    done = events[-1]
    assert isinstance(done, PageDone)
    assert (done.markdown, done.text, done.width, done.height) == ("still\nhere", "still here", 64, 48)
    # The words of a line, and its place in the Markdown, come with the finished page.
    streamed = [msgspec.structs.replace(line, words=(), span=None) for line in done.lines]
    assert streamed == events[1:3]


def test_read_yields_lines_while_the_page_is_being_read(
    process: EngineProcess, scripted: Scripted, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    events = process.read(scripted(lines=["one", "two"], wait_for=str(gate), wait_after=1))
    assert isinstance(next(events), PageStarted)
    assert isinstance(next(events), Line)
    gate.touch()
    assert len(list(events)) == 2


def test_start_twice_keeps_the_child(process: EngineProcess) -> None:
    assert not process.is_ready
    assert process.pid is None
    process.start()
    pid = process.pid
    process.start()
    assert process.is_ready
    assert process.pid == pid is not None


def test_crash_raises_one_error_and_the_next_read_works(
    process: EngineProcess, scripted: Scripted, good: Path
) -> None:
    events = process.read(scripted(lines=["a", "b"], then="crash", after=1))
    assert isinstance(next(events), PageStarted)
    assert isinstance(next(events), Line)
    with pytest.raises(EngineCrashed, match="stopped unexpectedly"):
        next(events)
    assert not process.is_ready
    assert_reads(process, good)


def test_exception_of_the_engine_keeps_the_process(
    process: EngineProcess, scripted: Scripted, good: Path
) -> None:
    process.start()
    pid = process.pid
    with pytest.raises(EngineFailed, match="failed on page 1") as caught:
        list(process.read(scripted(then="raise")))
    assert "Traceback" not in str(caught.value)
    assert_reads(process, good)
    assert process.pid == pid


def test_hanging_page_raises_at_its_time_limit(
    process: EngineProcess, scripted: Scripted, good: Path
) -> None:
    process.start()
    with pytest.raises(EngineTimeout, match=r"longer than 0\.3 seconds"):
        list(process.read(scripted(then="hang"), Options(page_seconds=0.3)))
    assert_reads(process, good)


def test_time_limit_excludes_the_time_of_the_caller(
    process: EngineProcess, scripted: Scripted, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    path = scripted(lines=["a", "b"], wait_for=str(gate), wait_after=1)
    events = process.read(path, Options(page_seconds=1.0))
    next(events), next(events)
    time.sleep(1.2)  # the subject of the test is time itself
    opener = threading.Timer(0.2, gate.touch)
    opener.start()
    assert len(list(events)) == 2
    opener.join()


def test_child_that_fills_the_memory_is_killed(
    process: EngineProcess, scripted: Scripted, good: Path
) -> None:
    with pytest.raises(EngineCrashed, match="too much memory"):
        list(process.read(scripted(then="oom")))
    assert_reads(process, good)


def test_unreadable_file_raises_and_the_next_read_works(
    process: EngineProcess, tmp_path: Path, good: Path
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image at all")
    with pytest.raises(UnreadableFile, match="Unsupported file format"):
        list(process.read(bad))
    assert_reads(process, good)


def test_unknown_engine_error_names_the_known_ones() -> None:
    with pytest.raises(UnknownEngine, match="dummy"):
        EngineProcess("nonesuch").start()


@pytest.mark.parametrize("then", ["hang", "slow"])
def test_cancel_ends_a_read_of_an_unresponsive_engine_in_time(
    process: EngineProcess, scripted: Scripted, tmp_path: Path, good: Path, then: str
) -> None:
    touched = tmp_path / "touched"
    path = scripted(lines=["a"], then=then, touch=str(touched))
    cancelled_at: list[float] = []

    def cancel() -> None:
        wait_until(touched.exists)
        cancelled_at.append(time.monotonic())
        process.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(Cancelled):
        list(process.read(path))
    canceller.join()
    # The limit is one second; the rest is a margin for a loaded machine.
    assert time.monotonic() - cancelled_at[0] < 2.5
    assert_reads(process, good)


def test_cancel_of_a_responsive_engine_keeps_its_process(
    process: EngineProcess, scripted: Scripted, good: Path
) -> None:
    events = process.read(scripted(lines=["x"] * 1000, line_seconds=0.01))
    next(events)
    pid = process.pid
    process.cancel()
    with pytest.raises(Cancelled):
        list(events)
    assert_reads(process, good)
    assert process.pid == pid


def test_cancel_before_the_first_event_takes_effect(process: EngineProcess, good: Path) -> None:
    events = process.read(good)
    process.cancel()
    with pytest.raises(Cancelled):
        next(events)
    assert_reads(process, good)


def test_cancel_without_a_read_does_nothing(process: EngineProcess, good: Path) -> None:
    process.start()
    process.cancel()
    assert_reads(process, good)


def test_read_closed_half_way_keeps_the_process_usable(
    process: EngineProcess, scripted: Scripted, good: Path
) -> None:
    events = process.read(scripted(lines=["x"] * 1000, line_seconds=0.01))
    next(events)
    events.close()
    assert_reads(process, good)


def test_stop_from_another_thread_ends_a_running_read(
    process: EngineProcess, scripted: Scripted, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"

    def stop() -> None:
        wait_until(touched.exists)
        process.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        list(process.read(scripted(then="hang", touch=str(touched))))
    stopper.join()
    assert process.pid is None


def test_child_that_another_thread_has_waited_for_is_not_alive(process: EngineProcess, good: Path) -> None:
    process.start()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    os.waitpid(process.pid, 0)
    assert not process.is_ready
    assert_reads(process, good)


def test_child_is_replaced_after_recycle_pages(good: Path) -> None:
    process = EngineProcess("dummy", recycle_pages=2)
    try:
        pids = []
        for _ in range(3):
            list(process.read(good))
            pids.append(process.pid)
        assert pids[0] == pids[1] != pids[2]
    finally:
        process.stop()


def test_child_above_recycle_memory_is_replaced_between_two_reads(good: Path) -> None:
    process = EngineProcess("dummy", recycle_memory_bytes=1)
    try:
        process.start()
        started = process.pid
        list(process.read(good))
        assert process.pid == started, "it was fresh, and a fresh one would be no smaller"
        list(process.read(good))
        assert process.pid != started
    finally:
        process.stop()


def test_child_ignores_sigint_and_sigterm(process: EngineProcess, good: Path) -> None:
    process.start()
    pid = process.pid
    assert pid is not None
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    assert_reads(process, good)
    assert process.pid == pid


def test_environment_of_the_child_has_no_secrets(
    process: EngineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANRILL_SECRET_KEY", "hidden")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("PGPASSWORD", "hidden")
    process.start()
    environment = psutil.Process(process.pid).environ()
    assert "hidden" not in environment.values()
    assert not [name for name in environment if name.startswith("SCANRILL")]
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["OMP_NUM_THREADS"] == str(len(os.sched_getaffinity(0)))


def test_environment_of_the_child_has_the_key_of_vision_only_for_reads_that_allow_it(
    process: EngineProcess, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANRILL_VISION_API_KEY", "hidden")
    list(process.read(good))
    assert "hidden" not in psutil.Process(process.pid).environ().values()
    list(process.read(good, Options(formulas="vision")))
    assert "hidden" in psutil.Process(process.pid).environ().values()


def test_child_inherits_no_open_files_but_its_pipes(process: EngineProcess, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        process.start()
        assert str(tmp_path / "secret") not in [
            file.path for file in psutil.Process(process.pid).open_files()
        ]


def test_child_does_not_import_django() -> None:
    code = "import sys, backend_main.reading.child_process.main; print(*sys.modules)"
    names = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "backend_main.reading.child_process.main" in names
    assert not [name for name in names if name.startswith(("django", "backend_main.core"))]


PARENT = """
import sys
from backend_main.reading import EngineProcess
process = EngineProcess("dummy")
events = process.read(sys.argv[1])
next(events)
print(process.pid, flush=True)
next(events)
"""


def test_busy_child_exits_when_its_parent_is_killed(scripted: Scripted) -> None:
    path = scripted(lines=["a"], then="hang", after=0)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5)


def test_abandoned_read_does_not_end_the_next_one(process: EngineProcess, good: Path) -> None:
    abandoned = process.read(good)
    for event in abandoned:
        if isinstance(event, PageDone):
            break  # the child has sent more, and a traceback, for example, still refers to the generator
    assert_reads(process, good)
    assert list(abandoned) == []
