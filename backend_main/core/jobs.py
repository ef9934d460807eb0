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
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from .. import reading
from ..reading.selection import PageRanges
from . import events, serializers, wishes
from .again import retry_transient
from .database import relaxed_durability
from .events import UploadChange
from .models import Job, Page, Status, Upload, User
from .text import join_pages

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
HEARTBEAT_SECONDS = 5
MAX_FAILURES = 3
MAX_COUNTED_JOBS = 64
# So many pages are one job where a document has more than twice as many left: few, so that readers end
# together and live text, which waits for the pages before it, does not wait long.
PAGES_PER_JOB = 3

READER_DIED_MESSAGE = "Reading was cut off too often; the file may be too much for the reader."


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
    done: frozenset[int] = frozenset()
    is_continuation: bool = False
    finished_page_texts: dict[int, str] = field(default_factory=dict)
    page_count: int | None = None
    seq: int = 0

    def next_page(self, number: int, page_count: int | None = None) -> int | None:
        """The next page to read behind this one; None where there is none, if the document has so many."""
        wanted = PageRanges(self.options.pages)
        following = wanted.next_page(max(number, self.first_page - 1))
        while following is not None and following in self.done:
            following = wanted.next_page(following)
        last = min(self.last_page or sys.maxsize, page_count or sys.maxsize)
        return None if following is None or following > last else following

    def remaining_pages(self, number: int, page_count: int) -> Iterator[int]:
        """All of them, in a document of so many."""
        while (following := self.next_page(number, page_count)) is not None:
            yield (number := following)


# ── holding ──────────────────────────────────────────────────────────────────────────────────────


@retry_transient
@relaxed_durability()
def claim_next(holder: str) -> Claim | None:
    """The fairest open job: interactive before batch, of the owner served longest ago, the oldest."""
    return _claim(Job.objects.all(), holder, is_continuation=False)


@retry_transient
@relaxed_durability()
def claim_next_range(held: Claim, holder: str) -> Claim | None:
    """The next open range of the document in which the holder has just read one, unless somebody waits."""
    if has_competing_job(held):
        return None
    return _claim(Job.objects.filter(upload_id=held.upload_id), holder, is_continuation=True)


@retry_transient
@relaxed_durability()
def split_job(held: Claim, number: int, page_count: int) -> tuple[Claim, int]:
    """Makes jobs of what is left of a long document behind the page `number`, but for some pages.

    The claim of the rest, and how many jobs there are for others. Raises `LeaseLost`.
    """
    left = [number, *held.remaining_pages(number, page_count)]
    if held.last_page is not None or len(left) <= 2 * PAGES_PER_JOB:
        return held, 0
    own, *others = (left[at : at + PAGES_PER_JOB] for at in range(0, len(left), PAGES_PER_JOB))
    with transaction.atomic():
        _lock(held, page_count=page_count)
        _require_rows(_claimed_job(held).update(last_page=own[-1]))
        job = Job.objects.get(pk=held.job_id)
        Job.objects.bulk_create(_range_of(job, pages[0], pages[-1]) for pages in others)
    return replace(held, last_page=own[-1]), len(others)


@retry_transient
@relaxed_durability()
def extend_lease(held: Claim) -> bool:
    """A new lease; False where the job is not this claim's any more."""
    return bool(_claimed_job(held).update(lease_until=_lease()))


@retry_transient
@relaxed_durability()
def release(held: Claim) -> None:
    """The job waits again, as if nothing had happened; the finished pages stay."""
    _claimed_job(held).update(claimed_by="", lease_until=None)


@retry_transient
def has_competing_job(held: Claim) -> bool:
    """Whether somebody else's job is open, or one that is more urgent: this one gives way after its page."""
    others = Q(priority=held.priority) & ~Q(upload__owner_id=held.owner_id)
    return _open().filter(others | Q(priority__lt=held.priority)).exists()


@retry_transient
def count_open() -> int:
    """How many wait to be read, counted as far as anybody wants to know."""
    return _open().order_by()[:MAX_COUNTED_JOBS].count()


