"""Notifications that jobs wait: they wake the readers of this process and call workers through a broker.

The queue is the rows in the database; notifications only make readers start sooner. The threads call
functions that they get at start-up, so this module knows neither readers nor brokers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ..errors import DatabaseUnavailable
from ..pubsub.local import LocalPubSub
from ..pubsub.workers import WorkersChannel

log = logging.getLogger(__name__)

RETRY_INTERVAL_SECONDS = 0.5
PAUSE_AFTER_JOB_SECONDS = 0.01
"""Pause after a job if no other is pending. In it, other threads deliver the end of the job, before this one
queries for a job that is unlikely to exist (docs/decisions/0099)."""
NOTIFIER_STOP_TIMEOUT_SECONDS = 1.0
MAX_QUEUED_CALLS = 64
"""Maximum number of calls that wait; maintenance makes further ones later."""

_pool: ReaderThreadPool | None = None
_worker_notifier: WorkerNotifier | None = None
_workers_channel: WorkersChannel | None = None


class ReaderThreadPool:
    """Threads that each call a function until it returns False (no job), then wait to be woken.

    Args:
        read_next: The function of each thread.
    """

    def __init__(self, read_next: list[Callable[[], bool]]) -> None:
        self._wake = threading.Condition()
        self._wakeups = 0
        self._pending_jobs = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(function,), name=f"reader-{number}", daemon=True)
            for number, function in enumerate(read_next, 1)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def wake(self, jobs: int = 1) -> None:
        """Wake the threads for that many new jobs; from any thread."""
        with self._wake:
            self._wakeups += 1
            self._pending_jobs += jobs
            self._wake.notify_all()

    def stop(self, timeout_seconds: float) -> None:
        """Start no further call, and wait for the threads; the caller must have cancelled what they do."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        until = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, read_next: Callable[[], bool]) -> None:
        while not self._stopping:
            wakeups_before = self._wakeups
            if self._call(read_next):
                self._pause_after_job()
            else:
                self._wait_for_wakeup(wakeups_before)

    def _pause_after_job(self) -> None:
        with self._wake:
            self._pending_jobs = max(0, self._pending_jobs - 1)
            self._wake.wait_for(lambda: self._stopping or self._pending_jobs, PAUSE_AFTER_JOB_SECONDS)

    def _wait_for_wakeup(self, wakeups_before: int) -> None:
        """Wait until stopped or woken; a wake-up since `wakeups_before` ends the wait at once."""
        with self._wake:
            if self._wakeups == wakeups_before:
                self._pending_jobs = 0
            self._wake.wait_for(lambda: self._stopping or self._wakeups != wakeups_before)

    def _call(self, read_next: Callable[[], bool]) -> bool:
        try:
            return read_next()
        except DatabaseUnavailable as error:  # maintenance wakes the readers later
            log.warning("Reading is postponed: %s", error)
            return False
        except Exception:
            log.exception("A reader failed because of a defect of scanrill.")
            return False


class WorkerNotifier:
    """Thread that calls workers, so that no commit waits for a broker.

    If the broker is unavailable, the thread logs a warning and retries until it answers.

    Args:
        enqueue: Calls a number of readers; raises an exception if the broker is unavailable.
    """

    def __init__(self, enqueue: Callable[[int], None]) -> None:
        self._enqueue = enqueue
        self._wake = threading.Condition()
        self._requested = 0
        self._stopping = False
        self.is_failing = False
        self._thread = threading.Thread(target=self._run, name="worker-notifier", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request_readers(self, count: int) -> None:
        """Call that many readers soon, at most `MAX_QUEUED_CALLS` at a time; from any thread."""
        with self._wake:
            self._requested = min(self._requested + count, MAX_QUEUED_CALLS)
            self._wake.notify()

    def stop(self, timeout_seconds: float) -> None:
        """Drop waiting calls, and wait for the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while count := self._wait_for_requests():
            self._try_enqueue(count)

    def _wait_for_requests(self) -> int:
        """Wait for a request; return the number of requested readers, or 0 when stopped."""
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or self._requested)
            count = self._requested
            self._requested = 0
            return 0 if self._stopping else count

    def _try_enqueue(self, count: int) -> None:
        try:
            self._enqueue(count)
            self.is_failing = False
        except Exception as error:
            if not self.is_failing:
                log.warning("The broker is unavailable, so workers cannot be called: %s", error)
            self.is_failing = True
            self.request_readers(count)  # retry: an idle server would make no further call
            with self._wake:
                self._wake.wait_for(lambda: self._stopping, RETRY_INTERVAL_SECONDS)


def start_local(read_next: list[Callable[[], bool]]) -> None:
    """Start the reader threads of this process."""
    global _pool
    _pool = ReaderThreadPool(read_next)
    _pool.start()


def stop_local(timeout_seconds: float) -> None:
    """Stop the reader threads of this process, if it has any."""
    global _pool
    if _pool is not None:
        _pool.stop(timeout_seconds)
        _pool = None


def start_worker_notifier(enqueue: Callable[[int], None]) -> None:
    """Start the thread that calls workers with `enqueue`; see `WorkerNotifier`."""
    global _worker_notifier
    _worker_notifier = WorkerNotifier(enqueue)
    _worker_notifier.start()


def stop_worker_notifier(timeout_seconds: float = NOTIFIER_STOP_TIMEOUT_SECONDS) -> None:
    """Stop the thread that calls workers, if it runs."""
    global _worker_notifier
    if _worker_notifier is not None:
        _worker_notifier.stop(timeout_seconds)
        _worker_notifier = None


def join_workers_channel(pubsub: LocalPubSub) -> None:
    """Exchange `JobsAvailable` with other servers and receive the heartbeats of workers; on the loop."""
    global _workers_channel
    _workers_channel = WorkersChannel(pubsub, wake_local_readers)


def notify_jobs_available(jobs: int = 1) -> None:
    """Wake the readers of this process, call workers, and notify other servers; quick, from any thread."""
    wake_local_readers(jobs)
    if _worker_notifier is not None:
        _worker_notifier.request_readers(jobs)
    if _workers_channel is not None:
        _workers_channel.publish_jobs_available()


def wake_local_readers(jobs: int = 1) -> None:
    """Wake the readers of this process, if it has any."""
    if _pool is not None:
        _pool.wake(jobs)


def seconds_since_worker_heartbeat() -> float:
    """Return the seconds without a worker's heartbeat; 0 if this process does not receive heartbeats."""
    return 0.0 if _workers_channel is None else _workers_channel.seconds_since_heartbeat


def degraded_reason() -> str | None:
    """Return why new jobs may wait for maintenance; None if they do not."""
    if _worker_notifier is not None and _worker_notifier.is_failing:
        return "the broker is unavailable: workers start some seconds later"
    return None
