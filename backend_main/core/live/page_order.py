"""Step 12 — the pages of one reading in the order in which they are shown, whichever of its readers is first.

A page is shown when all before it are done; what is read ahead of a gap waits until that is closed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from ...reading.page_ranges import PageRanges


class NumberedPage(Protocol):
    """As far as it is read, or done."""

    @property
    def number(self) -> int: ...

    @property
    def done(self) -> bool: ...


P = TypeVar("P", bound=NumberedPage)


class PageSequencer(Generic[P]):
    """`wanted` are the pages that are read, `next` is the first of them that is not shown as done.

    A job is known by its first page; of one that was taken again, the highest attempt counts.
    """

    def __init__(self, wanted: str = "") -> None:
        self._page_ranges = PageRanges(wanted)
        self._attempts: dict[int, int] = {}
        self._snapshots: dict[int, P] = {}
        self._buffered: dict[int, P] = {}
        self.next = self._page_ranges.next_page(0)

    @property
    def has_single_job(self) -> bool:
        """There is one job, as far as is known."""
        return len(self._attempts) <= 1

    @property
    def buffered_count(self) -> int:
        """How many pages are done and wait for others."""
        return len(self._buffered)

    def is_past(self, job: int, number: int) -> bool:
        """Whether who reads this page has the page that is shown next behind him, so that it is done."""
        return self.next is not None and self.next < number and job == self._current_job()

    def update_claims(self, attempts: dict[int, int]) -> bool:
        """Jobs and who has them now; whether the page that is shown next begins anew."""
        new = {job: attempt for job, attempt in attempts.items() if attempt > self._attempts.get(job, -1)}
        self._attempts |= new
        for job in new:
            self._snapshots.pop(job, None)
        return self._current_job() in new

    def add_finished(self, pages: Iterable[P]) -> list[P]:
        """Pages that are done; what is to be shown now, in order."""
        kept = []
        for page in pages:
            if page.number not in self._page_ranges:
                kept.append(page)  # it is not read, so nothing is waited for
            elif self.next is not None and page.number >= self.next:
                self._buffered[page.number] = page
        return [*kept, *self._release_ready()]

    def add_update(self, job: int, attempt: int, page: P) -> list[P]:
        """What a job's reader has of a page; what is to be shown now, in order."""
        if attempt < self._attempts.get(job, -1) or not self._is_open(page.number):
            return []
        self._attempts[job] = attempt
        if page.done:
            self._snapshots.pop(job, None)
            return self.add_finished([page])
        self._snapshots[job] = page
        return [page] if page.number == self.next else []

    def _is_open(self, number: int) -> bool:
        return self.next is not None and number >= self.next and number not in self._buffered

    def _release_ready(self) -> list[P]:
        shown: list[P] = []
        while self.next is not None and self.next in self._buffered:
            shown.append(self._buffered.pop(self.next))
            self.next = self._page_ranges.next_page(self.next)
        if shown:
            shown += [draft for draft in self._snapshots.values() if draft.number == self.next]
        return shown

    def _current_job(self) -> int | None:
        """Jobs are of pages in a row; without a next page, it is the last that still says something."""
        return max((job for job in self._attempts if self.next is None or job <= self.next), default=None)
