"""Tests of claims in the job queue: order, leases, failures, and fencing of readers that lost their lease."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from backend_main import reading
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.jobs.claim import Claim, LeaseLost
from backend_main.core.models import (
    Job,
    Page,
    Status,
    Upload,
    User,
)
from backend_main.core.protocol import messages, serializers
from backend_main.core.uploads import commands
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db

# Values of `PRAGMA synchronous`.
NORMAL = 1
FULL = 2
BOX = reading.types.level_box(1.0, 2.0, 30.0, 40.5)


def claim_job(reader_name: str = "a reader") -> Claim:
    claim = job_queue.claim_next(reader_name)
    assert claim is not None
    return claim


def job_of(claim: Claim) -> Job:
    return Job.objects.get(pk=claim.job_id)


def finished_page(number: int, count: int = 3, *, width: int = 10) -> reading.PageDone:
    warnings = [] if width else [reading.PageWarning("unreadable-page", f"Page {number} is broken.")]
    text = f"page {number}" if width else ""
    return reading.PageDone(number, count, width, width, text, text, [], warnings)


def expire_lease(claim: Claim, *, seconds: float = 0.01) -> None:
    """Set the end of the lease to the past, by the database's clock."""
    Job.objects.filter(pk=claim.job_id).update(lease_until=Now() - dt.timedelta(seconds=seconds))


def terminal_changes(upload_changes: list[UploadChange]) -> list[UploadChange]:
    return [event for event in upload_changes if event.ends_reading]


