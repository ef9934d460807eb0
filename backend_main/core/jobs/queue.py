"""Job queue in the database: claiming, splitting and releasing jobs, and recovery of dead readers' jobs.

A job is a range of pages of one upload. A reader claims a job for `LEASE_SECONDS` and extends the lease while
it reads. `claim` fences its writes, so a reader that has lost its lease changes nothing. All times are the
database's.

A reader splits a long document into jobs of `PAGES_PER_JOB` pages, which several readers can hold at once.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Subquery, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from .. import event_log
from ..db.retry import retry_transient
from ..db.settings import relaxed_durability
from ..event_log import UploadChange
from ..models import Job, Status, Upload, User
from ..protocol import serializers
from . import options as job_options
from . import reader_time
from .claim import (
    UNCLAIMED,
    Claim,
    LeaseLost,
    claimed_job,
    claimed_jobs,
    lock_upload,
    open_jobs,
    require_rows,
)
from .results import READER_DIED, count_failure

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
HEARTBEAT_SECONDS = 5
MAX_COUNTED_JOBS = 64
PAGES_PER_JOB = 3
"""Pages of a job, if a document has more than twice as many left. Small jobs let readers finish together, and
live text, which waits for the pages before it, arrives sooner."""

UNUSED_FIELDS = tuple(f"upload__{name}" for name in ("raw_text", "plain_text", "correction"))
"""Texts that no claim needs; each may have many megabytes."""
READER_DIED_MESSAGE = "OCR stopped three times without progress. The file may be too large or damaged."


# ── claims ───────────────────────────────────────────────────────────────────────────────────────


@retry_transient
def claim_next(reader_name: str, *, excluded_owners: Collection[UUID] = ()) -> Claim | None:
    """Claim the next open job; None if there is none, but for those of `excluded_owners`.

    Interactive jobs come before batch jobs, then the owner who has used readers least, then the oldest job.
    The claim that begins a reading makes an event, whose number no loss of power may give to another one.
    """
    jobs = open_jobs()
    if excluded_owners:
        jobs = jobs.exclude(upload__owner_id__in=excluded_owners)
    return _claim(jobs, reader_name, is_continuation=False)


@retry_transient
@relaxed_durability()
def claim_next_range(claim: Claim, reader_name: str) -> Claim | None:
    """Claim the next open job of the document that the reader has just read a job of.

    Returns:
        None if the document has no open job, or if a job that comes first waits (`has_competing_job`).
    """
    if has_competing_job(claim):
        return None
    return _claim(open_jobs().filter(upload_id=claim.upload_id), reader_name, is_continuation=True)


@retry_transient
@relaxed_durability()
def split_job(claim: Claim, number: int, page_count: int) -> tuple[Claim, int]:
    """Split the rest of a long document, from page `number` on, into jobs; keep the first for this claim.

    Returns:
        The claim of the first job, and the number of new jobs; 0 if the rest is short or already split.

    Raises:
        LeaseLost: The claim is not current.
    """
    left = [number, *claim.remaining_pages(number, page_count)]
    if claim.last_page is not None or len(left) <= 2 * PAGES_PER_JOB:
        return claim, 0
    own, *others = (left[at : at + PAGES_PER_JOB] for at in range(0, len(left), PAGES_PER_JOB))
    with transaction.atomic():
        lock_upload(claim, page_count=page_count)
        require_rows(claimed_job(claim).update(last_page=own[-1]))
        job = Job.objects.get(pk=claim.job_id)
        Job.objects.bulk_create(
            Job(
                upload_id=job.upload_id,
                first_page=pages[0],
                last_page=pages[-1],
                priority=job.priority,
                created_at=job.created_at,  # keeps the place of the document in the queue
            )
            for pages in others
        )
    return replace(claim, last_page=own[-1]), len(others)


@retry_transient
@relaxed_durability()
def extend_lease(claim: Claim) -> bool:
    """Extend the lease; return False if the claim is not current."""
    return bool(claimed_job(claim).update(lease_until=_lease_end()))


@retry_transient
@relaxed_durability()
def release(claim: Claim) -> None:
    """Open the job for other readers; keep its finished pages and its count of failures."""
    claimed_job(claim).update(**UNCLAIMED)


# ── waiting jobs ─────────────────────────────────────────────────────────────────────────────────


@retry_transient
def has_competing_job(
    claim: Claim, *, of_others: bool = False, excluded_owners: Collection[UUID] = ()
) -> bool:
    """Return whether a more urgent job is open, or one of this priority whose owner has used readers less.

    Args:
        of_others: Leave out the jobs of the claim's owner.
        excluded_owners: Owners whose jobs are left out.
    """
    used = User.objects.filter(pk=claim.owner_id).values("last_served_at")
    owner = "upload__owner__last_served_at"
    has_used_less = Q(**{f"{owner}__isnull": True}) | Q(**{f"{owner}__lt": Subquery(used)})
    is_of_owner = Q(upload__owner_id=claim.owner_id)
    other_owners = Q(priority=claim.priority) & ~is_of_owner & has_used_less
    jobs = open_jobs().filter(other_owners | Q(priority__lt=claim.priority))
    if of_others:
        jobs = jobs.exclude(is_of_owner)
    if excluded_owners:
        jobs = jobs.exclude(upload__owner_id__in=excluded_owners)
    return jobs.exists()


@retry_transient
def count_open() -> int:
    """Return the number of open jobs, at most `MAX_COUNTED_JOBS`."""
    return open_jobs().order_by()[:MAX_COUNTED_JOBS].count()


def has_stalled_jobs(wait: dt.timedelta) -> bool:
    """Return whether a job has waited longer than `wait` while no reader holds a valid lease."""
    is_overdue = open_jobs().filter(created_at__lt=Now() - wait).exists()
    return is_overdue and not claimed_jobs().filter(lease_until__gt=Now()).exists()


# ── readers that died ────────────────────────────────────────────────────────────────────────────


@retry_transient
def release_all_claims() -> None:
    """Release every claim; only for the start of a data directory's only server."""
    _record_reader_deaths(claimed_jobs())


