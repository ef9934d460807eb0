"""What a reader no longer may, once its upload was deleted, cancelled or taken; and how it is given back."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend_main import reading
from backend_main.core import event_log, storage
from backend_main.core.errors import StorageUnavailable
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.models import (
    Job,
    Page,
    Status,
    Upload,
    User,
)
from backend_main.core.pubsub.messages import ReadingEnded
from backend_main.core.uploads import commands
from tests.support.database import new_upload, new_user
from tests.support.fake_reader import (
    Step,
    connection_kept,
    long_document,
    page,
    reader,
    reload,
    terminals,
    upload,
)

__all__ = ["connection_kept", "upload"]

pytestmark = pytest.mark.django_db


# ── deleted, or taken by another, while it is read ──


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_after_a_cancel_a_reader_writes_and_tells_nothing(
    after: int, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    def cancel() -> None:
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        upload_changes.append(MARK)

    script = page(1, 2, "a") + page(2, 2, "b")
    one, _, _ = reader([*script[:after], cancel, *script[after:]])
    assert one.read_next()
    left = reload(upload)
    assert (left.status, left.error) == (Status.CANCELLED, "Cancelled")
    assert left.raw_text == ("a" if after >= 3 else "")
    assert Page.objects.filter(upload=upload).count() == (1 if after >= 3 else 0)
    assert not Job.objects.filter(upload=upload).exists()
    assert upload_changes[-1] is MARK
    assert len(terminals(upload_changes)) == 1


def test_a_retry_right_after_a_cancel_is_another_reader_s_and_the_first_writes_nothing(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    def again() -> None:
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        commands.retry(owner=upload.owner, upload_id=upload.pk)
        assert job_queue.claim_next("another reader") is not None
        upload_changes.append(MARK)

    script = page(1, 2, "a") + page(2, 2, "b")
    one, _, _ = reader([*script[:4], again, *script[4:]])
    assert one.read_next()
    assert (reload(upload).status, reload(upload).attempt) == (Status.PROCESSING, 2)
    assert not Page.objects.filter(upload=upload).exists()
    assert Job.objects.get(upload=upload).claimed_by == "another reader"
    assert upload_changes[-1] is MARK


MARK: Any = SimpleNamespace(ends_reading=False)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_after_a_delete_a_reader_writes_and_tells_nothing(
    after: int, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    def delete() -> None:
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        upload_changes.append(DELETED)

    script = page(1, 2, "a") + page(2, 2, "b")
    one, _, _ = reader([*script[:after], delete, *script[after:]])
    assert one.read_next()
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert not Page.objects.filter(upload_id=upload.pk).exists()
    assert not Job.objects.filter(upload_id=upload.pk).exists()
    assert upload_changes[-1] is DELETED
    assert len(terminals(upload_changes)) == 2  # the delete itself, and the mark after it


DELETED: Any = SimpleNamespace(ends_reading=True)


def test_a_delete_cancels_the_reading_of_that_upload_only(upload: Upload) -> None:
    other = new_upload(new_user())
    seen = []

    def delete(which: Upload, owner: User) -> None:
        commands.delete(owner=owner, upload_id=which.pk)
        seen.append(host.cancelled)

    script = page(1, 1, "a")
    one, host, _ = reader(
        [script[0], lambda: delete(other, other.owner), lambda: delete(upload, upload.owner), *script[1:]]
    )
    event_log.add_listener(one.on_change)
    try:
        one.read_next()
    finally:
        event_log.remove_listener(one.on_change)
    assert seen == [False, True]


def test_an_end_heard_late_of_what_was_taken_up_again_since_ends_nothing(upload: Upload) -> None:
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    cancelled = event_log.latest_seq(upload.owner_id)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    seen = []

    def hear(upload_id: uuid.UUID, seq: int) -> None:
        one.on_reading_ended(ReadingEnded(upload.owner_id, upload_id, seq))
        seen.append(host.cancelled)

    script = page(1, 1, "a")
    ends = [(upload.pk, cancelled), (uuid.uuid4(), cancelled + 9), (upload.pk, cancelled + 2)]
    one, host, _ = reader([script[0], *(functools.partial(hear, *end) for end in ends), *script[1:]])
    one.read_next()
    assert seen == [False, False, True]


def test_a_reader_whose_upload_another_took_writes_nothing_over_it(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    other, _, _ = reader(page(1, 1, "the second reader's"))

    def taken_over() -> None:
        job_queue.release_all_claims()
        assert other.read_next()

    script = page(1, 1, "the first reader's")
    one, _, bell = reader([*script[:2], taken_over, *script[2:]])
    one.read_next()
    done = reload(upload)
    assert (done.status, done.attempt, done.raw_text) == (Status.PROCESSED, 2, "the second reader's")
    assert [p.attempt for p in Page.objects.filter(upload=upload)] == [2]
    assert bell.pages == []
    assert len(terminals(upload_changes)) == 1


@pytest.mark.parametrize(
    "end",
    [
        reading.EngineCrashed("crashed"),
        reading.UnreadableFile("broken"),
        reading.Cancelled(),
        RuntimeError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_reader_that_lost_its_upload_cannot_end_it_either(
    end: Exception, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    """Another reader has it: still at work, its claim stands."""
    upload_changes.clear()
    other, _, _ = reader([])

    def taken_over() -> None:
        job_queue.release_all_claims()
        assert job_queue.claim_next(other._name) is not None

    reader([taken_over, end])[0].read_next()
    held = reload(upload)
    assert (held.status, held.attempt) == (Status.PROCESSING, 2)
    job = Job.objects.get(upload=upload)
    assert (job.claimed_by, job.failures) == (other._name, 1)  # the death that opened it
    assert terminals(upload_changes) == []


def test_an_upload_that_is_deleted_between_two_of_its_ranges_is_not_read_on(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    go_on = job_queue.claim_next_range

    def deleted_then(*args: Any) -> Any:
        following = go_on(*args)
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        return following

    monkeypatch.setattr(job_queue, "claim_next_range", deleted_then)
    one, _, bell = reader(long_document(10))
    assert one.read_next()
    assert len(bell.pages) == 3, "of the next page nothing is read"
    assert not one.read_next()
    assert [change.kind for change in upload_changes][-1] == "deleted"


# ── given back, and taken up again ──


def test_a_file_that_was_deleted_with_its_upload_before_it_was_reached_is_no_failure(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def deleted_meanwhile(_key: str) -> Iterator[Path]:
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        raise FileNotFoundError
        yield

    monkeypatch.setattr(storage, "local_copy", deleted_meanwhile)
    one, host, _ = reader()
    assert one.read_next()
    assert host.asked == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_file_that_cannot_be_reached_just_now_is_read_later_however_long_that_takes(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    def away(_key: str) -> None:
        raise StorageUnavailable

    upload_changes.clear()
    one, host, _ = reader(page(1, 1, "a"))
    with monkeypatch.context() as patched:
        patched.setattr(storage, "local_copy", away)
        for _sweep in range(results.MAX_FAILURES + 1):
            assert not one.read_next(), "it waits for the next sweep, and does not ask without end"
    job = Job.objects.get(upload=upload)
    assert (job.claimed_by, job.failures) == ("", 0)
    assert (host.asked, terminals(upload_changes)) == ([], [])
    assert one.read_next()
    assert reload(upload).raw_text == "a"


def test_giving_back_keeps_the_failures_and_the_pages(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    crash = reading.EngineCrashed("crashed")
    one, _, _ = reader([*page(1, 2, "a"), crash], [reading.Cancelled()])
    one.read_next()
    one.read_next()
    job = Job.objects.get(upload=upload)
    assert (job.failures, job.claimed_by) == (1, "")
    assert reload(upload).status == Status.PROCESSING
    assert Page.objects.filter(upload=upload).count() == 1
    assert terminals(upload_changes) == []


def test_after_a_restart_reading_goes_on_with_the_next_page(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    dying, host, _ = reader()
    host.read_batched = killed_in(2, page(1, 3, "a"))  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        dying.read_next()
    assert Job.objects.get(upload=upload).claimed_by
    idle, _, _ = reader()
    assert not idle.read_next(), "a claimed job is nobody else's"

    job_queue.release_all_claims()
    upload_changes.clear()
    one, host, bell = reader(page(2, 3, "b") + page(3, 3, "c"))
    assert one.read_next()
    assert host.asked[0].first_page == 2
    [taken] = bell.taken
    assert (taken.attempt, taken.pages, taken.page_count) == (2, {1: "a"}, 3)
    done = reload(upload)
    assert (done.raw_text, done.attempt, done.pages_done) == ("a\n\nb\n\nc", 2, 3)
    assert [p.attempt for p in Page.objects.filter(upload=upload).order_by("number")] == [1, 2, 2]
    assert bell.pages == [(2, "b"), (2, "c")]


def killed_in(fatal: int, steps: list[Step]) -> Callable[..., Iterator[reading.BatchedEvent]]:
    """The process ends as that page begins: no `except Exception` sees it."""

    def read(_path: object, options: reading.Options) -> Iterator[reading.BatchedEvent]:
        if options.first_page == fatal:
            raise SystemExit
        for step in steps:
            assert not isinstance(step, Exception)
            assert not callable(step)
            yield step

    return read


def test_a_reader_that_was_told_to_stop_takes_nothing_more(upload: Upload) -> None:
    one, host, _ = reader(page(1, 1, "x"))
    one.stop()
    assert not one.read_next()
    assert host.stopped
    assert reload(upload).status == Status.PENDING


def test_an_engine_that_does_not_start_leaves_the_job_for_later(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts against the upload only when reading it brings the engine down."""
    one, host, _ = reader([reading.EngineCrashed("The reading engine did not start.")])

    def failing() -> None:
        raise reading.EngineCrashed("The reading engine did not start.")

    monkeypatch.setattr(host, "start", failing)
    one.read_next()
    assert Job.objects.get(upload=upload).failures <= 1
    assert reload(upload).status != Status.ERROR


def test_a_reader_in_the_middle_of_its_ranges_gives_way_after_a_page_and_comes_back_to_that_place(
    upload: Upload,
) -> None:
    script = long_document(10)
    other = page(1, 1, "other")
    at = next(i for i, step in enumerate(script) if isinstance(step, reading.PageDone) and step.number == 5)
    script.insert(at, lambda: new_upload(new_user()))
    one, host, _ = reader(script[: at + 2], other, script[at + 2 :])
    while one.read_next():
        pass
    assert [options.first_page for options in host.asked] == [1, 2, 3, 4, 5, 1, 6, 7, 8, 9, 10]
    assert reload(upload).raw_text == "\n\n".join(f"page {number}" for number in range(1, 11))
