"""Entry module of workers: `JobReader` claims a job, reads its pages one by one and finishes it.

After each page, a reader releases its job if a job waits whose owner has used readers less, so a long
document delays others by one page at most. Finished pages stay, and the next reader continues after them. A
reader splits a long document into jobs as soon as it knows the number of pages. Several readers share these
jobs; one alone reads them in turn.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.db import close_old_connections

from .. import reading
from . import storage
from .errors import DatabaseUnavailable, StorageUnavailable
from .event_log import UploadChange
from .jobs import notify, reader_time, results
from .jobs import queue as job_queue
from .jobs.claim import Claim, LeaseLost
from .jobs.long_pages import LongPages, PageUnderWay
from .jobs.progress import PageProgress
from .jobs.queue import HEARTBEAT_SECONDS
from .jobs.slow_owners import SlowOwners
from .protocol.messages import LinePosition
from .pubsub.messages import PageState, PageTextUpdate, Publisher, ReadingEnded, ReadingStarted

log = logging.getLogger(__name__)

READ_TASK = "scanrill.read"
"""Name of the task that calls a worker. It has no arguments: the worker finds the jobs in the database."""
MAX_READERS_NOTIFIED = 16
"""Readers to notify after a split. Maintenance notifies more if the jobs stay open."""

INTERNAL_ERROR_MESSAGE = "Internal error while reading this file. See the server log."


class PageResult(NamedTuple):
    """Result of a page: the claim, the next page of its job, and whether the document has other jobs."""

    claim: Claim
    next_page: int | None
    has_other_jobs: bool = False


class JobReader:
    """Reader of jobs. One thread calls `read_next`; the engines run in child processes.

    Args:
        publisher: Receives live text and the start of each reading.
        engines: The engine processes, which no other reader uses.
        slow_owners: Shared by the readers of the process. None: this is the only one.
        long_pages: Shared by the readers of the process. None: no page is interrupted for other users.
    """

    def __init__(
        self,
        publisher: Publisher,
        engines: reading.EngineProcessPool,
        slow_owners: SlowOwners | None = None,
        long_pages: LongPages | None = None,
    ) -> None:
        self._publisher = publisher
        self._engines = engines
        self._slow_owners = slow_owners or SlowOwners(1)
        self._long_pages = long_pages
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._claim: Claim | None = None
        self._progress: PageProgress | None = None
        self._clock = reader_time.ReaderClock()
        self._reading_ended = threading.Event()
        self._stopping = threading.Event()
        threading.Thread(target=self._heartbeat_loop, name="heartbeat", daemon=True).start()

    @property
    def is_ready(self) -> bool:
        return self._engines.is_ready

    def stop(self) -> None:
        """Release the job that is being read, and claim no other; from any thread."""
        self._stopping.set()
        self._engines.stop()

    def warm_up(self) -> None:
        """Load the engine.

        Raises:
            reading.ReadingError: The engine does not start.
        """
        self._engines.start()

    def on_change(self, change: UploadChange) -> None:
        """Stop reading an upload that this process has ended, such as by a delete; a listener of the log."""
        if change.ends_reading:
            self.on_reading_ended(ReadingEnded(change.owner_id, change.upload_id, change.seq))

    def on_reading_ended(self, ended: ReadingEnded) -> None:
        """Stop reading an upload that any process has ended, unless the event is older than the claim."""
        claim = self._claim
        if claim is not None and ended.upload_id == claim.upload_id and ended.seq > claim.seq:
            self._end_reading()

    def republish_current_page(self, owner_id: uuid.UUID) -> None:
        """Publish the last snapshot of the current page once more, if the upload belongs to this owner."""
        claim = self._claim
        progress = self._progress
        if claim is not None and claim.owner_id == owner_id and progress is not None:
            progress.republish()

    def read_next(self) -> bool:
        """Read the next document, until it has no open job or a job that comes first waits.

        Returns:
            False if there is no job, the engine does not start, or the storage does not answer. Maintenance
            then wakes the reader later.
        """
        close_old_connections()
        # Before a job is claimed: no upload must pay for an engine that does not start, or for a stop.
        try:
            if not self._stopping.is_set():
                self._engines.start()
        except reading.ReadingError as error:
            log.error("The engine could not start: %s", error)
            return False
        if self._stopping.is_set() or (claim := self._claim_next()) is None:
            return False
        try:
            self._begin_claim(claim)
            self._read_or_release(claim)
        except LeaseLost:
            log.info("The reader has lost the lease of upload %s.", claim.upload_id)
        except StorageUnavailable:
            return False
        finally:
            self._claim = None
            self._slow_owners.end(self._name)
            self._stop_clock()
        return True

    def _claim_next(self) -> Claim | None:
        with self._slow_owners.claiming() as excluded:
            claim = job_queue.claim_next(self._name, excluded_owners=excluded)
            if claim is not None:
                self._slow_owners.begin(self._name, claim.owner_id)
        return claim

    # ── jobs ──

    def _begin_claim(self, claim: Claim) -> None:
        """Make this the current claim, and publish that its reading starts."""
        self._reading_ended.clear()
        self._claim = claim
        self._clock.start(claim.owner_id)
        started = ReadingStarted(
            claim.owner_id,
            claim.upload_id,
            claim.attempt,
            claim.seq,
            None if claim.is_continuation else claim.finished_page_texts,
            claim.page_count,
            claim.first_attempt,
            claim.options.pages,
            {claim.first_page: claim.attempt},
        )
        self._publisher.publish(started)

    def _read_or_release(self, claim: Claim) -> None:
        """Read the jobs; after an error, release the current job, count a failure, or end the upload.

        Raises:
            LeaseLost: The claim is not current.
            StorageUnavailable: The job has been released.
        """
        try:
            with storage.local_copy(claim.image_path) as path:
                self._read_jobs(claim, path)
        except LeaseLost:
            raise
        except StorageUnavailable:
            job_queue.release(self._claim or claim)
            raise
        except reading.Cancelled:
            job_queue.release(self._claim or claim)
        except reading.EngineTimeout as error:
            self._slow_owners.add(claim.owner_id)
            results.count_timeout(self._claim or claim, str(error))
        except reading.EngineCrashed as error:
            results.count_failure(self._claim or claim, str(error), code=error.code)
        except reading.ReadingError as error:
            results.fail(self._claim or claim, str(error), code=error.code)
        except DatabaseUnavailable as error:  # if the release fails too, the lease expires
            log.warning("Releasing the job of upload %s: %s", claim.upload_id, error)
            job_queue.release(self._claim or claim)
        except Exception as error:
            if isinstance(error, FileNotFoundError) and not job_queue.extend_lease(self._claim or claim):
                raise LeaseLost from error  # the upload was deleted meanwhile
            log.exception("Reading upload %s failed.", claim.upload_id)
            results.count_failure(self._claim or claim, INTERNAL_ERROR_MESSAGE)

    def _read_jobs(self, claim: Claim, path: Path) -> None:
        """Read the jobs of a document in turn, since its file is open in the engine process."""
        current: Claim | None = claim
        while current is not None and self._read_pages(current, path):
            current = None if self._stopping.is_set() else job_queue.claim_next_range(current, self._name)
            if current is not None:
                self._begin_claim(current)

    def _read_pages(self, claim: Claim, path: Path) -> bool:
        """Read the pages of a job; return whether it ended here and the document has other jobs."""
        number = first = claim.next_page(0, claim.page_count)
        if number is None:  # a reader died after it saved the last page
            return results.finish(claim)
        has_other_jobs = False
        while number is not None:
            if number != first and self._must_release(claim):
                job_queue.release(claim)
                return False
            claim, number, has_other_jobs = self._read_page(claim, path, number)
        return has_other_jobs

    def _must_release(self, claim: Claim) -> bool:
        self._clock.charge()
        return self._stopping.is_set() or job_queue.has_competing_job(claim)

    def _read_page(self, claim: Claim, path: Path, number: int) -> PageResult:
        """Read and save one page; finish the job if it was the last."""

        def publish(snapshot: PageState) -> None:
            self._publisher.publish(
                PageTextUpdate(claim.owner_id, claim.upload_id, claim.attempt, snapshot, claim.first_page)
            )

        options = msgspec.structs.replace(claim.options, first_page=number, last_page=number)
        self._progress = progress = PageProgress(publish)
        pages = self._engines.read_batched(path, options)
        if self._reading_ended.is_set() or self._stopping.is_set():
            self._engines.cancel()  # `read_batched` drops an earlier cancel
        started_at = time.monotonic()
        with closing(progress):
            with self._interruptible(claim):
                claim, page = self._read_events(claim, pages, progress)
            return self._save(claim, page, progress, time.monotonic() - started_at)

    def _interruptible(self, claim: Claim) -> AbstractContextManager[None]:
        if self._long_pages is None:
            return nullcontext()
        return self._long_pages.page(PageUnderWay(claim, self._clock.charge, self._engines.cancel))

    def _read_events(
        self, claim: Claim, pages: Iterable[reading.BatchedEvent], progress: PageProgress
    ) -> tuple[Claim, reading.PageDone]:
        """Publish the lines of a page; return the claim, which may have been split, and the finished page."""
        for event in pages:
            match event:
                case reading.PageStarted():
                    started = event
                    progress.start(PageState(event.number, event.page_count))
                    # No listener could report a delete before `_begin_claim`. The engine reads meanwhile.
                    is_first_page = event.number == claim.next_page(0)
                    if is_first_page and not job_queue.extend_lease(claim):
                        raise LeaseLost
                    claim = self._split_job(claim, event)
                case reading.LinesRead(lines):
                    text = "".join([line.markdown for line in lines])
                    progress.append(text, _line_position(lines[-1], started))
                case reading.PageDone():
                    done = event
        return claim, done

    def _save(
        self, claim: Claim, page: reading.PageDone, progress: PageProgress, seconds: float
    ) -> PageResult:
        def publish() -> None:
            progress.finish(PageState(page.number, page.page_count, page.markdown, done=True))

        next_page = claim.next_page(page.number, page.page_count)
        if next_page is None:
            return PageResult(claim, None, results.finish(claim, page, publish, seconds=seconds))
        results.save_page(claim, page, seconds=seconds)
        publish()
        return PageResult(claim, next_page)

    def _split_job(self, claim: Claim, page: reading.PageStarted) -> Claim:
        """Split a long document and notify other readers; return the claim of the first job."""
        self._claim, new_jobs = job_queue.split_job(claim, page.number, page.page_count)
        if new_jobs:
            notify.notify_jobs_available(min(new_jobs, MAX_READERS_NOTIFIED))
        return self._claim

    def _heartbeat_loop(self) -> None:
        """Extend the lease while a job is read, however long a page takes; stop the reading if it is lost."""
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            claim = self._claim
            try:
                close_old_connections()
                if claim is not None and not job_queue.extend_lease(claim) and claim is self._claim:
                    self._end_reading()
                self._clock.charge()  # a page that takes long counts before it ends
            except DatabaseUnavailable as error:
                log.warning("The lease could not be extended: %s", error)
            except Exception:
                log.exception("The lease could not be extended.")

    def _stop_clock(self) -> None:
        try:
            self._clock.stop()
        except DatabaseUnavailable as error:
            log.warning("The time of a reader was not counted: %s", error)

    def _end_reading(self) -> None:
        self._reading_ended.set()
        self._engines.cancel()


def _line_position(line: reading.Line, page: reading.PageStarted) -> LinePosition | None:
    """Return the position of a line in whole pixels, which suffice for live text."""
    if line.box is None:
        return None
    top_left, top_right, bottom_right, bottom_left = ((round(x), round(y)) for x, y in line.box)
    return LinePosition((top_left, top_right, bottom_right, bottom_left), page.width, page.height)
