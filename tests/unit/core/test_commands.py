"""Tests of the commands on uploads: files, rows, jobs and events agree after success and failure."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from django.db import DatabaseError, IntegrityError

from backend_main.core import storage
from backend_main.core.conf import conf
from backend_main.core.errors import (
    RequestError,
    StatusConflict,
    StorageFull,
    UploadNotFound,
)
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs.options import ReadOptions
from backend_main.core.models import (
    Job,
    Page,
    Status,
    Upload,
    User,
)
from backend_main.core.protocol import messages, serializers
from backend_main.core.uploads import commands, ingest, queries
from backend_main.core.uploads.commands import UploadSource
from tests.support.database import new_upload, new_user
from tests.support.encoding import base64_of
from tests.support.fake_reply_target import FakeReplyTarget
from tests.support.page_images import scripted_png

ORIGIN = FakeReplyTarget()
pytestmark = pytest.mark.django_db


def stored_files() -> set[str]:
    return {str(path.relative_to(conf.files_dir)) for path in conf.files_dir.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def files_before() -> set[str]:
    return stored_files()


def create(owner: User, image: bytes, **source: str) -> commands.CreateResult:
    return commands.create(owner=owner, source=UploadSource(image_base64=base64_of(image), **source))


def end_with(upload: Upload, status: Status) -> None:
    Upload.objects.filter(pk=upload.pk).update(status=status, error="Broken.", raw_text="a", plain_text="b")
    Job.objects.filter(upload=upload).delete()


# ── create ──


def test_create_stores_file_job_and_event(upload_changes: list[UploadChange], files_before: set[str]) -> None:
    image = scripted_png()
    upload, duplicate = create(new_user(), image, image_path="/srv/scans/a.png")
    assert not duplicate
    assert upload.status == Status.PENDING
    assert upload.filename == "a.png"
    assert upload.image_hash == hashlib.sha256(image).hexdigest()
    assert upload.image_path == f"{upload.pk}/original.png"
    assert (conf.files_dir / upload.image_path).read_bytes() == image
    assert stored_files() == files_before | {upload.image_path}
    assert Job.objects.filter(upload=upload).count() == 1
    assert [type(event.message).__name__ for event in upload_changes] == ["UploadMessage"]


def test_create_stores_the_file_before_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    put = storage.put

    def record_then_put(path: Path, key: str) -> None:
        seen.append(Upload.objects.filter(image_path=key).exists())
        put(path, key)

    monkeypatch.setattr(storage, "put", record_then_put)
    upload, _ = create(new_user(), scripted_png())
    assert seen == [False]
    assert Upload.objects.filter(pk=upload.pk).exists()


@pytest.mark.parametrize("model", [Upload, Job])
@pytest.mark.parametrize("error", [DatabaseError, KeyboardInterrupt])
def test_create_with_a_failing_insert_leaves_no_file_and_no_event(
    model: type,
    error: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    upload_changes: list[UploadChange],
    files_before: set[str],
) -> None:
    def failing(**_fields: object) -> None:
        raise error

    monkeypatch.setattr(model.objects, "create", failing)
    owner = new_user()
    with pytest.raises(error):
        create(owner, scripted_png())
    assert stored_files() == files_before
    assert not list(conf.staging_dir.iterdir())
    assert not Upload.objects.filter(owner=owner).exists()
    assert not Job.objects.filter(upload__owner=owner).exists()
    assert upload_changes == []


def test_create_with_a_full_disk_inserts_no_row(
    monkeypatch: pytest.MonkeyPatch, files_before: set[str]
) -> None:
    def raise_disk_full(_path: Path, _key: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "put", raise_disk_full)
    owner = new_user()
    with pytest.raises(StorageFull):
        create(owner, scripted_png())
    assert not Upload.objects.filter(owner=owner).exists()
    assert stored_files() == files_before


def test_create_of_the_same_bytes_returns_the_same_upload(
    upload_changes: list[UploadChange], files_before: set[str]
) -> None:
    owner, image = new_user(), scripted_png()
    first, _ = create(owner, image)
    second, duplicate = create(owner, image, image_path="another-name.png")
    assert duplicate
    assert second == first
    assert second.filename == first.filename
    assert stored_files() == files_before | {first.image_path}
    assert len(upload_changes) == 1


def test_create_of_another_users_bytes_stores_a_new_upload(files_before: set[str]) -> None:
    image = scripted_png()
    first, _ = create(new_user(), image)
    second, duplicate = create(new_user(), image)
    assert not duplicate
    assert first.image_path != second.image_path
    assert stored_files() == files_before | {first.image_path, second.image_path}


def test_create_that_loses_a_race_returns_the_existing_upload(
    monkeypatch: pytest.MonkeyPatch, files_before: set[str]
) -> None:
    """Both requests find no upload; the constraint lets one insert it."""
    owner, image = new_user(), scripted_png()
    first, _ = create(owner, image)
    upload_by_hash = queries.upload_by_hash
    calls: list[object] = []

    def blind_first_call(**given: object) -> Upload | None:
        calls.append(given)
        return None if len(calls) == 1 else upload_by_hash(**given)

    monkeypatch.setattr(queries, "upload_by_hash", blind_first_call)
    second, duplicate = create(owner, image)
    assert duplicate
    assert second == first
    assert stored_files() == files_before | {first.image_path}
    assert not list(conf.staging_dir.iterdir())


def test_create_that_loses_a_race_to_a_deleted_upload_is_an_error(
    monkeypatch: pytest.MonkeyPatch, files_before: set[str]
) -> None:
    def raise_integrity_error(*_args: object) -> None:
        raise IntegrityError

    monkeypatch.setattr(commands, "_store", raise_integrity_error)
    with pytest.raises(RequestError) as raised:
        create(new_user(), scripted_png())
    assert "again" in str(raised.value)
    assert stored_files() == files_before


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.PROCESSED])
def test_create_of_an_open_or_processed_duplicate_changes_nothing(
    status: Status, upload_changes: list[UploadChange]
) -> None:
    owner, image = new_user(), scripted_png()
    first, _ = create(owner, image)
    Upload.objects.filter(pk=first.pk).update(status=status)
    upload_changes.clear()
    requeued, duplicate = create(owner, image)
    assert duplicate
    assert requeued.status == status
    assert upload_changes == []


@pytest.mark.parametrize("status", [Status.ERROR, Status.CANCELLED])
@pytest.mark.parametrize("by_hash", [False, True])
def test_create_of_a_failed_duplicate_requeues_it(
    status: Status, by_hash: bool, upload_changes: list[UploadChange]
) -> None:
    owner, image = new_user(), scripted_png()
    first, _ = create(owner, image)
    commands.update(owner=owner, upload_id=first.pk, correction="mine")
    end_with(first, status)
    upload_changes.clear()
    source = (
        UploadSource(image_hash=first.image_hash) if by_hash else UploadSource(image_base64=base64_of(image))
    )
    requeued, duplicate = commands.create(owner=owner, source=source)
    requeued.refresh_from_db()
    assert duplicate
    assert (requeued.status, requeued.error, requeued.raw_text, requeued.correction) == (
        Status.PENDING,
        None,
        "",
        "mine",
    )
    assert Job.objects.filter(upload=requeued).count() == 1
    assert len(upload_changes) == 1


def test_create_by_hash_finds_uploads_of_the_owner_only() -> None:
    owner = new_user()
    upload = new_upload(owner)
    found, duplicate = commands.create(owner=owner, source=UploadSource(image_hash=upload.image_hash))
    assert (found, duplicate) == (upload, True)
    for user, image_hash in [(new_user(), upload.image_hash), (owner, "0" * 64), (owner, "no hash")]:
        with pytest.raises(RequestError) as raised:
            commands.create(owner=user, source=UploadSource(image_hash=image_hash))
        assert list(raised.value.fields) == ["image_hash"]


def test_create_with_a_wrong_hash_is_an_error_and_other_text_is_ignored(
    files_before: set[str],
) -> None:
    image = scripted_png()
    with pytest.raises(RequestError) as raised:
        create(new_user(), image, image_hash="0" * 64)
    assert list(raised.value.fields) == ["image_hash"]
    assert stored_files() == files_before
    create(new_user(), image, image_hash="optional-sha256")
    create(new_user(), image, image_hash=hashlib.sha256(image).hexdigest().upper())


def test_create_without_a_source_is_an_error_on_image_base64() -> None:
    with pytest.raises(RequestError) as raised:
        commands.create(owner=new_user(), source=UploadSource())
    assert list(raised.value.fields) == ["image_base64"]


def test_create_from_a_path_copies_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "conf", msgspec.structs.replace(conf, import_roots=[tmp_path]))
    (tmp_path / "scan.png").write_bytes(scripted_png())
    upload, _ = commands.create(owner=new_user(), source=UploadSource(image_path="scan.png"))
    kept = conf.files_dir / upload.image_path
    (tmp_path / "scan.png").write_bytes(b"changed")
    assert kept.read_bytes() != b"changed"


# ── update ──


def test_update_changes_the_given_fields_only(upload_changes: list[UploadChange]) -> None:
    owner = new_user()
    upload = new_upload(owner)
    upload_changes.clear()
    commands.update(owner=owner, upload_id=upload.pk, filename="b.png", metadata={"a": [1]})
    commands.update(owner=owner, upload_id=upload.pk, correction="corrected")
    changed = queries.upload(owner=owner, upload_id=upload.pk)
    assert (changed.filename, changed.metadata, changed.processed_text) == ("b.png", {"a": [1]}, "corrected")
    assert changed.updated_at > upload.updated_at
    commands.update(owner=owner, upload_id=upload.pk, correction=None)
    assert queries.upload(owner=owner, upload_id=upload.pk).processed_text == ""
    assert len(upload_changes) == 3


def test_update_without_fields_is_an_error_on_data(upload_changes: list[UploadChange]) -> None:
    owner = new_user()
    upload = new_upload(owner)
    upload_changes.clear()
    with pytest.raises(RequestError) as raised:
        commands.update(owner=owner, upload_id=upload.pk)
    assert list(raised.value.fields) == ["data"]
    assert upload_changes == []


# ── delete ──


def test_delete_removes_row_pages_job_and_file(
    upload_changes: list[UploadChange], files_before: set[str]
) -> None:
    owner = new_user()
    upload = new_upload(owner)
    Page.objects.create(upload=upload, attempt=1, number=1, width=1, height=1)
    upload_changes.clear()
    last = commands.delete(owner=owner, upload_id=upload.pk)
    assert last.instance.id == upload.pk
    assert stored_files() == files_before
    assert not (conf.files_dir / str(upload.pk)).exists()
    for model in (Page, Job):
        assert not model.objects.filter(upload_id=upload.pk).exists()
    assert [(event.message, event.ends_reading) for event in upload_changes] == [(last, True)]


def test_delete_removes_the_row_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_user()
    upload = new_upload(owner)
    rows_left: list[int] = []
    monkeypatch.setattr(
        storage, "delete", lambda _key: rows_left.append(Upload.objects.filter(pk=upload.pk).count())
    )
    commands.delete(owner=owner, upload_id=upload.pk)
    assert rows_left == [0]


def test_delete_that_fails_leaves_row_and_file(
    monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    owner = new_user()
    upload = new_upload(owner)
    upload_changes.clear()

    def failing(_self: Upload) -> None:
        raise DatabaseError

    monkeypatch.setattr(Upload, "delete", failing)
    with pytest.raises(DatabaseError):
        commands.delete(owner=owner, upload_id=upload.pk)
    assert Upload.objects.filter(pk=upload.pk).exists()
    assert (conf.files_dir / upload.image_path).exists()
    assert upload_changes == []


def test_delete_without_a_stored_file_removes_the_row() -> None:
    owner = new_user()
    upload = new_upload(owner)
    storage.delete(upload.image_path)
    commands.delete(owner=owner, upload_id=upload.pk)
    assert not Upload.objects.filter(pk=upload.pk).exists()


# ── cancel and retry ──


def read_pages(upload: Upload, *texts: str) -> None:
    for number, text in enumerate(texts, 1):
        Page.objects.create(
            upload=upload,
            attempt=1,
            number=number,
            width=1,
            height=1,
            markdown=f"# {text}",
            text=text,
            warnings=["w"],
        )


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_cancel_of_an_open_upload_keeps_its_finished_pages(
    status: Status, upload_changes: list[UploadChange]
) -> None:
    owner = new_user()
    upload = new_upload(owner)
    Upload.objects.filter(pk=upload.pk).update(status=status, page_count=3, pages_done=2)
    read_pages(upload, "one", "two")
    upload_changes.clear()
    commands.cancel(owner=owner, upload_id=upload.pk, requester=ORIGIN)
    left = queries.upload(owner=owner, upload_id=upload.pk)
    assert (left.status, left.error) == (Status.CANCELLED, "Cancelled")
    assert (left.raw_text, left.plain_text, left.warnings) == ("# one\n\n# two", "one\n\ntwo", ["w"])
    assert (left.page_count, left.pages_done) == (3, 2)
    assert queries.page(owner=owner, upload_id=upload.pk, number=2).text == "two"
    assert not Job.objects.filter(upload=upload).exists()
    ended, event = upload_changes
    assert ended.message == serializers.status_change(left)
    assert event.message == messages.Failed(id=upload.pk, status="cancelled", error="Cancelled")
    assert [each.requester for each in (ended, event)] == [ORIGIN, ORIGIN]
    assert [each.ends_reading for each in (ended, event)] == [False, True]
    assert ended.reply == event.message  # the reply comes before both
    assert left.error_code == "cancelled"


def test_cancel_of_a_cancelled_upload_changes_nothing(upload_changes: list[UploadChange]) -> None:
    owner = new_user()
    upload = new_upload(owner)
    first = commands.cancel(owner=owner, upload_id=upload.pk)
    upload_changes.clear()
    second = commands.cancel(owner=owner, upload_id=upload.pk)
    assert serializers.failed(second) == serializers.failed(first)
    assert second.updated_at == first.updated_at
    assert upload_changes == []


@pytest.mark.parametrize("status", [Status.PROCESSED, Status.ERROR])
def test_cancel_of_an_ended_upload_is_a_conflict(status: Status, upload_changes: list[UploadChange]) -> None:
    owner = new_user()
    upload = new_upload(owner)
    end_with(upload, status)
    upload_changes.clear()
    with pytest.raises(StatusConflict, match=status) as raised:
        commands.cancel(owner=owner, upload_id=upload.pk)
    assert list(raised.value.fields) == ["instance_id"]
    assert Upload.objects.get(pk=upload.pk).status == status
    assert upload_changes == []


@pytest.mark.parametrize("status", [Status.PROCESSED, Status.ERROR, Status.CANCELLED])
def test_retry_of_an_ended_upload_keeps_the_correction(
    status: Status, upload_changes: list[UploadChange], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(commands.notify, "notify_jobs_available", lambda: woken.append(True))
    owner = new_user()
    upload = new_upload(owner)
    read_pages(upload, "one")
    end_with(upload, status)
    Upload.objects.filter(pk=upload.pk).update(
        attempt=4, correction="mine", page_count=1, pages_done=1, warnings=["w"]
    )
    upload_changes.clear()
    woken.clear()
    commands.retry(owner=owner, upload_id=upload.pk, requester=ORIGIN)
    requeued = queries.upload(owner=owner, upload_id=upload.pk)
    assert (requeued.status, requeued.error, requeued.raw_text, requeued.plain_text) == (
        Status.PENDING,
        None,
        "",
        "",
    )
    assert (requeued.page_count, requeued.pages_done, requeued.warnings) == (None, 0, [])
    assert (requeued.attempt, requeued.processed_text) == (4, "mine")
    assert not Page.objects.filter(upload=upload).exists()
    assert Job.objects.filter(upload=upload, first_page=1, failures=0).count() == 1
    [event] = upload_changes
    assert event.message == serializers.updated(requeued)
    assert (event.requester, event.ends_reading) == (ORIGIN, False)
    assert woken == [True]


@pytest.mark.parametrize("status", [Status.PROCESSED, Status.ERROR, Status.CANCELLED])
def test_retry_with_pages_keeps_the_text_of_the_others(status: Status) -> None:
    owner = new_user()
    upload = new_upload(owner)
    read_pages(upload, "one", "two", "three")
    end_with(upload, status)
    Upload.objects.filter(pk=upload.pk).update(page_count=4, pages_done=3)
    commands.retry(owner=owner, upload_id=upload.pk, options=ReadOptions(pages="2,4"))
    requeued = queries.upload(owner=owner, upload_id=upload.pk)
    assert (requeued.raw_text, requeued.plain_text) == ("# one\n\n# three", "one\n\nthree")
    assert (requeued.page_count, requeued.pages_done, requeued.warnings) == (4, 2, ["w"])
    assert list(upload.pages.values_list("number", flat=True)) == [1, 3]


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_retry_of_an_open_upload_is_a_conflict(status: Status, upload_changes: list[UploadChange]) -> None:
    owner = new_user()
    upload = new_upload(owner)
    Upload.objects.filter(pk=upload.pk).update(status=status)
    upload_changes.clear()
    with pytest.raises(StatusConflict, match=status) as raised:
        commands.retry(owner=owner, upload_id=upload.pk)
    assert list(raised.value.fields) == ["instance_id"]
    assert Job.objects.filter(upload=upload).count() == 1
    assert upload_changes == []


@pytest.mark.parametrize(
    "change",
    [
        lambda user, key: commands.update(owner=user, upload_id=key, filename="stolen.png"),
        lambda user, key: commands.delete(owner=user, upload_id=key),
        lambda user, key: commands.cancel(owner=user, upload_id=key),
        lambda user, key: commands.retry(owner=user, upload_id=key),
    ],
    ids=["update", "delete", "cancel", "retry"],
)
def test_commands_on_uploads_of_another_user_raise_not_found(
    change: Callable[[User, uuid.UUID], object], upload_changes: list[UploadChange]
) -> None:
    upload = new_upload(new_user())
    upload_changes.clear()
    for user, key in [(new_user(), upload.pk), (upload.owner, uuid.uuid4())]:
        with pytest.raises(UploadNotFound):
            change(user, key)
    assert Upload.objects.get(pk=upload.pk).filename == upload.filename
    assert (conf.files_dir / upload.image_path).exists()
    assert upload_changes == []
