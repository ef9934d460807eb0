"""Tests of the quotas of a user, also with concurrent requests."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from backend_main.core import storage
from backend_main.core.errors import PendingLimitExceeded, QuotaExceeded, RequestError
from backend_main.core.models import Status, Upload, User
from backend_main.core.uploads import commands, quotas
from tests.support.concurrency import run_concurrently
from tests.support.database import new_upload, new_user
from tests.support.page_images import scripted_png

pytestmark = pytest.mark.django_db

Quota = Callable[..., None]


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch) -> Quota:
    def set_to(**values: int) -> None:
        monkeypatch.setattr(quotas, "conf", msgspec.structs.replace(quotas.conf, **values))

    return set_to


def cancel(upload: Upload) -> None:
    commands.cancel(owner=upload.owner, upload_id=upload.pk)


def test_check_new_upload_without_quotas_runs_no_query(
    quota: Quota, django_assert_num_queries: Callable[..., object]
) -> None:
    quota(max_pending_per_user=0, max_uploads_per_user=0, max_bytes_per_user=0)
    with django_assert_num_queries(0):  # type: ignore[attr-defined] # it is a context manager
        quotas.check_new_upload(new_user_unsaved(), 1, "image_base64")


def new_user_unsaved() -> User:
    return User(username="unsaved")


def test_pending_limit_counts_open_uploads_of_one_user(
    quota: Quota,
) -> None:
    quota(max_pending_per_user=2)
    owner = new_user()
    first, second = new_upload(owner), new_upload(owner)
    with pytest.raises(PendingLimitExceeded) as raised:
        new_upload(owner)
    assert raised.value.fields.keys() == {"image_base64"}
    assert raised.value.http_status == 429
    assert Upload.objects.count() == 2
    new_upload(new_user())
    Upload.objects.filter(pk=first.pk).update(status=Status.PROCESSING)
    with pytest.raises(PendingLimitExceeded):
        new_upload(owner)
    cancel(second)
    third = new_upload(owner)
    with pytest.raises(PendingLimitExceeded) as raised:
        commands.retry(owner=owner, upload_id=second.pk)
    assert raised.value.fields.keys() == {"instance_id"}
    assert Upload.objects.get(pk=second.pk).status == Status.CANCELLED
    cancel(third)
    commands.retry(owner=owner, upload_id=second.pk)


def test_upload_quota_refuses_another_file_and_stores_nothing(quota: Quota) -> None:
    quota(max_uploads_per_user=1)
    owner = new_user()
    image = scripted_png()
    first_upload = new_upload(owner, image)
    before = storage.stored_ids(older_than_seconds=0)
    with pytest.raises(QuotaExceeded, match="files, the maximum"):
        new_upload(owner)
    assert sorted(storage.stored_ids(older_than_seconds=0)) == sorted(before)
    assert new_upload(owner, image).pk == first_upload.pk, "a duplicate does not count"
    commands.delete(owner=owner, upload_id=first_upload.pk)
    new_upload(owner)


def test_byte_quota_refuses_a_file_that_exceeds_it(quota: Quota) -> None:
    owner, image = new_user(), scripted_png(lines=["a short line"])
    quota(max_bytes_per_user=2 * len(image))
    new_upload(owner, image)
    with pytest.raises(QuotaExceeded, match=f"{len(image)} bytes left"):
        new_upload(owner, scripted_png(lines=["longer" * 100]))


@pytest.mark.django_db(transaction=True)
def test_pending_limit_holds_for_concurrent_uploads(quota: Quota) -> None:
    quota(max_pending_per_user=3)
    owner = new_user()
    raised = run_concurrently(*(lambda: new_upload(owner) for _ in range(8)))
    assert sum(isinstance(error, RequestError) for error in raised) == 5
    assert Upload.objects.count() == 3