def has_stalled_jobs(time: dt.timedelta) -> bool:
    """Whether a job has waited so long, and nobody has one: nobody seems to read."""
    waits = Job.objects.filter(claimed_by="", created_at__lt=Now() - time)
    return waits.exists() and not _claimed().filter(lease_until__gt=Now()).exists()


# ── what a reader writes ─────────────────────────────────────────────────────────────────────────


@retry_transient
@relaxed_durability()
def save_page(held: Claim, page: reading.PageDone) -> None:
    """A finished page, which no later attempt reads again. Raises `LeaseLost`."""
    with transaction.atomic():
        _lock(held, page_count=page.page_count, pages_done=F("pages_done") + 1)
        _require_rows(_claimed_job(held).update(failures=0))
        _insert_page(held, page)


@retry_transient
def finish(held: Claim, page: reading.PageDone | None = None, show: Callable[[], None] | None = None) -> bool:
    """The job is done, with its last page where that was just read; whether the upload has others.

    With its last job the upload ends: processed, or an error where no page was readable. `on_commit` is called
    once that is committed, before anybody is told the event. Raises `LeaseLost`.
    """
    with events.transaction(first=show) as happened:
        upload = _locked(held)
        _require_rows(_claimed_job(held).delete()[0])
        if page:
            _insert_page(held, page)
            upload.page_count, upload.pages_done = page.page_count, upload.pages_done + 1
        others = Job.objects.filter(upload_id=held.upload_id).exists()
        if others:
            _save(upload)
        else:
            happened.append(_end(upload))
    return others


@retry_transient
def fail(held: Claim, sentence: str) -> None:
    """The upload ends with an error, whatever else of it is being read."""
    with events.transaction() as happened:
        upload = _locked(held)
        _require_rows(_claimed_job(held).delete()[0])
        Job.objects.filter(upload_id=held.upload_id).delete()
        happened.append(_end(upload, sentence))


@retry_transient
def count_failure(held: Claim, sentence: str) -> None:
    """The job waits again, unless it has brought down a reader too often without one more page.

    Nothing happens where the claim does not stand any more. Raises `LeaseLost`.
    """
    if _claimed_job(held).filter(failures__gte=MAX_FAILURES - 1).exists():
        fail(held, sentence)
    else:
        _claimed_job(held).update(failures=F("failures") + 1, claimed_by="", lease_until=None)


def texts_so_far(upload_id: UUID) -> dict[str, Any]:
    """What an upload that ends now has of its finished pages, as fields of it."""
    return _texts_of(_pages_of(upload_id))


# ── readers that died ────────────────────────────────────────────────────────────────────────────


@retry_transient
def release_all_claims() -> None:
    """At the start of the only server of a data directory nobody else can hold a claim."""
    _record_reader_deaths(_claimed())


@retry_transient
def release_expired_claims() -> int:
    """Claims whose lease ran out are open again; how many there were."""
    return _record_reader_deaths(_claimed().filter(lease_until__lt=Now()))


def _record_reader_deaths(claimed: QuerySet[Job]) -> int:
    dead = list(claimed.select_related("upload"))
    for job in dead:
        upload = job.upload
        log.warning("the reader of upload %s died", upload.pk)
        held = _claim_of(job)
        with suppress(LeaseLost):  # it was deleted, or ended, since that look
            count_failure(held, READER_DIED_MESSAGE)
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
        wishes.resolve_engine(wishes.from_stored(upload.read_options)),
    )
    Job.objects.filter(pk=job.pk).update(attempt=job.attempt, claimed_by=holder, lease_until=_lease())
    upload.save(update_fields=["attempt", "first_attempt", "status", "engine", "updated_at"])
    User.objects.filter(pk=upload.owner_id).update(last_served_at=Now())
    text = Value("") if is_continuation else F("markdown")
    pages = upload.pages.order_by("number").values_list("number", text)
    finished = dict(pages) if upload.pages_done else {}
    return replace(
        _claim_of(job),
        done=frozenset(finished),
        is_continuation=is_continuation,
        finished_page_texts={} if is_continuation else finished,
        seq=events.latest_seq(upload.owner_id),
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
        options=wishes.engine_options(wishes.from_stored(upload.read_options), upload.engine),
        first_attempt=upload.first_attempt,
        priority=job.priority,
        first_page=job.first_page,
        last_page=job.last_page,
        page_count=upload.page_count,
    )


