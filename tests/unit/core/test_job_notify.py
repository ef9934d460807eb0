"""Tests of waking local readers and of calling workers through a broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backend_main.core.jobs import notify, reader_pool
from backend_main.core.jobs.notify import WorkerNotifier
from backend_main.core.jobs.reader_pool import ReaderPool
from backend_main.core.pubsub.local import LocalPubSub
from tests.support.processes import wait_until


class Broker:
    """Broker that can block or fail. `enqueued` has the number of calls of each successful request."""

    def __init__(self) -> None:
        self.enqueued: list[int] = []
        self.is_unavailable = False
        self.called = threading.Semaphore(0)
        self.release_event = threading.Event()
        self.release_event.set()

    def enqueue(self, calls: int) -> None:
        self.called.release()
        self.release_event.wait(30)
        if self.is_unavailable:
            raise ConnectionError("no broker")
        self.enqueued.append(calls)

    def wait_until_called(self) -> None:
        assert self.called.acquire(timeout=30)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def worker_notifier(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerNotifier]:
    monkeypatch.setattr(notify, "RETRY_INTERVAL_SECONDS", 0.01)
    notifier = WorkerNotifier(broker.enqueue)
    notifier.start()
    notify.add_listener(notifier.request_readers)
    yield notifier
    notify.remove_listener(notifier.request_readers)
    broker.release_event.set()
    notifier.stop(30)
    notify.notify_jobs_available()  # without a listener this does nothing


def test_notify_jobs_available_does_not_wait_and_merges_calls(
    broker: Broker, worker_notifier: WorkerNotifier
) -> None:
    broker.release_event.clear()
    notify.notify_jobs_available()
    broker.wait_until_called()
    for _ in range(3):
        notify.notify_jobs_available()
    notify.notify_jobs_available(10)
    broker.release_event.set()
    broker.wait_until_called()
    worker_notifier.stop(30)
    assert broker.enqueued == [1, 13]


def test_worker_notifier_limits_queued_calls(broker: Broker, worker_notifier: WorkerNotifier) -> None:
    broker.release_event.clear()
    notify.notify_jobs_available()
    broker.wait_until_called()
    for _ in range(1000):
        notify.notify_jobs_available(1000)
    broker.release_event.set()
    broker.wait_until_called()
    worker_notifier.stop(30)
    assert broker.enqueued == [1, notify.MAX_QUEUED_CALLS]


def test_worker_notifier_retries_an_unavailable_broker_and_warns_once(
    broker: Broker, worker_notifier: WorkerNotifier, caplog: pytest.LogCaptureFixture
) -> None:
    """A retry needs no further notification, which an idle server would not send."""
    broker.is_unavailable = True
    notify.notify_jobs_available(5)
    for _ in range(3):
        broker.wait_until_called()
    assert worker_notifier.degraded_reason is not None
    broker.is_unavailable = False
    wait_until(lambda: broker.enqueued, "the call is enqueued")
    worker_notifier.stop(30)
    assert broker.enqueued == [5]
    assert caplog.text.count("The broker is unavailable") == 1
    assert worker_notifier.degraded_reason is None


class IdleReader:
    """Reader with a number of jobs to read."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def read_next(self) -> bool:
        self.jobs -= 1
        return self.jobs >= 0


@pytest.fixture
def pool() -> ReaderPool:
    """A pool without readers; tests add idle ones."""
    return ReaderPool(LocalPubSub(), 0)


def test_read_next_without_an_idle_reader_returns_false(pool: ReaderPool) -> None:
    assert not pool.read_next()
    reader = IdleReader(1)
    pool._idle.put(reader)  # type: ignore[arg-type]
    assert pool.read_next()
    assert not pool.read_next()
    assert pool._idle.get_nowait() is reader


def test_read_until_empty_waits_for_a_reader_and_reads_all_jobs(pool: ReaderPool) -> None:
    caller = threading.Thread(target=pool.read_until_empty)
    caller.start()
    reader = IdleReader(3)
    pool._idle.put(reader)  # type: ignore[arg-type]
    caller.join(30)
    assert reader.jobs == -1
    assert pool._idle.get_nowait() is reader


def test_is_any_ready_needs_a_ready_reader_if_there_are_readers(pool: ReaderPool) -> None:
    class LoadingReader:
        is_ready = False

    assert pool.is_any_ready
    pool._readers = [LoadingReader()]  # type: ignore[list-item]
    assert not pool.is_any_ready


def test_stop_before_start_returns_and_no_thread_reads_after_it(pool: ReaderPool) -> None:
    """A signal may stop a worker while its engines load."""
    calls: list[int] = []
    threads = reader_pool.ReaderThreadPool([lambda: bool(calls.append(1))])
    threads.stop(5)
    threads.start()
    threads.stop(5)
    assert calls == []
    pool.stop()


# ── reader threads ──


def test_wake_during_a_query_is_not_lost() -> None:
    querying, continue_event, found = threading.Event(), threading.Event(), threading.Event()
    work: list[str] = []

    def query() -> bool:
        if work:
            found.set()
            work.pop()
            return True
        if not querying.is_set():
            querying.set()
            continue_event.wait(5)
        return False

    pool = reader_pool.ReaderThreadPool([query])
    pool.start()
    try:
        assert querying.wait(5)
        work.append("a job that arrived during the query")
        pool.wake()
        continue_event.set()
        assert found.wait(5)
    finally:
        pool.stop(5)


def test_reader_thread_continues_after_an_exception(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    second = threading.Event()

    def failing() -> bool:
        calls.append(1)
        if len(calls) == 2:
            second.set()
        raise RuntimeError("a defect")

    pool = reader_pool.ReaderThreadPool([failing])
    pool.start()
    try:
        while not second.wait(0.01):
            pool.wake()
    finally:
        pool.stop(5)
    assert "a defect" in caplog.text


class CountedJobs:
    """Job queue of `count` jobs that counts queries and releases `queried` at each."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.queries = 0
        self.queried = threading.Semaphore(0)

    def __call__(self) -> bool:
        self.queries += 1
        self.count -= 1
        self.queried.release()
        return self.count >= 0

    def wait_for(self, queries: int) -> None:
        for _ in range(queries):
            assert self.queried.acquire(timeout=30)


def test_reader_thread_pauses_unless_jobs_are_pending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader_pool, "PAUSE_AFTER_JOB_SECONDS", 3600.0)
    jobs = CountedJobs(4)
    pool = reader_pool.ReaderThreadPool([jobs])
    pool.wake(3)
    pool.start()
    jobs.wait_for(3)
    assert jobs.queries == 3
    pool.wake()  # ends the pause
    jobs.wait_for(1)
    pool.stop(5)
    assert jobs.queries == 4


def test_reader_thread_queries_again_after_its_pause() -> None:
    jobs = CountedJobs(2)
    pool = reader_pool.ReaderThreadPool([jobs])
    pool.start()
    jobs.wait_for(3)
    pool.stop(5)
    assert jobs.queries == 3


def test_query_without_a_job_clears_pending_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise uploads cancelled before they are read would keep the threads from pausing."""
    monkeypatch.setattr(reader_pool, "PAUSE_AFTER_JOB_SECONDS", 3600.0)
    jobs = CountedJobs(0)
    pool = reader_pool.ReaderThreadPool([jobs])
    pool.wake(10)
    pool.start()
    jobs.wait_for(1)
    jobs.count = 5
    pool.wake()
    jobs.wait_for(1)
    pool.stop(5)
    assert jobs.queries == 2
