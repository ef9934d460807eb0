"""An engine in a child may crash, hang, fill the memory: the host says so in one error and reads on."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

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


def assert_reads(host: EngineProcess, path: Path) -> None:
    assert texts(list(host.read(path))) == ["still", "here"]


@pytest.fixture
def good(scripted: Scripted) -> Path:
    return scripted("good.png", lines=["still", "here"])


def test_a_page_comes_as_started_lines_done(host: EngineProcess, good: Path) -> None:
    events = list(host.read(good))
    assert [type(event) for event in events] == [PageStarted, Line, Line, PageDone]
    done = events[-1]
    assert isinstance(done, PageDone)
    assert (done.markdown, done.text, done.width, done.height) == ("still\nhere", "still here", 64, 48)
    assert done.lines == events[1:3]


def test_lines_arrive_while_the_page_is_being_read(
    host: EngineProcess, scripted: Scripted, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    events = host.read(scripted(lines=["one", "two"], wait_for=str(gate), wait_after=1))
    assert isinstance(next(events), PageStarted)
    assert isinstance(next(events), Line)
    gate.touch()
    assert len(list(events)) == 2


def test_starting_twice_keeps_the_child(host: EngineProcess) -> None:
    assert not host.is_ready
    assert host.pid is None
    host.start()
    pid = host.pid
    host.start()
    assert host.is_ready
    assert host.pid == pid is not None


def test_a_crash_is_one_error_and_the_next_read_works(
    host: EngineProcess, scripted: Scripted, good: Path
) -> None:
    events = host.read(scripted(lines=["a", "b"], then="crash", after=1))
    assert isinstance(next(events), PageStarted)
    assert isinstance(next(events), Line)
    with pytest.raises(EngineCrashed, match="stopped unexpectedly"):
        next(events)
    assert not host.is_ready
    assert_reads(host, good)


def test_an_exception_of_the_engine_leaves_its_process_alive(
    host: EngineProcess, scripted: Scripted, good: Path
) -> None:
    host.start()
    pid = host.pid
    with pytest.raises(EngineFailed, match="failed on page 1") as caught:
        list(host.read(scripted(then="raise")))
    assert "Traceback" not in str(caught.value)
    assert_reads(host, good)
    assert host.pid == pid


def test_a_hanging_page_is_ended_by_its_time_limit(
    host: EngineProcess, scripted: Scripted, good: Path
) -> None:
    host.start()
    with pytest.raises(EngineTimeout, match=r"longer than 0\.3 seconds"):
        list(host.read(scripted(then="hang"), Options(page_seconds=0.3)))
    assert_reads(host, good)


def test_a_slow_caller_does_not_use_up_the_pages_time(
    host: EngineProcess, scripted: Scripted, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    path = scripted(lines=["a", "b"], wait_for=str(gate), wait_after=1)
    events = host.read(path, Options(page_seconds=1.0))
    next(events), next(events)
    time.sleep(1.2)  # the subject of the test is time itself
    opener = threading.Timer(0.2, gate.touch)
    opener.start()
    assert len(list(events)) == 2
    opener.join()


def test_a_child_that_fills_the_memory_is_killed(host: EngineProcess, scripted: Scripted, good: Path) -> None:
    with pytest.raises(EngineCrashed, match="too much memory"):
        list(host.read(scripted(then="oom")))
    assert_reads(host, good)


def test_an_unreadable_file_is_reported_as_such(host: EngineProcess, tmp_path: Path, good: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image at all")
    with pytest.raises(UnreadableFile, match="Unsupported file format"):
        list(host.read(bad))
    assert_reads(host, good)


def test_an_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(UnknownEngine, match="dummy"):
        EngineProcess("nonesuch").start()


@pytest.mark.parametrize("then", ["hang", "slow"])
def test_cancel_ends_a_read_within_a_second_even_if_the_engine_is_deaf(
    host: EngineProcess, scripted: Scripted, tmp_path: Path, good: Path, then: str
) -> None:
    touched = tmp_path / "touched"
    path = scripted(lines=["a"], then=then, touch=str(touched))
    took: list[float] = []

    def cancel() -> None:
        wait_until(touched.exists)
        took.append(time.monotonic())
        host.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(Cancelled):
        list(host.read(path))
    canceller.join()
    # A second is promised; the rest is a margin for a loaded machine, as where an upload is deleted.
    assert time.monotonic() - took[0] < 2.5
    assert_reads(host, good)


def test_cancelling_an_engine_that_listens_keeps_its_process(
    host: EngineProcess, scripted: Scripted, good: Path
) -> None:
    events = host.read(scripted(lines=["x"] * 1000, line_seconds=0.01))
    next(events)
    pid = host.pid
    host.cancel()
    with pytest.raises(Cancelled):
        list(events)
    assert_reads(host, good)
    assert host.pid == pid


def test_a_cancel_before_the_first_event_counts(host: EngineProcess, good: Path) -> None:
    events = host.read(good)
    host.cancel()
    with pytest.raises(Cancelled):
        next(events)
    assert_reads(host, good)


def test_a_cancel_without_a_read_does_nothing(host: EngineProcess, good: Path) -> None:
    host.start()
    host.cancel()
    assert_reads(host, good)


def test_a_read_dropped_half_way_leaves_the_host_usable(
    host: EngineProcess, scripted: Scripted, good: Path
) -> None:
    events = host.read(scripted(lines=["x"] * 1000, line_seconds=0.01))
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert_reads(host, good)


def test_stop_from_another_thread_ends_a_running_read(
    host: EngineProcess, scripted: Scripted, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"

    def stop() -> None:
        wait_until(touched.exists)
        host.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Cancelled):
        list(host.read(scripted(then="hang", touch=str(touched))))
    stopper.join()
    assert host.pid is None


def test_the_child_is_replaced_after_its_share_of_pages(good: Path) -> None:
    host = EngineProcess("dummy", recycle_pages=2)
    try:
        pids = []
        for _ in range(3):
            list(host.read(good))
            pids.append(host.pid)
        assert pids[0] == pids[1] != pids[2]
    finally:
        host.stop()


def test_a_child_that_has_grown_is_replaced_between_two_reads(good: Path) -> None:
    host = EngineProcess("dummy", recycle_memory_bytes=1)
    try:
        host.start()
        started = host.pid
        list(host.read(good))
        assert host.pid == started, "it was fresh, and a fresh one would be no smaller"
        list(host.read(good))
        assert host.pid != started
    finally:
        host.stop()


def test_the_child_ignores_the_terminals_and_the_service_managers_signals(
    host: EngineProcess, good: Path
) -> None:
    host.start()
    pid = host.pid
    assert pid is not None
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    assert_reads(host, good)
    assert host.pid == pid


def test_the_childs_environment_holds_no_secrets(
    host: EngineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANRILL_SECRET_KEY", "hidden")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("PGPASSWORD", "hidden")
    host.start()
    environment = psutil.Process(host.pid).environ()
    assert "hidden" not in environment.values()
    assert not [name for name in environment if name.startswith("SCANRILL")]
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["OMP_NUM_THREADS"] == str(len(os.sched_getaffinity(0)))


def test_the_child_inherits_no_open_files_but_its_pipes(host: EngineProcess, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        host.start()
        assert str(tmp_path / "secret") not in [file.path for file in psutil.Process(host.pid).open_files()]


def test_nothing_of_django_is_imported_in_the_child() -> None:
    code = "import sys, backend_main.reading.child_process.main; print(*sys.modules)"
    names = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "backend_main.reading.child_process.main" in names
    assert not [name for name in names if name.startswith(("django", "backend_main.core"))]


PARENT = """
import sys
from backend_main.reading import EngineProcess
host = EngineProcess("dummy")
events = host.read(sys.argv[1])
next(events)
print(host.pid, flush=True)
next(events)
"""


def test_the_child_leaves_when_its_parent_is_killed_while_it_is_busy(scripted: Scripted) -> None:
    path = scripted(lines=["a"], then="hang", after=0)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5)


def test_a_read_that_an_error_left_in_the_middle_is_not_the_end_of_the_next(
    host: EngineProcess, good: Path
) -> None:
    left = host.read(good)
    for event in left:
        if isinstance(event, PageDone):
            break  # the child has said more, and something holds the events still: a traceback, for one
    assert_reads(host, good)
    assert list(left) == []
