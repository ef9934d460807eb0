"""Requests with an idempotency key: carried out once, for 24 hours, for one user."""

from __future__ import annotations

import pytest
from django.utils import timezone

from backend_main.core.errors import KeyInUse, KeyReused, RequestError, UploadNotFound
from backend_main.core.models import IdempotencyKey, User
from backend_main.core.uploads import commands, idempotency
from backend_main.core.uploads.commands import CreateResult
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db


class Creation:
    """A request that creates an upload, and counts how often."""

    def __init__(self, owner: User) -> None:
        self.owner = owner
        self.calls = 0

    def __call__(self) -> CreateResult:
        self.calls += 1
        return CreateResult(new_upload(self.owner), duplicate=False)

    def run(self, key: str | None = "k", digest: str = "d") -> CreateResult:
        return idempotency.run_once(owner=self.owner, key=key, digest=digest, function=self)


def test_run_once_of_the_same_request_returns_the_first_upload() -> None:
    request = Creation(new_user())
    first = request.run()
    commands.update(owner=request.owner, upload_id=first.upload.pk, filename="new.png")
    second = request.run()
    assert (second.upload.pk, second.duplicate, request.calls) == (first.upload.pk, False, 1)
    assert second.upload.filename == "new.png"


def test_run_once_of_another_request_raises_key_reused() -> None:
    request = Creation(new_user())
    request.run()
    with pytest.raises(KeyReused):
        request.run(digest="other")
    assert request.calls == 1


def test_run_once_while_the_first_request_runs_raises_key_in_use() -> None:
    owner = new_user()

    def nested() -> CreateResult:
        with pytest.raises(KeyInUse) as raised:
            Creation(owner).run()
        assert raised.value.headers == {"Retry-After": "1"}
        return CreateResult(new_upload(owner), duplicate=False)

    idempotency.run_once(owner=owner, key="k", digest="d", function=nested)


def test_run_once_after_a_failure_carries_the_request_out() -> None:
    request = Creation(new_user())

    def fail() -> CreateResult:
        raise RequestError({"file": "No."})

    with pytest.raises(RequestError):
        idempotency.run_once(owner=request.owner, key="k", digest="other", function=fail)
    request.run()
    assert request.calls == 1


def test_run_once_of_a_key_that_a_dead_process_left_carries_the_request_out() -> None:
    request = Creation(new_user())
    long_ago = timezone.now() - idempotency.ABANDONED_AFTER
    IdempotencyKey.objects.create(owner_id=request.owner.pk, key="k", digest="d", created_at=long_ago)
    request.run()
    assert request.calls == 1


def test_keys_belong_to_one_user_and_expire() -> None:
    first, second = Creation(new_user()), Creation(new_user())
    first.run()
    second.run(digest="other")
    IdempotencyKey.objects.filter(owner_id=first.owner.pk).update(
        created_at=timezone.now() - idempotency.KEY_LIFETIME
    )
    assert idempotency.remove_expired() == 1
    assert [row.owner_id for row in IdempotencyKey.objects.all()] == [second.owner.pk]


def test_run_once_after_the_upload_was_deleted_raises_upload_not_found() -> None:
    request = Creation(new_user())
    upload = request.run().upload
    commands.delete(owner=request.owner, upload_id=upload.pk)
    with pytest.raises(UploadNotFound):
        request.run()


def test_run_once_without_a_key_stores_nothing() -> None:
    Creation(new_user()).run(key=None)
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_parse_key_of_an_invalid_key_raises_request_error(key: str) -> None:
    with pytest.raises(RequestError):
        idempotency.parse_key(key)


def test_parse_key_returns_a_valid_key() -> None:
    assert [idempotency.parse_key(key) for key in (None, "x" * 255)] == [None, "x" * 255]
