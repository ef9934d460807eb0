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
from . import dispatch, jobs, storage
from .bell import Over, PageText, Says, Taken
from .errors import StorageUnavailable, Unavailable
from .events import Change
from .jobs import HEARTBEAT_SECONDS, Claim, LostUpload
from .protocol import LinePlace
from .slot import Draft
from .telling import Telling

log = logging.getLogger(__name__)

READ = "scanrill.read"
"""The name of the task that calls a worker to read; it carries nothing, as the rows say what there is."""
# So many readers are called to a document that was just cut; more come when the sweep finds its jobs open.
MOST_CALLED = 16

BROKEN_SERVER = "Reading failed for a reason that is not the file's; the server's log has it."


class Standing(NamedTuple):
    """After a page: the claim as it is then, and the page that follows, or whether other jobs do."""

    claim: Claim
    following: int | None
    others: bool = False


class Reader:
    """Engines in child processes, used by one thread; `read_next` is what the thread does."""

    def __init__(self, bell: Says, host: reading.Hosts) -> None:
        self._bell, self._host = bell, host
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._claim: Claim | None = None
        self._telling: Telling | None = None
        self._ended = threading.Event()  # what is being read is not to be read on
        self._stopping = threading.Event()
        threading.Thread(target=self._keep_claim, name="heartbeat", daemon=True).start()

    @property
    def warm(self) -> bool:
        return self._host.warm

    def stop(self) -> None:
        """From any thread: what is being read is given back, and nothing more is taken."""
        self._stopping.set()
        self._host.stop()

    def warm_up(self) -> None:
        """Loads the engine. Raises reading.ReadingError."""
        self._host.start()

    def heed(self, change: Change) -> None:
        """A listener: an upload that ends while it is read, because it was deleted, ends the reading."""
        if change.last:
            self.heed_end(Over(change.owner_id, change.upload_id, change.seq))

    def heed_end(self, over: Over) -> None:
        """The same of another process's changes. What ended before the claim was taken is no news."""
        claim = self._claim
        if claim is not None and over.upload_id == claim.upload_id and over.seq > claim.seq:
            self._end_reading()

    def say_again(self, owner_id: uuid.UUID) -> None:
        """What was said last of the page that is being read, if it is this user's."""
        claim, telling = self._claim, self._telling
        if claim is not None and claim.owner_id == owner_id and telling is not None:
            telling.again()

    def read_next(self) -> bool:
        """Reads a document as far as there are jobs of it, and until it gives way.

        False when there is nothing to read, or no engine, or where its file cannot be reached: the next sweep
        tries again.
        """
        close_old_connections()
        if not self._warm_up() or (claim := jobs.claim(self._name)) is None:
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
                self._host.start()
        except reading.ReadingError as error:
            log.error("the reader could not start: %s", error)
            return False
        return not self._stopping.is_set()

    def _read(self, claim: Claim) -> None:
        try:
            self._hold(claim)
            self._read_or_settle(claim)
        except LostUpload:
            log.info("upload %s was taken from its reader", claim.upload_id)

    def _hold(self, claim: Claim) -> None:
        """From here on the job is this reader's to say something of."""
        self._ended.clear()
        self._claim = claim
        self._say_taken(claim)

    def _read_or_settle(self, claim: Claim) -> None:
        """Reads to the end, or says what is to become of the job.

        Raises `LostUpload`, or `StorageUnavailable` where the job is given back.
        """
        try:
            with storage.local_copy(claim.image_path) as path:
                self._read_jobs(claim, path)
        except LostUpload:
            raise
        except StorageUnavailable:
            jobs.give_back(self._claim or claim)
            raise
        except reading.Cancelled:
            jobs.give_back(self._claim or claim)
        except (reading.EngineCrashed, reading.EngineTimeout) as error:
            jobs.count_failure(self._claim or claim, str(error))
        except reading.ReadingError as error:
            jobs.fail(self._claim or claim, str(error))
        except Unavailable as error:  # no fault of the file; where this fails too, the lease runs out
            log.warning("upload %s is given back: %s", claim.upload_id, error)
            jobs.give_back(self._claim or claim)
        except Exception as error:
            self._check_there(self._claim or claim, error)
            log.exception("reading upload %s failed", claim.upload_id)
            jobs.count_failure(self._claim or claim, BROKEN_SERVER)

    def _check_there(self, claim: Claim, error: Exception) -> None:
        """A file that is gone as its upload is, deleted while it was fetched, is no defect: `LostUpload`."""
        if isinstance(error, FileNotFoundError) and not jobs.extend(claim):
            raise LostUpload from error

    def _read_jobs(self, claim: Claim, path: Path) -> None:
        """One job after the other of a document: its file is here, and open in the engine's process."""
        following: Claim | None = claim
        while following is not None and self._read_pages(following, path):
            following = None if self._stopping.is_set() else jobs.go_on(following, self._name)
            if following is not None:
                self._hold(following)

    def _read_pages(self, claim: Claim, path: Path) -> bool:
        """Whether the job was read to its end, and not given back, and the document has others."""
        number = first = claim.page_after(0, claim.page_count)
        if number is None:  # its last page was saved by who did not come to end it
            return jobs.finish(claim)
        others = False
        while number is not None:
            if number != first and self._gives_way(claim):
                jobs.give_back(claim)
                return False
            claim, number, others = self._read_page(claim, path, number)
        return others

    def _gives_way(self, claim: Claim) -> bool:
        return self._stopping.is_set() or jobs.others_wait(claim)

    def _read_page(self, claim: Claim, path: Path, number: int) -> Standing:
        """Reads and saves one page, and with its last ends the job."""
        options = msgspec.structs.replace(claim.options, first_page=number, last_page=number)
        self._telling = telling = Telling(lambda page: self._say(claim, page))
        pages = self._host.read_together(path, options)
        if self._ended.is_set() or self._stopping.is_set():
            self._host.cancel()  # a cancel from before that does not reach into it
        with closing(telling):
            claim, page = self._read_events(claim, pages, telling)
            return self._save(claim, page, telling)

    def _read_events(
        self, claim: Claim, pages: Iterable[reading.Together], telling: Telling
    ) -> tuple[Claim, reading.PageDone]:
        for event in pages:
            match event:
                case reading.PageStarted():
                    started = event
                    telling.begin(Draft(event.number, event.page_count))
                    self._check_held(claim, event)
                    claim = self._cut(claim, event)
                case tuple():
                    telling.add("".join([line.markdown for line in event]), _place(event[-1], started))
                case reading.PageDone():
                    done = event
        return claim, done

    def _save(self, claim: Claim, page: reading.PageDone, telling: Telling) -> Standing:
        def show() -> None:
            telling.end(Draft(page.number, page.page_count, page.markdown, done=True))

        following = claim.page_after(page.number, page.page_count)
        if following is None:
            return Standing(claim, None, jobs.finish(claim, page, show))
        jobs.save_page(claim, page)
        show()
        return Standing(claim, following)

    def _check_held(self, claim: Claim, page: reading.PageStarted) -> None:
        """Nobody told this reader of a delete between its claim and here; the engine works meanwhile."""
        if page.number == claim.page_after(0) and not jobs.extend(claim):
            raise LostUpload

    def _cut(self, claim: Claim, page: reading.PageStarted) -> Claim:
        """Calls others where the document has more pages than one reader should take for itself."""
        self._claim, others = jobs.cut(claim, page.number, page.page_count)
        if others:
            dispatch.there_is_work(min(others, MOST_CALLED))
        return self._claim

    def _say_taken(self, claim: Claim) -> None:
        taken = Taken(
            claim.owner_id,
            claim.upload_id,
            claim.attempt,
            claim.seq,
            None if claim.goes_on else claim.texts,
            claim.page_count,
            claim.run,
            claim.options.pages,
            {claim.first_page: claim.attempt},
        )
        self._bell.say(taken)

    def _say(self, claim: Claim, page: Draft) -> None:
        self._bell.say(PageText(claim.owner_id, claim.upload_id, claim.attempt, page, claim.first_page))

    def _keep_claim(self) -> None:
        """Extends the lease while the job is read, however long a page takes; a lost job is not read on."""
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            claim = self._claim
            try:
                close_old_connections()
                if claim is not None and not jobs.extend(claim) and claim is self._claim:
                    self._end_reading()
            except Unavailable as error:
                log.warning("the lease of a job is not extended: %s", error)
            except Exception:
                log.exception("the lease of a job could not be extended")

    def _end_reading(self) -> None:
        self._ended.set()
        self._host.cancel()


def _place(line: reading.Line, page: reading.PageStarted) -> LinePlace | None:
    """In whole pixels: live text marks a line, and `…/pages/{n}` has it exactly."""
    if line.box is None:
        return None
    top_left, top_right, bottom_right, bottom_left = ((round(x), round(y)) for x, y in line.box)
    return LinePlace((top_left, top_right, bottom_right, bottom_left), page.width, page.height)
