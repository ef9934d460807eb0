"""A document that several readers share: how it is cut, who gets what, and that it ends once."""

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


def claimed(holder: str = "a reader") -> Claim:
    claim = job_queue.claim_next(holder)
    assert claim is not None
    return claim


def page(number: int, count: int = PAGES) -> reading.PageDone:
    return reading.PageDone(number, count, 10, 10, f"page {number}", f"page {number}", [], [])


def read(claim: Claim, *, pages: int | None = None) -> None:
    for number in list(claim.remaining_pages(0, PAGES))[:pages]:
        results.save_page(claim, page(number))


def read_to_end(claim: Claim) -> None:
    read(claim)
    results.finish(claim)


def begun(upload: Upload) -> Claim:
    """The claim of a document of ten pages whose first page has told so."""
    claim = claimed()
    assert claim.upload_id == upload.pk
    claim, _ = job_queue.split_job(claim, 1, PAGES)
    return claim


def now(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def ranges() -> list[tuple[int, int | None]]:
    return list(Job.objects.order_by("first_page").values_list("first_page", "last_page"))


def terminals(upload_changes: list[UploadChange]) -> list[UploadChange]:
    return [event for event in upload_changes if event.ends_reading]


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


# ── how it is cut ──


def test_a_long_document_is_cut_into_jobs_of_a_few_pages_and_its_reader_keeps_the_first(
    upload: Upload,
) -> None:
    claim, others = job_queue.split_job(claimed(), 1, PAGES)
    assert PAGES_PER_JOB == 3
    assert ranges() == [(1, 3), (4, 6), (7, 9), (10, 10)]
    assert others == 3
    assert list(claim.remaining_pages(0, PAGES)) == [1, 2, 3]
    assert now(upload).page_count == PAGES
    assert job_queue.split_job(claim, 2, PAGES) == (claim, 0), "once"


def test_a_document_of_few_pages_is_one_job(upload: Upload) -> None:
    claim = claimed()
    assert job_queue.split_job(claim, 1, 2 * PAGES_PER_JOB) == (claim, 0)
    assert ranges() == [(1, None)]


def test_it_is_cut_by_the_pages_asked_for_and_not_read_yet(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "2,4-11,20-"})
    first = claimed()
    results.save_page(first, page(2, 21))
    job_queue.release(first)
    claim, others = job_queue.split_job(claimed(), 4, 21)
    assert others == 3
    assert ranges() == [(1, 6), (7, 9), (10, 20), (21, 21)]
    rest = [list(claimed().remaining_pages(0, 21)) for _ in range(others)]
    assert [list(claim.remaining_pages(0, 21)), *rest] == [[4, 5, 6], [7, 8, 9], [10, 11, 20], [21]]


def test_a_claim_that_was_lost_cuts_nothing(upload: Upload) -> None:
    claim = claimed()
    job_queue.release_all_claims()
    with pytest.raises(LeaseLost):
        job_queue.split_job(claim, 1, PAGES)
    assert ranges() == [(1, None)]


# ── several readers ──


