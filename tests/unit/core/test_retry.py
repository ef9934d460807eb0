"""Retry of transactions: after which errors, how often, and with what result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from backend_main.core import storage
from backend_main.core.db import retry as retrying
from backend_main.core.db.retry import retry_transient
from backend_main.core.errors import DatabaseUnavailable
from backend_main.core.event_log import UploadChange
from backend_main.core.models import Event, Upload
from backend_main.core.uploads import commands
from backend_main.core.uploads.commands import UploadSource
from tests.support.database import new_user
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png

pytestmark = pytest.mark.django_db(transaction=True)


class PostgreSQLError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def fail_first(times: int, sqlstate: str | None = None) -> Callable[[], int]:
    """Return a function that fails `times` times, then returns the number of its calls."""
    calls = 0

    def function() -> int:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise OperationalError("the server closed the connection") from PostgreSQLError(sqlstate)
        return calls

    return function


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "BACKOFF_SECONDS", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("sqlstate", [None, "40001", "40P01", "57P01", "57P02", "57P03", "08006"])
def test_retry_transient_error_is_retried_three_times(sqlstate: str | None) -> None:
    assert retry_transient(fail_first(3, sqlstate))() == 4
    with pytest.raises(DatabaseUnavailable):
        retry_transient(fail_first(4, sqlstate))()


@pytest.mark.parametrize("sqlstate", ["42601", "53100", "XX000"])
def test_retry_permanent_error_is_raised_at_once(sqlstate: str) -> None:
    function = fail_first(1, sqlstate)
    with pytest.raises(OperationalError):
        retry_transient(function)()
    assert function() == 2, "it was called once"


@pytest.mark.parametrize("sqlstate", ["55P03", "57014"])
def test_retry_timeout_raises_database_unavailable_at_once(sqlstate: str) -> None:
    function = fail_first(1, sqlstate)
    with pytest.raises(DatabaseUnavailable):
        retry_transient(function)()
    assert function() == 2, "it was called once"


def test_retry_sqlite_error_is_raised() -> None:
    def locked() -> None:
        raise OperationalError("database is locked") from ValueError()

    with pytest.raises(OperationalError):
        retry_transient(locked)()


def test_retry_inside_a_transaction_does_nothing() -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        retry_transient(fail_first(1))()


def test_retry_create_after_lost_commit_reply_creates_one_upload(
    monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    owner = new_user()
    commit, pending_failures = connection._commit, [True]

    def commit_and_fail() -> None:
        commit()
        if pending_failures:
            pending_failures.pop()
            raise OperationalError("the connection is lost") from PostgreSQLError(None)

    monkeypatch.setattr(connection, "_commit", commit_and_fail)
    source = UploadSource(image_base64=base64_of(scripted_png()))
    created = commands.create(owner=owner, source=source)
    assert not created.duplicate
    [upload] = Upload.objects.filter(owner=owner)
    assert upload.pk == created.upload.pk
    with storage.local_copy(upload.image_path) as file:
        assert file.is_file()
    assert Event.objects.filter(owner=owner).count() == 1