@retry_transient
def release_expired_claims() -> int:
    """Release the claims whose lease has expired; return their number."""
    return _record_reader_deaths(claimed_jobs().filter(lease_until__lt=Now()))


def _record_reader_deaths(jobs: QuerySet[Job]) -> int:
    abandoned = list(jobs.select_related("upload"))
    for job in abandoned:
        log.warning("The reader of upload %s died.", job.upload_id)
        with suppress(LeaseLost):  # the upload ended, or a user deleted it, after the query
            count_failure(_claim_of(job), READER_DIED_MESSAGE, code=READER_DIED)
    return len(abandoned)


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────


def _claim(jobs: QuerySet[Job], reader_name: str, *, is_continuation: bool) -> Claim | None:
    """Claim the first of the open `jobs`.

    On PostgreSQL, job and upload stay locked until the claim commits; SQLite has one writer at a time. The
    query skips uploads that another transaction has locked: waiting for them while holding the job could
    deadlock.
    """
    while True:
        claim: Claim | None = None
        with event_log.transaction() as changes:
            candidates = _fair_order(jobs).select_related("upload__owner").defer(*UNUSED_FIELDS)
            job = candidates.select_for_update(skip_locked=True, of=("self", "upload")).first()
            if job is not None:
                claim = _claim_job(job, reader_name, changes, is_continuation=is_continuation)
        if claim is not None:
            return replace(claim, seq=changes[0].seq) if changes else claim
        if not (connection.features.has_select_for_update and _wait_for_locked_upload(jobs)):
            return None


def _wait_for_locked_upload(jobs: QuerySet[Job]) -> bool:
    """Wait until the upload of the first job is unlocked; return False if no job is open."""
    upload_id = _fair_order(jobs).values_list("upload_id", flat=True).first()
    if upload_id is None:
        return False
    with transaction.atomic():
        list(Upload.objects.filter(pk=upload_id).select_for_update().values_list("pk"))
    return True


def _fair_order(jobs: QuerySet[Job]) -> QuerySet[Job]:
    served = F("upload__owner__last_served_at").asc(nulls_first=True)
    return jobs.order_by("priority", served, "created_at", "first_page")


def _claim_job(job: Job, reader_name: str, changes: list[UploadChange], *, is_continuation: bool) -> Claim:
    """Claim a job whose row is locked; append the event of a reading that begins to `changes`."""
    upload = job.upload
    job.attempt = upload.attempt = upload.attempt + 1
    begins_reading = upload.status == Status.PENDING
    if begins_reading:
        upload.first_attempt = upload.attempt
    upload.status = Status.PROCESSING
    upload.engine = job_options.resolve_engine(job_options.from_stored(upload.read_options))
    Job.objects.filter(pk=job.pk).update(
        attempt=job.attempt, claimed_by=reader_name, lease_until=_lease_end()
    )
    upload.save(update_fields=["attempt", "first_attempt", "status", "engine", "updated_at"])
    reader_time.charge(upload.owner_id, reader_time.CLAIM_SECONDS)
    if begins_reading:
        message = serializers.status_change(upload)
        changes.append(UploadChange(upload.owner_id, upload.pk, upload.attempt, message))
    text = Value("") if is_continuation else F("markdown")
    pages = upload.pages.order_by("number").values_list("number", text)
    finished = dict(pages) if upload.pages_done else {}
    return replace(
        _claim_of(job),
        finished_pages=frozenset(finished),
        is_continuation=is_continuation,
        finished_page_texts={} if is_continuation else finished,
        seq=event_log.latest_seq(upload.owner_id),
    )


def _claim_of(job: Job) -> Claim:
    """Return the claim of a job as its rows have it, without finished pages and `seq`."""
    upload = job.upload
    return Claim(
        job_id=job.pk,
        upload_id=upload.pk,
        owner_id=upload.owner_id,
        image_path=upload.image_path,
        attempt=job.attempt,
        options=job_options.engine_options(job_options.from_stored(upload.read_options), upload.engine),
        first_attempt=upload.first_attempt,
        priority=job.priority,
        first_page=job.first_page,
        last_page=job.last_page,
        page_count=upload.page_count,
    )


def _lease_end() -> CombinedExpression:
    return Now() + dt.timedelta(seconds=LEASE_SECONDS)
