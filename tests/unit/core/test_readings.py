"""Readings of an upload as versions: what begins one, what is kept, and what makes one current."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import msgspec
import pytest
from django.db import DatabaseError

from backend_main import reading
from backend_main.core import maintenance
from backend_main.core.errors import (
    PageNotFound,
    QuotaExceeded,
    ReadingNotFound,
    StatusConflict,
    UploadNotFound,
)
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.jobs.options import ReadOptions
from backend_main.core.models import KeptCorrection, Page, Reading, ReadingPage, Status, Upload, User
from backend_main.core.protocol import messages, serializers
from backend_main.core.uploads import (
    commands,
    quotas,
    reading_commands,
    reading_queries,
    readings,
    usage,
)
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db
BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))
OTHER_ENGINE = ReadOptions(engine="tesseract")


def page_done(number: int, count: int, text: str, confidence: float | None = 0.9) -> reading.PageDone:
    warning = reading.PageWarning("low-confidence", f"Page {number} is not sure.")
    line = reading.Line(number, text, text, BOX, confidence)
    return reading.PageDone(number, count, 100, 100, f"# {text}", text, [line], [warning])


def read(upload: Upload, *texts: str, confidence: float | None = 0.9) -> Upload:
    """Read the pages of an upload that waits; a text for each page that is not finished."""
    count = Upload.objects.get(pk=upload.pk).page_count or len(texts)
    claim = job_queue.claim_next("reader")
    assert claim is not None
    assert claim.upload_id == upload.pk
    number = claim.next_page(0)
    for text in texts:
        assert number is not None
        results.save_page(claim, page_done(number, count, text, confidence), seconds=0.5)
        number = claim.next_page(number, count)
    results.finish(claim)
    return Upload.objects.get(pk=upload.pk)


def retry(upload: Upload, options: ReadOptions = OTHER_ENGINE) -> Upload:
    return commands.retry(owner=upload.owner, upload_id=upload.pk, options=options)


def numbers(upload: Upload) -> list[tuple[int, bool, int]]:
    found = reading_queries.reading_list(owner=upload.owner, upload_id=upload.pk).readings
    return [(each.number, each.is_current, each.pages_done) for each in found]


def texts(upload: Upload, number: int) -> str:
    return reading_queries.reading(owner=upload.owner, upload_id=upload.pk, number=number).raw_text


@pytest.fixture
def upload(monkeypatch: pytest.MonkeyPatch) -> Upload:
    """Upload with two pages, read by the configured engine."""
    monkeypatch.setattr("backend_main.reading.engines.unavailable_reason", lambda _name: None)
    return read(new_upload(new_user()), "one", "two")


# ── what begins a reading ──


def test_retry_with_another_engine_keeps_the_old_reading(upload: Upload) -> None:
    read(retry(upload), "eins", "zwei")
    assert numbers(upload) == [(2, True, 2), (1, False, 2)]
    assert (texts(upload, 1), texts(upload, 2)) == ("# one\n\n# two", "# eins\n\n# zwei")
    old = reading_queries.reading(owner=upload.owner, upload_id=upload.pk, number=1)
    assert (old.engine, old.status, old.seconds) == (upload.engine, "processed", 1.0)
    assert old.warnings == ["Page 1 is not sure.", "Page 2 is not sure."]
    page = reading_queries.page(owner=upload.owner, upload_id=upload.pk, number=1, page_number=2)
    assert serializers.page(page).lines[0].text == "two"


def test_retry_of_a_page_with_another_engine_keeps_all_pages_of_the_old_reading(upload: Upload) -> None:
    read(retry(upload, ReadOptions(engine="tesseract", pages="2")), "zwei")
    assert numbers(upload) == [(2, True, 2), (1, False, 2)]
    assert (texts(upload, 1), texts(upload, 2)) == ("# one\n\n# two", "# one\n\n# zwei")


def test_retry_of_a_processed_upload_with_the_same_options_is_a_new_reading(upload: Upload) -> None:
    read(retry(upload, ReadOptions()), "one", "too")
    assert numbers(upload) == [(2, True, 2), (1, False, 2)]


def test_retry_of_named_pages_with_the_same_options_continues_the_reading(upload: Upload) -> None:
    read(retry(upload, ReadOptions(pages="2")), "too")
    assert numbers(upload) == [(1, True, 2)]
    assert texts(upload, 1) == "# one\n\n# too"


@pytest.mark.parametrize("status", [Status.ERROR, Status.CANCELLED])
def test_retry_of_a_failed_upload_with_the_same_options_continues_the_reading(
    status: Status, upload: Upload
) -> None:
    Upload.objects.filter(pk=upload.pk).update(status=status)
    read(retry(upload, ReadOptions()), "one", "too")
    assert numbers(upload) == [(1, True, 2)]


def test_retry_without_finished_pages_continues_the_reading(upload: Upload) -> None:
    upload.pages.all().delete()
    retry(upload)
    assert numbers(upload) == [(1, True, 0)]


def test_retry_that_names_the_engine_in_use_continues_the_reading(upload: Upload) -> None:
    retry(upload, ReadOptions(engine=upload.engine, pages="1"))
    assert numbers(upload) == [(1, True, 1)]


@pytest.mark.parametrize("end", [commands.cancel, None], ids=["cancelled", "failed"])
def test_retry_that_does_not_end_well_leaves_the_old_reading(
    end: Callable[..., object] | None, upload: Upload
) -> None:
    retry(upload)
    if end is None:
        claim = job_queue.claim_next("reader")
        assert claim is not None
        results.fail(claim, "Broken.")
    else:
        end(owner=upload.owner, upload_id=upload.pk)
    assert numbers(upload) == [(2, True, 0), (1, False, 2)]
    current = reading_commands.make_current(owner=upload.owner, upload_id=upload.pk, number=1)
    assert (current.status, current.error, current.raw_text) == ("processed", None, "# one\n\n# two")
    assert numbers(upload) == [(1, True, 2)]
    assert Upload.objects.get(pk=upload.pk).latest_reading_number == 2


def test_retry_that_fails_at_its_last_statement_changes_nothing(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_fields: object) -> None:
        raise DatabaseError("the disk failed")

    correct(upload, 1, "uno")
    monkeypatch.setattr(readings.Job.objects, "create", fail)
    with pytest.raises(DatabaseError):
        retry(upload)
    assert numbers(upload) == [(1, True, 2)]
    assert not ReadingPage.objects.exists()
    assert not KeptCorrection.objects.exists()
    assert Upload.objects.get(pk=upload.pk).processed_text == "uno\n\ntwo"


# ── limits ──


@pytest.mark.parametrize(("limit", "kept"), [(2, [4, 3]), (1, [4]), (0, [4, 3, 2, 1])])
def test_readings_beyond_the_limit_are_removed_from_the_oldest(
    limit: int, kept: list[int], upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = msgspec.structs.replace(readings.conf, max_readings_per_upload=limit)
    monkeypatch.setattr(readings, "conf", changed)
    for _ in range(3):
        read(retry(upload, ReadOptions()), "a", "b")
    assert [number for number, _, _ in numbers(upload)] == kept
    assert ReadingPage.objects.count() == 2 * (len(kept) - 1)


def test_readings_limit_keeps_an_early_reading_that_was_current_last(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = msgspec.structs.replace(readings.conf, max_readings_per_upload=2)
    monkeypatch.setattr(readings, "conf", changed)
    read(retry(upload, ReadOptions()), "a", "b")
    reading_commands.make_current(owner=upload.owner, upload_id=upload.pk, number=1)
    read(retry(upload, ReadOptions()), "c", "d")
    assert [number for number, _, _ in numbers(upload)] == [3, 1]


def test_usage_counts_the_pages_of_all_readings(upload: Upload) -> None:
    read(retry(upload), "eins", "zwei")
    stored = Upload.objects.get(pk=upload.pk).page_bytes
    Upload.objects.filter(pk=upload.pk).update(page_bytes=None)
    usage.count_missing()
    counted = Upload.objects.get(pk=upload.pk).page_bytes
    assert counted is not None
    assert counted == usage.stored_page_bytes(upload.pk)
    # A database stores JSON with spaces, which the sum of the pages lacks.
    assert counted == pytest.approx(stored, rel=0.1)
    assert counted == pytest.approx(2 * usage.reading_bytes(upload.pk), rel=0.1)
    reading_commands.delete_reading(owner=upload.owner, upload_id=upload.pk, number=1)
    assert Upload.objects.get(pk=upload.pk).page_bytes == usage.reading_bytes(upload.pk)


def test_retry_without_bytes_for_another_reading_is_refused_and_changes_nothing(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = usage.stored_bytes(upload.owner_id) + 10
    monkeypatch.setattr(quotas, "conf", msgspec.structs.replace(quotas.conf, max_bytes_per_user=limit))
    with pytest.raises(QuotaExceeded):
        retry(upload)
    assert numbers(upload) == [(1, True, 2)]
    assert Upload.objects.get(pk=upload.pk).status == Status.PROCESSED
    read(retry(upload, ReadOptions(pages="1")), "one")  # a continuation needs no more space


# ── change of the current reading ──


def test_make_current_exchanges_texts_warnings_and_pages(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    read(retry(upload, OTHER_ENGINE), "eins", "zwei", confidence=0.5)
    upload_changes.clear()
    current = reading_commands.make_current(owner=upload.owner, upload_id=upload.pk, number=1)
    assert numbers(upload) == [(2, False, 2), (1, True, 2)]
    assert (current.raw_text, current.plain_text) == ("# one\n\n# two", "one\n\ntwo")
    assert (current.engine, current.confidence, current.uncertain_share) == (upload.engine, 0.9, 0.0)
    stored = Upload.objects.get(pk=upload.pk)
    assert (stored.raw_text, stored.pages_done, stored.page_count) == ("# one\n\n# two", 2, 2)
    assert texts(upload, 2) == "# eins\n\n# zwei"
    [event] = upload_changes
    assert event.message == serializers.updated(current)
    assert set(Page.objects.filter(upload=upload).values_list("attempt", flat=True)) == {stored.attempt}
    # The next retry reads with the options of this reading, and gets a number of its own.
    read(retry(upload, ReadOptions()), "1", "2")
    assert numbers(upload) == [(3, True, 2), (2, False, 2), (1, False, 2)]
    assert Upload.objects.get(pk=upload.pk).engine == upload.engine


def test_make_current_of_the_current_reading_changes_nothing(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    upload_changes.clear()
    reading_commands.make_current(owner=upload.owner, upload_id=upload.pk, number=1)
    assert upload_changes == []


def test_make_current_while_the_upload_is_open_is_a_conflict(upload: Upload) -> None:
    retry(upload)
    with pytest.raises(StatusConflict):
        reading_commands.make_current(owner=upload.owner, upload_id=upload.pk, number=1)
    assert numbers(upload) == [(2, True, 0), (1, False, 2)]


def test_delete_reading_removes_its_pages_but_not_the_current_reading(upload: Upload) -> None:
    read(retry(upload), "eins", "zwei")
    with pytest.raises(StatusConflict):
        reading_commands.delete_reading(owner=upload.owner, upload_id=upload.pk, number=2)
    reading_commands.delete_reading(owner=upload.owner, upload_id=upload.pk, number=1)
    assert numbers(upload) == [(2, True, 2)]
    assert not ReadingPage.objects.exists()
    with pytest.raises(ReadingNotFound):
        reading_commands.delete_reading(owner=upload.owner, upload_id=upload.pk, number=1)


def test_delete_of_an_upload_removes_its_readings_and_corrections(upload: Upload) -> None:
    correct(upload, 1, "ones")
    retry(upload)
    assert KeptCorrection.objects.exists()
    commands.delete(owner=upload.owner, upload_id=upload.pk)
    assert not Reading.objects.exists()
    assert not ReadingPage.objects.exists()
    assert not KeptCorrection.objects.exists()


def test_maintenance_removes_readings_of_uploads_that_an_older_program_deleted(upload: Upload) -> None:
    other = read(new_upload(upload.owner), "1")
    for each in (upload, other):
        correct(each, 1, "corrected")
        retry(each)
    Upload.objects.filter(pk=upload.pk).delete()
    maintenance.run_all(grace_seconds=3600)
    assert list(Reading.objects.values_list("upload_id", flat=True)) == [other.pk]
    assert list(KeptCorrection.objects.values_list("upload_id", flat=True)) == [other.pk]


# ── comparison ──


def test_compare_lists_words_that_differ_on_a_page(upload: Upload) -> None:
    read(retry(upload), "won", "two and more", confidence=0.7)
    found = reading_queries.compare(owner=upload.owner, upload_id=upload.pk, first=1, second=2, page_number=2)
    [page] = found.pages
    assert (page.number, page.first_words, page.second_words, page.differing_words) == (2, 1, 3, 2)
    assert (page.first_confidence, page.second_confidence) == (0.9, 0.7)
    assert (page.first_seconds, page.second_seconds) == (0.5, 0.5)
    [change] = page.changes  # type: ignore[misc]
    assert (change.kind, change.first, change.second) == ("insert", "", "and more")
    assert "two and more"[slice(*change.second_span)] == "and more"


def test_compare_without_a_page_counts_the_words_of_all_pages(upload: Upload) -> None:
    read(retry(upload, ReadOptions(engine="tesseract")), "one", "too")
    found = reading_queries.compare(owner=upload.owner, upload_id=upload.pk, first=1, second=2)
    assert [(page.number, page.differing_words) for page in found.pages] == [(1, 0), (2, 1)]
    assert (found.first.number, found.second.number) == (1, 2)


def test_compare_beyond_the_cost_limit_leaves_pages_out(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(retry(upload), "eins", "zwei drei")
    monkeypatch.setattr(reading_queries, "MAX_COMPARISON_COST", 2)
    found = reading_queries.compare(owner=upload.owner, upload_id=upload.pk, first=1, second=2)
    assert [page.differing_words for page in found.pages] == [1, None]


def test_compare_of_a_page_that_one_reading_lacks_counts_its_words(upload: Upload) -> None:
    retry(upload)
    found = reading_queries.compare(owner=upload.owner, upload_id=upload.pk, first=1, second=2)
    assert [(page.first_words, page.second_words, page.differing_words) for page in found.pages] == [
        (1, None, 1),
        (1, None, 1),
    ]
    with pytest.raises(PageNotFound):
        reading_queries.compare(owner=upload.owner, upload_id=upload.pk, first=1, second=2, page_number=3)


# ── corrections of pages ──


def correct(upload: Upload, number: int, text: str | None) -> Page:
    return reading_commands.correct_page(
        owner=upload.owner, upload_id=upload.pk, number=number, correction=text
    )


def test_correct_page_changes_the_processed_text_and_keeps_who_and_when(
    upload: Upload, upload_changes: list[UploadChange]
) -> None:
    upload_changes.clear()
    page = correct(upload, 2, "deux")
    stored = Upload.objects.get(pk=upload.pk)
    assert (stored.processed_text, stored.raw_text) == ("one\n\ndeux", "# one\n\n# two")
    shown = serializers.page(Page.objects.get(pk=page.pk))
    assert (shown.text, shown.correction, shown.corrected_by) == ("two", "deux", upload.owner.username)
    assert shown.corrected_at is not None
    assert [event.kind for event in upload_changes] == ["updated"]
    correct(upload, 2, None)
    assert Upload.objects.get(pk=upload.pk).processed_text == "one\n\ntwo"
    shown = serializers.page(Page.objects.get(pk=page.pk))
    assert (shown.correction, shown.corrected_by, shown.corrected_at) == (None, None, None)


def test_correction_of_the_upload_comes_before_those_of_pages(upload: Upload) -> None:
    correct(upload, 1, "une")
    commands.update(owner=upload.owner, upload_id=upload.pk, correction="all of it")
    assert Upload.objects.get(pk=upload.pk).processed_text == "all of it"
    commands.update(owner=upload.owner, upload_id=upload.pk, correction=None)
    assert Upload.objects.get(pk=upload.pk).processed_text == "une\n\ntwo"


def test_correction_is_merged_when_its_page_is_read_again(upload: Upload) -> None:
    first = read(retry(upload), "the qvick brovvn fox", "two")
    correct(first, 1, "the quick brovvn fox")
    second = read(retry(first, ReadOptions(pages="1")), "the qvick brown fox")
    assert second.processed_text == "the quick brown fox\n\ntwo"
    page = second.pages.get(number=1)
    assert (page.text, page.corrected_by) == ("the qvick brown fox", upload.owner.username)
    assert [warning["code"] for warning in page.warnings] == ["low-confidence"]
    assert not KeptCorrection.objects.exists()


def test_correction_in_conflict_with_the_new_reading_stays_with_a_warning(upload: Upload) -> None:
    correct(upload, 1, "uno")
    again = read(retry(upload), "eins", "zwei")
    assert again.processed_text == "uno\n\nzwei"
    assert again.warning_codes == " low-confidence correction-conflict "
    assert any("differs from its correction in 1 place" in warning for warning in again.warnings)


def test_correction_survives_a_retry_that_is_cancelled(upload: Upload) -> None:
    correct(upload, 1, "uno")
    retry(upload)
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    assert read(retry(upload, ReadOptions()), "one", "two").processed_text == "uno\n\ntwo"


def test_correction_of_the_old_reading_is_back_when_that_is_current_again(upload: Upload) -> None:
    correct(upload, 1, "uno")
    retry(upload)
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    current = reading_commands.make_current(owner=upload.owner, upload_id=upload.pk, number=1)
    assert current.processed_text == "uno\n\ntwo"
    assert not KeptCorrection.objects.exists()


def test_correct_page_while_the_upload_is_read_is_in_the_text_at_the_end(upload: Upload) -> None:
    retry(upload, ReadOptions(pages="2"))
    correct(upload, 1, "uno")
    assert read(upload, "due").processed_text == "uno\n\ndue"


def test_correct_page_that_is_not_finished_is_not_found(upload: Upload) -> None:
    with pytest.raises(PageNotFound):
        correct(upload, 3, "three")


def test_correct_page_beyond_the_quota_is_refused_and_changes_nothing(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = usage.stored_bytes(upload.owner_id) + 10
    monkeypatch.setattr(quotas, "conf", msgspec.structs.replace(quotas.conf, max_bytes_per_user=limit))
    with pytest.raises(QuotaExceeded):
        correct(upload, 1, "x" * 11)
    assert Upload.objects.get(pk=upload.pk).processed_text == "one\n\ntwo"
    correct(upload, 1, "x" * 10)
    before = usage.stored_bytes(upload.owner_id)
    with pytest.raises(QuotaExceeded):
        correct(upload, 2, "x")
    correct(upload, 1, "x")
    assert usage.stored_bytes(upload.owner_id) < before


# ── grade ──


def test_grade_of_an_upload_is_that_of_its_letters(upload: Upload) -> None:
    assert (upload.confidence, upload.uncertain_share) == (0.9, 0.0)
    again = read(retry(upload, ReadOptions(engine="tesseract", pages="2")), "nine words", confidence=0.5)
    # Three letters with 0.9 and nine with 0.5; two of three words are uncertain.
    assert (again.confidence, again.uncertain_share) == (0.6, 0.6667)


def test_grade_of_text_without_confidence_is_null(upload: Upload) -> None:
    again = read(retry(upload), "one", "two", confidence=None)
    assert (again.confidence, again.uncertain_share) == (None, None)


# ── other users ──


@pytest.mark.parametrize(
    "request_of",
    [
        lambda owner, key: reading_queries.reading_list(owner=owner, upload_id=key),
        lambda owner, key: reading_queries.reading(owner=owner, upload_id=key, number=1),
        lambda owner, key: reading_queries.page(owner=owner, upload_id=key, number=1, page_number=1),
        lambda owner, key: reading_queries.compare(owner=owner, upload_id=key, first=1, second=2),
        lambda owner, key: reading_commands.make_current(owner=owner, upload_id=key, number=1),
        lambda owner, key: reading_commands.delete_reading(owner=owner, upload_id=key, number=1),
        lambda owner, key: reading_commands.correct_page(
            owner=owner, upload_id=key, number=1, correction="x"
        ),
    ],
)
def test_readings_of_another_user_are_not_found(
    request_of: Callable[[User, uuid.UUID], object], upload: Upload
) -> None:
    read(retry(upload), "eins", "zwei")
    other = new_user()
    for key in (upload.pk, uuid.uuid4()):
        with pytest.raises(UploadNotFound):
            request_of(other, key)
    assert numbers(upload) == [(2, True, 2), (1, False, 2)]


def test_instance_of_an_earlier_event_log_has_defaults() -> None:
    upload = new_upload(new_user())
    fields = msgspec.to_builtins(serializers.instance(upload))
    for name in ("reading", "confidence", "uncertain_share"):
        del fields[name]
    assert msgspec.convert(fields, messages.Instance).reading == 1
