"""Tests of readers that lost their upload to a delete, a cancel or another reader, and of released jobs."""

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
    new_reader,
    page,
    reload,
    terminal_changes,
    upload,
)

__all__ = ["connection_kept", "upload"]

pytestmark = pytest.mark.django_db


# ── lost while reading ──


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_cancel_while_reading_stops_all_writes(
    after: int, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    def cancel() -> None:
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        upload_changes.append(MARKER)

    script = page(1, 2, "a") + page(2, 2, "b")
    reader, _, _ = new_reader([*script[:after], cancel, *script[after:]])
    assert reader.read_next()
    left = reload(upload)
    assert (left.status, left.error) == (Status.CANCELLED, "Cancelled")
    assert left.raw_text == ("a" if after >= 3 else "")
    assert Page.objects.filter(upload=upload).count() == (1 if after >= 3 else 0)
    assert not Job.objects.filter(upload=upload).exists()
    assert upload_changes[-1] is MARKER
    assert len(terminal_changes(upload_changes)) == 1


def test_retry_after_cancel_fences_the_first_reader(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    def cancel_and_retry() -> None:
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        commands.retry(owner=upload.owner, upload_id=upload.pk)
        assert job_queue.claim_next("another reader") is not None
        upload_changes.append(MARKER)

    script = page(1, 2, "a") + page(2, 2, "b")
    reader, _, _ = new_reader([*script[:4], cancel_and_retry, *script[4:]])
    assert reader.read_next()
    assert (reload(upload).status, reload(upload).attempt) == (Status.PROCESSING, 2)
    assert not Page.objects.filter(upload=upload).exists()
    assert Job.objects.get(upload=upload).claimed_by == "another reader"
    assert upload_changes[-1] is MARKER


MARKER: Any = SimpleNamespace(ends_reading=False)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_delete_while_reading_stops_all_writes(
    after: int, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    def delete() -> None:
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        upload_changes.append(DELETED_MARKER)

    script = page(1, 2, "a") + page(2, 2, "b")
    reader, _, _ = new_reader([*script[:after], delete, *script[after:]])
    assert reader.read_next()
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert not Page.objects.filter(upload_id=upload.pk).exists()
    assert not Job.objects.filter(upload_id=upload.pk).exists()
    assert upload_changes[-1] is DELETED_MARKER
    assert len(terminal_changes(upload_changes)) == 2  # the delete itself, and the marker after it


DELETED_MARKER: Any = SimpleNamespace(ends_reading=True)


def test_delete_cancels_the_reading_of_this_upload_only(upload: Upload) -> None:
    other = new_upload(new_user())
    seen = []

    def delete(which: Upload, owner: User) -> None:
        commands.delete(owner=owner, upload_id=which.pk)
        seen.append(engines.cancelled)

    script = page(1, 1, "a")
    reader, engines, _ = new_reader(
        [script[0], lambda: delete(other, other.owner), lambda: delete(upload, upload.owner), *script[1:]]
    )
    event_log.add_listener(reader.on_change)
    try:
        reader.read_next()
    finally:
        event_log.remove_listener(reader.on_change)
    assert seen == [False, True]


def test_on_reading_ended_ignores_events_from_before_the_claim(upload: Upload) -> None:
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    cancelled = event_log.latest_seq(upload.owner_id)
    commands.retry(owner=upload.owner, upload_id=upload.pk)
    seen = []

    def end_reading(upload_id: uuid.UUID, seq: int) -> None:
        reader.on_reading_ended(ReadingEnded(upload.owner_id, upload_id, seq))
        seen.append(engines.cancelled)

    script = page(1, 1, "a")
    ends = [(upload.pk, cancelled), (uuid.uuid4(), cancelled + 9), (upload.pk, cancelled + 3)]
    reader, engines, _ = new_reader(
        [script[0], *(functools.partial(end_reading, *end) for end in ends), *script[1:]]
    )
    reader.read_next()
    assert seen == [False, False, True]


def test_reader_with_a_lost_lease_does_not_overwrite_the_new_reading(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    other, _, _ = new_reader(page(1, 1, "the second reader's"))

    def claim_by_other() -> None:
        job_queue.release_all_claims()
        assert other.read_next()

    script = page(1, 1, "the first reader's")
    reader, _, publisher = new_reader([*script[:2], claim_by_other, *script[2:]])
    reader.read_next()
    done = reload(upload)
    assert (done.status, done.attempt, done.raw_text) == (Status.PROCESSED, 2, "the second reader's")
    assert [p.attempt for p in Page.objects.filter(upload=upload)] == [2]
    assert publisher.pages == []
    assert len(terminal_changes(upload_changes)) == 1


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
def test_reader_with_a_lost_lease_cannot_end_the_upload(
    end: Exception, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    """Another reader holds a valid claim."""
    upload_changes.clear()
    other, _, _ = new_reader([])

    def claim_by_other() -> None:
        job_queue.release_all_claims()
        assert job_queue.claim_next(other._name) is not None

    new_reader([claim_by_other, end])[0].read_next()
    current = reload(upload)
    assert (current.status, current.attempt) == (Status.PROCESSING, 2)
    job = Job.objects.get(upload=upload)
    assert (job.claimed_by, job.failures) == (other._name, 1)  # the failure that opened it
    assert terminal_changes(upload_changes) == []


def test_delete_between_two_ranges_stops_the_reading(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    claim_next_range = job_queue.claim_next_range

    def claim_then_delete(*args: Any) -> Any:
        next_claim = claim_next_range(*args)
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        return next_claim

    monkeypatch.setattr(job_queue, "claim_next_range", claim_then_delete)
    reader, _, publisher = new_reader(long_document(10))
    assert reader.read_next()
    assert len(publisher.pages) == 3, "no page of the next range is read"
    assert not reader.read_next()
    assert [change.kind for change in upload_changes][-1] == "deleted"


# ── released and continued ──


def test_file_deleted_with_its_upload_is_not_an_error(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def deleted_meanwhile(_key: str) -> Iterator[Path]:
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        raise FileNotFoundError
        yield

    monkeypatch.setattr(storage, "local_copy", deleted_meanwhile)
    reader, engines, _ = new_reader()
    assert reader.read_next()
    assert engines.requested_options == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_unavailable_storage_postpones_the_job_without_a_failure(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    def unavailable(_key: str) -> None:
        raise StorageUnavailable

    upload_changes.clear()
    reader, engines, _ = new_reader(page(1, 1, "a"))
    with monkeypatch.context() as patched:
        patched.setattr(storage, "local_copy", unavailable)
        for _ in range(results.MAX_FAILURES + 1):
            assert not reader.read_next(), (
                "the reader waits for maintenance instead of claiming the job in a loop"
            )
    job = Job.objects.get(upload=upload)
    assert (job.claimed_by, job.failures) == ("", 0)
    assert (engines.requested_options, terminal_changes(upload_changes)) == ([], [])
    assert reader.read_next()
    assert reload(upload).raw_text == "a"


def test_release_keeps_failures_and_finished_pages(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    crash = reading.EngineCrashed("crashed")
    reader, _, _ = new_reader([*page(1, 2, "a"), crash], [reading.Cancelled()])
    reader.read_next()
    reader.read_next()
    job = Job.objects.get(upload=upload)
    assert (job.failures, job.claimed_by) == (1, "")
    assert reload(upload).status == Status.PROCESSING
    assert Page.objects.filter(upload=upload).count() == 1
    assert terminal_changes(upload_changes) == []


def test_restart_continues_with_the_next_page(upload: Upload, upload_changes: list[UploadChange]) -> None:
    dying, engines, _ = new_reader()
    engines.read_batched = dying_at(2, page(1, 3, "a"))  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        dying.read_next()
    assert Job.objects.get(upload=upload).claimed_by
    idle, _, _ = new_reader()
    assert not idle.read_next(), "another reader holds the job"

    job_queue.release_all_claims()
    upload_changes.clear()
    reader, engines, publisher = new_reader(page(2, 3, "b") + page(3, 3, "c"))
    assert reader.read_next()
    assert engines.requested_options[0].first_page == 2
    [started] = publisher.started
    assert (started.attempt, started.pages, started.page_count) == (2, {1: "a"}, 3)
    done = reload(upload)
    assert (done.raw_text, done.attempt, done.pages_done) == ("a\n\nb\n\nc", 2, 3)
    assert [p.attempt for p in Page.objects.filter(upload=upload).order_by("number")] == [1, 2, 2]
    assert publisher.pages == [(2, "b"), (2, "c")]


def dying_at(fatal: int, steps: list[Step]) -> Callable[..., Iterator[reading.BatchedEvent]]:
    """Return a `read_batched` that raises SystemExit at page `fatal`, which no `except Exception` catches."""

    def read(_path: object, options: reading.Options) -> Iterator[reading.BatchedEvent]:
        if options.first_page == fatal:
            raise SystemExit
        for step in steps:
            assert not isinstance(step, Exception)
            assert not callable(step)
            yield step

    return read


def test_stopped_reader_claims_nothing(upload: Upload) -> None:
    reader, engines, _ = new_reader(page(1, 1, "x"))
    reader.stop()
    assert not reader.read_next()
    assert engines.stopped
    assert reload(upload).status == Status.PENDING


def test_engine_that_does_not_start_leaves_the_job_open(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash counts against an upload only if the engine crashed while reading it."""
    reader, engines, _ = new_reader([reading.EngineCrashed("The reading engine did not start.")])

    def failing() -> None:
        raise reading.EngineCrashed("The reading engine did not start.")

    monkeypatch.setattr(engines, "start", failing)
    reader.read_next()
    assert Job.objects.get(upload=upload).failures <= 1
    assert reload(upload).status != Status.ERROR


def test_reader_yields_within_a_range_and_later_continues_there(
    upload: Upload,
) -> None:
    script = long_document(10)
    other = page(1, 1, "other")
    at = next(i for i, step in enumerate(script) if isinstance(step, reading.PageDone) and step.number == 5)
    script.insert(at, lambda: new_upload(new_user()))
    reader, engines, _ = new_reader(script[: at + 2], other, script[at + 2 :])
    while reader.read_next():
        pass
    assert [options.first_page for options in engines.requested_options] == [1, 2, 3, 4, 5, 1, 6, 7, 8, 9, 10]
    assert reload(upload).raw_text == "\n\n".join(f"page {number}" for number in range(1, 11))
