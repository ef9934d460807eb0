"""Retry of transactions: after which errors, how often, and with what result."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from django.db import DatabaseError, DataError, OperationalError, connection, transaction

from backend_main.core import storage
from backend_main.core.db import retry as retrying
from backend_main.core.db.retry import retry_transient
from backend_main.core.errors import DatabaseFull, DatabaseUnavailable
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


@pytest.mark.parametrize("sqlstate", ["42601", "XX000"])
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


def test_retry_full_disk_raises_database_full_at_once() -> None:
    function = fail_first(1, "53100")
    with pytest.raises(DatabaseFull):
        retry_transient(function)()
    assert function() == 2, "it was called once"


def sqlite_failure(code: int) -> Callable[[], None]:
    def function() -> None:
        cause = sqlite3.OperationalError("the message")
        cause.sqlite_errorcode = code
        raise DatabaseError("the message") from cause

    return function


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, DatabaseUnavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, DatabaseUnavailable),
        (sqlite3.SQLITE_IOERR_SHMSIZE, DatabaseFull),
        (sqlite3.SQLITE_FULL, DatabaseFull),
        (sqlite3.SQLITE_CORRUPT, DatabaseUnavailable),
        (sqlite3.SQLITE_CORRUPT_INDEX, DatabaseUnavailable),
        (sqlite3.SQLITE_READONLY, DatabaseUnavailable),
        (sqlite3.SQLITE_CANTOPEN, DatabaseUnavailable),
        (sqlite3.SQLITE_NOTADB, DatabaseUnavailable),
        (sqlite3.SQLITE_ERROR, DatabaseError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, DatabaseError),
    ],
)
def test_retry_sqlite_result_code_decides_the_error(code: int, expected: type[Exception]) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the type is checked below
        retry_transient(sqlite_failure(code))()
    assert type(raised.value) is expected


def test_retry_value_that_the_driver_rejects_is_raised_at_once() -> None:
    def reject() -> None:
        raise DataError("PostgreSQL text fields cannot contain NUL") from PostgreSQLError(None)

    with pytest.raises(DataError):
        retry_transient(reject)()


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
