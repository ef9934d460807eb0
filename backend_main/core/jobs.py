"""Step 8 — the queue is rows: claim, extend, give back, count a failure, end.

Everything that a reader writes goes through here and is fenced by its attempt: a reader whose upload was
deleted, or whose lease ran out, finds that out at its next write and writes nothing. Time is the database's.
"""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from .. import reading
from . import events, serializers, wishes
from .again import again
from .events import Change
from .models import Job, Page, Status, Upload, User
from .text import join_pages

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
HEARTBEAT_SECONDS = 5
MAX_FAILURES = 3
COUNTED_JOBS = 64

DIED = "Reading was cut off too often; the file may be too much for the reader."


class LostUpload(Exception):
    """The upload is no longer this attempt's: deleted, cancelled, or taken by another reader."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One job, held by one reader until its lease runs out.

    `texts` are those of the finished pages, by number, which are not read again; `seq` is how far the owner's
    log was when the job was claimed.
    """

    job_id: UUID
    upload_id: UUID
    owner_id: UUID
    image_path: str
    attempt: int
    options: reading.Options
    texts: dict[int, str] = field(default_factory=dict)
    page_count: int | None = None
    seq: int = 0


# ── holding ──────────────────────────────────────────────────────────────────────────────────────


@again
def claim(holder: str) -> Claim | None:
    """The fairest open job: of the owner served longest ago, the one that has waited longest."""
    with transaction.atomic():
        job = _next_job()
        if job is None:
            return None
        upload = job.upload
        job.attempt = upload.attempt = upload.attempt + 1
        asked = wishes.of(upload.asked)
        upload.status, upload.engine = Status.PROCESSING, wishes.engine_for(asked)
        Job.objects.filter(pk=job.pk).update(attempt=job.attempt, claimed_by=holder, lease_until=_lease())
        upload.save(update_fields=["attempt", "status", "engine", "updated_at"])
        User.objects.filter(pk=upload.owner_id).update(last_served_at=Now())
        texts = dict(upload.pages.order_by("number").values_list("number", "markdown"))
        return replace(_claim_of(job), texts=texts, seq=events.head(upload.owner_id))


@again
def extend(held: Claim) -> bool:
    """A new lease; False where the job is not this claim's any more."""
    return bool(_held(held).update(lease_until=_lease()))


@again
def give_back(held: Claim) -> None:
    """The job waits again, as if nothing had happened; the finished pages stay."""
    _held(held).update(claimed_by="", lease_until=None)


@again
def others_wait(held: Claim) -> bool:
    """Whether somebody else's job is open: then this one gives way after its page."""
    return Job.objects.filter(claimed_by="").exclude(upload__owner_id=held.owner_id).exists()


@again
def open_jobs() -> int:
    """How many wait to be read, counted as far as anybody wants to know."""
    return Job.objects.filter(claimed_by="").order_by()[:COUNTED_JOBS].count()


def unread_for(time: dt.timedelta) -> bool:
    """Whether a job has waited so long, and nobody has one: nobody seems to read."""
    waits = Job.objects.filter(claimed_by="", created_at__lt=Now() - time)
    return waits.exists() and not _claimed().filter(lease_until__gt=Now()).exists()


# ── what a reader writes ─────────────────────────────────────────────────────────────────────────


@again
def save_page(held: Claim, page: reading.PageDone) -> None:
    """A finished page, which no later attempt reads again. Raises `LostUpload`."""
    with transaction.atomic():
        done = Page.objects.filter(upload_id=held.upload_id).count() + 1
        _fenced(held, page_count=page.page_count, pages_done=done)
        Page.objects.create(
            upload_id=held.upload_id,
            attempt=held.attempt,
            number=page.number,
            width=page.width,
            height=page.height,
            markdown=_storable(page.markdown),
            text=_storable(page.text),
            lines=_storable([msgspec.to_builtins(line) for line in page.lines]),
            warnings=_storable(page.warnings),
        )
        Job.objects.filter(pk=held.job_id).update(failures=0)


@again
def finish(held: Claim) -> None:
    """Processed; an error where no page of it could be decoded."""
    pages = Page.objects.filter(upload_id=held.upload_id).order_by("number")
    if pages.exists() and not pages.filter(width__gt=0).exists():
        fail(held, f"No page of the file could be read. {pages[0].warnings[0]}")
    else:
        _end(held, status=Status.PROCESSED, error=None)