def _strip_nul(value: Any) -> Any:
    """Without NUL characters, which no text of PostgreSQL may hold; a PDF's own text may."""
    match value:
        case str():
            return value.replace("\0", "")
        case list():
            return [_strip_nul(each) for each in value]
        case dict():
            return {key: _strip_nul(each) for key, each in value.items()}
    return value


def _lease() -> CombinedExpression:
    return Now() + dt.timedelta(seconds=LEASE_SECONDS)


def _open() -> QuerySet[Job]:
    return Job.objects.filter(claimed_by="")


def _claimed() -> QuerySet[Job]:
    return Job.objects.exclude(claimed_by="")


def _claimed_job(held: Claim) -> QuerySet[Job]:
    """The claim's job, while it is the claim's."""
    return _claimed().filter(pk=held.job_id, attempt=held.attempt)


def _lock(held: Claim, **changes: object) -> None:
    """Writes to the upload while it is read, and holds it until the caller's transaction ends.

    A write to the claim's job must follow: `_require_rows`. Raises `LeaseLost`.
    """
    _require_rows(_being_read(held).update(**changes, updated_at=Now()))


def _locked(held: Claim) -> Upload:
    """The same for who writes to it later: the upload, without what is of no use at its end."""
    fields = ("owner_id", "attempt", "page_count", "pages_done", "correction")
    upload = _being_read(held).select_for_update().only(*fields).first()
    if upload is None:
        raise LeaseLost
    return upload


def _being_read(held: Claim) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=held.upload_id, status=Status.PROCESSING)


def _require_rows(rows: int) -> None:
    if not rows:
        raise LeaseLost


def _insert_page(held: Claim, page: reading.PageDone) -> None:
    Page.objects.create(
        upload_id=held.upload_id,
        attempt=held.attempt,
        number=page.number,
        width=page.width,
        height=page.height,
        markdown=_strip_nul(page.markdown),
        text=_strip_nul(page.text),
        lines=_strip_nul([msgspec.to_builtins(line) for line in page.lines]),
        warnings=_strip_nul(page.warnings),
    )


def _pages_of(upload_id: UUID) -> list[Page]:
    """Finished ones, without their lines."""
    return list(Page.objects.filter(upload_id=upload_id).order_by("number").defer("lines"))


def _texts_of(pages: list[Page]) -> dict[str, Any]:
    return {
        "raw_text": join_pages(page.markdown for page in pages),
        "plain_text": join_pages(page.text for page in pages),
        "warnings": list(dict.fromkeys(warning for page in pages for warning in page.warnings)),
    }


def _unreadable(pages: list[Page]) -> str | None:
    """A sentence where there are pages and none of them could be decoded."""
    if not pages or any(page.width for page in pages):
        return None
    return f"No page of the file could be read. {pages[0].warnings[0]}"


def _end(upload: Upload, error: str | None = None) -> UploadChange:
    """The end of a locked upload, with the text of the pages that were read: its terminal event.

    It is one with an error where there is one, or no page was readable.
    """
    pages = _pages_of(upload.pk)
    error = error or _unreadable(pages)
    upload.status, upload.error = Status.PROCESSED if error is None else Status.ERROR, error
    texts = _texts_of(pages)
    for name, text in texts.items():
        setattr(upload, name, text)
    _save(upload, "status", "error", *texts)
    return UploadChange(upload.owner_id, upload.pk, upload.attempt, serializers.terminal(upload))


def _save(upload: Upload, *fields: str) -> None:
    upload.save(update_fields=["page_count", "pages_done", "updated_at", *fields])
