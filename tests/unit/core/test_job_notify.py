"""Who tells that there is work waits for nobody, and calls no more than are wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backend_main.core.jobs import notify, reader_pool
from backend_main.core.jobs.notify import WorkerNotifier
from tests.support.processes import wait_until


class Broker:
    """Takes calls when it is let; `posted` are those of each time."""

    def __init__(self) -> None:
        self.posted: list[int] = []
        self.away = False
        self.asked = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()

    def post(self, calls: int) -> None:
        self.asked.release()
        self.free.wait(30)
        if self.away:
            raise ConnectionError("nobody there")
        self.posted.append(calls)

    def wait_asked(self) -> None:
        assert self.asked.acquire(timeout=30)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def worker_notifier(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerNotifier]:
    monkeypatch.setattr(notify, "RETRY_INTERVAL_SECONDS", 0.01)
    notify.start_worker_notifier(broker.post)
    assert notify._worker_notifier is not None
    yield notify._worker_notifier
    broker.free.set()
    notify.stop_worker_notifier(30)
    notify.notify_jobs_available()  # does nothing any more


def test_notify_jobs_available_does_not_wait_and_merges_calls(
    broker: Broker, worker_notifier: WorkerNotifier
) -> None:
    broker.free.clear()
    notify.notify_jobs_available()
    broker.wait_asked()
    for _ in range(3):
        notify.notify_jobs_available()
    notify.notify_jobs_available(10)
    broker.free.set()
    broker.wait_asked()
    notify.stop_worker_notifier(30)
    assert broker.posted == [1, 13]


def test_worker_notifier_limits_queued_calls(broker: Broker, worker_notifier: WorkerNotifier) -> None:
    broker.free.clear()
    notify.notify_jobs_available()
    broker.wait_asked()
    for _ in range(1000):
        notify.notify_jobs_available(1000)
    broker.free.set()
    broker.wait_asked()
    notify.stop_worker_notifier(30)
    assert broker.posted == [1, notify.MAX_QUEUED_CALLS]


def test_worker_notifier_retries_an_unavailable_broker_and_warns_once(
    broker: Broker, worker_notifier: WorkerNotifier, caplog: pytest.LogCaptureFixture
) -> None:
    """Without being told again: otherwise a server with nothing to read would call it away for ever."""
    broker.away = True
    notify.notify_jobs_available(5)
    for _ in range(3):
        broker.wait_asked()
    assert notify.degraded_reason() is not None
    broker.away = False
    wait_until(lambda: broker.posted, "the call is posted")
    notify.stop_worker_notifier(30)
    assert broker.posted == [5]
    assert caplog.text.count("workers cannot be called") == 1
    assert not worker_notifier.is_failing


class IdleReader:
    """Has so many jobs to read."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def read_next(self) -> bool:
        self.jobs -= 1
        return self.jobs >= 0


@pytest.fixture
def no_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_pool, "_idle", reader_pool.queue.LifoQueue())


@pytest.mark.usefixtures("no_readers")
def test_read_next_without_an_idle_reader_returns_false() -> None:
    assert not reader_pool.read_next()
    reader = IdleReader(1)
    reader_pool._idle.put(reader)  # type: ignore[arg-type]
    assert reader_pool.read_next()
    assert not reader_pool.read_next()
    assert reader_pool._idle.get_nowait() is reader


@pytest.mark.usefixtures("no_readers")
def test_read_until_empty_waits_for_a_reader_and_reads_all_jobs() -> None:
    calling = threading.Thread(target=reader_pool.read_until_empty)
    calling.start()
    reader = IdleReader(3)
    reader_pool._idle.put(reader)  # type: ignore[arg-type]
    calling.join(30)
    assert reader.jobs == -1
    assert reader_pool._idle.get_nowait() is reader


def test_is_any_ready_without_readers_is_true() -> None:
    assert reader_pool._readers == []
    assert reader_pool.is_any_ready()


# ── the local pool ──


def test_wake_during_a_query_is_not_lost() -> None:
    looking, go_on, found = threading.Event(), threading.Event(), threading.Event()
    work: list[str] = []

    def look() -> bool:
        if work:
            found.set()
            work.pop()
            return True
        if not looking.is_set():
            looking.set()
            go_on.wait(5)
        return False

    pool = notify.ReaderThreadPool([look])
    pool.start()
    try:
        assert looking.wait(5)
        work.append("came while it had looked")
        pool.wake_local_readers()
        go_on.set()
        assert found.wait(5)
    finally:
        pool.stop(5)


def test_reader_thread_continues_after_an_exception(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    second = threading.Event()

    def raising() -> bool:
        calls.append(1)
        if len(calls) == 2:
            second.set()
        raise RuntimeError("a defect")

    pool = notify.ReaderThreadPool([raising])
    pool.start()
    try:
        while not second.wait(0.01):
            pool.wake_local_readers()
    finally:
        pool.stop(5)
    assert "a defect" in caplog.text


class Jobs:
    """What a thread of the pool looks for; `looked` is set free at every look."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.looks = 0
        self.looked = threading.Semaphore(0)

    def __call__(self) -> bool:
        self.looks += 1
        self.count -= 1
        self.looked.release()
        return self.count >= 0

    def wait_for(self, looks: int) -> None:
        for _ in range(looks):
            assert self.looked.acquire(timeout=30)


def test_reader_thread_pauses_unless_jobs_are_pending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notify, "PAUSE_AFTER_JOB_SECONDS", 3600.0)
    jobs = Jobs(4)
    pool = notify.ReaderThreadPool([jobs])
    pool.wake_local_readers(3)
    pool.start()
    jobs.wait_for(3)
    assert jobs.looks == 3
    pool.wake_local_readers()  # ends the rest
    jobs.wait_for(1)
    pool.stop(5)
    assert jobs.looks == 4


def test_reader_thread_queries_again_after_its_pause() -> None:
    jobs = Jobs(2)
    pool = notify.ReaderThreadPool([jobs])
    pool.start()
    jobs.wait_for(3)
    pool.stop(5)
    assert jobs.looks == 3


def test_query_without_a_job_clears_pending_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever cancels before it is read would leave the readers without rest."""
    monkeypatch.setattr(notify, "PAUSE_AFTER_JOB_SECONDS", 3600.0)
    jobs = Jobs(0)
    pool = notify.ReaderThreadPool([jobs])
    pool.wake_local_readers(10)
    pool.start()
    jobs.wait_for(1)
    jobs.count = 5
    pool.wake_local_readers()
    jobs.wait_for(1)
    pool.stop(5)
    assert jobs.looks == 2