def test_each_range_is_somebody_s_and_no_claim_fences_out_another(upload: Upload) -> None:
    first = begun(upload)
    second, third = claimed("b"), claimed("c")
    assert [claim.attempt for claim in (first, second, third)] == [1, 2, 3]
    assert {claim.first_attempt for claim in (first, second, third)} == {1}
    for claim in (third, first, second):
        assert job_queue.extend_lease(claim)
        read(claim)
    assert now(upload).pages_done == 9
    assert list(Page.objects.order_by("number").values_list("number", "attempt")) == [
        (number, 1 + (number - 1) // 3) for number in range(1, 10)
    ]


def test_it_ends_with_its_last_job_whichever_that_is(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    first = begun(upload)
    others = [claimed() for _ in range(3)]
    upload_changes.clear()
    for claim in (*others, first):
        assert terminals(upload_changes) == []
        read_to_end(claim)
    done = now(upload)
    assert (done.status, done.pages_done) == (Status.PROCESSED, PAGES)
    assert done.raw_text == "\n\n".join(f"page {number}" for number in range(1, PAGES + 1))
    [last] = terminals(upload_changes)
    assert last.attempt == done.attempt, "so that a replay has its text"


def test_a_reader_alone_goes_on_from_range_to_range_and_is_told_no_texts_again(upload: Upload) -> None:
    claim: Claim | None = begun(upload)
    seen = []
    while claim is not None:
        seen.append((claim.first_page, claim.attempt, claim.is_continuation, claim.finished_page_texts))
        read_to_end(claim)
        claim = job_queue.claim_next_range(claim, "a reader")
    assert seen == [(1, 1, False, {}), (4, 2, True, {}), (7, 3, True, {}), (10, 4, True, {})]
    assert now(upload).status == Status.PROCESSED


def test_who_reads_one_range_does_not_go_on_where_somebody_else_waits(upload: Upload) -> None:
    claim = begun(upload)
    read_to_end(claim)
    other = new_upload(new_user())
    assert job_queue.claim_next_range(claim, "a reader") is None
    assert claimed().upload_id == other.pk
    assert claimed().upload_id == upload.pk


def test_the_ranges_come_before_the_next_document_of_the_same_user(upload: Upload) -> None:
    later = new_upload(upload.owner)
    read_to_end(begun(upload))
    assert [claimed().first_page for _ in range(3)] == [4, 7, 10]
    assert claimed().upload_id == later.pk


def test_a_range_taken_again_goes_on_behind_its_own_finished_pages(upload: Upload) -> None:
    first, second = begun(upload), claimed()
    read(first, pages=1)
    read(second, pages=2)
    job_queue.release(second)
    again = claimed()
    assert (again.first_page, list(again.remaining_pages(0, PAGES))) == (4, [6])
    assert again.finished_page_texts == {1: "page 1", 4: "page 4", 5: "page 5"}
    results.save_page(first, page(2))


# ── ends that are none of the good ones ──


def test_a_range_that_fails_for_good_ends_the_upload_and_its_other_readers_find_it_gone(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    first, second = begun(upload), claimed()
    read(second, pages=1)
    for _ in range(results.MAX_FAILURES):
        results.count_failure(first, "It crashed.")
        if again := job_queue.claim_next("next"):
            first = again if again.first_page == 1 else first
    assert (now(upload).status, now(upload).error) == (Status.ERROR, "It crashed.")
    assert now(upload).raw_text == "page 4"
    assert not Job.objects.exists()
    with pytest.raises(LeaseLost):
        results.save_page(second, page(5))
    with pytest.raises(LeaseLost):
        results.finish(second)
    assert not job_queue.extend_lease(second)
    assert len(terminals(upload_changes)) == 1


def test_failures_are_counted_for_each_range_by_itself(upload: Upload) -> None:
    first, second = begun(upload), claimed()
    for held in (first, second):
        results.count_failure(held, "It crashed.")
    assert list(Job.objects.order_by("first_page").values_list("failures", flat=True)) == [1, 1, 0, 0]
    assert now(upload).status == Status.PROCESSING


def test_a_server_that_died_has_every_range_opened_again(upload: Upload) -> None:
    begun(upload), claimed()
    job_queue.release_all_claims()
    assert list(Job.objects.order_by("first_page").values_list("failures", "claimed_by")) == [
        (1, ""),
        (1, ""),
        (0, ""),
        (0, ""),
    ]


def test_cancelled_in_the_middle_no_reader_writes_and_what_was_read_stays(upload: Upload) -> None:
    first, second = begun(upload), claimed()
    read(second, pages=1)
    read(first, pages=1)
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    assert now(upload).raw_text == "page 1\n\npage 4"
    for claim, number in ((first, 2), (second, 5)):
        with pytest.raises(LeaseLost):
            results.save_page(claim, page(number))
        with pytest.raises(LeaseLost):
            results.finish(claim)
    assert now(upload).status == Status.CANCELLED
    assert not job_queue.count_open()


def test_readers_of_before_a_retry_write_nothing_into_it_and_a_new_run_begins(upload: Upload) -> None:
    first, second = begun(upload), claimed()
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    assert ranges() == [(1, None)]
    third = claimed()
    assert (third.attempt, third.first_attempt) == (3, 3)
    for claim in (first, second):
        with pytest.raises(LeaseLost):
            results.save_page(claim, page(4))
        assert not job_queue.extend_lease(claim)
    assert not Page.objects.exists()


# ── what a hub looks up ──


def test_a_hub_that_comes_later_is_told_who_reads_what_and_all_that_is_done(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "1-"})
    first, second = begun(upload), claimed()
    read(second, pages=1)
    log = replay.EventLogReader()
    head = log.latest_seq(upload.owner_id)
    for attempt in (first.attempt, second.attempt):
        assert log.reading_state(upload.owner_id, upload.pk, attempt) == ReadingStarted(
            upload.owner_id, upload.pk, attempt, head, {4: "page 4"}, PAGES, 1, "1-", {1: 1, 4: 2}
        )
    assert log.reading_state(upload.owner_id, upload.pk, 3) is None, "nobody has that"
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    claimed()
    assert log.reading_state(upload.owner_id, upload.pk, 2) is None, "that run is over"


@pytest.mark.parametrize(
    ("model", "new", "other"),
    [(Job, "priority", {"first_page": 5}), (Upload, "run", {"image_hash": "another"})],
)
def test_the_version_before_can_still_write_rows_while_an_upgrade_runs(
    model: type[Job | Upload], new: str, other: dict[str, object], upload: Upload
) -> None:
    """It knows nothing of the new columns."""
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


def batch(owner: User) -> Upload:
    upload = new_upload(owner)
    Upload.objects.filter(pk=upload.pk).update(read_options={"priority": "batch"})
    Job.objects.filter(upload=upload).update(priority=1)
    return upload


def test_what_somebody_waits_for_is_read_before_batches_whoever_was_served_when() -> None:
    owner = new_user()
    waiting, urgent = batch(new_user()), new_upload(owner)
    second = new_upload(owner)
    assert [claimed().upload_id for _ in range(3)] == [urgent.pk, second.pk, waiting.pk]


def test_a_batch_gives_way_after_a_page_also_to_its_own_owner_and_nobody_to_a_batch() -> None:
    owner = new_user()
    batch(owner)
    claim = claimed()
    assert claim.priority == 1
    assert not job_queue.has_competing_job(claim)
    new_upload(owner)
    assert job_queue.has_competing_job(claim)
    urgent = claimed()
    job_queue.release(claim)
    assert not job_queue.has_competing_job(urgent)
    batch(new_user())
    assert not job_queue.has_competing_job(urgent)


def test_the_priority_asked_for_is_the_job_s_and_its_ranges_and_a_retry_keeps_it() -> None:
    owner = new_user()
    source = commands.UploadSource(image_base64=base64_of(scripted_png()))
    upload = commands.create(owner=owner, source=source, options=ReadOptions(priority="batch")).upload
    claim = claimed()
    job_queue.split_job(claim, 1, PAGES)
    assert set(Job.objects.values_list("priority", flat=True)) == {1}
    commands.cancel(owner=owner, upload_id=upload.pk)
    commands.retry(owner=owner, upload_id=upload.pk)
    assert Job.objects.get().priority == 1
    assert job_options.from_stored(now(upload).read_options).priority == "batch"
    commands.cancel(owner=owner, upload_id=upload.pk)
    commands.retry(owner=owner, upload_id=upload.pk, options=ReadOptions(priority="interactive"))
    assert Job.objects.get().priority == 0


def test_a_priority_alone_leaves_the_engine_to_be_chosen_when_it_is_read() -> None:
    assert ReadOptions(priority="batch").model_fields() == {"read_options": {"priority": "batch"}}


# ── at the same time ──


@pytest.mark.django_db(transaction=True)
def test_of_readers_who_finish_at_once_one_ends_the_upload(upload_changes: list[UploadChange]) -> None:
    for _ in range(5):
        upload = new_upload(new_user())
        claims = [begun(upload), *(claimed() for _ in range(3))]
        for claim in claims:
            read(claim)
        upload_changes.clear()
        assert (
            run_concurrently(*(lambda claim=claim: results.finish(claim) for claim in claims)) == [None] * 4
        )
        assert now(upload).status == Status.PROCESSED
        assert len(terminals(upload_changes)) == 1


@pytest.mark.django_db(transaction=True)
def test_readers_who_save_and_claim_at_once_get_a_range_each_and_count_every_page() -> None:
    upload = new_upload(new_user())
    first = begun(upload)
    got: list[Claim] = []

    def take() -> None:
        claim = claimed()
        read(claim)
        got.append(claim)

    assert run_concurrently(lambda: read(first), take, take, take) == [None] * 4
    assert sorted(claim.first_page for claim in got) == [4, 7, 10]
    assert now(upload).pages_done == PAGES


@pytest.mark.django_db(transaction=True)
def test_a_cancel_between_readers_ends_it_once_and_locks_nobody_out(
    upload_changes: list[UploadChange],
) -> None:
    upload = new_upload(new_user())
    claims = [begun(upload), *(claimed() for _ in range(3))]
    upload_changes.clear()
    raised = run_concurrently(
        *(lambda claim=claim: read_to_end(claim) for claim in claims),
        lambda: commands.cancel(owner=upload.owner, upload_id=upload.pk),
    )
    assert all(error is None or isinstance(error, LeaseLost) for error in raised[:-1])
    assert now(upload).status in (Status.CANCELLED, Status.PROCESSED)
    assert len(terminals(upload_changes)) == 1
    assert not Job.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no locks of rows")
@pytest.mark.django_db(transaction=True)
def test_a_claim_waits_for_a_page_that_is_just_being_saved_and_does_not_go_home(upload: Upload) -> None:
    begun(upload)
    locked, back = threading.Event(), threading.Event()
    got: list[Claim | None] = []

    def save() -> None:
        with transaction.atomic():
            Upload.objects.select_for_update().get(pk=upload.pk)
            locked.set()
            while not back.is_set() and not _somebody_waits():
                pass

    def take() -> None:
        locked.wait()
        got.append(job_queue.claim_next("b"))
        back.set()

    assert run_concurrently(save, take) == [None] * 2
    assert got[0] is not None


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
