"""Interruption of long pages: a user who comes while every reader is inside one need not wait for its end.

A multilevel feedback queue with two levels. A page has a first time slice. If all readers of the process are
inside pages beyond it and another user waits, one of these pages is stopped. Its job is read again from this
page on, when the queue serves its owner again. The owners of all these pages then count as slow
(`slow_owners`), and pages of slow owners are not interrupted: each owner loses at most one slice in
`SLOW_SECONDS`.
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import close_old_connections

from ..errors import DatabaseUnavailable
from . import queue as job_queue
from .claim import Claim
from .slow_owners import SlowOwners

log = logging.getLogger(__name__)

# A page at four times the usual time is not a usual one; the shares bound what users can make usual.
SLICE_FACTOR = 4
MIN_SLICE_SHARE, UNKNOWN_SLICE_SHARE, MAX_SLICE_SHARE = 0.05, 0.25, 0.5
"""Shares of the time limit of a page. The second one counts until the usual time is known."""
MIN_OWNERS, MAX_OWNERS = 3, 32
"""Owners whose last pages tell the usual time; one user cannot change the median of three."""
CHECK_INTERVAL_SECONDS = 0.25


@dataclass(eq=False)
class PageUnderWay:
    """A page that a reader reads.

    Attributes:
        charge: Charges the owner for the time of the reader so far.
        interrupt: Stops the page; returns at once.
        started_at: When `LongPages` got it, on the monotonic clock.
    """

    claim: Claim
    charge: Callable[[], None]
    interrupt: Callable[[], None]
    started_at: float = 0.0


class LongPages:
    """The pages under way in a process, and the thread that interrupts long ones. Thread-safe.

    Args:
        readers: Number of readers of the process.
        page_seconds: Time limit of a page.
        slow_owners: Receives the owners of long pages.
    """

    def __init__(self, readers: int, page_seconds: float, slow_owners: SlowOwners) -> None:
        self._readers = readers
        self._page_seconds = page_seconds
        self._slow_owners = slow_owners
        self._changed = threading.Condition()
        self._pages: list[PageUnderWay] = []
        self._usual: dict[UUID, float] = {}
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="long-pages", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Interrupt no other page."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    @property
    def slice_seconds(self) -> float:
        """Time after which a page may be interrupted."""
        with self._changed:
            if len(self._usual) < MIN_OWNERS:
                return UNKNOWN_SLICE_SHARE * self._page_seconds
            usual = statistics.median(self._usual.values())
        least, most = (share * self._page_seconds for share in (MIN_SLICE_SHARE, MAX_SLICE_SHARE))
        return min(max(SLICE_FACTOR * usual, least), most)

    @contextmanager
    def page(self, page: PageUnderWay) -> Iterator[None]:
        """Let a page be interrupted inside of this block. A page that ends by itself counts as usual."""
        page.started_at = time.monotonic()
        with self._changed:
            self._pages.append(page)
            self._changed.notify_all()
        try:
            yield
            self._record(page.claim.owner_id, time.monotonic() - page.started_at)
        finally:
            with self._changed:
                self._pages.remove(page)

    def interrupt_one(self) -> bool:
        """Interrupt a page if every reader is inside a long one and another user waits; uses the database."""
        pages = self._long_pages()
        slow = self._slow_owners.current()
        for page in pages:
            if page.claim.owner_id in slow:
                continue
            page.charge()
            if job_queue.has_competing_job(page.claim, of_others=True, excluded_owners=slow):
                return self._interrupt(page, pages)
        return False

    def _long_pages(self) -> list[PageUnderWay]:
        """Return the long pages of all readers, the youngest first; empty if a reader is free for others."""
        began_before = time.monotonic() - self.slice_seconds
        with self._changed:
            long = [page for page in self._pages if page.started_at <= began_before]
        return long[::-1] if len(long) >= self._readers else []

    def _interrupt(self, page: PageUnderWay, pages: list[PageUnderWay]) -> bool:
        for each in pages:  # before the reader of the page claims its next job
            self._slow_owners.add(each.claim.owner_id)
        with self._changed:
            if page not in self._pages:  # it has just ended
                return False
            page.interrupt()
        log.info("A page of upload %s is interrupted for users who wait.", page.claim.upload_id)
        return True

    def _record(self, owner_id: UUID, seconds: float) -> None:
        with self._changed:
            self._usual.pop(owner_id, None)
            self._usual[owner_id] = seconds
            if len(self._usual) > MAX_OWNERS:
                del self._usual[next(iter(self._usual))]

    def _run(self) -> None:
        while not self._is_stopping:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping or len(self._pages) >= self._readers)
                self._changed.wait_for(lambda: self._is_stopping, CHECK_INTERVAL_SECONDS)
            try:
                close_old_connections()
                self.interrupt_one()
            except DatabaseUnavailable as error:
                log.warning("Long pages are not interrupted: %s", error)
            except Exception:
                log.exception("Long pages are not interrupted because of a defect of scanrill.")
