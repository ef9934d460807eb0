"""Step 8 — "there is work": wakes the readers of this process, and calls those of workers elsewhere.

The row of the job is the queue; what is told here only makes it quick. Pool and courier get at start-up what
their threads call, so nothing here knows how to read, or what a broker is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ..errors import DatabaseUnavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
NOTIFIER_STOP_TIMEOUT_SECONDS = 1.0
IDLE_PAUSE_SECONDS = 0.01
"""After a job, where no call for another is left. Who waits for its end is told of it meanwhile, and not
while a thread looks for what is hardly there (docs/decisions/0099)."""
MAX_QUEUED_CALLS = 64
"""At a time: more readers than so many are called by the next sweep."""

_pool: ReaderThreadPool | None = None
_courier: WorkerNotifier | None = None
_peer_notifier: Callable[[], None] | None = None


class ReaderThreadPool:
    """Threads that each call `work()` until it says False (nothing to do), then wait to be woken."""

    def __init__(self, works: list[Callable[[], bool]]) -> None:
        self._wake = threading.Condition()
        self._wakeups = 0
        self._pending_jobs = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"reader-{number}", daemon=True)
            for number, work in enumerate(works, 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake_local_readers(self, jobs: int = 1) -> None:
        with self._wake:
            self._wakeups += 1
            self._pending_jobs += jobs
            self._wake.notify_all()

    def stop(self, timeout_seconds: float) -> None:
        """No new work; waits for what the threads do now, which the caller has told to end."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        until = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, work: Callable[[], bool]) -> None:
        while not self._stopping:
            seen = self._wakeups
            if self._call(work):
                self._pause_after_job()
            else:
                self._wait(seen)

    def _pause_after_job(self) -> None:
        with self._wake:
            self._pending_jobs = max(0, self._pending_jobs - 1)
            self._wake.wait_for(lambda: self._stopping or self._pending_jobs, IDLE_PAUSE_SECONDS)

    def _wait(self, seen: int) -> None:
        """Until stopped or called; a call that came since `seen` was for work that may have been missed."""
        with self._wake:
            if self._wakeups == seen:
                self._pending_jobs = 0
            self._wake.wait_for(lambda: self._stopping or self._wakeups != seen)

    def _call(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except DatabaseUnavailable as error:  # the next sweep calls again
            log.warning("a reader waits: %s", error)
            return False
        except Exception:
            log.exception("a reader failed in a way that is a defect of scanrill")
            return False


class WorkerNotifier:
    """A thread that has workers called; nobody who commits waits for a broker.

    A broker that is away costs a warning, and is tried until it is back.
    """

    def __init__(self, post: Callable[[int], None]) -> None:
        self._enqueue = post
        self._wake = threading.Condition()
        self._wakeups = 0
        self._stopping = False
        self.is_failing = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request_readers(self, readers: int) -> None:
        with self._wake:
            self._wakeups = min(self._wakeups + readers, MAX_QUEUED_CALLS)
            self._wake.notify()

    def stop(self, timeout_seconds: float) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while calls := self._wait_for_calls():
            self._try_enqueue(calls)

    def _wait_for_calls(self) -> int:
        """How many were wanted meanwhile; waits for one, and is 0 when stopped."""
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or self._wakeups)
            calls, self._wakeups = self._wakeups, 0
            return 0 if self._stopping else calls

    def _try_enqueue(self, calls: int) -> None:
        try:
            self._enqueue(calls)
            self.is_failing = False
        except Exception as error:
            if not self.is_failing:
                log.warning("workers cannot be called just now: %s", error)
            self.is_failing = True
            self.request_readers(calls)  # until it is there again, as nobody else would find that out
            with self._wake:
                self._wake.wait_for(lambda: self._stopping, RETRY_SECONDS)


def start_local(works: list[Callable[[], bool]]) -> None:
    global _pool
    _pool = ReaderThreadPool(works)
    _pool.start()


def stop_local(timeout_seconds: float) -> None:
    global _pool
    if _pool is not None:
        _pool.stop(timeout_seconds)
        _pool = None


def start_worker_notifier(post: Callable[[int], None]) -> None:
    """`enqueue` calls so many readers of workers; what it raises is a broker that is away."""
    global _courier
    _courier = WorkerNotifier(post)
    _courier.start()


def stop_worker_notifier(timeout_seconds: float = NOTIFIER_STOP_TIMEOUT_SECONDS) -> None:
    global _courier
    if _courier is not None:
        _courier.stop(timeout_seconds)
        _courier = None


def set_peer_notifier(tell: Callable[[], None]) -> None:
    """How other servers with readers of their own are told; `tell` is quick, and called from any thread."""
    global _peer_notifier
    _peer_notifier = tell


def notify_jobs_available(jobs: int = 1) -> None:
    """Quick, and safe from any thread; does nothing where this process knows of no readers."""
    wake_local_readers(jobs)
    if _courier is not None:
        _courier.request_readers(jobs)
    if _peer_notifier is not None:
        _peer_notifier()


def wake_local_readers(jobs: int = 1) -> None:
    """The readers of this process, if it has any."""
    if _pool is not None:
        _pool.wake_local_readers(jobs)


def degraded_reason() -> str | None:
    """Why what comes in may wait for the next sweep."""
    if _courier is not None and _courier.is_failing:
        return "the broker does not answer: workers begin to read some seconds later"
    return None
