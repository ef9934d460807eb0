"""Tests of a job reader with a scripted engine: stored results, live text, and failures."""

from __future__ import annotations

import pytest

from backend_main import reading
from backend_main.core import event_log, storage, tasks
from backend_main.core.errors import DatabaseUnavailable
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs import claim as job_claim
from backend_main.core.jobs import notify, results
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs.options import ReadOptions
from backend_main.core.models import (
    Job,
    Page,
    Status,
    Upload,
)
from backend_main.core.protocol import messages
from backend_main.core.pubsub.messages import PageState, PageTextUpdate
from backend_main.core.uploads import commands
from tests.support.database import new_upload, new_user
from tests.support.fake_reader import (
    FakeEngineProcess,
    FakePublisher,
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


# ── reading to the end ──


def test_read_next_without_jobs_reads_nothing(upload_changes: list[UploadChange]) -> None:
    reader, engines, _ = new_reader()
    assert not reader.read_next()
    assert engines.requested_options == []
    assert engines.starts == 1
    assert upload_changes == []


def test_read_next_reads_a_document_page_by_page(upload: Upload, upload_changes: list[UploadChange]) -> None:
    upload_changes.clear()
    reader, engines, publisher = new_reader(
        page(1, 2, "a", "b", warnings=["w"]) + page(2, 2, "c", warnings=["w", "v"])
    )
    assert reader.read_next()
    done = reload(upload)
    assert (done.status, done.error, done.attempt) == (Status.PROCESSED, None, 1)
    assert (done.raw_text, done.plain_text) == ("a\nb\n\nc", "a b\n\nc")
    assert (done.page_count, done.pages_done, done.engine) == (2, 2, "dummy")
    assert done.warnings == ["w", "v"]
    assert not Job.objects.filter(upload=upload).exists()
    first = Page.objects.get(upload=upload, number=1)
    assert (first.attempt, first.markdown, first.text, first.width) == (1, "a\nb", "a b", 10)
    assert [line["text"] for line in first.lines] == ["a", "b"]
    assert publisher.texts == [(1, ""), (1, "a"), (1, "a\nb"), (1, ""), (1, "c")]
    assert publisher.pages == [(1, "a\nb"), (1, "c")]
    assert engines.requested_options[0].first_page == 1
    assert [started.attempt for started in publisher.started] == [1]
    [last] = terminal_changes(upload_changes)
    assert isinstance(last.message, messages.Processed)
    assert last.message.raw_text == "a\nb\n\nc"
    assert not reader.read_next()


def test_read_next_reads_selected_pages_only(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "2,4-"})
    reader, engines, _ = new_reader(page(2, 5, "b") + page(4, 5, "d") + page(5, 5, "e"))
    assert reader.read_next()
    done = reload(upload)
    assert [options.first_page for options in engines.requested_options] == [2, 4, 5]
    assert [options.last_page for options in engines.requested_options] == [2, 4, 5]
    assert (done.status, done.raw_text) == (Status.PROCESSED, "b\n\nd\n\ne")
    assert (done.page_count, done.pages_done) == (5, 3)


def test_read_next_after_a_crash_continues_with_the_next_selected_page(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "2,4"})
    reader, _, _ = new_reader([*page(2, 5, "b"), reading.EngineCrashed("crashed")])
    assert reader.read_next()
    second_reader, engines, _ = new_reader(page(4, 5, "d"))
    assert second_reader.read_next()
    assert [options.first_page for options in engines.requested_options] == [4]
    assert reload(upload).raw_text == "b\n\nd"


def read_and_retry(upload: Upload, pages: str) -> None:
    """Read a document of three pages, then retry it with `pages`."""
    reader, _, _ = new_reader(page(1, 3, "a") + page(2, 3, "b") + page(3, 3, "c"))
    assert reader.read_next()
    commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages=pages))


def test_read_next_after_a_retry_with_pages_reads_these_pages_only(upload: Upload) -> None:
    read_and_retry(upload, "2")
    reader, engines, publisher = new_reader(page(2, 3, "B"))
    assert reader.read_next()
    assert [options.first_page for options in engines.requested_options] == [2]
    assert publisher.started[0].pages == {1: "a", 3: "c"}
    assert (reload(upload).status, reload(upload).raw_text, reload(upload).pages_done) == (
        Status.PROCESSED,
        "a\n\nB\n\nc",
        3,
    )


def test_read_next_after_a_crashed_retry_continues_between_finished_pages(upload: Upload) -> None:
    read_and_retry(upload, "1,3")
    reader, _, _ = new_reader([*page(1, 3, "A"), reading.EngineCrashed("crashed")])
    assert reader.read_next()
    second_reader, engines, _ = new_reader(page(3, 3, "C"))
    assert second_reader.read_next()
    assert [options.first_page for options in engines.requested_options] == [3]
    assert reload(upload).raw_text == "A\n\nb\n\nC"