def reload(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


# ── order of claims ──


def test_claim_next_without_jobs_returns_none(upload_changes: list[UploadChange]) -> None:
    assert job_queue.claim_next("a reader") is None
    assert upload_changes == []
    assert not job_queue.count_open()


def test_claim_next_counts_an_attempt_and_writes_the_event_of_the_reading(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    upload_changes.clear()
    assert job_queue.count_open()
    claim = claim_job("reader 7")
    assert (claim.upload_id, claim.owner_id, claim.attempt, claim.finished_page_texts) == (
        upload.pk,
        upload.owner_id,
        1,
        {},
    )
    assert (reload(upload).status, reload(upload).attempt, reload(upload).engine) == (
        Status.PROCESSING,
        1,
        "dummy",
    )
    assert (job_of(claim).claimed_by, job_of(claim).attempt) == ("reader 7", 1)
    [change] = upload_changes
    assert (change.kind, change.seq, change.requester) == ("started", claim.seq, None)
    assert change.message == serializers.status_change(Upload.objects.get(pk=upload.pk))
    assert (claim.finished_page_texts, claim.page_count) == ({}, None)
    assert not job_queue.count_open()
    assert job_queue.claim_next("another reader") is None


def test_extend_lease_uses_the_clock_of_the_database(upload: Upload) -> None:
    claim = claim_job()
    for _ in range(2):
        expire_lease(claim, seconds=-1)
        assert job_queue.extend_lease(claim)
        left = ExpressionWrapper(F("lease_until") - Now(), DurationField())
        seconds = Job.objects.values_list(left, flat=True)[0].total_seconds()
        assert seconds == pytest.approx(job_queue.LEASE_SECONDS, abs=2)


def test_claim_next_serves_owners_in_turn_oldest_job_first() -> None:
    first, second, third = new_user("first"), new_user("second"), new_user("third")
    order = [new_upload(owner) for owner in (first, first, first, second, second, third)]
    served = []
    while claim := job_queue.claim_next("a reader"):
        served.append(claim.upload_id)
        results.finish(claim)
    assert served == [order[at].pk for at in (0, 3, 5, 1, 4, 2)]


def test_claim_next_serves_a_new_owner_before_all_others() -> None:
    served_before, new = new_user(), new_user()
    User.objects.filter(pk=served_before.pk).update(last_served_at=Now() - dt.timedelta(days=400))
    new_upload(served_before)
    second = new_upload(new)
    assert claim_job().upload_id == second.pk


def test_has_competing_job_counts_open_jobs_of_other_owners_only(upload: Upload) -> None:
    claim = claim_job()
    assert not job_queue.has_competing_job(claim)
    new_upload(upload.owner)
    assert not job_queue.has_competing_job(claim), "the owner's next document can wait"
    new_upload(new_user())
    assert job_queue.has_competing_job(claim)
    other = claim_job()
    assert other.owner_id != claim.owner_id
    assert not job_queue.has_competing_job(claim), "the other job is being read"


def test_claim_next_alternates_between_long_documents_of_two_owners() -> None:
    users = new_user("first"), new_user("second")
    uploads_ = [new_upload(user) for user in users]
    turns = []
    for _ in range(6):
        claim = claim_job()
        results.save_page(claim, finished_page(len(claim.finished_page_texts) + 1))
        turns.append((claim.upload_id, len(claim.finished_page_texts) + 1))
        assert job_queue.has_competing_job(claim)
        job_queue.release(claim)
    first, second = (upload.pk for upload in uploads_)
    assert turns == [(first, 1), (second, 1), (first, 2), (second, 2), (first, 3), (second, 3)]


# ── continuing a document ──


def test_claim_next_continues_after_the_finished_pages(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    first = claim_job()
    results.save_page(first, finished_page(1))
    results.save_page(first, finished_page(2))
    job_queue.release(first)
    upload_changes.clear()
    second = claim_job()
    assert (second.attempt, list(second.finished_page_texts)) == (2, [1, 2])
    assert upload_changes == []
    assert (second.attempt, second.finished_page_texts, second.page_count) == (
        2,
        {1: "page 1", 2: "page 2"},
        3,
    )
    results.save_page(second, finished_page(3))
    results.finish(second)
    done = reload(upload)
    assert (done.status, done.page_count, done.pages_done) == (Status.PROCESSED, 3, 3)
    assert done.raw_text == "page 1\n\npage 2\n\npage 3"
    assert list(Page.objects.order_by("number").values_list("attempt", flat=True)) == [1, 1, 2]
    assert not Job.objects.exists()
    [last] = terminal_changes(upload_changes)
    assert isinstance(last.message, messages.Processed)


def test_release_keeps_failures_and_save_page_resets_them(upload: Upload) -> None:
    for _ in range(2):
        results.count_failure(claim_job(), "It crashed.")
    claim = claim_job()
    job_queue.release(claim)
    assert (job_of(claim).failures, job_of(claim).claimed_by, job_of(claim).lease_until) == (2, "", None)
    claim = claim_job()
    results.save_page(claim, finished_page(1))
    assert job_of(claim).failures == 0
    for _ in range(2):
        results.count_failure(claim, "It crashed.")
        claim = claim_job()
    assert reload(upload).status == Status.PROCESSING


# ── ends of uploads ──


def test_count_failure_for_the_third_time_ends_the_upload(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    for failures in (1, 2):
        claim = claim_job()
        results.count_failure(claim, "It crashed.")
        assert (job_of(claim).failures, job_of(claim).claimed_by) == (failures, "")
    assert terminal_changes(upload_changes) == []
    results.count_failure(claim_job(), "It crashed.")
    assert (reload(upload).status, reload(upload).error, reload(upload).attempt) == (
        Status.ERROR,
        "It crashed.",
        3,
    )
    assert not Job.objects.exists()
    [last] = terminal_changes(upload_changes)
    assert isinstance(last.message, messages.Failed)


def test_finish_without_a_readable_page_ends_with_an_error(upload: Upload) -> None:
    broken = new_upload(new_user())
    claim = claim_job()
    for done in (finished_page(1, width=0), finished_page(2), finished_page(3, width=0)):
        results.save_page(claim, done)
    results.finish(claim)
    assert (reload(upload).status, reload(upload).raw_text) == (Status.PROCESSED, "page 2")
    assert reload(upload).warnings == ["Page 1 is broken.", "Page 3 is broken."]
    claim = claim_job()
    results.save_page(claim, finished_page(1, 1, width=0))
    results.finish(claim)
    assert reload(broken).status == Status.ERROR
    assert "Page 1 is broken." in (reload(broken).error or "")


# ── fencing ──

WRITES: dict[str, Callable[[Claim], object]] = {
    "save_page": lambda claim: results.save_page(claim, finished_page(1)),
    "finish": results.finish,
    "fail": lambda claim: results.fail(claim, "stale"),
    "extend_lease": job_queue.extend_lease,
    "release": job_queue.release,
    "count_failure": lambda claim: results.count_failure(claim, "stale"),
}
RAISING = ("save_page", "finish", "fail")


@pytest.mark.parametrize("write", WRITES)
def test_write_with_a_lost_claim_changes_nothing(
    write: str, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    stale = claim_job("the first")
    expire_lease(stale)
    assert job_queue.release_expired_claims() == 1
    current = claim_job("the second")
    upload_changes.clear()
    before = (Upload.objects.values().get(), Job.objects.values().get())
    if write in RAISING:
        with pytest.raises(LeaseLost):
            WRITES[write](stale)
    else:
        assert not WRITES[write](stale)
    assert (Upload.objects.values().get(), Job.objects.values().get()) == before
    assert not Page.objects.exists()
    assert upload_changes == []
    assert job_queue.extend_lease(current)


@pytest.mark.parametrize("write", WRITES)
def test_write_to_a_deleted_upload_changes_nothing(
    write: str, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    stale = claim_job()
    commands.delete(owner=upload.owner, upload_id=upload.pk)
    upload_changes.clear()
    if write in RAISING:
        with pytest.raises(LeaseLost):
            WRITES[write](stale)
    else:
        assert not WRITES[write](stale)
    for model in (Upload, Page, Job):
        assert not model.objects.exists()
    assert upload_changes == []


# ── readers that died ──


def test_release_expired_claims_opens_and_counts_a_job_once(upload: Upload) -> None:
    claim = claim_job()
    assert job_queue.release_expired_claims() == 0
    expire_lease(claim)
    assert job_queue.release_expired_claims() == 1
    assert (job_of(claim).failures, job_of(claim).claimed_by) == (1, "")
    assert job_queue.release_expired_claims() == 0
    assert claim_job().attempt == 2


def test_release_expired_claims_for_the_third_time_ends_the_upload(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    for _ in range(3):
        expire_lease(claim_job())
        job_queue.release_expired_claims()
    assert (reload(upload).status, reload(upload).error) == (Status.ERROR, job_queue.READER_DIED_MESSAGE)
    assert len(terminal_changes(upload_changes)) == 1


def test_release_all_claims_ignores_leases(upload: Upload) -> None:
    other = new_upload(new_user())
    claim_job(), claim_job()
    job_queue.release_all_claims()
    assert list(Job.objects.values_list("claimed_by", "failures")) == [("", 1)] * 2
    assert {claim_job().upload_id, claim_job().upload_id} == {upload.pk, other.pk}


def test_release_all_claims_skips_an_upload_that_is_deleted_meanwhile(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_upload(new_user())
    for claim in (claim_job(), claim_job()):
        Job.objects.filter(pk=claim.job_id).update(failures=results.MAX_FAILURES - 1)
    fail = results.fail

    def fail_after_delete(claim: Claim, message: str, *, code: str) -> None:
        if claim.upload_id == upload.pk:
            commands.delete(owner=upload.owner, upload_id=upload.pk)
        fail(claim, message, code=code)

    monkeypatch.setattr(results, "fail", fail_after_delete)
    job_queue.release_all_claims()
    assert reload(other).status == Status.ERROR
    assert not Upload.objects.filter(pk=upload.pk).exists()


def test_save_page_strips_nul_characters() -> None:
    new_upload(new_user())
    claim = claim_job()
    line = reading.Line(1, "a\0b", "a\0b", confidence=1.0)
    warning = reading.PageWarning("unread-ink", "\0x", (BOX,), 0.5)
    results.save_page(claim, reading.PageDone(1, 1, 10, 10, "a\0b", "a\0b", [line], [warning]))
    stored = Page.objects.get(upload_id=claim.upload_id)
    assert (stored.markdown, stored.text, stored.lines[0]["text"]) == ("ab", "ab", "ab")
    assert stored.warnings == [
        {"code": "unread-ink", "message": "x", "boxes": [list(map(list, BOX))], "share": 0.5}
    ]


def test_stored_sentences_of_earlier_versions_are_warnings_without_a_code() -> None:
    upload = new_upload(new_user())
    fields = {"attempt": 1, "width": 9, "height": 9}
    page = Page.objects.create(upload=upload, number=1, warnings=["Old.", "Older."], **fields)
    coded = [{"code": "lost-letters", "message": "New.", "boxes": [], "share": None}]
    Page.objects.create(upload=upload, number=2, warnings=coded, **fields)
    assert results.text_fields(upload.pk)["warnings"] == ["Old.", "Older.", "New."]
    assert [(w.code, w.message, w.boxes, w.share) for w in serializers.page(page).warnings] == [
        (reading.WarningCode.UNSPECIFIED, "Old.", [], None),
        (reading.WarningCode.UNSPECIFIED, "Older.", [], None),
    ]


@pytest.mark.django_db(transaction=True)
def test_results_between_two_events_do_not_wait_for_the_disk() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL can crash alone, so there each commit waits")
    new_upload(new_user())
    levels: list[int] = []

    def record_level(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            levels.append(connection.connection.execute("PRAGMA synchronous").fetchone()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record_level):
        claim = claim_job()  # its event has a number, which no other event may get
        assert set(levels) == {FULL}
        levels.clear()
        assert job_queue.extend_lease(claim)
        results.save_page(claim, finished_page(1, 1))
        assert set(levels) == {NORMAL}
        levels.clear()
        results.finish(claim)
        assert set(levels) == {FULL}
