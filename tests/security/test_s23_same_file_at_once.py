"""S23 - concurrent creates of one file: one row, one job, one stored file; the others are duplicates."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from backend_main.core.conf import conf
from backend_main.core.errors import RequestError, UploadNotFound
from backend_main.core.event_log import UploadChange
from backend_main.core.models import (
    Job,
    Status,
    Upload,
    User,
)
from backend_main.core.uploads import commands
from backend_main.core.uploads.commands import UploadSource
from tests.support.database import new_user
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
THREADS = 16


def call_concurrently(functions: list[Callable[[], T]]) -> list[T]:
    """Call all functions at once, each on its own thread and connection; return the results in order."""
    barrier = threading.Barrier(len(functions), timeout=30)

    def run(function: Callable[[], T]) -> T:
        connection.ensure_connection()
        barrier.wait()
        try:
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(run, functions))


def create(owner: User, image: bytes) -> commands.CreateResult:
    return commands.create(owner=owner, source=UploadSource(image_base64=base64_of(image)))


def files_of(*uploads: Upload) -> set[str]:
    """Return the files of these uploads, and files that no row refers to."""
    referenced = set(Upload.objects.values_list("image_path", flat=True))
    found = {str(path.relative_to(conf.files_dir)) for path in conf.files_dir.rglob("*.*")}
    return {path for path in found if path not in referenced or path in {u.image_path for u in uploads}}


@pytest.fixture(autouse=True)
def remove_old_files() -> None:
    """Remove the files of earlier tests, whose rows no longer exist."""
    for directory in list(conf.files_dir.iterdir()):
        shutil.rmtree(directory)


def test_s23_concurrent_creates_make_one_row_one_job_and_one_file(
    upload_changes: list[UploadChange],
) -> None:
    owner, image = new_user(), scripted_png()
    results = call_concurrently([lambda: create(owner, image)] * THREADS)
    assert sorted(duplicate for _, duplicate in results) == [False] + [True] * (THREADS - 1)
    assert len({upload.pk for upload, _ in results}) == 1
    [upload] = Upload.objects.filter(owner=owner)
    assert Job.objects.filter(upload=upload).count() == 1
    assert files_of(upload) == {upload.image_path}
    assert (conf.files_dir / upload.image_path).read_bytes() == image
    assert not list(conf.staging_dir.iterdir())
    assert len(upload_changes) == 1


def test_s23_concurrent_creates_that_all_miss_the_lookup_make_one_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All sixteen threads look up the hash before any of them writes, which is the worst order."""
    owner, image = new_user(), scripted_png()
    barrier = threading.Barrier(THREADS, timeout=30)
    thread_state = threading.local()
    lookup = commands.queries.upload_by_hash

    def lookup_then_wait(*, owner: User, image_hash: str) -> Upload | None:
        found = lookup(owner=owner, image_hash=image_hash)
        if not getattr(thread_state, "done", False):
            thread_state.done = True
            barrier.wait()
        return found

    monkeypatch.setattr(commands.queries, "upload_by_hash", lookup_then_wait)
    results = call_concurrently([lambda: create(owner, image)] * THREADS)
    assert sorted(duplicate for _, duplicate in results) == [False] + [True] * (THREADS - 1)
    [upload] = Upload.objects.filter(owner=owner)
    assert Job.objects.filter(upload=upload).count() == 1
    assert files_of(upload) == {upload.image_path}


def test_s23_concurrent_creates_by_two_users_make_two_uploads() -> None:
    users, image = [new_user(), new_user()], scripted_png()
    results = call_concurrently([lambda user=user: create(user, image) for user in users for _ in range(4)])  # type: ignore[misc]
    assert sum(not duplicate for _, duplicate in results) == 2
    for user in users:
        assert Upload.objects.filter(owner=user).count() == 1
    assert files_of(*Upload.objects.all()) == {upload.image_path for upload in Upload.objects.all()}


def test_s23_concurrent_creates_of_failed_upload_queue_one_job(
    upload_changes: list[UploadChange],
) -> None:
    owner, image = new_user(), scripted_png()
    upload, _ = create(owner, image)
    Job.objects.all().delete()
    Upload.objects.filter(pk=upload.pk).update(status=Status.ERROR, error="Broken.")
    upload_changes.clear()
    results = call_concurrently([lambda: create(owner, image)] * THREADS)
    assert all(duplicate and found.pk == upload.pk for found, duplicate in results)
    assert Job.objects.filter(upload=upload).count() == 1
    assert len(upload_changes) == 1


@pytest.mark.parametrize("round_number", range(8))
def test_s23_create_concurrent_with_delete_leaves_row_and_file_consistent(round_number: int) -> None:
    owner, image = new_user(), scripted_png()
    upload, _ = create(owner, image)
    rejections: list[list[str]] = []

    def creating() -> commands.CreateResult | None:
        try:
            return create(owner, image)
        except RequestError as error:
            rejections.append(list(error.fields))
            return None

    def deleting() -> bool:
        try:
            commands.delete(owner=owner, upload_id=upload.pk)
        except UploadNotFound:
            return False
        return True

    results = call_concurrently([creating, deleting, creating, deleting])
    assert all(fields == ["image_hash"] for fields in rejections), "stored and deleted during the create"
    assert results[1] + results[3] == 1  # type: ignore[operator]
    rows = list(Upload.objects.filter(owner=owner))
    assert len(rows) <= 1
    assert files_of(*rows) == {row.image_path for row in rows}
    assert Job.objects.filter(upload__owner=owner).count() == len(rows)
    for row in rows:
        assert row.pk != upload.pk
        assert (conf.files_dir / row.image_path).read_bytes() == image


def test_s23_create_whose_duplicate_is_deleted_after_the_lookup_stores_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another socket's delete commits between the lookup and the lock."""
    owner, image = new_user(), scripted_png()
    upload, _ = create(owner, image)
    Upload.objects.filter(pk=upload.pk).update(status=Status.ERROR)
    lookup = commands.queries.upload_by_hash

    def lookup_then_delete(*, owner: User, image_hash: str) -> Upload | None:
        found = lookup(owner=owner, image_hash=image_hash)
        if found is not None and found.pk == upload.pk:
            commands.delete(owner=owner, upload_id=upload.pk)
        return found

    monkeypatch.setattr(commands.queries, "upload_by_hash", lookup_then_delete)
    second, duplicate = create(owner, image)
    assert not duplicate
    assert second.pk != upload.pk
    assert files_of(second) == {second.image_path}
