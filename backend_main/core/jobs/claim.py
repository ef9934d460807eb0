"""Claim on a job, and the row filters that fence the writes of its reader.

Two numbers fence a claim. `attempt` counts the claims of an upload's jobs: a write that carries an older one
matches no row. `first_attempt` is the attempt that began the current reading, so text of an earlier reading
can be told apart. `seq` numbers the events of an owner, and `epoch` names the event log that these numbers
belong to. `docs/pages/reference/glossary.md` has an example of all four.

A transaction that writes to an upload and to its jobs locks the upload first. When two readers finish at
once, one of them therefore sees that its job is the last.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from ... import reading
from ...reading.page_ranges import PageRanges
from ..models import Job, Status, Upload

UNCLAIMED = {"claimed_by": "", "lease_until": None}
"""Fields of a job that no reader holds."""


class LeaseLost(Exception):
    """The claim is not current: the upload was deleted or cancelled, or another reader claimed the job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One job, which one reader holds until its lease expires.

    Attributes:
        attempt: Number of this claim among all claims of the upload.
        first_attempt: The attempt that began the current reading.
        priority: 0 for interactive, 1 for batch.
        first_page: First page of the job.
        last_page: Last page of the job; None: the last page of the document.
        finished_pages: Numbers of the pages that are stored; no reader reads them again.
        is_continuation: True if the reader has just read another job of this document.
        finished_page_texts: Markdown of the finished pages, by number; empty in a continuation.
        page_count: Pages of the document, if known.
        seq: The owner's latest event when the reader claimed the job.
    """

    job_id: UUID
    upload_id: UUID
    owner_id: UUID
    image_path: str
    attempt: int
    options: reading.Options
    first_attempt: int = 0
    priority: int = 0
    first_page: int = 1
    last_page: int | None = None
    finished_pages: frozenset[int] = frozenset()
    is_continuation: bool = False
    finished_page_texts: dict[int, str] = field(default_factory=dict)
    page_count: int | None = None
    seq: int = 0

    def next_page(self, number: int, page_count: int | None = None) -> int | None:
        """Return the next page to read after page `number`; None at the end of the job.

        Args:
            page_count: Pages of the document; None: unknown, so only the job limits the result.
        """
        selected = PageRanges(self.options.pages)
        candidate = selected.next_page(max(number, self.first_page - 1))
        while candidate is not None and candidate in self.finished_pages:
            candidate = selected.next_page(candidate)
        last = min(self.last_page or sys.maxsize, page_count or sys.maxsize)
        return None if candidate is None or candidate > last else candidate

    def remaining_pages(self, number: int, page_count: int) -> Iterator[int]:
        """Yield the pages to read after page `number`, in a document of `page_count` pages."""
        while (following := self.next_page(number, page_count)) is not None:
            yield (number := following)


def open_jobs() -> QuerySet[Job]:
    """Return the jobs that no reader holds."""
    return Job.objects.filter(claimed_by="")


def claimed_jobs() -> QuerySet[Job]:
    """Return the jobs that a reader holds, also those whose lease has expired."""
    return Job.objects.exclude(claimed_by="")


def claimed_job(claim: Claim) -> QuerySet[Job]:
    """Return the job of the claim; no row if the claim is not current."""
    return claimed_jobs().filter(pk=claim.job_id, attempt=claim.attempt)


def upload_being_read(claim: Claim) -> QuerySet[Upload]:
    """Return the upload of the claim; no row if its reading has ended."""
    return Upload.objects.filter(pk=claim.upload_id, status=Status.PROCESSING)


def lock_upload(claim: Claim, **changes: object) -> None:
    """Update the upload, which locks its row until the caller's transaction ends.

    The caller must then write to the claim's job and check that with `require_rows`.

    Raises:
        LeaseLost: The reading of the upload has ended.
    """
    require_rows(upload_being_read(claim).update(**changes, updated_at=Now()))


def require_rows(count: int) -> None:
    """Raise `LeaseLost` if a fenced write changed no row."""
    if not count:
        raise LeaseLost
