"""The queue of rows: who is next, who holds what until when, what a reader that lost it may still write."""

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
from backend_main.core.protocol import messages
from backend_main.core.uploads import commands
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db

# What `PRAGMA synchronous` says.
NORMAL, FULL = 1, 2


def claimed(holder: str = "a reader") -> Claim:
    claim = job_queue.claim_next(holder)
    assert claim is not None
    return claim


def job_of(claim: Claim) -> Job:
    return Job.objects.get(pk=claim.job_id)


def page(number: int, count: int = 3, *, width: int = 10) -> reading.PageDone:
    warnings = [] if width else [f"Page {number} is broken."]
    text = f"page {number}" if width else ""
    return reading.PageDone(number, count, width, width, text, text, [], warnings)


def run_out(claim: Claim, *, seconds: float = 0.01) -> None:
    """As if nobody had extended the lease: it ended that long ago by the database's clock."""
    Job.objects.filter(pk=claim.job_id).update(lease_until=Now() - dt.timedelta(seconds=seconds))


def terminals(upload_changes: list[UploadChange]) -> list[UploadChange]:
    return [event for event in upload_changes if event.ends_reading]


def now(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


# ── who is next ──


def test_without_a_job_there_is_nothing_to_claim(upload_changes: list[UploadChange]) -> None:
    assert job_queue.claim_next("a reader") is None
    assert upload_changes == []
    assert not job_queue.count_open()


def test_a_claim_is_a_new_attempt_and_no_event(upload: Upload, upload_changes: list[UploadChange]) -> None:
    upload_changes.clear()
    assert job_queue.count_open()
    claim = claimed("reader 7")
    assert (claim.upload_id, claim.owner_id, claim.attempt, claim.finished_page_texts) == (
        upload.pk,
        upload.owner_id,
        1,
        {},
    )
    assert (now(upload).status, now(upload).attempt, now(upload).engine) == (Status.PROCESSING, 1, "dummy")
    assert (job_of(claim).claimed_by, job_of(claim).attempt) == ("reader 7", 1)
    assert upload_changes == []
    assert (claim.finished_page_texts, claim.page_count) == ({}, None)
    assert not job_queue.count_open()
    assert job_queue.claim_next("another reader") is None


def test_the_lease_is_told_by_the_database_s_clock_and_extended_by_it(upload: Upload) -> None:
    claim = claimed()
    for _ in range(2):
        run_out(claim, seconds=-1)
        assert job_queue.extend_lease(claim)
        left = ExpressionWrapper(F("lease_until") - Now(), DurationField())
        seconds = Job.objects.values_list(left, flat=True)[0].total_seconds()
        assert seconds == pytest.approx(job_queue.LEASE_SECONDS, abs=2)


def test_the_owner_served_longest_ago_is_next_and_of_his_jobs_the_oldest() -> None:
    busy, patient, late = new_user("busy"), new_user("patient"), new_user("late")
    order = [new_upload(owner) for owner in (busy, busy, busy, patient, patient, late)]
    served = []
    while claim := job_queue.claim_next("a reader"):
        served.append(claim.upload_id)
        results.finish(claim)
    by_turns = [order[at].pk for at in (0, 3, 5, 1, 4, 2)]
    assert served == by_turns


def test_who_never_was_served_comes_before_all_others() -> None:
    known, new = new_user(), new_user()
    User.objects.filter(pk=known.pk).update(last_served_at=Now() - dt.timedelta(days=400))
    new_upload(known)
    second = new_upload(new)
    assert claimed().upload_id == second.pk


def test_a_reader_gives_way_to_somebody_else_s_open_job_only(upload: Upload) -> None:
    claim = claimed()
    assert not job_queue.has_competing_job(claim)
    new_upload(upload.owner)
    assert not job_queue.has_competing_job(claim), "one's own next document can wait"
    new_upload(new_user())
    assert job_queue.has_competing_job(claim)
    other = claimed()
    assert other.owner_id != claim.owner_id
    assert not job_queue.has_competing_job(claim), "that one is being read"


def test_long_documents_of_two_users_take_turns_page_by_page() -> None:
    users = new_user("first"), new_user("second")
    uploads_ = [new_upload(user) for user in users]
    turns = []
    for _ in range(6):
        claim = claimed()
        results.save_page(claim, page(len(claim.finished_page_texts) + 1))
        turns.append((claim.upload_id, len(claim.finished_page_texts) + 1))
        assert job_queue.has_competing_job(claim)
        job_queue.release(claim)
    first, second = (upload.pk for upload in uploads_)
    assert turns == [(first, 1), (second, 1), (first, 2), (second, 2), (first, 3), (second, 3)]


# ── going on ──


def test_the_next_attempt_goes_on_behind_the_finished_pages(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    first = claimed()
    results.save_page(first, page(1))
    results.save_page(first, page(2))
    job_queue.release(first)
    upload_changes.clear()
    second = claimed()
    assert (second.attempt, list(second.finished_page_texts)) == (2, [1, 2])
    assert upload_changes == []
    assert (second.attempt, second.finished_page_texts, second.page_count) == (
        2,
        {1: "page 1", 2: "page 2"},
        3,
    )
    results.save_page(second, page(3))
    results.finish(second)
    done = now(upload)
    assert (done.status, done.page_count, done.pages_done) == (Status.PROCESSED, 3, 3)
    assert done.raw_text == "page 1\n\npage 2\n\npage 3"
    assert list(Page.objects.order_by("number").values_list("attempt", flat=True)) == [1, 1, 2]
    assert not Job.objects.exists()
    [last] = terminals(upload_changes)
    assert isinstance(last.message, messages.Processed)


def test_giving_back_leaves_the_failures_and_a_page_forgets_them(upload: Upload) -> None:
    for _ in range(2):
        results.count_failure(claimed(), "It crashed.")
    claim = claimed()
    job_queue.release(claim)
    assert (job_of(claim).failures, job_of(claim).claimed_by, job_of(claim).lease_until) == (2, "", None)
    claim = claimed()
    results.save_page(claim, page(1))
    assert job_of(claim).failures == 0
    for _ in range(2):
        results.count_failure(claim, "It crashed.")
        claim = claimed()
    assert now(upload).status == Status.PROCESSING


# ── ends ──


def test_the_third_death_without_a_page_is_the_end(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    for failures in (1, 2):
        claim = claimed()
        results.count_failure(claim, "It crashed.")
        assert (job_of(claim).failures, job_of(claim).claimed_by) == (failures, "")
    assert terminals(upload_changes) == []
    results.count_failure(claimed(), "It crashed.")
    assert (now(upload).status, now(upload).error, now(upload).attempt) == (Status.ERROR, "It crashed.", 3)
    assert not Job.objects.exists()
    [last] = terminals(upload_changes)
    assert isinstance(last.message, messages.Failed)


def test_one_good_page_is_enough_and_none_is_an_error(upload: Upload) -> None:
    broken = new_upload(new_user())
    claim = claimed()
    for done in (page(1, width=0), page(2), page(3, width=0)):
        results.save_page(claim, done)
    results.finish(claim)
    assert (now(upload).status, now(upload).raw_text) == (Status.PROCESSED, "page 2")
    assert now(upload).warnings == ["Page 1 is broken.", "Page 3 is broken."]
    claim = claimed()
    results.save_page(claim, page(1, 1, width=0))
    results.finish(claim)
    assert now(broken).status == Status.ERROR
    assert "Page 1 is broken." in (now(broken).error or "")


# ── fencing ──

WRITES: dict[str, Callable[[Claim], object]] = {
    "save_page": lambda claim: results.save_page(claim, page(1)),
    "finish": results.finish,
    "fail": lambda claim: results.fail(claim, "stale"),
    "extend": job_queue.extend_lease,
    "give_back": job_queue.release,
    "count_failure": lambda claim: results.count_failure(claim, "stale"),
}
RAISING = ("save_page", "finish", "fail")


@pytest.mark.parametrize("write", WRITES)
def test_a_reader_whose_job_another_took_changes_nothing(
    write: str, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    stale = claimed("the first")
    run_out(stale)
    assert job_queue.release_expired_claims() == 1
    current = claimed("the second")
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
def test_a_reader_whose_upload_was_deleted_changes_nothing(
    write: str, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    stale = claimed()
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


def test_a_lease_that_ran_out_is_opened_once_and_counted(upload: Upload) -> None:
    claim = claimed()
    assert job_queue.release_expired_claims() == 0
    run_out(claim)
    assert job_queue.release_expired_claims() == 1
    assert (job_of(claim).failures, job_of(claim).claimed_by) == (1, "")
    assert job_queue.release_expired_claims() == 0
    assert claimed().attempt == 2


def test_three_leases_that_ran_out_are_the_end(upload: Upload, upload_changes: list[UploadChange]) -> None:
    for _ in range(3):
        run_out(claimed())
        job_queue.release_expired_claims()
    assert (now(upload).status, now(upload).error) == (Status.ERROR, job_queue.READER_DIED_MESSAGE)
    assert len(terminals(upload_changes)) == 1


def test_at_the_start_every_claim_is_void_whatever_its_lease(upload: Upload) -> None:
    other = new_upload(new_user())
    claimed(), claimed()
    job_queue.release_all_claims()
    assert list(Job.objects.values_list("claimed_by", "failures")) == [("", 1)] * 2
    assert {claimed().upload_id, claimed().upload_id} == {upload.pk, other.pk}


def test_one_that_is_deleted_meanwhile_does_not_keep_the_others_from_being_opened(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_upload(new_user())
    for claim in (claimed(), claimed()):
        Job.objects.filter(pk=claim.job_id).update(failures=results.MAX_FAILURES - 1)
    fail = results.fail

    def deleted_first(claim: Claim, sentence: str) -> None:
        if claim.upload_id == upload.pk:
            commands.delete(owner=upload.owner, upload_id=upload.pk)
        fail(claim, sentence)

    monkeypatch.setattr(results, "fail", deleted_first)
    job_queue.release_all_claims()
    assert now(other).status == Status.ERROR
    assert not Upload.objects.filter(pk=upload.pk).exists()


def test_a_page_s_text_is_kept_without_what_no_database_of_ours_may_hold() -> None:
    new_upload(new_user())
    held = job_queue.claim_next("reader")
    assert held is not None
    line = reading.Line(1, "a\0b", "a\0b", confidence=1.0)
    results.save_page(held, reading.PageDone(1, 1, 10, 10, "a\0b", "a\0b", [line], ["\0x"]))
    page = Page.objects.get(upload_id=held.upload_id)
    assert (page.markdown, page.text, page.lines[0]["text"], page.warnings) == ("ab", "ab", "ab", ["x"])


@pytest.mark.django_db(transaction=True)
def test_only_the_end_of_an_upload_waits_for_the_disk() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL may die alone: there each commit waits")
    new_upload(new_user())
    levels: list[int] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            levels.append(connection.connection.execute("PRAGMA synchronous").fetchone()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        claim = claimed()
        assert job_queue.extend_lease(claim)
        results.save_page(claim, page(1, 1))
        assert set(levels) == {NORMAL}
        levels.clear()
        results.finish(claim)
        assert set(levels) == {FULL}
