"""Step 8 — "there is work": wakes the readers of this process, and has those of others told.

The row of the job is the queue; what is told here only makes it quick. The pool gets at start-up what its
threads call, so nothing here knows how to read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .errors import Unavailable

log = logging.getLogger(__name__)

_pool: LocalPool | None = None
_tell_others: Callable[[], None] | None = None


class LocalPool:
    """Threads that each call `work()` until it says False (nothing to do), then wait to be woken."""

    def __init__(self, works: list[Callable[[], bool]]) -> None:
        self._wake = threading.Condition()
        self._calls = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"reader-{number}", daemon=True)
            for number, work in enumerate(works, 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        with self._wake:
            self._calls += 1
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
            seen = self._calls
            if not self._call(work):
                self._wait(seen)

    def _wait(self, seen: int) -> None:
        """Until stopped or called; a call that came since `seen` was for work that may have been missed."""
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or self._calls != seen)

    def _call(self, work: Callable[[], bool]) -> bool:
        try:
            return work()
        except Unavailable as error:  # the next sweep calls again
            log.warning("a reader waits: %s", error)
            return False
        except Exception:
            log.exception("a reader failed in a way that is a defect of scanrill")
            return False


def start_local(works: list[Callable[[], bool]]) -> None:
    global _pool
    _pool = LocalPool(works)
    _pool.start()


def stop_local(timeout_seconds: float) -> None:
    global _pool
    if _pool is not None:
        _pool.stop(timeout_seconds)
        _pool = None


def tell_others_by(tell: Callable[[], None]) -> None:
    """How processes with readers of their own are told; `tell` is quick, and called from any thread."""
    global _tell_others
    _tell_others = tell


def there_is_work() -> None:
    """Quick, and safe from any thread."""
    wake()
    if _tell_others is not None:
        _tell_others()


def wake() -> None:
    """The readers of this process, if it has any."""
    if _pool is not None:
        _pool.wake()