@again
def fail(held: Claim, sentence: str) -> None:
    _end(held, status=Status.ERROR, error=sentence)


@again
def count_failure(held: Claim, sentence: str) -> None:
    """The job waits again, unless it has brought down a reader too often without one more page.

    Nothing happens where the claim does not stand any more. Raises `LostUpload`.
    """
    if _held(held).filter(failures__gte=MAX_FAILURES - 1).exists():
        fail(held, sentence)
    else:
        _held(held).update(failures=F("failures") + 1, claimed_by="", lease_until=None)


def texts_so_far(upload_id: UUID) -> dict[str, Any]:
    """What an upload that ends now has of its finished pages, as fields of it."""
    pages = list(Page.objects.filter(upload_id=upload_id).order_by("number"))
    return {
        "raw_text": join_pages(page.markdown for page in pages),
        "reading_text": join_pages(page.text for page in pages),
        "warnings": list(dict.fromkeys(warning for page in pages for warning in page.warnings)),
    }


# ── readers that died ────────────────────────────────────────────────────────────────────────────


@again
def void_claims() -> None:
    """At the start of the only server of a data directory nobody else can hold a claim."""
    _count_deaths(_claimed())


@again
def void_expired() -> int:
    """Claims whose lease ran out are open again; how many there were."""
    return _count_deaths(_claimed().filter(lease_until__lt=Now()))


def _count_deaths(claimed: QuerySet[Job]) -> int:
    dead = list(claimed.select_related("upload"))
    for job in dead:
        upload = job.upload
        log.warning("the reader of upload %s died", upload.pk)
        held = _claim_of(job)
        with suppress(LostUpload):  # it was deleted, or ended, since that look
            count_failure(held, DIED)
    return len(dead)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────


def _next_job() -> Job | None:
    """On PostgreSQL both rows stay locked until the claim commits; SQLite has one writer at a time.

    An upload that is being cancelled or deleted is passed over: who waited for it here, with its job in hand,
    would wait for one who waits for the job.
    """
    served = F("upload__owner__last_served_at").asc(nulls_first=True)
    waiting = Job.objects.filter(claimed_by="").order_by(served, "created_at")
    return waiting.select_related("upload").select_for_update(skip_locked=True, of=("self", "upload")).first()


def _claim_of(job: Job) -> Claim:
    upload = job.upload
    return Claim(
        job_id=job.pk,
        upload_id=upload.pk,
        owner_id=upload.owner_id,
        image_path=upload.image_path,
        attempt=job.attempt,
        options=wishes.options(wishes.of(upload.asked), upload.engine),
        page_count=upload.page_count,
    )


def _storable(value: Any) -> Any:
    """Without NUL characters, which no text of PostgreSQL may hold; a PDF's own text may."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_storable(each) for each in value]
        case dict():
            return {key: _storable(each) for key, each in value.items()}
    return value


def _lease() -> CombinedExpression:
    return Now() + dt.timedelta(seconds=LEASE_SECONDS)


def _claimed() -> QuerySet[Job]:
    return Job.objects.exclude(claimed_by="")


def _held(held: Claim) -> QuerySet[Job]:
    """The claim's job, while it is the claim's."""
    return _claimed().filter(pk=held.job_id, attempt=held.attempt)


def _fenced(held: Claim, **changes: object) -> None:
    """Writes to the upload while it is this attempt's, in the caller's transaction. Raises `LostUpload`."""
    row = Upload.objects.filter(pk=held.upload_id, attempt=held.attempt, status=Status.PROCESSING)
    if not row.update(**changes, updated_at=Now()):
        raise LostUpload


def _end(held: Claim, *, status: Status, error: str | None) -> None:
    """The upload's end, with the text of the pages that were read, and its terminal event."""
    with events.transaction() as happened:
        _fenced(held, status=status, error=error, **texts_so_far(held.upload_id))
        Job.objects.filter(pk=held.job_id).delete()
        upload = Upload.objects.select_related("owner").get(pk=held.upload_id)
        happened.append(Change(upload.owner_id, upload.pk, held.attempt, serializers.terminal(upload)))
