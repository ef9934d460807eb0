"""One reader on a host whose child is a script: what it writes and tells, and what it does with failures."""

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
from backend_main.core.pubsub.messages import PageSnapshot, PageTextUpdate
from backend_main.core.uploads import commands
from tests.support.database import new_upload, new_user
from tests.support.fake_reader import (
    FakeEngineProcess,
    FakePublisher,
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


# ── the good way ──


def test_without_work_nothing_is_read(upload_changes: list[UploadChange]) -> None:
    one, host, _ = reader()
    assert not one.read_next()
    assert host.asked == []
    assert host.starts == 1
    assert upload_changes == []


def test_a_document_is_read_page_by_page_to_its_end(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    upload_changes.clear()
    one, host, bell = reader(page(1, 2, "a", "b", warnings=["w"]) + page(2, 2, "c", warnings=["w", "v"]))
    assert one.read_next()
    done = reload(upload)
    assert (done.status, done.error, done.attempt) == (Status.PROCESSED, None, 1)
    assert (done.raw_text, done.plain_text) == ("a\nb\n\nc", "a b\n\nc")
    assert (done.page_count, done.pages_done, done.engine) == (2, 2, "dummy")
    assert done.warnings == ["w", "v"]
    assert not Job.objects.filter(upload=upload).exists()
    first = Page.objects.get(upload=upload, number=1)
    assert (first.attempt, first.markdown, first.text, first.width) == (1, "a\nb", "a b", 10)
    assert [line["text"] for line in first.lines] == ["a", "b"]
    assert bell.texts == [(1, ""), (1, "a"), (1, "a\nb"), (1, ""), (1, "c")]
    assert bell.pages == [(1, "a\nb"), (1, "c")]
    assert host.asked[0].first_page == 1
    assert [taken.attempt for taken in bell.taken] == [1]
    [last] = terminals(upload_changes)
    assert isinstance(last.message, messages.Processed)
    assert last.message.raw_text == "a\nb\n\nc"
    assert not one.read_next()


def test_only_the_pages_asked_for_are_read(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "2,4-"})
    one, host, _ = reader(page(2, 5, "b") + page(4, 5, "d") + page(5, 5, "e"))
    assert one.read_next()
    done = reload(upload)
    assert [options.first_page for options in host.asked] == [2, 4, 5]
    assert [options.last_page for options in host.asked] == [2, 4, 5]
    assert (done.status, done.raw_text) == (Status.PROCESSED, "b\n\nd\n\ne")
    assert (done.page_count, done.pages_done) == (5, 3)


def test_a_reader_that_goes_on_asks_for_the_next_of_them(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "2,4"})
    one, _, _ = reader([*page(2, 5, "b"), reading.EngineCrashed("crashed")])
    assert one.read_next()
    two, host, _ = reader(page(4, 5, "d"))
    assert two.read_next()
    assert [options.first_page for options in host.asked] == [4]
    assert reload(upload).raw_text == "b\n\nd"


def read_again(upload: Upload, pages: str) -> None:
    """A document of three pages that was read before, and is to be again."""
    one, _, _ = reader(page(1, 3, "a") + page(2, 3, "b") + page(3, 3, "c"))
    assert one.read_next()
    commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages=pages))


def test_of_a_retry_with_pages_those_alone_are_read_and_the_text_is_whole_again(upload: Upload) -> None:
    read_again(upload, "2")
    one, host, bell = reader(page(2, 3, "B"))
    assert one.read_next()
    assert [options.first_page for options in host.asked] == [2]
    assert bell.taken[0].pages == {1: "a", 3: "c"}
    assert (reload(upload).status, reload(upload).raw_text, reload(upload).pages_done) == (
        Status.PROCESSED,
        "a\n\nB\n\nc",
        3,
    )


def test_a_reader_that_takes_over_a_retry_goes_on_between_what_is_finished(upload: Upload) -> None:
    read_again(upload, "1,3")
    one, _, _ = reader([*page(1, 3, "A"), reading.EngineCrashed("crashed")])
    assert one.read_next()
    two, host, _ = reader(page(3, 3, "C"))
    assert two.read_next()
    assert [options.first_page for options in host.asked] == [3]
    assert reload(upload).raw_text == "A\n\nb\n\nC"


def test_a_reader_of_before_the_retry_writes_nothing_into_it(upload: Upload) -> None:
    held = job_queue.claim_next("slow")
    assert held is not None
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="2"))
    late = page(2, 3, "late")[-1]
    assert isinstance(late, reading.PageDone)
    with pytest.raises(job_claim.LeaseLost):
        results.save_page(held, late)
    assert job_queue.claim_next("next") is not None
    with pytest.raises(job_claim.LeaseLost):
        results.save_page(held, late)
    assert not upload.pages.exists()


