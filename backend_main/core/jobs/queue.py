"""Step 8 — the queue is rows: claim, extend, give back, count a failure, end.

Everything that a reader writes goes through here and is fenced by its job: a reader whose upload was deleted,
or whose lease ran out, finds that out at its next write and writes nothing. Time is the database's.

A long document is cut into jobs of a few pages each, which several readers may hold at once. Each claim is a
new attempt of the upload, and those from one retry to the next are a run. Who writes to an upload and to jobs
of it locks the upload first, so that of two readers who finish at once one sees that it is the last.
"""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import suppress
from dataclasses import replace

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from .. import event_log
from ..db.retry import retry_transient
from ..db.settings import relaxed_durability
from ..models import (
    Job,
    Status,
    Upload,
    User,
)
from . import options as job_options
from .claim import Claim, LeaseLost, claimed_job, claimed_jobs, lock_upload, require_rows
from .results import count_failure

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
HEARTBEAT_SECONDS = 5
MAX_COUNTED_JOBS = 64
# So many pages are one job where a document has more than twice as many left: few, so that readers end
# together and live text, which waits for the pages before it, does not wait long.
PAGES_PER_JOB = 3

READER_DIED_MESSAGE = "Reading was cut off too often; the file may be too much for the reader."


# ── holding ──────────────────────────────────────────────────────────────────────────────────────


@retry_transient
@relaxed_durability()
def claim_next(holder: str) -> Claim | None:
    """The fairest open job: interactive before batch, of the owner served longest ago, the oldest."""
    return _claim(Job.objects.all(), holder, is_continuation=False)


@retry_transient
@relaxed_durability()
def claim_next_range(claim: Claim, holder: str) -> Claim | None:
    """The next open range of the document in which the holder has just read one, unless somebody waits."""
    if has_competing_job(claim):
        return None
    return _claim(Job.objects.filter(upload_id=claim.upload_id), holder, is_continuation=True)


@retry_transient
@relaxed_durability()
def split_job(claim: Claim, number: int, page_count: int) -> tuple[Claim, int]:
    """Makes jobs of what is left of a long document behind the page `number`, but for some pages.

    The claim of the rest, and how many jobs there are for others. Raises `LeaseLost`.
    """
    left = [number, *claim.remaining_pages(number, page_count)]
    if claim.last_page is not None or len(left) <= 2 * PAGES_PER_JOB:
        return claim, 0
    own, *others = (left[at : at + PAGES_PER_JOB] for at in range(0, len(left), PAGES_PER_JOB))
    with transaction.atomic():
        lock_upload(claim, page_count=page_count)
        require_rows(claimed_job(claim).update(last_page=own[-1]))
        job = Job.objects.get(pk=claim.job_id)
        Job.objects.bulk_create(_range_of(job, pages[0], pages[-1]) for pages in others)
    return replace(claim, last_page=own[-1]), len(others)


@retry_transient
@relaxed_durability()
def extend_lease(claim: Claim) -> bool:
    """A new lease; False where the job is not this claim's any more."""
    return bool(claimed_job(claim).update(lease_until=_lease()))


@retry_transient
@relaxed_durability()
def release(claim: Claim) -> None:
    """The job waits again, as if nothing had happened; the finished pages stay."""
    claimed_job(claim).update(claimed_by="", lease_until=None)


@retry_transient
def has_competing_job(claim: Claim) -> bool:
    """Whether somebody else's job is open, or one that is more urgent: this one gives way after its page."""
    others = Q(priority=claim.priority) & ~Q(upload__owner_id=claim.owner_id)
    return _open().filter(others | Q(priority__lt=claim.priority)).exists()


@retry_transient
def count_open() -> int:
    """How many wait to be read, counted as far as anybody wants to know."""
    return _open().order_by()[:MAX_COUNTED_JOBS].count()


