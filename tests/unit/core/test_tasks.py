"""One reader on a host whose child is a script: what it writes, and what it no longer may."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend_main import reading
from backend_main.core import dispatch, events, jobs, protocol, storage, tasks, telling, uploads
from backend_main.core.bell import Over, PageText, Taken
from backend_main.core.errors import StorageUnavailable, Unavailable
from backend_main.core.events import Change
from backend_main.core.models import Job, Page, Status, Upload, User
from backend_main.core.slot import Draft
from backend_main.core.wishes import Wishes
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db

Act = Callable[[], None]
Step = reading.ReadEvent | Exception | Act
BOX = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class FakeHost:
    """Plays the scripts in turn, a page at each read; a function is called, an exception raised."""

    warm = True

    def __init__(self, *scripts: list[Step]) -> None:
        self.scripts = [list(script) for script in scripts]
        self.asked: list[reading.Options] = []
        self.cancelled = self.stopped = False
        self.starts = 0

    def start(self) -> None:
        self.starts += 1

    def read(self, _path: Path, options: reading.Options) -> Iterator[reading.ReadEvent]:
        self.asked.append(options)
        script = self.scripts[0]
        try:
            while script:
                step = script.pop(0)
                if isinstance(step, Exception):
                    script.clear()
                    raise step
                if callable(step):
                    step()
                    continue
                yield step
                if isinstance(step, reading.PageDone):
                    break
        finally:
            if not script:
                self.scripts.remove(script)

    def cancel(self) -> None:
        self.cancelled = True

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def every_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast the script goes."""
    monkeypatch.setattr(telling, "TELL_SECONDS", 0.0)


class FakeBell:
    """Notes the live text."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.texts: list[tuple[int, str]] = []
        self.pages: list[tuple[int, str]] = []
        self.drafts: list[Draft] = []

    def say(self, item: Taken | PageText) -> None:
        if isinstance(item, Taken):
            self.taken.append(item)
            return
        (self.pages if item.page.done else self.texts).append((item.attempt, item.page.text))
        self.drafts.append(item.page)


def page(number: int, count: int, *lines: str, warnings: list[str] | None = None) -> list[Step]:
    """The events of one page."""
    told = [
        reading.Line(number, text, ("\n" if at else "") + text, BOX, 0.9) for at, text in enumerate(lines)
    ]
    return [
        reading.PageStarted(number, count, 10, 20),
        *told,
        reading.PageDone(number, count, 10, 20, "\n".join(lines), " ".join(lines), told, warnings or []),
    ]


@pytest.fixture(autouse=True)
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader looks at its thread's connection first; here that is the test's, inside its transaction."""
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


@pytest.fixture
def upload() -> Upload:
    return new_upload(new_user())


def reader(*scripts: list[Step]) -> tuple[tasks.Reader, FakeHost, FakeBell]:
    bell, host = FakeBell(), FakeHost(*scripts)
    return tasks.Reader(bell, host), host, bell  # type: ignore[arg-type]


def now(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)


def terminals(happened: list[Change]) -> list[Change]:
    return [event for event in happened if event.last]


# ── the good way ──


def test_without_work_nothing_is_read(happened: list[Change]) -> None:
    one, host, _ = reader()
    assert not one.read_next()
    assert host.asked == []
    assert host.starts == 1
    assert happened == []


def test_a_document_is_read_page_by_page_to_its_end(upload: Upload, happened: list[Change]) -> None:
    happened.clear()
    one, host, bell = reader(page(1, 2, "a", "b", warnings=["w"]) + page(2, 2, "c", warnings=["w", "v"]))
    assert one.read_next()
    done = now(upload)
    assert (done.status, done.error, done.attempt) == (Status.PROCESSED, None, 1)
    assert (done.raw_text, done.reading_text) == ("a\nb\n\nc", "a b\n\nc")
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
    [last] = terminals(happened)
    assert isinstance(last.message, protocol.Processed)
    assert last.message.raw_text == "a\nb\n\nc"
    assert not one.read_next()


