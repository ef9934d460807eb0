"""Readers of this process, a server or a worker: they start and stop with it.

The reader threads of the process use them, and in a worker the threads of Celery too. Each thread takes an
idle reader for one job at a time, until no job is left.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ... import reading
from .. import event_log, maintenance, tasks
from ..conf import conf
from ..errors import DatabaseUnavailable
from ..pubsub.messages import AnySharedMessage, PossibleGap, Publisher, ReadingEnded, SubscriberJoined
from . import notify
from . import queue as job_queue
from .long_pages import LongPages
from .slow_owners import SlowOwners

log = logging.getLogger(__name__)

STOP_TIMEOUT_SECONDS = 5.0
PAUSE_AFTER_JOB_SECONDS = 0.01
"""Pause after a job if no other is pending. In it, other threads deliver the end of the job, before this one
queries for a job that is unlikely to exist (docs/decisions/0099)."""


class ReaderPool:
    """A number of readers, and a thread for each.

    Args:
        publisher: Publishes what the readers read.
        count: Number of readers, may be 0.
    """

    def __init__(self, publisher: Publisher, count: int) -> None:
        threads = conf.reader_threads or max(1, (os.cpu_count() or 1) // max(1, count))
        slow_owners = SlowOwners(count)
        self._long_pages = LongPages(count, conf.page_seconds, slow_owners)
        self._readers = [
            tasks.JobReader(
                publisher,
                reading.EngineProcessPool(
                    conf.engine,
                    threads,
                    max_memory_bytes=conf.reader_memory_bytes,
                    required_measures=conf.required_sandbox,
                ),
                slow_owners,
                self._long_pages,
            )
            for _ in range(count)
        ]
        # Last in, first out: if few readers are busy, the system can swap out the memory of the others.
        self._idle: queue.LifoQueue[tasks.JobReader] = queue.LifoQueue()
        for reader in self._readers:
            self._idle.put(reader)
        self._threads = ReaderThreadPool([self.read_next] * count)

    @property
    def is_any_ready(self) -> bool:
        """Whether a reader is ready, or there are no readers."""
        return not self._readers or any(reader.is_ready for reader in self._readers)

    def start(self, *, wait: bool = False) -> None:
        """Recover the claims of dead readers, and start the readers. Uses the database.

        Args:
            wait: Wait until every engine is loaded.

        Raises:
            reading.ReadingError: An engine does not start; only with `wait`.
        """
        if conf.embedded:
            # No other process uses this data directory, and no request has arrived yet.
            job_queue.release_all_claims()
            maintenance.remove_orphan_files(grace_seconds=0)
        else:
            maintenance.recover_expired_claims()
        for reader in self._readers:
            event_log.add_listener(reader.on_change)
        if wait:
            with ThreadPoolExecutor(len(self._readers)) as threads:
                list(threads.map(tasks.JobReader.warm_up, self._readers))
        self._threads.start()
        if self._readers:
            self._long_pages.start()
        notify.add_listener(self.wake)

    def stop(self) -> None:
        """Release the jobs that are being read; return when the threads end, or after a timeout.

        The timeout is `STOP_TIMEOUT_SECONDS`. May be called before the end of `start`, from another thread.
        """
        with suppress(ValueError):  # `start` has not come this far
            notify.remove_listener(self.wake)
        self._long_pages.stop()
        for reader in self._readers:
            with suppress(ValueError):
                event_log.remove_listener(reader.on_change)
            reader.stop()
        self._threads.stop(STOP_TIMEOUT_SECONDS)

    def wake(self, jobs: int = 1) -> None:
        """Wake the threads for that many new jobs; from any thread."""
        self._threads.wake(jobs)

    def read_next(self, *, wait: bool = False) -> bool:
        """Read one job with an idle reader.

        Args:
            wait: Wait for an idle reader.

        Returns:
            False if no job was read, or if no reader is idle and `wait` is False.
        """
        try:
            reader = self._idle.get(wait)
        except queue.Empty:
            return False
        try:
            return reader.read_next()
        finally:
            self._idle.put(reader)

    def read_until_empty(self) -> None:
        """Read jobs until none is left; a worker does this when it is called."""
        try:
            while self.read_next(wait=True):
                pass
        except DatabaseUnavailable as error:  # maintenance calls again
            log.warning("Reading is postponed: %s", error)

    def on_reader_message(self, message: AnySharedMessage | PossibleGap) -> None:
        """Handle a message of another process on the readers' channel; quick, on the event loop."""
        for reader in self._readers:
            match message:
                case ReadingEnded():
                    reader.on_reading_ended(message)
                case SubscriberJoined():
                    reader.republish_current_page(message.owner_id)


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
            if thread.ident is not None:  # it was started
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self, read_next: Callable[[], bool]) -> None:
        while not self._stopping:
            wakeups_before = self._wakeups
            has_read = False
            try:
                has_read = read_next()
            except DatabaseUnavailable as error:  # maintenance wakes the readers later
                log.warning("Reading is postponed: %s", error)
            except Exception:
                log.exception("A reader failed because of a defect of scanrill.")
            if has_read:
                with self._wake:
                    self._pending_jobs = max(0, self._pending_jobs - 1)
                    self._wake.wait_for(lambda: self._stopping or self._pending_jobs, PAUSE_AFTER_JOB_SECONDS)
            else:
                self._wait_for_wakeup(wakeups_before)

    def _wait_for_wakeup(self, wakeups_before: int) -> None:
        """Wait until stopped or woken; a wake-up since `wakeups_before` ends the wait at once."""
        with self._wake:
            if self._wakeups == wakeups_before:
                self._pending_jobs = 0
            self._wake.wait_for(lambda: self._stopping or self._wakeups != wakeups_before)
