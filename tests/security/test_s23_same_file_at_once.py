"""S23 — the same file twice at once: one row, one job, one file; everybody else gets the duplicate."""

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


def at_once(works: list[Callable[[], T]]) -> list[T]:
    """Each on a thread with a connection of its own, all let go together; their results in order."""
    barrier = threading.Barrier(len(works), timeout=30)

    def run(work: Callable[[], T]) -> T:
        connection.ensure_connection()
        barrier.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def create(owner: User, image: bytes) -> commands.CreateResult:
    return commands.create(owner=owner, source=UploadSource(image_base64=base64_of(image)))


def files_of(*uploads: Upload) -> set[str]:
    """Files of these uploads, and files that no row of the database names."""
    named = set(Upload.objects.values_list("image_path", flat=True))
    found = {str(path.relative_to(conf.files_dir)) for path in conf.files_dir.rglob("*.*")}
    return {path for path in found if path not in named or path in {u.image_path for u in uploads}}


@pytest.fixture(autouse=True)
def no_files_without_a_row() -> None:
    """Files of earlier tests, whose rows are gone."""
    for directory in list(conf.files_dir.iterdir()):
        shutil.rmtree(directory)


def test_s23_one_row_one_job_one_file_and_the_others_are_duplicates(
    upload_changes: list[UploadChange],
) -> None:
    owner, image = new_user(), scripted_png()
    made = at_once([lambda: create(owner, image)] * THREADS)
    assert sorted(duplicate for _, duplicate in made) == [False] + [True] * (THREADS - 1)
    assert len({upload.pk for upload, _ in made}) == 1
    [upload] = Upload.objects.filter(owner=owner)
    assert Job.objects.filter(upload=upload).count() == 1
    assert files_of(upload) == {upload.image_path}
    assert (conf.files_dir / upload.image_path).read_bytes() == image
    assert not list(conf.staging_dir.iterdir())
    assert len(upload_changes) == 1


def test_s23_the_constraint_decides_also_where_nobody_s_look_finds_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All sixteen look before any writes: the worst order there is."""
    owner, image = new_user(), scripted_png()
    looked = threading.Barrier(THREADS, timeout=30)
    first_look = threading.local()
    look = commands.queries.upload_by_hash

    def together(*, owner: User, image_hash: str) -> Upload | None:
        found = look(owner=owner, image_hash=image_hash)
        if not getattr(first_look, "done", False):
            first_look.done = True
            looked.wait()
        return found

    monkeypatch.setattr(commands.queries, "upload_by_hash", together)
    made = at_once([lambda: create(owner, image)] * THREADS)
    assert sorted(duplicate for _, duplicate in made) == [False] + [True] * (THREADS - 1)
    [upload] = Upload.objects.filter(owner=owner)
    assert Job.objects.filter(upload=upload).count() == 1
    assert files_of(upload) == {upload.image_path}


def test_s23_the_same_file_of_two_users_is_two_uploads() -> None:
    users, image = [new_user(), new_user()], scripted_png()
    made = at_once([lambda user=user: create(user, image) for user in users for _ in range(4)])  # type: ignore[misc]
    assert sum(not duplicate for _, duplicate in made) == 2
    for user in users:
        assert Upload.objects.filter(owner=user).count() == 1
    assert files_of(*Upload.objects.all()) == {upload.image_path for upload in Upload.objects.all()}


def test_s23_a_failed_upload_that_comes_sixteen_times_is_read_again_once(
    upload_changes: list[UploadChange],
) -> None:
    owner, image = new_user(), scripted_png()
    upload, _ = create(owner, image)
    Job.objects.all().delete()
    Upload.objects.filter(pk=upload.pk).update(status=Status.ERROR, error="Broken.")
    upload_changes.clear()
    made = at_once([lambda: create(owner, image)] * THREADS)
    assert all(duplicate and found.pk == upload.pk for found, duplicate in made)
    assert Job.objects.filter(upload=upload).count() == 1
    assert len(upload_changes) == 1


@pytest.mark.parametrize("round_number", range(8))
def test_s23_a_create_that_races_a_delete_leaves_row_and_file_agreeing(round_number: int) -> None:
    owner, image = new_user(), scripted_png()
    upload, _ = create(owner, image)
    refusals: list[list[str]] = []

    def creating() -> commands.CreateResult | None:
        try:
            return create(owner, image)
        except RequestError as error:
            refusals.append(list(error.fields))
            return None

    def deleting() -> bool:
        try:
            commands.delete(owner=owner, upload_id=upload.pk)
        except UploadNotFound:
            return False
        return True

    results = at_once([creating, deleting, creating, deleting])
    assert all(fields == ["image_hash"] for fields in refusals), "stored and deleted while it came in"
    assert results[1] + results[3] == 1  # type: ignore[operator]
    rows = list(Upload.objects.filter(owner=owner))
    assert len(rows) <= 1
    assert files_of(*rows) == {row.image_path for row in rows}
    assert Job.objects.filter(upload__owner=owner).count() == len(rows)
    for row in rows:
        assert row.pk != upload.pk
        assert (conf.files_dir / row.image_path).read_bytes() == image


def test_s23_a_duplicate_deleted_after_it_was_found_is_stored_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lock the other socket's delete commits."""
    owner, image = new_user(), scripted_png()
    upload, _ = create(owner, image)
    Upload.objects.filter(pk=upload.pk).update(status=Status.ERROR)
    look = commands.queries.upload_by_hash

    def then_deleted(*, owner: User, image_hash: str) -> Upload | None:
        found = look(owner=owner, image_hash=image_hash)
        if found is not None and found.pk == upload.pk:
            commands.delete(owner=owner, upload_id=upload.pk)
        return found

    monkeypatch.setattr(commands.queries, "upload_by_hash", then_deleted)
    again, duplicate = create(owner, image)
    assert not duplicate
    assert again.pk != upload.pk
    assert files_of(again) == {again.image_path}
