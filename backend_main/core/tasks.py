"""Step 9 — takes the next job, has its pages read one by one, and finishes it.

After each page a reader gives way where somebody else waits, so a long document delays nobody by more than a
page; the text so far stays, and whoever takes the job next goes on with the next page. A long document is cut
into jobs as soon as its length is known: several readers share it, and one alone goes on from job to job.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.db import close_old_connections

from .. import reading
from . import storage
from .errors import DatabaseUnavailable, StorageUnavailable
from .event_log import UploadChange
from .jobs import notify, results
from .jobs import queue as job_queue
from .jobs.claim import Claim, LeaseLost
from .jobs.progress import PageProgress
from .jobs.queue import HEARTBEAT_SECONDS
from .protocol.messages import LinePosition
from .pubsub.messages import (
    PageSnapshot,
    PageTextUpdate,
    Publisher,
    ReadingEnded,
    ReadingStarted,
)

log = logging.getLogger(__name__)

READ = "scanrill.read"
"""The name of the task that calls a worker to read; it carries nothing, as the rows say what there is."""
# So many readers are called to a document that was just cut; more come when the sweep finds its jobs open.
MAX_READERS_NOTIFIED = 16

INTERNAL_ERROR_MESSAGE = "Reading failed for a reason that is not the file's; the server's log has it."


class PageResult(NamedTuple):
    """After a page: the claim as it is then, and the page that follows, or whether other jobs do."""

    claim: Claim
    next_page: int | None
    has_other_jobs: bool = False


class JobReader:
    """Engines in child processes, used by one thread; `read_next` is what the thread does."""

    def __init__(self, bell: Publisher, host: reading.EngineProcessPool) -> None:
        self._publisher, self._engines = bell, host
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._claim: Claim | None = None
        self._progress: PageProgress | None = None
        self._reading_ended = threading.Event()  # what is being read is not to be read on
        self._stopping = threading.Event()
        threading.Thread(target=self._heartbeat_loop, name="heartbeat", daemon=True).start()

    @property
    def is_ready(self) -> bool:
        return self._engines.is_ready

    def stop(self) -> None:
        """From any thread: what is being read is given back, and nothing more is taken."""
        self._stopping.set()
        self._engines.stop()

    def warm_up(self) -> None:
        """Loads the engine. Raises reading.ReadingError."""
        self._engines.start()

    def on_change(self, change: UploadChange) -> None:
        """A listener: an upload that ends while it is read, because it was deleted, ends the reading."""
        if change.ends_reading:
            self.on_reading_ended(ReadingEnded(change.owner_id, change.upload_id, change.seq))

    def on_reading_ended(self, over: ReadingEnded) -> None:
        """The same of another process's changes. What ended before the claim was taken is no news."""
        claim = self._claim
        if claim is not None and over.upload_id == claim.upload_id and over.seq > claim.seq:
            self._end_reading()

    def republish_current_page(self, owner_id: uuid.UUID) -> None:
        """What was said last of the page that is being read, if it is this user's."""
        claim, telling = self._claim, self._progress
        if claim is not None and claim.owner_id == owner_id and telling is not None:
            telling.republish()

    def read_next(self) -> bool:
        """Reads a document as far as there are jobs of it, and until it gives way.

        False when there is nothing to read, or no engine, or where its file cannot be reached: the next sweep
        tries again.
        """
        close_old_connections()
        if not self._warm_up() or (claim := job_queue.claim_next(self._name)) is None:
            return False
        try:
            self._read(claim)
        except StorageUnavailable:
            return False
        finally:
            self._claim = None
        return True

    # ── the steps ──

    def _warm_up(self) -> bool:
        """A child that crashed, or has read enough, is replaced now, while nobody waits for it.

        An engine that does not start is no upload's fault: none is claimed, and the next sweep tries again.
        """
        try:
            if not self._stopping.is_set():
                self._engines.start()
        except reading.ReadingError as error:
            log.error("the reader could not start: %s", error)
            return False
        return not self._stopping.is_set()

    def _read(self, claim: Claim) -> None:
        try:
            self._begin_claim(claim)
            self._read_or_release(claim)
        except LeaseLost:
            log.info("upload %s was taken from its reader", claim.upload_id)

    def _begin_claim(self, claim: Claim) -> None:
        """From here on the job is this reader's to say something of."""
        self._reading_ended.clear()
        self._claim = claim
        self._publish_started(claim)

    def _read_or_release(self, claim: Claim) -> None:
        """Reads to the end, or says what is to become of the job.

        Raises `LeaseLost`, or `StorageUnavailable` where the job is given back.
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
        except (reading.EngineCrashed, reading.EngineTimeout) as error:
            results.count_failure(self._claim or claim, str(error))
        except reading.ReadingError as error:
            results.fail(self._claim or claim, str(error))
        except DatabaseUnavailable as error:  # no fault of the file; where this fails too, the lease runs out
            log.warning("upload %s is given back: %s", claim.upload_id, error)
            job_queue.release(self._claim or claim)
        except Exception as error:
            self._raise_if_deleted(self._claim or claim, error)
            log.exception("reading upload %s failed", claim.upload_id)
            results.count_failure(self._claim or claim, INTERNAL_ERROR_MESSAGE)

    def _raise_if_deleted(self, claim: Claim, error: Exception) -> None:
        """A file that is gone as its upload is, deleted while it was fetched, is no defect: `LeaseLost`."""
        if isinstance(error, FileNotFoundError) and not job_queue.extend_lease(claim):
            raise LeaseLost from error

    def _read_jobs(self, claim: Claim, path: Path) -> None:
        """One job after the other of a document: its file is here, and open in the engine's process."""
        following: Claim | None = claim
        while following is not None and self._read_pages(following, path):
            following = None if self._stopping.is_set() else job_queue.claim_next_range(following, self._name)
            if following is not None:
                self._begin_claim(following)

    def _read_pages(self, claim: Claim, path: Path) -> bool:
        """Whether the job was read to its end, and not given back, and the document has others."""
        number = first = claim.next_page(0, claim.page_count)
        if number is None:  # its last page was saved by who did not come to end it
            return results.finish(claim)
        others = False
        while number is not None:
            if number != first and self._should_yield(claim):
                job_queue.release(claim)
                return False
            claim, number, others = self._read_page(claim, path, number)
        return others

    def _should_yield(self, claim: Claim) -> bool:
        return self._stopping.is_set() or job_queue.has_competing_job(claim)

    def _read_page(self, claim: Claim, path: Path, number: int) -> PageResult:
        """Reads and saves one page, and with its last ends the job."""
        options = msgspec.structs.replace(claim.options, first_page=number, last_page=number)
        self._progress = telling = PageProgress(lambda page: self._publish_page(claim, page))
        pages = self._engines.read_batched(path, options)
        if self._reading_ended.is_set() or self._stopping.is_set():
            self._engines.cancel()  # a cancel from before that does not reach into it
        with closing(telling):
            claim, page = self._read_events(claim, pages, telling)
            return self._save(claim, page, telling)

    def _read_events(
        self, claim: Claim, pages: Iterable[reading.BatchedEvent], telling: PageProgress
    ) -> tuple[Claim, reading.PageDone]:
        for event in pages:
            match event:
                case reading.PageStarted():
                    started = event
                    telling.start(PageSnapshot(event.number, event.page_count))
                    self._raise_if_lease_lost(claim, event)
                    claim = self._split_job(claim, event)
                case reading.LinesRead(lines):
                    telling.append(
                        "".join([line.markdown for line in lines]), _line_position(lines[-1], started)
                    )
                case reading.PageDone():
                    done = event
        return claim, done

    def _save(self, claim: Claim, page: reading.PageDone, telling: PageProgress) -> PageResult:
        def show() -> None:
            telling.finish(PageSnapshot(page.number, page.page_count, page.markdown, done=True))

        following = claim.next_page(page.number, page.page_count)
        if following is None:
            return PageResult(claim, None, results.finish(claim, page, show))
        results.save_page(claim, page)
        show()
        return PageResult(claim, following)

    def _raise_if_lease_lost(self, claim: Claim, page: reading.PageStarted) -> None:
        """Nobody told this reader of a delete between its claim and here; the engine works meanwhile."""
        if page.number == claim.next_page(0) and not job_queue.extend_lease(claim):
            raise LeaseLost

    def _split_job(self, claim: Claim, page: reading.PageStarted) -> Claim:
        """Calls others where the document has more pages than one reader should take for itself."""
        self._claim, others = job_queue.split_job(claim, page.number, page.page_count)
        if others:
            notify.notify_jobs_available(min(others, MAX_READERS_NOTIFIED))
        return self._claim

    def _publish_started(self, claim: Claim) -> None:
        taken = ReadingStarted(
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
        self._publisher.publish(taken)

    def _publish_page(self, claim: Claim, page: PageSnapshot) -> None:
        self._publisher.publish(
            PageTextUpdate(claim.owner_id, claim.upload_id, claim.attempt, page, claim.first_page)
        )

    def _heartbeat_loop(self) -> None:
        """Extends the lease while the job is read, however long a page takes; a lost job is not read on."""
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            claim = self._claim
            try:
                close_old_connections()
                if claim is not None and not job_queue.extend_lease(claim) and claim is self._claim:
                    self._end_reading()
            except DatabaseUnavailable as error:
                log.warning("the lease of a job is not extended: %s", error)
            except Exception:
                log.exception("the lease of a job could not be extended")

    def _end_reading(self) -> None:
        self._reading_ended.set()
        self._engines.cancel()


def _line_position(line: reading.Line, page: reading.PageStarted) -> LinePosition | None:
    """In whole pixels: live text marks a line, and `…/pages/{n}` has it exactly."""
    if line.box is None:
        return None
    top_left, top_right, bottom_right, bottom_left = ((round(x), round(y)) for x, y in line.box)
    return LinePosition((top_left, top_right, bottom_right, bottom_left), page.width, page.height)
