"""Tests that a delete, a lost lease or a stop ends a reading at every moment, also between two pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend_main import reading
from backend_main.core import event_log, storage, tasks
from backend_main.core.jobs import claim as job_claim
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import reader_pool
from backend_main.core.models import (
    Job,
    Page,
    Status,
    Upload,
)
from backend_main.core.uploads import commands
from tests.support.fake_reader import connection_kept, upload

__all__ = ["connection_kept", "upload"]

pytestmark = pytest.mark.django_db


class StrictEngineProcess:
    """Engine process that drops earlier cancels at each read, like the real one.

    It calls `action` at the moment `at`.
    """

    is_ready = True

    def __init__(self, at: str, action: Callable[[], object]) -> None:
        self._at = at
        self._action = action
        self._cancelled = False
        self.pages_read: list[int] = []

    def start(self) -> None:
        self._cancelled = False

    def read_batched(self, _path: Path, options: reading.Options) -> Iterator[reading.BatchedEvent]:
        self._moment(f"before page {options.first_page}")
        self._cancelled = False
        return self._events(options.first_page)

    def _events(self, number: int) -> Iterator[reading.BatchedEvent]:
        self._moment(f"in page {number}")
        if self._cancelled:
            raise reading.Cancelled
        yield reading.PageStarted(number, 3, 1, 1)
        self.pages_read.append(number)
        yield reading.PageDone(number, 3, 1, 1, "text", "text", [], [])

    def _moment(self, name: str) -> None:
        if name == self._at:
            self._action()

    def cancel(self) -> None:
        self._cancelled = True

    def stop(self) -> None:
        self._cancelled = True


class NullPublisher:
    def publish(self, _item: object) -> None: ...


def new_reader(engines: StrictEngineProcess) -> tasks.JobReader:
    return tasks.JobReader(NullPublisher(), engines)  # type: ignore[arg-type]


MOMENTS = ["before page 1", "in page 1", "before page 2", "in page 2"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_delete_at_any_moment_stops_before_the_next_page(moment: str, upload: Upload) -> None:
    engines = StrictEngineProcess(moment, lambda: commands.delete(owner=upload.owner, upload_id=upload.pk))
    reader = new_reader(engines)
    event_log.add_listener(reader.on_change)
    try:
        assert reader.read_next()
    finally:
        event_log.remove_listener(reader.on_change)
    assert engines.pages_read == ([1] if moment.endswith("2") else [])
    assert not Page.objects.exists()


@pytest.mark.parametrize("moment", MOMENTS)
def test_stop_at_any_moment_releases_before_the_next_page(moment: str, upload: Upload) -> None:
    engines = StrictEngineProcess(moment, lambda: reader.stop())
    reader = new_reader(engines)
    assert reader.read_next()
    assert engines.pages_read == ([1] if moment.endswith("2") else [])
    assert list(Job.objects.values_list("claimed_by", "failures")) == [("", 0)]
    assert not reader.read_next()


def test_delete_between_claim_and_reading_stops_the_reading(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No listener could stop the reader, which did not know its claim yet."""
    claim_next = job_queue.claim_next

    def claim_then_delete(holder: str, **_options: object) -> job_claim.Claim | None:
        claim = claim_next(holder)
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        return claim

    monkeypatch.setattr(job_queue, "claim_next", claim_then_delete)
    engines = StrictEngineProcess("", lambda: None)
    assert new_reader(engines).read_next()
    assert engines.pages_read == []


def test_lost_lease_cancels_the_reading(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "HEARTBEAT_SECONDS", 0.001)
    monkeypatch.setattr(job_queue, "extend_lease", lambda _claim: not lost.is_set())
    lost, cancelled = threading.Event(), threading.Event()
    engines = StrictEngineProcess("in page 2", lambda: (lost.set(), cancelled.wait(5)))
    cancel = engines.cancel
    monkeypatch.setattr(engines, "cancel", lambda: (cancel(), cancelled.set()))
    reader = new_reader(engines)
    assert reader.read_next()
    reader.stop()
    assert cancelled.is_set()
    assert engines.pages_read == [1]


def test_error_of_a_deleted_file_is_not_logged_as_a_defect(
    upload: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    def delete_and_raise() -> None:
        commands.delete(owner=upload.owner, upload_id=upload.pk)
        raise reading.UnreadableFile("The file is broken.")

    assert new_reader(StrictEngineProcess("in page 1", delete_and_raise)).read_next()
    assert "Traceback" not in caplog.text


def test_engine_that_does_not_start_claims_no_upload(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = StrictEngineProcess("", lambda: None)

    def failing() -> None:
        raise reading.EngineCrashed("The reading engine did not start.")

    monkeypatch.setattr(engines, "start", failing)
    for _ in range(5):
        assert not new_reader(engines).read_next()
    upload.refresh_from_db()
    assert (upload.status, upload.attempt) == (Status.PENDING, 0)


def test_stop_shares_one_timeout_among_all_threads() -> None:
    """Four hanging threads must not take four timeouts: the server has ten seconds to shut down."""
    hang = threading.Event()
    pool = reader_pool.ReaderThreadPool([lambda: hang.wait(30)] * 4)
    pool.start()
    joined: list[float] = []
    for thread in pool._threads:
        thread.join = lambda seconds: joined.append(seconds) or hang.wait(0.01)  # type: ignore[method-assign,assignment,misc]
    pool.stop(1.0)
    hang.set()
    assert len(joined) == 4
    assert joined == sorted(joined, reverse=True)
    assert len(set(joined)) == 4


@pytest.mark.parametrize("deleted", [True, False])
def test_missing_file_is_a_defect_only_if_its_upload_exists(
    deleted: bool, upload: Upload, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fetch(_key: str) -> Path:
        if deleted:
            commands.delete(owner=upload.owner, upload_id=upload.pk)
        raise FileNotFoundError("no such object")

    monkeypatch.setattr(storage, "local_copy", fetch)
    engines = StrictEngineProcess("", lambda: None)
    assert new_reader(engines).read_next()
    assert ("Traceback" in caplog.text) != deleted
    assert list(Job.objects.values_list("failures", flat=True)) == ([] if deleted else [1])