def test_pages_behind_the_last_one_are_not_waited_for(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(read_options={"pages": "1,7"})
    one, host, _ = reader(page(1, 3, "a"))
    assert one.read_next()
    assert [options.first_page for options in host.asked] == [1]
    assert reload(upload).status == Status.PROCESSED


def test_a_reader_that_died_before_the_end_of_the_job_left_nothing_to_read(upload: Upload) -> None:
    held = job_queue.claim_next("dead")
    assert held is not None
    done = page(1, 1, "a")[-1]
    assert isinstance(done, reading.PageDone)
    results.save_page(held, done)
    job_queue.release_all_claims()
    one, host, _ = reader()
    assert one.read_next()
    assert host.asked == []
    assert (reload(upload).status, reload(upload).raw_text) == (Status.PROCESSED, "a")


def test_the_last_page_and_the_end_are_one_commit_and_the_page_is_shown_first(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    class RecordingPublisher(FakePublisher):
        def publish(self, item: object) -> None:
            if isinstance(item, PageTextUpdate) and item.snapshot.done:
                rows = Page.objects.count(), reload(upload).status, Job.objects.exists()
                told.append((item.snapshot.number, *rows))

    def hear(change: UploadChange) -> None:
        told.append(change.kind)

    host = FakeEngineProcess(page(1, 2, "a") + page(2, 2, "b"))
    event_log.add_listener(hear)
    try:
        assert tasks.JobReader(RecordingPublisher(), host).read_next()  # type: ignore[arg-type]
    finally:
        event_log.remove_listener(hear)
    assert told == [
        (1, 1, Status.PROCESSING, True),
        (2, 2, Status.PROCESSED, False),
        "processed",
    ]


def test_nobody_asks_for_more_of_a_document_that_has_ended(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[job_claim.Claim] = []
    monkeypatch.setattr(job_queue, "claim_next_range", lambda held, _holder: asked.append(held))
    reader(page(1, 1, "a"))[0].read_next()
    assert reload(upload).status == Status.PROCESSED
    assert asked == []


def test_a_last_page_whose_end_cannot_be_written_is_neither_saved_nor_shown(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_happened: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(event_log, "_append", fails)
    one, _, bell = reader(page(1, 1, "a"))
    assert one.read_next()
    assert bell.pages == []
    assert not Page.objects.exists()
    monkeypatch.undo()
    assert list(Job.objects.values_list("claimed_by", "failures")) == [("", 0)]
    assert reload(upload).pages_done == 0


def test_uploads_are_read_in_the_order_they_came(upload: Upload) -> None:
    others = [new_upload(new_user()) for _ in range(2)]
    one, _, _ = reader(*[page(1, 1, "x")] * 3)
    order = []
    while one.read_next():
        finished = set(Upload.objects.filter(status=Status.PROCESSED).values_list("pk", flat=True))
        order.append(finished - set().union(*order))
    assert order == [{u.pk} for u in [upload, *others]]


def test_a_correction_outlives_a_second_reading(upload: Upload) -> None:
    commands.update(owner=upload.owner, upload_id=upload.pk, correction="mine")
    reader(page(1, 1, "read"))[0].read_next()
    assert reload(upload).plain_text == "read"
    assert reload(upload).processed_text == "mine"


# ── live text ──


def test_live_text_says_the_page_and_where_its_newest_line_stands(upload: Upload) -> None:
    box = ((0.4, 1.0), (9.6, 1.0), (9.6, 3.5), (0.4, 3.4))
    one, two = reading.Line(1, "a", "a", box), reading.Line(1, "b", "\nb")
    script = [
        reading.PageStarted(1, 2, 10, 20),
        reading.LinesRead((one,)),
        reading.LinesRead((two,)),
        reading.PageDone(1, 2, 10, 20, "a\nb", "a b", [one, two], []),
    ]
    alone, _, bell = reader([*script, *page(2, 2)])
    alone.read_next()
    place = messages.LinePosition(((0, 1), (10, 1), (10, 4), (0, 3)), 10, 20)
    assert bell.drafts[:4] == [
        PageSnapshot(1, 2),
        PageSnapshot(1, 2, "a", place),
        PageSnapshot(1, 2, "a\nb", None),
        PageSnapshot(1, 2, "a\nb", done=True),
    ]


def test_what_was_read_before_an_engine_failed_has_been_told(upload: Upload) -> None:
    one, _, bell = reader([*page(1, 1, "a", "b", "c")[:-1], reading.EngineCrashed("Gone.")])
    one.read_next()
    assert [text for _, text in bell.texts] == ["", "a", "a\nb", "a\nb\nc"]


def test_lines_that_came_together_are_told_together(upload: Upload) -> None:
    started, *_, done = page(1, 1)
    together = reading.LinesRead(tuple(reading.Line(1, text, text) for text in "abc"))
    one, _, bell = reader([started, together, done])
    one.read_next()
    assert [text for _, text in bell.texts] == ["", "abc"]


# ── failures ──


def test_three_deaths_without_progress_are_the_end(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    one, _, _ = reader(*[[reading.EngineCrashed("The reading engine stopped unexpectedly.")]] * 3)
    for failures in (1, 2):
        assert one.read_next()
        assert Job.objects.get(upload=upload).failures == failures
        assert terminals(upload_changes) == []
    assert one.read_next()
    failed = reload(upload)
    assert (failed.status, failed.error) == (Status.ERROR, "The reading engine stopped unexpectedly.")
    assert failed.attempt == 3
    assert not Job.objects.filter(upload=upload).exists()
    [last] = terminals(upload_changes)
    assert isinstance(last.message, messages.Failed)
    assert not one.read_next()


def test_a_page_makes_up_for_the_deaths_before_it(upload: Upload) -> None:
    crash = reading.EngineTimeout("A page took longer than 1 seconds.")
    one, host, _ = reader([crash], [crash], [*page(1, 2, "a"), crash], [crash], [*page(2, 2, "b")])
    while one.read_next():
        pass
    assert reload(upload).status == Status.PROCESSED
    assert reload(upload).raw_text == "a\n\nb"
    assert [options.first_page for options in host.asked] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    "error",
    [
        reading.UnreadableFile("The file is broken."),
        reading.EngineFailed("The reading engine failed on page 1."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_the_file_s_or_the_engine_s_fault_is_final_at_once(
    error: Exception, upload: Upload, upload_changes: list[UploadChange]
) -> None:
    reader([*page(1, 3, "kept"), error])[0].read_next()
    failed = reload(upload)
    assert (failed.status, failed.error) == (Status.ERROR, str(error))
    assert failed.raw_text == "kept"
    assert not Job.objects.filter(upload=upload).exists()
    assert len(terminals(upload_changes)) == 1


def test_a_defect_shows_the_user_a_sentence_and_the_log_the_rest(
    upload: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    one, _, _ = reader(*[[RuntimeError("secret detail")]] * 3)
    while one.read_next():
        pass
    failed = reload(upload)
    assert failed.status == Status.ERROR
    assert "secret detail" not in (failed.error or "")
    assert "secret detail" in caplog.text


def test_a_lost_file_is_an_error_and_the_next_upload_is_read(upload: Upload) -> None:
    """Reading it fails like any file; the host's child says so."""
    other = new_upload(new_user())
    storage.delete(upload.image_path)
    one, _, _ = reader([reading.UnreadableFile("The file is not there.")], page(1, 1, "x"))
    while one.read_next():
        pass
    assert (reload(upload).status, reload(other).status) == (Status.ERROR, Status.PROCESSED)


# ── long documents ──


def test_a_reader_alone_reads_all_jobs_of_a_document_with_one_copy_and_tells_its_texts_once(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    copies: list[str] = []
    local_copy = storage.local_copy
    monkeypatch.setattr(storage, "local_copy", lambda key: (copies.append(key), local_copy(key))[1])
    one, host, bell = reader(long_document(10))
    upload_changes.clear()
    assert one.read_next()
    assert [options.first_page for options in host.asked] == list(range(1, 11))
    assert copies == [upload.image_path]
    assert [(taken.attempt, taken.first_attempt, taken.pages, taken.jobs) for taken in bell.taken] == [
        (1, 1, {}, {1: 1}),
        (2, 1, None, {4: 2}),
        (3, 1, None, {7: 3}),
        (4, 1, None, {10: 4}),
    ]
    assert reload(upload).status == Status.PROCESSED
    assert len(terminals(upload_changes)) == 1
    assert not one.read_next()


def test_other_readers_are_called_as_soon_as_a_document_says_how_long_it_is(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[int, int]] = []
    monkeypatch.setattr(
        notify,
        "notify_jobs_available",
        lambda jobs: called.append((jobs, Job.objects.filter(claimed_by="").count())),
    )
    one, _, _ = reader([*long_document(10)[:1], reading.EngineCrashed("crashed")])
    assert one.read_next()
    assert called == [(3, 3)], "as many as there are jobs for"
    assert not Page.objects.exists(), "nothing was read yet"


def test_what_fails_in_a_later_range_is_counted_on_that_one(upload: Upload) -> None:
    script = long_document(10)[: 3 * len(page(1, 10, "a"))]
    one, _, _ = reader([*script, *page(4, 10, "x")[:1], reading.EngineCrashed("crashed")])
    assert one.read_next()
    assert list(Job.objects.order_by("first_page").values_list("first_page", "failures")) == [
        (4, 1),
        (7, 0),
        (10, 0),
    ]
