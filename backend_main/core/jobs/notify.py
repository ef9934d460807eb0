"""Notifications that jobs wait: they wake the readers of this process and call workers through a broker.

The queue is the rows in the database; notifications only make readers start sooner. Code that adds jobs runs
on any thread, in servers, workers and commands. So the listeners are a registry of the process, like those of
`event_log`. Code that starts readers or a notifier adds a listener.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

RETRY_INTERVAL_SECONDS = 0.5
NOTIFIER_STOP_TIMEOUT_SECONDS = 1.0
MAX_QUEUED_CALLS = 64
"""Maximum number of calls that wait; maintenance makes further ones later."""

Listener = Callable[[int], None]
"""Called with the number of new jobs, on the thread that added them; quick, and raises nothing."""

_listeners: list[Listener] = []


def add_listener(listener: Listener) -> None:
    """Call the listener at each notification from now on."""
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    """Call the listener no longer."""
    _listeners.remove(listener)


def notify_jobs_available(jobs: int = 1) -> None:
    """Wake the readers of this process, call workers, and notify other servers; quick, from any thread."""
    for listener in tuple(_listeners):
        listener(jobs)


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

    @property
    def degraded_reason(self) -> str | None:
        """The reason why new jobs may wait for maintenance; None if they do not."""
        return "the broker is unavailable: workers start some seconds later" if self.is_failing else None

    def stop(self, timeout_seconds: float = NOTIFIER_STOP_TIMEOUT_SECONDS) -> None:
        """Drop waiting calls, and wait for the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while count := self._wait_for_requests():
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

    def _wait_for_requests(self) -> int:
        """Wait for a request; return the number of requested readers, or 0 when stopped."""
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or self._requested)
            count = self._requested
            self._requested = 0
            return 0 if self._stopping else count
