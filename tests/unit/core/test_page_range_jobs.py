"""Tests of long documents that several readers share: splitting, claims, priorities and concurrent ends."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction

from backend_main import reading
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs import options as job_options
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.jobs.claim import Claim, LeaseLost
from backend_main.core.jobs.options import ReadOptions
from backend_main.core.jobs.queue import PAGES_PER_JOB
from backend_main.core.live import replay
from backend_main.core.models import (
    Job,
    Page,
    Status,
    Upload,
    User,
)
from backend_main.core.pubsub.messages import ReadingStarted
from backend_main.core.uploads import commands
from tests.support.concurrency import run_concurrently
from tests.support.database import new_upload, new_user
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png

pytestmark = pytest.mark.django_db

PAGES = 10


def claim_job(reader_name: str = "a reader") -> Claim:
    claim = job_queue.claim_next(reader_name)
    assert claim is not None
    return claim


def finished_page(number: int, count: int = PAGES) -> reading.PageDone:
    return reading.PageDone(number, count, 10, 10, f"page {number}", f"page {number}", [], [])


def save_pages(claim: Claim, *, pages: int | None = None) -> None:
    for number in list(claim.remaining_pages(0, PAGES))[:pages]:
        results.save_page(claim, finished_page(number))


def read_and_finish(claim: Claim) -> None:
    save_pages(claim)
    results.finish(claim)


def claim_and_split(upload: Upload) -> Claim:
    """Claim the upload and split it as a document of ten pages."""
    claim = claim_job()
    assert claim.upload_id == upload.pk
    claim, _ = job_queue.split_job(claim, 1, PAGES)
    return claim


def reload(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def job_ranges() -> list[tuple[int, int | None]]:
    return list(Job.objects.order_by("first_page").values_list("first_page", "last_page"))


def terminal_changes(upload_changes: list[UploadChange]) -> list[UploadChange]:
    return [event for event in upload_changes if event.ends_reading]


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


# ── splitting ──


def test_split_job_of_a_long_document_keeps_the_first_range(
    upload: Upload,
) -> None:
    claim, others = job_queue.split_job(claim_job(), 1, PAGES)
    assert PAGES_PER_JOB == 3
    assert job_ranges() == [(1, 3), (4, 6), (7, 9), (10, 10)]
    assert others == 3
    assert list(claim.remaining_pages(0, PAGES)) == [1, 2, 3]
    assert reload(upload).page_count == PAGES
    assert job_queue.split_job(claim, 2, PAGES) == (claim, 0), "a split job is not split again"


def test_split_job_of_a_short_document_changes_nothing(upload: Upload) -> None:
    claim = claim_job()
    assert job_queue.split_job(claim, 1, 2 * PAGES_PER_JOB) == (claim, 0)
    assert job_ranges() == [(1, None)]


def test_split_job_counts_selected_unread_pages_only(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "2,4-11,20-"})
    first = claim_job()
    results.save_page(first, finished_page(2, 21))
    job_queue.release(first)
    claim, others = job_queue.split_job(claim_job(), 4, 21)
    assert others == 3
    assert job_ranges() == [(1, 6), (7, 9), (10, 20), (21, 21)]
    rest = [list(claim_job().remaining_pages(0, 21)) for _ in range(others)]
    assert [list(claim.remaining_pages(0, 21)), *rest] == [[4, 5, 6], [7, 8, 9], [10, 11, 20], [21]]


def test_split_job_with_a_lost_claim_raises(upload: Upload) -> None:
    claim = claim_job()
    job_queue.release_all_claims()
    with pytest.raises(LeaseLost):
        job_queue.split_job(claim, 1, PAGES)
    assert job_ranges() == [(1, None)]


# ── several readers ──


def test_claims_of_ranges_do_not_fence_each_other(upload: Upload) -> None:
    first = claim_and_split(upload)
    second, third = claim_job("b"), claim_job("c")
    assert [claim.attempt for claim in (first, second, third)] == [1, 2, 3]
    assert {claim.first_attempt for claim in (first, second, third)} == {1}
    for claim in (third, first, second):
        assert job_queue.extend_lease(claim)
        save_pages(claim)
    assert reload(upload).pages_done == 9
    assert list(Page.objects.order_by("number").values_list("number", "attempt")) == [
        (number, 1 + (number - 1) // 3) for number in range(1, 10)
    ]


def test_finish_of_the_last_range_ends_the_upload(upload: Upload, upload_changes: list[UploadChange]) -> None:
    first = claim_and_split(upload)
    others = [claim_job() for _ in range(3)]
    upload_changes.clear()
    for claim in (*others, first):
        assert terminal_changes(upload_changes) == []
        read_and_finish(claim)
    done = reload(upload)
    assert (done.status, done.pages_done) == (Status.PROCESSED, PAGES)
    assert done.raw_text == "\n\n".join(f"page {number}" for number in range(1, PAGES + 1))
    [last] = terminal_changes(upload_changes)
    assert last.attempt == done.attempt, "a replay needs it to find the text"


def test_claim_next_range_continues_without_texts(upload: Upload) -> None:
    claim: Claim | None = claim_and_split(upload)
    seen = []
    while claim is not None:
        seen.append((claim.first_page, claim.attempt, claim.is_continuation, claim.finished_page_texts))
        read_and_finish(claim)
        claim = job_queue.claim_next_range(claim, "a reader")
    assert seen == [(1, 1, False, {}), (4, 2, True, {}), (7, 3, True, {}), (10, 4, True, {})]
    assert reload(upload).status == Status.PROCESSED


def test_claim_next_range_returns_none_while_another_owner_waits(upload: Upload) -> None:
    claim = claim_and_split(upload)
    read_and_finish(claim)
    other = new_upload(new_user())
    assert job_queue.claim_next_range(claim, "a reader") is None
    assert claim_job().upload_id == other.pk
    assert claim_job().upload_id == upload.pk


def test_claim_next_finishes_a_document_before_the_next_of_its_owner(upload: Upload) -> None:
    later = new_upload(upload.owner)
    read_and_finish(claim_and_split(upload))
    assert [claim_job().first_page for _ in range(3)] == [4, 7, 10]
    assert claim_job().upload_id == later.pk


def test_claim_next_of_a_released_range_continues_after_its_pages(upload: Upload) -> None:
    first, second = claim_and_split(upload), claim_job()
    save_pages(first, pages=1)
    save_pages(second, pages=2)
    job_queue.release(second)
    reclaimed = claim_job()
    assert (reclaimed.first_page, list(reclaimed.remaining_pages(0, PAGES))) == (4, [6])
    assert reclaimed.finished_page_texts == {1: "page 1", 4: "page 4", 5: "page 5"}
    results.save_page(first, finished_page(2))


# ── failures, cancel and retry ──


def test_count_failure_of_one_range_ends_the_upload_for_all_readers(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    first, second = claim_and_split(upload), claim_job()
    save_pages(second, pages=1)
    for _ in range(results.MAX_FAILURES):
        results.count_failure(first, "It crashed.")
        if reclaimed := job_queue.claim_next("next"):
            first = reclaimed if reclaimed.first_page == 1 else first
    assert (reload(upload).status, reload(upload).error) == (Status.ERROR, "It crashed.")
    assert reload(upload).raw_text == "page 4"
    assert not Job.objects.exists()
    with pytest.raises(LeaseLost):
        results.save_page(second, finished_page(5))
    with pytest.raises(LeaseLost):
        results.finish(second)
    assert not job_queue.extend_lease(second)
    assert len(terminal_changes(upload_changes)) == 1


def test_count_failure_counts_each_range_separately(upload: Upload) -> None:
    first, second = claim_and_split(upload), claim_job()
    for claim in (first, second):
        results.count_failure(claim, "It crashed.")
    assert list(Job.objects.order_by("first_page").values_list("failures", flat=True)) == [1, 1, 0, 0]
    assert reload(upload).status == Status.PROCESSING


def test_release_all_claims_opens_every_range(upload: Upload) -> None:
    claim_and_split(upload), claim_job()
    job_queue.release_all_claims()
    assert list(Job.objects.order_by("first_page").values_list("failures", "claimed_by")) == [
        (1, ""),
        (1, ""),
        (0, ""),
        (0, ""),
    ]


def test_cancel_while_ranges_are_read_keeps_finished_pages(upload: Upload) -> None:
    first, second = claim_and_split(upload), claim_job()
    save_pages(second, pages=1)
    save_pages(first, pages=1)
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    assert reload(upload).raw_text == "page 1\n\npage 4"
    for claim, number in ((first, 2), (second, 5)):
        with pytest.raises(LeaseLost):
            results.save_page(claim, finished_page(number))
        with pytest.raises(LeaseLost):
            results.finish(claim)
    assert reload(upload).status == Status.CANCELLED
    assert not job_queue.count_open()


def test_retry_fences_readers_of_the_earlier_reading(upload: Upload) -> None:
    first, second = claim_and_split(upload), claim_job()
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    assert job_ranges() == [(1, None)]
    third = claim_job()
    assert (third.attempt, third.first_attempt) == (3, 3)
    for claim in (first, second):
        with pytest.raises(LeaseLost):
            results.save_page(claim, finished_page(4))
        assert not job_queue.extend_lease(claim)
    assert not Page.objects.exists()


# ── state for the hub ──


def test_reading_state_has_the_attempts_and_finished_pages(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "1-"})
    first, second = claim_and_split(upload), claim_job()
    save_pages(second, pages=1)
    log = replay.EventLogReader()
    head = log.latest_seq(upload.owner_id)
    for attempt in (first.attempt, second.attempt):
        assert log.reading_state(upload.owner_id, upload.pk, attempt) == ReadingStarted(
            upload.owner_id, upload.pk, attempt, head, {4: "page 4"}, PAGES, 1, "1-", {1: 1, 4: 2}
        )
    assert log.reading_state(upload.owner_id, upload.pk, 3) is None, "no reader has this attempt"
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    claim_job()
    assert log.reading_state(upload.owner_id, upload.pk, 2) is None, "that reading has ended"


@pytest.mark.parametrize(
    ("model", "new", "other"),
    [(Job, "priority", {"first_page": 5}), (Upload, "run", {"image_hash": "another"})],
)
def test_rows_without_new_columns_can_be_inserted_during_an_upgrade(
    model: type[Job | Upload], new: str, other: dict[str, object], upload: Upload
) -> None:
    """The previous version does not know the new columns."""
    table, key = model._meta.db_table, uuid.uuid4()
    value = model._meta.pk.get_db_prep_value(key, connection)
    changed = {"id": value} | other
    kept = [f.column for f in model._meta.concrete_fields if f.column not in (new, *changed)]
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(changed))
        cursor.execute(
            f"INSERT INTO {table} ({', '.join([*changed, *kept])}) "
            f"SELECT {marks}, {', '.join(kept)} FROM {table}",
            [*changed.values()],
        )
    assert model.objects.values_list(*[f.name for f in model._meta.concrete_fields if f.column == new]).get(
        pk=key
    ) == (0,)


# ── priority ──


def new_batch_upload(owner: User) -> Upload:
    upload = new_upload(owner)
    Upload.objects.filter(pk=upload.pk).update(read_options={"priority": "batch"})
    Job.objects.filter(upload=upload).update(priority=1)
    return upload


def test_claim_next_takes_interactive_jobs_before_batch_jobs() -> None:
    owner = new_user()
    waiting, urgent = new_batch_upload(new_user()), new_upload(owner)
    second = new_upload(owner)
    assert [claim_job().upload_id for _ in range(3)] == [urgent.pk, second.pk, waiting.pk]


def test_has_competing_job_prefers_interactive_jobs_of_any_owner() -> None:
    owner = new_user()
    new_batch_upload(owner)
    claim = claim_job()
    assert claim.priority == 1
    assert not job_queue.has_competing_job(claim)
    new_upload(owner)
    assert job_queue.has_competing_job(claim)
    urgent = claim_job()
    job_queue.release(claim)
    assert not job_queue.has_competing_job(urgent)
    new_batch_upload(new_user())
    assert not job_queue.has_competing_job(urgent)


def test_priority_applies_to_ranges_and_survives_a_retry() -> None:
    owner = new_user()
    source = commands.UploadSource(image_base64=base64_of(scripted_png()))
    upload = commands.create(owner=owner, source=source, options=ReadOptions(priority="batch")).upload
    claim = claim_job()
    job_queue.split_job(claim, 1, PAGES)
    assert set(Job.objects.values_list("priority", flat=True)) == {1}
    commands.cancel(owner=owner, upload_id=upload.pk)
    commands.retry(owner=owner, upload_id=upload.pk)
    assert Job.objects.get().priority == 1
    assert job_options.from_stored(reload(upload).read_options).priority == "batch"
    commands.cancel(owner=owner, upload_id=upload.pk)
    commands.retry(owner=owner, upload_id=upload.pk, options=ReadOptions(priority="interactive"))
    assert Job.objects.get().priority == 0


def test_model_fields_of_a_priority_alone_leave_the_engine_open() -> None:
    assert ReadOptions(priority="batch").model_fields() == {"read_options": {"priority": "batch"}}


# ── concurrency ──


@pytest.mark.django_db(transaction=True)
def test_concurrent_finish_ends_the_upload_once(upload_changes: list[UploadChange]) -> None:
    for _ in range(5):
        upload = new_upload(new_user())
        claims = [claim_and_split(upload), *(claim_job() for _ in range(3))]
        for claim in claims:
            save_pages(claim)
        upload_changes.clear()
        assert (
            run_concurrently(*(lambda claim=claim: results.finish(claim) for claim in claims)) == [None] * 4
        )
        assert reload(upload).status == Status.PROCESSED
        assert len(terminal_changes(upload_changes)) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_claim_next_and_save_page_lose_no_page() -> None:
    upload = new_upload(new_user())
    first = claim_and_split(upload)
    claims_made: list[Claim] = []

    def claim_and_read() -> None:
        claim = claim_job()
        save_pages(claim)
        claims_made.append(claim)

    assert (
        run_concurrently(lambda: save_pages(first), claim_and_read, claim_and_read, claim_and_read)
        == [None] * 4
    )
    assert sorted(claim.first_page for claim in claims_made) == [4, 7, 10]
    assert reload(upload).pages_done == PAGES


@pytest.mark.django_db(transaction=True)
def test_cancel_during_concurrent_finish_ends_the_upload_once(upload_changes: list[UploadChange]) -> None:
    upload = new_upload(new_user())
    claims = [claim_and_split(upload), *(claim_job() for _ in range(3))]
    upload_changes.clear()
    raised = run_concurrently(
        *(lambda claim=claim: read_and_finish(claim) for claim in claims),
        lambda: commands.cancel(owner=upload.owner, upload_id=upload.pk),
    )
    assert all(error is None or isinstance(error, LeaseLost) for error in raised[:-1])
    assert reload(upload).status in (Status.CANCELLED, Status.PROCESSED)
    assert len(terminal_changes(upload_changes)) == 1
    assert not Job.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
@pytest.mark.django_db(transaction=True)
def test_claim_next_waits_for_a_locked_upload(upload: Upload) -> None:
    claim_and_split(upload)
    locked, claimed_event = threading.Event(), threading.Event()
    claims_made: list[Claim | None] = []

    def save() -> None:
        with transaction.atomic():
            Upload.objects.select_for_update().get(pk=upload.pk)
            locked.set()
            while not claimed_event.is_set() and not _a_lock_is_awaited():
                pass

    def claim_and_read() -> None:
        locked.wait()
        claims_made.append(job_queue.claim_next("b"))
        claimed_event.set()

    assert run_concurrently(save, claim_and_read) == [None] * 2
    assert claims_made[0] is not None


def _a_lock_is_awaited() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
