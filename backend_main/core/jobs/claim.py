"""claim."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from ... import reading
from ...reading.page_ranges import PageRanges
from ..models import (
    Job,
    Status,
    Upload,
)


class LeaseLost(Exception):
    """The upload is no longer this attempt's: deleted, cancelled, or taken by another reader."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One job, held by one reader until its lease runs out.

    It is of the pages from `first_page` to `last_page` (None: to the end) that are asked for and not `done`.
    `finished_page_texts` are those of all finished pages, by number; not where the holder `is_continuation` in a document of which
    it has just read other pages. `seq` is how far the owner's log was when the job was claimed.
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
        """The next page to read behind this one; None where there is none, if the document has so many."""
        wanted = PageRanges(self.options.pages)
        following = wanted.next_page(max(number, self.first_page - 1))
        while following is not None and following in self.finished_pages:
            following = wanted.next_page(following)
        last = min(self.last_page or sys.maxsize, page_count or sys.maxsize)
        return None if following is None or following > last else following

    def remaining_pages(self, number: int, page_count: int) -> Iterator[int]:
        """All of them, in a document of so many."""
        while (following := self.next_page(number, page_count)) is not None:
            yield (number := following)


def claimed_jobs() -> QuerySet[Job]:
    return Job.objects.exclude(claimed_by="")


def claimed_job(claim: Claim) -> QuerySet[Job]:
    """The claim's job, while it is the claim's."""
    return claimed_jobs().filter(pk=claim.job_id, attempt=claim.attempt)


def lock_upload(claim: Claim, **changes: object) -> None:
    """Writes to the upload while it is read, and holds it until the caller's transaction ends.

    A write to the claim's job must follow: `require_rows`. Raises `LeaseLost`.
    """
    require_rows(upload_being_read(claim).update(**changes, updated_at=Now()))


def upload_being_read(claim: Claim) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=claim.upload_id, status=Status.PROCESSING)


def require_rows(rows: int) -> None:
    if not rows:
        raise LeaseLost