def test_save_page_with_a_claim_from_before_a_retry_raises(upload: Upload) -> None:
    claim = job_queue.claim_next("slow")
    assert claim is not None
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="2"))
    late = page(2, 3, "late")[-1]
    assert isinstance(late, reading.PageDone)
    with pytest.raises(job_claim.LeaseLost):
        results.save_page(claim, late)
    assert job_queue.claim_next("next") is not None
    with pytest.raises(job_claim.LeaseLost):
        results.save_page(claim, late)
    assert not upload.pages.exists()


def test_read_next_ignores_selected_pages_after_the_last_page(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "1,7"})
    reader, engines, _ = new_reader(page(1, 3, "a"))
    assert reader.read_next()
    assert [options.first_page for options in engines.requested_options] == [1]
    assert reload(upload).status == Status.PROCESSED


def test_read_next_of_a_fully_saved_job_only_finishes_it(upload: Upload) -> None:
    claim = job_queue.claim_next("dead")
    assert claim is not None
    done = page(1, 1, "a")[-1]
    assert isinstance(done, reading.PageDone)
    results.save_page(claim, done)
    job_queue.release_all_claims()
    reader, engines, _ = new_reader()
    assert reader.read_next()
    assert engines.requested_options == []
    assert (reload(upload).status, reload(upload).raw_text) == (Status.PROCESSED, "a")


