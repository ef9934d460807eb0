"""The pages of one reading in page order, whichever of its readers is first. Pure.

A page is shown when all pages before it are finished. Pages behind a gap are buffered until it closes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from ...reading.page_ranges import PageRanges


class NumberedPage(Protocol):
    """A page, in progress or finished."""

    @property
    def number(self) -> int: ...

    @property
    def done(self) -> bool: ...


P = TypeVar("P", bound=NumberedPage)


class PageSequencer(Generic[P]):
    """Puts the pages of several readers in order.

    A job is identified by its first page. The highest attempt of a job counts.

    Args:
        page_ranges: the pages to read; empty for all.

    Attributes:
        next: the first page to read that is not shown as finished; None after the last.
    """

    def __init__(self, page_ranges: str = "") -> None:
        self._page_ranges = PageRanges(page_ranges)
        self._attempts: dict[int, int] = {}
        self._latest_updates: dict[int, P] = {}
        self._buffered: dict[int, P] = {}
        self.next = self._page_ranges.next_page(0)

    @property
    def has_single_job(self) -> bool:
        """Whether at most one job is known."""
        return len(self._attempts) <= 1

    @property
    def buffered_count(self) -> int:
        """The number of finished pages behind a gap."""
        return len(self._buffered)

    def is_past(self, job: int, number: int) -> bool:
        """Whether the reader of this page has passed the page shown next, so that that one is finished."""
        return self.next is not None and self.next < number and job == self._current_job()

    def update_claims(self, attempts: dict[int, int]) -> bool:
        """Record the attempts at jobs. Return whether the page shown next starts again."""
        new = {job: attempt for job, attempt in attempts.items() if attempt > self._attempts.get(job, -1)}
        self._attempts |= new
        for job in new:
            self._latest_updates.pop(job, None)
        return self._current_job() in new

    def add_finished(self, pages: Iterable[P]) -> list[P]:
        """Add finished pages. Return the pages to show now, in order."""
        kept = []
        for page in pages:
            if page.number not in self._page_ranges:
                kept.append(page)  # kept from an earlier reading
            elif self.next is not None and page.number >= self.next:
                self._buffered[page.number] = page
        released: list[P] = []
        while self.next is not None and self.next in self._buffered:
            released.append(self._buffered.pop(self.next))
            self.next = self._page_ranges.next_page(self.next)
        if released:
            released += [page for page in self._latest_updates.values() if page.number == self.next]
        return [*kept, *released]

    def add_update(self, job: int, attempt: int, page: P) -> list[P]:
        """Add a reader's state of a page. Return the pages to show now, in order."""
        is_shown = self.next is None or page.number < self.next
        if attempt < self._attempts.get(job, -1) or is_shown or page.number in self._buffered:
            return []
        self._attempts[job] = attempt
        if page.done:
            self._latest_updates.pop(job, None)
            return self.add_finished([page])
        self._latest_updates[job] = page
        return [page] if page.number == self.next else []

    def _current_job(self) -> int | None:
        """Return the job of the page shown next; after the last page, the last job."""
        return max((job for job in self._attempts if self.next is None or job <= self.next), default=None)
