"""What is run again, how often, and what comes out in the end."""

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


class FromPostgreSQL(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def failing(times: int, sqlstate: str | None = None) -> Callable[[], int]:
    """Fails so often, then gives how often it was called."""
    calls = 0

    def work() -> int:
        nonlocal calls
        calls += 1
        if calls <= times:
            raise OperationalError("the server closed the connection") from FromPostgreSQL(sqlstate)
        return calls

    return work


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "BACKOFF_SECONDS", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("sqlstate", [None, "40001", "40P01", "57P01", "57P02", "57P03", "08006"])
def test_what_passes_is_tried_three_times_more(sqlstate: str | None) -> None:
    assert retry_transient(failing(3, sqlstate))() == 4
    with pytest.raises(DatabaseUnavailable):
        retry_transient(failing(4, sqlstate))()


@pytest.mark.parametrize("sqlstate", ["42601", "53100", "XX000"])
def test_what_would_come_again_is_not_tried_again(sqlstate: str) -> None:
    work = failing(1, sqlstate)
    with pytest.raises(OperationalError):
        retry_transient(work)()
    assert work() == 2, "it was called once"


@pytest.mark.parametrize("sqlstate", ["55P03", "57014"])
def test_who_waited_too_long_is_told_so_at_once(sqlstate: str) -> None:
    work = failing(1, sqlstate)
    with pytest.raises(DatabaseUnavailable):
        retry_transient(work)()
    assert work() == 2, "it was called once"


def test_an_error_of_sqlite_is_its_own() -> None:
    def locked() -> None:
        raise OperationalError("database is locked") from ValueError()

    with pytest.raises(OperationalError):
        retry_transient(locked)()


def test_a_part_of_a_transaction_is_not_run_again_alone() -> None:
    with pytest.raises(OperationalError), transaction.atomic():
        retry_transient(failing(1))()


def test_a_create_whose_commit_was_not_heard_of_is_there_once_with_its_file(
    monkeypatch: pytest.MonkeyPatch, upload_changes: list[UploadChange]
) -> None:
    owner = new_user()
    commit, lost = connection._commit, [True]

    def and_lose() -> None:
        commit()
        if lost:
            lost.pop()
            raise OperationalError("the connection is lost") from FromPostgreSQL(None)

    monkeypatch.setattr(connection, "_commit", and_lose)
    source = UploadSource(image_base64=base64_of(scripted_png()))
    created = commands.create(owner=owner, source=source)
    assert not created.duplicate
    [upload] = Upload.objects.filter(owner=owner)
    assert upload.pk == created.upload.pk
    with storage.local_copy(upload.image_path) as file:
        assert file.is_file()
    assert Event.objects.filter(owner=owner).count() == 1
