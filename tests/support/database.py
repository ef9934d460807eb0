"""Database fixtures for tests that call server functions directly.

The SQLite test database is a file, because threads must share it.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

django.setup()  # `tests/conftest.py` sets the settings module and the data directory

from backend_main.core import event_log, storage  # noqa: E402
from backend_main.core.event_log import UploadChange  # noqa: E402
from backend_main.core.models import Upload, User  # noqa: E402
from backend_main.core.uploads.commands import UploadSource, create  # noqa: E402

from . import deployment_mode  # noqa: E402
from .encoding import base64_of  # noqa: E402
from .page_images import scripted_png  # noqa: E402


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Put the test database into a file: an in-memory SQLite has one lock for all tables and no WAL."""
    from django.conf import settings

    test_settings = settings.DATABASES["default"].setdefault("TEST", {})
    if not deployment_mode.is_embedded():
        assert "postgresql" in settings.DATABASES["default"]["ENGINE"]
        test_settings["NAME"] = f"unit_{uuid.uuid4().hex[:12]}"
        yield
        return
    with tempfile.TemporaryDirectory(prefix="scanrill-test-db-") as directory:
        test_settings["NAME"] = str(Path(directory) / "test.sqlite3")
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End the sessions of the executors' threads, which stay open: PostgreSQL drops no database in use."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True)
def data_directories() -> None:
    storage.prepare()


@pytest.fixture
def upload_changes() -> Iterator[list[UploadChange]]:
    """Collect the changes that the event log passes to its listeners during the test."""
    changes: list[UploadChange] = []
    event_log.add_listener(changes.append)
    yield changes
    event_log.remove_listener(changes.append)


def new_user(name: str | None = None) -> User:
    return User.objects.create(username=name or f"user-{uuid.uuid4().hex[:8]}")


def new_upload(owner: User, image: bytes | None = None) -> Upload:
    """Create a pending upload with its file and its job."""
    return create(owner=owner, source=UploadSource(image_base64=base64_of(image or scripted_png()))).upload