def test_read_next_publishes_the_last_page_between_commit_and_event(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    class RecordingPublisher(FakePublisher):
        def publish(self, item: object) -> None:
            if isinstance(item, PageTextUpdate) and item.page.done:
                rows = Page.objects.count(), reload(upload).status, Job.objects.exists()
                calls.append((item.page.number, *rows))

    def record(change: UploadChange) -> None:
        calls.append(change.kind)

    engines = FakeEngineProcess(page(1, 2, "a") + page(2, 2, "b"))
    event_log.add_listener(record)
    try:
        assert tasks.JobReader(RecordingPublisher(), engines).read_next()  # type: ignore[arg-type]
    finally:
        event_log.remove_listener(record)
    assert calls == [
        "started",
        (1, 1, Status.PROCESSING, True),
        (2, 2, Status.PROCESSED, False),
        "ended",
        "processed",
    ]


def test_read_next_of_a_finished_document_claims_no_further_range(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed: list[job_claim.Claim] = []
    monkeypatch.setattr(job_queue, "claim_next_range", lambda claim, _reader_name: claimed.append(claim))
    new_reader(page(1, 1, "a"))[0].read_next()
    assert reload(upload).status == Status.PROCESSED
    assert claimed == []


def test_read_next_with_a_failed_final_commit_neither_saves_nor_publishes(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = event_log._append

    def fails(changes: list[UploadChange]) -> None:
        if any(change.ends_reading for change in changes):
            raise DatabaseUnavailable
        append(changes)

    monkeypatch.setattr(event_log, "_append", fails)
    reader, _, publisher = new_reader(page(1, 1, "a"))
    assert reader.read_next()
    assert publisher.pages == []
    assert not Page.objects.exists()
    monkeypatch.undo()
    assert list(Job.objects.values_list("claimed_by", "failures")) == [("", 0)]
    assert reload(upload).pages_done == 0


def test_read_next_reads_uploads_in_the_order_of_creation(upload: Upload) -> None:
    others = [new_upload(new_user()) for _ in range(2)]
    reader, _, _ = new_reader(*[page(1, 1, "x")] * 3)
    order = []
    while reader.read_next():
        finished = set(Upload.objects.filter(status=Status.PROCESSED).values_list("pk", flat=True))
        order.append(finished - set().union(*order))
    assert order == [{u.pk} for u in [upload, *others]]


def test_read_next_keeps_the_correction(upload: Upload) -> None:
    commands.update(owner=upload.owner, upload_id=upload.pk, correction="mine")
    new_reader(page(1, 1, "read"))[0].read_next()
    assert reload(upload).plain_text == "read"
    assert reload(upload).processed_text == "mine"


# ── live text ──


def test_live_text_has_the_page_and_the_position_of_its_newest_line(upload: Upload) -> None:
    box = ((0.4, 1.0), (9.6, 1.0), (9.6, 3.5), (0.4, 3.4))
    first, second = reading.Line(1, "a", "a", box), reading.Line(1, "b", "\nb")
    script = [
        reading.PageStarted(1, 2, 10, 20),
        reading.LinesRead((first,)),
        reading.LinesRead((second,)),
        reading.PageDone(1, 2, 10, 20, "a\nb", "a b", [first, second], []),
    ]
    reader, _, publisher = new_reader([*script, *page(2, 2)])
    reader.read_next()
    place = messages.LinePosition(((0, 1), (10, 1), (10, 4), (0, 3)), 10, 20)
    assert publisher.snapshots[:4] == [
        PageState(1, 2),
        PageState(1, 2, "a", place),
        PageState(1, 2, "a\nb", None),
        PageState(1, 2, "a\nb", done=True),
    ]


def test_live_text_has_the_lines_from_before_a_crash(upload: Upload) -> None:
    reader, _, publisher = new_reader([*page(1, 1, "a", "b", "c")[:-1], reading.EngineCrashed("Gone.")])
    reader.read_next()
    assert [text for _, text in publisher.texts] == ["", "a", "a\nb", "a\nb\nc"]


def test_live_text_publishes_a_batch_of_lines_once(upload: Upload) -> None:
    started, *_, done = page(1, 1)
    batch = reading.LinesRead(tuple(reading.Line(1, text, text) for text in "abc"))
    reader, _, publisher = new_reader([started, batch, done])
    reader.read_next()
    assert [text for _, text in publisher.texts] == ["", "abc"]


# ── failures ──


def test_three_crashes_without_progress_end_the_upload(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    reader, _, _ = new_reader(*[[reading.EngineCrashed("The reading engine stopped unexpectedly.")]] * 3)
    for failures in (1, 2):
        assert reader.read_next()
        assert Job.objects.get(upload=upload).failures == failures
        assert terminal_changes(upload_changes) == []
    assert reader.read_next()
    failed = reload(upload)
    assert (failed.status, failed.error) == (Status.ERROR, "The reading engine stopped unexpectedly.")
    assert failed.attempt == 3
    assert not Job.objects.filter(upload=upload).exists()
    [last] = terminal_changes(upload_changes)
    assert isinstance(last.message, messages.Failed)
    assert not reader.read_next()


def test_finished_page_resets_the_count_of_crashes(upload: Upload) -> None:
    crash = reading.EngineCrashed("The reading engine stopped unexpectedly.")
    reader, engines, _ = new_reader([crash], [crash], [*page(1, 2, "a"), crash], [crash], [*page(2, 2, "b")])
    while reader.read_next():
        pass
    assert reload(upload).status == Status.PROCESSED
    assert reload(upload).raw_text == "a\n\nb"
    assert [options.first_page for options in engines.requested_options] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    "error",
    [
        reading.UnreadableFile("The file is broken."),
        reading.EngineFailed("The reading engine failed on page 1."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_unreadable_file_or_failed_engine_ends_the_upload_at_once(
    error: Exception, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    new_reader([*page(1, 3, "kept"), error])[0].read_next()
    failed = reload(upload)
    assert (failed.status, failed.error) == (Status.ERROR, str(error))
    assert failed.raw_text == "kept"
    assert not Job.objects.filter(upload=upload).exists()
    assert len(terminal_changes(upload_changes)) == 1


def test_unexpected_exception_is_logged_and_not_shown_to_the_user(
    upload: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    reader, _, _ = new_reader(*[[RuntimeError("secret detail")]] * 3)
    while reader.read_next():
        pass
    failed = reload(upload)
    assert failed.status == Status.ERROR
    assert "secret detail" not in (failed.error or "")
    assert "secret detail" in caplog.text


def test_missing_file_ends_its_upload_and_the_next_upload_is_read(upload: Upload) -> None:
    """The engine process reports a missing file like any unreadable file."""
    other = new_upload(new_user())
    storage.delete(upload.image_path)
    reader, _, _ = new_reader([reading.UnreadableFile("The file is not there.")], page(1, 1, "x"))
    while reader.read_next():
        pass
    assert (reload(upload).status, reload(other).status) == (Status.ERROR, Status.PROCESSED)


# ── long documents ──


def test_read_next_reads_all_ranges_with_one_local_copy(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    copies: list[str] = []
    local_copy = storage.local_copy
    monkeypatch.setattr(storage, "local_copy", lambda key: (copies.append(key), local_copy(key))[1])
    reader, engines, publisher = new_reader(long_document(10))
    upload_changes.clear()
    assert reader.read_next()
    assert [options.first_page for options in engines.requested_options] == list(range(1, 11))
    assert copies == [upload.image_path]
    assert [
        (started.attempt, started.first_attempt, started.pages, started.jobs) for started in publisher.started
    ] == [
        (1, 1, {}, {1: 1}),
        (2, 1, None, {4: 2}),
        (3, 1, None, {7: 3}),
        (4, 1, None, {10: 4}),
    ]
    assert reload(upload).status == Status.PROCESSED
    assert len(terminal_changes(upload_changes)) == 1
    assert not reader.read_next()


def test_read_next_notifies_other_readers_when_it_splits_a_document(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[int, int]] = []
    monkeypatch.setattr(
        notify,
        "notify_jobs_available",
        lambda jobs: called.append((jobs, Job.objects.filter(claimed_by="").count())),
    )
    reader, _, _ = new_reader([*long_document(10)[:1], reading.EngineCrashed("crashed")])
    assert reader.read_next()
    assert called == [(3, 3)], "one call per new job"
    assert not Page.objects.exists(), "before any page is finished"


def test_crash_in_a_later_range_counts_on_that_range(upload: Upload) -> None:
    script = long_document(10)[: 3 * len(page(1, 10, "a"))]
    reader, _, _ = new_reader([*script, *page(4, 10, "x")[:1], reading.EngineCrashed("crashed")])
    assert reader.read_next()
    assert list(Job.objects.order_by("first_page").values_list("first_page", "failures")) == [
        (4, 1),
        (7, 0),
        (10, 0),
    ]