def test_only_the_pages_asked_for_are_read(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(asked={"pages": "2,4-"})
    one, host, _ = reader(page(2, 5, "b") + page(4, 5, "d") + page(5, 5, "e"))
    assert one.read_next()
    done = now(upload)
    assert [options.first_page for options in host.asked] == [2, 4, 5]
    assert [options.last_page for options in host.asked] == [2, 4, 5]
    assert (done.status, done.raw_text) == (Status.PROCESSED, "b\n\nd\n\ne")
    assert (done.page_count, done.pages_done) == (5, 3)


def test_a_reader_that_goes_on_asks_for_the_next_of_them(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(asked={"pages": "2,4"})
    one, _, _ = reader([*page(2, 5, "b"), reading.EngineCrashed("crashed")])
    assert one.read_next()
    two, host, _ = reader(page(4, 5, "d"))
    assert two.read_next()
    assert [options.first_page for options in host.asked] == [4]
    assert now(upload).raw_text == "b\n\nd"


def read_again(upload: Upload, pages: str) -> None:
    """A document of three pages that was read before, and is to be again."""
    one, _, _ = reader(page(1, 3, "a") + page(2, 3, "b") + page(3, 3, "c"))
    assert one.read_next()
    uploads.retry(owner=upload.owner, upload_id=upload.pk, asked=Wishes(pages=pages))


def test_of_a_retry_with_pages_those_alone_are_read_and_the_text_is_whole_again(upload: Upload) -> None:
    read_again(upload, "2")
    one, host, bell = reader(page(2, 3, "B"))
    assert one.read_next()
    assert [options.first_page for options in host.asked] == [2]
    assert bell.taken[0].pages == {1: "a", 3: "c"}
    assert (now(upload).status, now(upload).raw_text, now(upload).pages_done) == (
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
    assert now(upload).raw_text == "A\n\nb\n\nC"


def test_a_reader_of_before_the_retry_writes_nothing_into_it(upload: Upload) -> None:
    held = jobs.claim("slow")
    assert held is not None
    uploads.cancel(owner=upload.owner, upload_id=upload.pk)
    uploads.retry(owner=upload.owner, upload_id=upload.pk, asked=Wishes(pages="2"))
    late = page(2, 3, "late")[-1]
    assert isinstance(late, reading.PageDone)
    with pytest.raises(jobs.LostUpload):
        jobs.save_page(held, late)
    assert jobs.claim("next") is not None
    with pytest.raises(jobs.LostUpload):
        jobs.save_page(held, late)
    assert not upload.pages.exists()


def test_pages_behind_the_last_one_are_not_waited_for(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(asked={"pages": "1,7"})
    one, host, _ = reader(page(1, 3, "a"))
    assert one.read_next()
    assert [options.first_page for options in host.asked] == [1]
    assert now(upload).status == Status.PROCESSED


def test_a_reader_that_died_before_the_end_of_the_job_left_nothing_to_read(upload: Upload) -> None:
    held = jobs.claim("dead")
    assert held is not None
    done = page(1, 1, "a")[-1]
    assert isinstance(done, reading.PageDone)
    jobs.save_page(held, done)
    jobs.void_claims()
    one, host, _ = reader()
    assert one.read_next()
    assert host.asked == []
    assert (now(upload).status, now(upload).raw_text) == (Status.PROCESSED, "a")


def test_the_last_page_and_the_end_are_one_commit_and_the_page_is_shown_first(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    class Bell(FakeBell):
        def say(self, item: object) -> None:
            if isinstance(item, PageText) and item.page.done:
                rows = Page.objects.count(), now(upload).status, Job.objects.exists()
                told.append((item.page.number, *rows))

    def hear(change: Change) -> None:
        told.append(change.kind)

    host = FakeHost(page(1, 2, "a") + page(2, 2, "b"))
    events.listen(hear)
    try:
        assert tasks.Reader(Bell(), host).read_next()  # type: ignore[arg-type]
    finally:
        events.unlisten(hear)
    assert told == [
        (1, 1, Status.PROCESSING, True),
        (2, 2, Status.PROCESSED, False),
        "processed",
    ]


def test_a_last_page_whose_end_cannot_be_written_is_neither_saved_nor_shown(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_happened: object) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(events, "_write", fails)
    one, _, bell = reader(page(1, 1, "a"))
    assert one.read_next()
    assert bell.pages == []
    assert not Page.objects.exists()
    monkeypatch.undo()
    assert list(Job.objects.values_list("claimed_by", flat=True)) == [""]
    assert now(upload).pages_done == 0


def test_uploads_are_read_in_the_order_they_came(upload: Upload) -> None:
    others = [new_upload(new_user()) for _ in range(2)]
    one, _, _ = reader(*[page(1, 1, "x")] * 3)
    order = []
    while one.read_next():
        finished = set(Upload.objects.filter(status=Status.PROCESSED).values_list("pk", flat=True))
        order.append(finished - set().union(*order))
    assert order == [{u.pk} for u in [upload, *others]]


def test_a_correction_outlives_a_second_reading(upload: Upload) -> None:
    uploads.update(owner=upload.owner, upload_id=upload.pk, correction="mine")
    reader(page(1, 1, "read"))[0].read_next()
    assert now(upload).reading_text == "read"
    assert now(upload).processed_text == "mine"


# ── deleted, or taken by another, while it is read ──


def test_live_text_says_the_page_and_where_its_newest_line_stands(upload: Upload) -> None:
    box = ((0.4, 1.0), (9.6, 1.0), (9.6, 3.5), (0.4, 3.4))
    one, two = reading.Line(1, "a", "a", box), reading.Line(1, "b", "\nb")
    script = [
        reading.PageStarted(1, 2, 10, 20),
        one,
        two,
        reading.PageDone(1, 2, 10, 20, "a\nb", "a b", [one, two], []),
    ]
    alone, _, bell = reader([*script, *page(2, 2)])
    alone.read_next()
    place = protocol.LinePlace(((0, 1), (10, 1), (10, 4), (0, 3)), 10, 20)
    assert bell.drafts[:4] == [
        Draft(1, 2),
        Draft(1, 2, "a", place),
        Draft(1, 2, "a\nb", None),
        Draft(1, 2, "a\nb", done=True),
    ]


def test_a_page_of_many_lines_is_not_told_line_by_line(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "TELL_SECONDS", 3600.0)
    one, _, bell = reader(page(1, 1, *(str(number) for number in range(5_000))))
    one.read_next()
    assert [text for _, text in bell.texts] == ["", "0"]
    assert [text for _, text in bell.pages] == ["\n".join(map(str, range(5_000)))]
    assert now(upload).raw_text == bell.pages[0][1]


def test_what_was_read_before_an_engine_failed_has_been_told(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "TELL_SECONDS", 3600.0)
    one, _, bell = reader([*page(1, 1, "a", "b", "c")[:-1], reading.EngineCrashed("Gone.")])
    one.read_next()
    assert [text for _, text in bell.texts] == ["", "a", "a\nb\nc"]


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_after_a_cancel_a_reader_writes_and_tells_nothing(
    after: int, upload: Upload, happened: list[Change]
) -> None:
    def cancel() -> None:
        uploads.cancel(owner=upload.owner, upload_id=upload.pk)
        happened.append(MARK)

    script = page(1, 2, "a") + page(2, 2, "b")
    one, _, _ = reader([*script[:after], cancel, *script[after:]])
    assert one.read_next()
    left = now(upload)
    assert (left.status, left.error) == (Status.CANCELLED, "Cancelled")
    assert left.raw_text == ("a" if after >= 3 else "")
    assert Page.objects.filter(upload=upload).count() == (1 if after >= 3 else 0)
    assert not Job.objects.filter(upload=upload).exists()
    assert happened[-1] is MARK
    assert len(terminals(happened)) == 1


def test_a_retry_right_after_a_cancel_is_another_reader_s_and_the_first_writes_nothing(
    upload: Upload, happened: list[Change]
) -> None:
    def again() -> None:
        uploads.cancel(owner=upload.owner, upload_id=upload.pk)
        uploads.retry(owner=upload.owner, upload_id=upload.pk)
        assert jobs.claim("another reader") is not None
        happened.append(MARK)

    script = page(1, 2, "a") + page(2, 2, "b")
    one, _, _ = reader([*script[:4], again, *script[4:]])
    assert one.read_next()
    assert (now(upload).status, now(upload).attempt) == (Status.PROCESSING, 2)
    assert not Page.objects.filter(upload=upload).exists()
    assert Job.objects.get(upload=upload).claimed_by == "another reader"
    assert happened[-1] is MARK


MARK: Any = SimpleNamespace(last=False)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5])
def test_after_a_delete_a_reader_writes_and_tells_nothing(
    after: int, upload: Upload, happened: list[Change]
) -> None:
    def delete() -> None:
        uploads.delete(owner=upload.owner, upload_id=upload.pk)
        happened.append(DELETED)

    script = page(1, 2, "a") + page(2, 2, "b")
    one, _, _ = reader([*script[:after], delete, *script[after:]])
    assert one.read_next()
    assert not Upload.objects.filter(pk=upload.pk).exists()
    assert not Page.objects.filter(upload_id=upload.pk).exists()
    assert not Job.objects.filter(upload_id=upload.pk).exists()
    assert happened[-1] is DELETED
    assert len(terminals(happened)) == 2  # the delete itself, and the mark after it


DELETED: Any = SimpleNamespace(last=True)


def test_a_delete_cancels_the_reading_of_that_upload_only(upload: Upload) -> None:
    other = new_upload(new_user())
    seen = []

    def delete(which: Upload, owner: User) -> None:
        uploads.delete(owner=owner, upload_id=which.pk)
        seen.append(host.cancelled)

    script = page(1, 1, "a")
    one, host, _ = reader(
        [script[0], lambda: delete(other, other.owner), lambda: delete(upload, upload.owner), *script[1:]]
    )
    events.listen(one.heed)
    try:
        one.read_next()
    finally:
        events.unlisten(one.heed)
    assert seen == [False, True]


def test_an_end_heard_late_of_what_was_taken_up_again_since_ends_nothing(upload: Upload) -> None:
    uploads.cancel(owner=upload.owner, upload_id=upload.pk)
    cancelled = events.head(upload.owner_id)
    uploads.retry(owner=upload.owner, upload_id=upload.pk)
    seen = []

    def hear(upload_id: uuid.UUID, seq: int) -> None:
        one.heed_end(Over(upload.owner_id, upload_id, seq))
        seen.append(host.cancelled)

    script = page(1, 1, "a")
    ends = [(upload.pk, cancelled), (uuid.uuid4(), cancelled + 9), (upload.pk, cancelled + 2)]
    one, host, _ = reader([script[0], *(functools.partial(hear, *end) for end in ends), *script[1:]])
    one.read_next()
    assert seen == [False, False, True]


def test_a_reader_whose_upload_another_took_writes_nothing_over_it(
    upload: Upload, happened: list[Change]
) -> None:
    other, _, _ = reader(page(1, 1, "the second reader's"))

    def taken_over() -> None:
        jobs.void_claims()
        assert other.read_next()

    script = page(1, 1, "the first reader's")
    one, _, bell = reader([*script[:2], taken_over, *script[2:]])
    one.read_next()
    done = now(upload)
    assert (done.status, done.attempt, done.raw_text) == (Status.PROCESSED, 2, "the second reader's")
    assert [p.attempt for p in Page.objects.filter(upload=upload)] == [2]
    assert bell.pages == []
    assert len(terminals(happened)) == 1


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
    end: Exception, upload: Upload, happened: list[Change]
) -> None:
    """Another reader has it: still at work, its claim stands."""
    happened.clear()
    other, _, _ = reader([])

    def taken_over() -> None:
        jobs.void_claims()
        assert jobs.claim(other._name) is not None

    reader([taken_over, end])[0].read_next()
    held = now(upload)
    assert (held.status, held.attempt) == (Status.PROCESSING, 2)
    job = Job.objects.get(upload=upload)
    assert (job.claimed_by, job.failures) == (other._name, 1)  # the death that opened it
    assert terminals(happened) == []


# ── failures ──


def test_three_deaths_without_progress_are_the_end(upload: Upload, happened: list[Change]) -> None:
    one, _, _ = reader(*[[reading.EngineCrashed("The reading engine stopped unexpectedly.")]] * 3)
    for failures in (1, 2):
        assert one.read_next()
        assert Job.objects.get(upload=upload).failures == failures
        assert terminals(happened) == []
    assert one.read_next()
    failed = now(upload)
    assert (failed.status, failed.error) == (Status.ERROR, "The reading engine stopped unexpectedly.")
    assert failed.attempt == 3
    assert not Job.objects.filter(upload=upload).exists()
    [last] = terminals(happened)
    assert isinstance(last.message, protocol.Failed)
    assert not one.read_next()


def test_a_page_makes_up_for_the_deaths_before_it(upload: Upload) -> None:
    crash = reading.EngineTimeout("A page took longer than 1 seconds.")
    one, host, _ = reader([crash], [crash], [*page(1, 2, "a"), crash], [crash], [*page(2, 2, "b")])
    while one.read_next():
        pass
    assert now(upload).status == Status.PROCESSED
    assert now(upload).raw_text == "a\n\nb"
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
    error: Exception, upload: Upload, happened: list[Change]
) -> None:
    reader([*page(1, 3, "kept"), error])[0].read_next()
    failed = now(upload)
    assert (failed.status, failed.error) == (Status.ERROR, str(error))
    assert failed.raw_text == "kept"
    assert not Job.objects.filter(upload=upload).exists()
    assert len(terminals(happened)) == 1


def test_a_defect_shows_the_user_a_sentence_and_the_log_the_rest(
    upload: Upload, caplog: pytest.LogCaptureFixture
) -> None:
    one, _, _ = reader(*[[RuntimeError("secret detail")]] * 3)
    while one.read_next():
        pass
    failed = now(upload)
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
    assert (now(upload).status, now(other).status) == (Status.ERROR, Status.PROCESSED)


# ── given back, and taken up again ──


def test_a_file_that_was_deleted_with_its_upload_before_it_was_reached_is_no_failure(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def deleted_meanwhile(_key: str) -> Iterator[Path]:
        uploads.delete(owner=upload.owner, upload_id=upload.pk)
        raise FileNotFoundError
        yield

    monkeypatch.setattr(storage, "local_copy", deleted_meanwhile)
    one, host, _ = reader()
    assert one.read_next()
    assert host.asked == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_file_that_cannot_be_reached_just_now_is_read_later_however_long_that_takes(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, happened: list[Change]
) -> None:
    def away(_key: str) -> None:
        raise StorageUnavailable

    happened.clear()
    one, host, _ = reader(page(1, 1, "a"))
    with monkeypatch.context() as patched:
        patched.setattr(storage, "local_copy", away)
        for _sweep in range(jobs.MAX_FAILURES + 1):
            assert not one.read_next(), "it waits for the next sweep, and does not ask without end"
    job = Job.objects.get(upload=upload)
    assert (job.claimed_by, job.failures) == ("", 0)
    assert (host.asked, terminals(happened)) == ([], [])
    assert one.read_next()
    assert now(upload).raw_text == "a"


def test_giving_back_keeps_the_failures_and_the_pages(upload: Upload, happened: list[Change]) -> None:
    crash = reading.EngineCrashed("crashed")
    one, _, _ = reader([*page(1, 2, "a"), crash], [reading.Cancelled()])
    one.read_next()
    one.read_next()
    job = Job.objects.get(upload=upload)
    assert (job.failures, job.claimed_by) == (1, "")
    assert now(upload).status == Status.PROCESSING
    assert Page.objects.filter(upload=upload).count() == 1
    assert terminals(happened) == []


def test_after_a_restart_reading_goes_on_with_the_next_page(upload: Upload, happened: list[Change]) -> None:
    dying, host, _ = reader()
    host.read = killed_in(2, page(1, 3, "a"))  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        dying.read_next()
    assert Job.objects.get(upload=upload).claimed_by
    idle, _, _ = reader()
    assert not idle.read_next(), "a claimed job is nobody else's"

    jobs.void_claims()
    happened.clear()
    one, host, bell = reader(page(2, 3, "b") + page(3, 3, "c"))
    assert one.read_next()
    assert host.asked[0].first_page == 2
    [taken] = bell.taken
    assert (taken.attempt, taken.pages, taken.page_count) == (2, {1: "a"}, 3)
    done = now(upload)
    assert (done.raw_text, done.attempt, done.pages_done) == ("a\n\nb\n\nc", 2, 3)
    assert [p.attempt for p in Page.objects.filter(upload=upload).order_by("number")] == [1, 2, 2]
    assert bell.pages == [(2, "b"), (2, "c")]


def killed_in(fatal: int, steps: list[Step]) -> Callable[..., Iterator[reading.ReadEvent]]:
    """The process ends as that page begins: no `except Exception` sees it."""

    def read(_path: object, options: reading.Options) -> Iterator[reading.ReadEvent]:
        if options.first_page == fatal:
            raise SystemExit
        for step in steps:
            assert isinstance(step, reading.ReadEvent)
            yield step

    return read


def test_a_reader_that_was_told_to_stop_takes_nothing_more(upload: Upload) -> None:
    one, host, _ = reader(page(1, 1, "x"))
    one.stop()
    assert not one.read_next()
    assert host.stopped
    assert now(upload).status == Status.PENDING


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
    assert now(upload).status != Status.ERROR


# ── the local pool ──


def test_a_wake_that_comes_while_a_reader_looks_is_not_lost() -> None:
    looking, go_on, found = threading.Event(), threading.Event(), threading.Event()
    work: list[str] = []

    def look() -> bool:
        if work:
            found.set()
            work.pop()
            return True
        if not looking.is_set():
            looking.set()
            go_on.wait(5)
        return False

    pool = dispatch.LocalPool([look])
    pool.start()
    try:
        assert looking.wait(5)
        work.append("came while it had looked")
        pool.wake()
        go_on.set()
        assert found.wait(5)
    finally:
        pool.stop(5)


def test_a_reader_that_raises_goes_on_with_the_next_call(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    second = threading.Event()

    def raising() -> bool:
        calls.append(1)
        if len(calls) == 2:
            second.set()
        raise RuntimeError("a defect")

    pool = dispatch.LocalPool([raising])
    pool.start()
    try:
        while not second.wait(0.01):
            pool.wake()
    finally:
        pool.stop(5)
    assert "a defect" in caplog.text


# ── long documents ──


def long_document(pages: int, *, first: int = 1) -> list[Step]:
    return [step for number in range(first, pages + 1) for step in page(number, pages, f"page {number}")]


def test_a_reader_alone_reads_all_jobs_of_a_document_with_one_copy_and_tells_its_texts_once(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, happened: list[Change]
) -> None:
    copies: list[str] = []
    local_copy = storage.local_copy
    monkeypatch.setattr(storage, "local_copy", lambda key: (copies.append(key), local_copy(key))[1])
    one, host, bell = reader(long_document(10))
    happened.clear()
    assert one.read_next()
    assert [options.first_page for options in host.asked] == list(range(1, 11))
    assert copies == [upload.image_path]
    assert [(taken.attempt, taken.run, taken.pages, taken.jobs) for taken in bell.taken] == [
        (1, 1, {}, {1: 1}),
        (2, 1, None, {4: 2}),
        (3, 1, None, {7: 3}),
        (4, 1, None, {10: 4}),
    ]
    assert now(upload).status == Status.PROCESSED
    assert len(terminals(happened)) == 1
    assert not one.read_next()


def test_other_readers_are_called_as_soon_as_a_document_says_how_long_it_is(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[int, int]] = []
    monkeypatch.setattr(
        dispatch,
        "there_is_work",
        lambda jobs: called.append((jobs, Job.objects.filter(claimed_by="").count())),
    )
    one, _, _ = reader([*long_document(10)[:1], reading.EngineCrashed("crashed")])
    assert one.read_next()
    assert called == [(3, 3)], "as many as there are jobs for"
    assert not Page.objects.exists(), "nothing was read yet"


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
    assert now(upload).raw_text == "\n\n".join(f"page {number}" for number in range(1, 11))


def test_an_upload_that_is_deleted_between_two_of_its_ranges_is_not_read_on(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, happened: list[Change]
) -> None:
    go_on = jobs.go_on

    def deleted_then(*args: Any) -> Any:
        following = go_on(*args)
        uploads.delete(owner=upload.owner, upload_id=upload.pk)
        return following

    monkeypatch.setattr(jobs, "go_on", deleted_then)
    one, _, bell = reader(long_document(10))
    assert one.read_next()
    assert len(bell.pages) == 3, "of the next page nothing is read"
    assert not one.read_next()
    assert [change.kind for change in happened][-1] == "deleted"


def test_what_fails_in_a_later_range_is_counted_on_that_one(upload: Upload) -> None:
    script = long_document(10)[: 3 * len(page(1, 10, "a"))]
    one, _, _ = reader([*script, *page(4, 10, "x")[:1], reading.EngineCrashed("crashed")])
    assert one.read_next()
    assert list(Job.objects.order_by("first_page").values_list("first_page", "failures")) == [
        (4, 1),
        (7, 0),
        (10, 0),
    ]