def has_stalled_jobs(time: dt.timedelta) -> bool:
    """Whether a job has waited so long, and nobody has one: nobody seems to read."""
    waits = Job.objects.filter(claimed_by="", created_at__lt=Now() - time)
    return waits.exists() and not claimed_jobs().filter(lease_until__gt=Now()).exists()


# ── what a reader writes ─────────────────────────────────────────────────────────────────────────


# ── readers that died ────────────────────────────────────────────────────────────────────────────


@retry_transient
def release_all_claims() -> None:
    """At the start of the only server of a data directory nobody else can hold a claim."""
    _record_reader_deaths(claimed_jobs())


@retry_transient
def release_expired_claims() -> int:
    """Claims whose lease ran out are open again; how many there were."""
    return _record_reader_deaths(claimed_jobs().filter(lease_until__lt=Now()))


def _record_reader_deaths(claimed: QuerySet[Job]) -> int:
    dead = list(claimed.select_related("upload"))
    for job in dead:
        upload = job.upload
        log.warning("the reader of upload %s died", upload.pk)
        claim = _claim_of(job)
        with suppress(LeaseLost):  # it was deleted, or ended, since that look
            count_failure(claim, READER_DIED_MESSAGE)
    return len(dead)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


def _claim(among: QuerySet[Job], holder: str, *, is_continuation: bool) -> Claim | None:
    while True:
        with transaction.atomic():
            if (job := _next_job(among)) is not None:
                return _take(job, holder, is_continuation=is_continuation)
        if not (connection.features.has_select_for_update and _wait_for_one(among)):
            return None


def _next_job(among: QuerySet[Job]) -> Job | None:
    """On PostgreSQL both rows stay locked until the claim commits; SQLite has one writer at a time.

    An upload that somebody else has locked is passed over: who waited for it here, with its job in hand,
    would wait for one who waits for the job.
    """
    waiting = _fair_order(among).select_related("upload")
    return waiting.select_for_update(skip_locked=True, of=("self", "upload")).first()


def _wait_for_one(among: QuerySet[Job]) -> bool:
    """Whether any is open. If it was passed over while a page of its upload was saved, that is over then.

    Not asked of SQLite, where nobody holds a row.
    """
    upload_id = _fair_order(among).values_list("upload_id", flat=True).first()
    if upload_id is None:
        return False
    with transaction.atomic():
        list(Upload.objects.filter(pk=upload_id).select_for_update().values_list("pk"))
    return True


def _fair_order(among: QuerySet[Job]) -> QuerySet[Job]:
    served = F("upload__owner__last_served_at").asc(nulls_first=True)
    return among.filter(claimed_by="").order_by("priority", served, "created_at", "first_page")


def _take(job: Job, holder: str, *, is_continuation: bool) -> Claim:
    upload = job.upload
    job.attempt = upload.attempt = upload.attempt + 1
    if upload.status == Status.PENDING:
        upload.first_attempt = upload.attempt
    upload.status, upload.engine = (
        Status.PROCESSING,
        job_options.resolve_engine(job_options.from_stored(upload.read_options)),
    )
    Job.objects.filter(pk=job.pk).update(attempt=job.attempt, claimed_by=holder, lease_until=_lease())
    upload.save(update_fields=["attempt", "first_attempt", "status", "engine", "updated_at"])
    User.objects.filter(pk=upload.owner_id).update(last_served_at=Now())
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


def _range_of(job: Job, first_page: int, last_page: int) -> Job:
    """Another job of the same upload, which stands where that one stands in the queue."""
    return Job(
        upload_id=job.upload_id,
        first_page=first_page,
        last_page=last_page,
        priority=job.priority,
        created_at=job.created_at,
    )


def _claim_of(job: Job) -> Claim:
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


def _lease() -> CombinedExpression:
    return Now() + dt.timedelta(seconds=LEASE_SECONDS)


def _open() -> QuerySet[Job]:
    return Job.objects.filter(claimed_by="")
