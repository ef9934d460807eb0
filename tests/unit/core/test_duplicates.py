"""Creates of bytes that the user has already: existing, read again, or refused; kept or expiring."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from backend_main.core.conf import conf
from backend_main.core.errors import DuplicateUpload, RequestError, StatusConflict
from backend_main.core.event_log import UploadChange
from backend_main.core.jobs.options import ReadOptions
from backend_main.core.models import Status, Upload, User
from backend_main.core.uploads import commands, expiry
from backend_main.core.uploads.commands import CreateResult, UploadSource
from tests.support.database import new_user
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png

pytestmark = pytest.mark.django_db
IMAGE = scripted_png(lines=["one"])


def create(owner: User, options: dict[str, Any] | None = None, **about: Any) -> CreateResult:
    source = UploadSource(image_base64=base64_of(IMAGE))
    return commands.create(owner=owner, source=source, options=ReadOptions(**(options or {})), **about)


def processed(owner: User, **options: Any) -> Upload:
    upload = create(owner, options).upload
    upload.jobs.all().delete()
    Upload.objects.filter(pk=upload.pk).update(status=Status.PROCESSED, engine="dummy")
    return upload


SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({}, {"engine": "dummy"}),
    ({}, {"furniture": "drop", "barcodes": False, "priority": "batch"}),
    ({"engine": "dummy", "languages": ["eng"]}, {"languages": ["en"]}),
    ({"engine": "dummy", "languages": ["en"]}, {}),
    ({"pages": "1-2,3"}, {"pages": "1-3"}),
]
OTHER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"pages": "1"}),
    ({"pages": "1"}, {}),
    ({}, {"furniture": "keep"}),
    ({}, {"barcodes": True}),
    ({}, {"languages": ["en"]}),
]


@pytest.mark.parametrize(("had", "asked"), SAME)
def test_create_of_a_duplicate_that_has_what_is_asked_changes_nothing(
    had: dict[str, Any], asked: dict[str, Any], upload_changes: list[UploadChange]
) -> None:
    owner = new_user()
    upload = processed(owner, **had)
    upload_changes.clear()
    found = create(owner, asked)
    assert (found.upload.pk, found.upload.status, found.duplicate) == (upload.pk, Status.PROCESSED, True)
    assert upload_changes == []


@pytest.mark.parametrize(("had", "asked"), OTHER)
def test_create_of_a_duplicate_that_asks_for_another_reading_reads_it_again(
    had: dict[str, Any], asked: dict[str, Any]
) -> None:
    owner = new_user()
    upload = processed(owner, **had)
    found = create(owner, asked)
    assert (found.upload.pk, found.upload.status, found.duplicate) == (upload.pk, Status.PENDING, True)
    assert Upload.objects.get(pk=upload.pk).read_options == asked
    assert found.upload.jobs.count() == 1
    # The second of two requests at once finds the reading that it asks for.
    assert create(owner, asked).upload.jobs.count() == 1


@pytest.mark.parametrize(("had", "asked"), OTHER)
def test_create_with_existing_keeps_another_reading(had: dict[str, Any], asked: dict[str, Any]) -> None:
    owner = new_user()
    processed(owner, **had)
    assert create(owner, asked, on_duplicate="existing").upload.status == Status.PROCESSED


def test_create_with_error_refuses_a_duplicate_alone() -> None:
    owner = new_user()
    upload, duplicate = create(owner, on_duplicate="error")
    assert not duplicate
    with pytest.raises(DuplicateUpload, match=str(upload.pk)):
        create(owner, on_duplicate="error")


def test_create_that_asks_for_another_reading_of_an_open_upload_is_a_conflict() -> None:
    owner = new_user()
    upload = create(owner).upload
    with pytest.raises(StatusConflict, match=str(upload.pk)):
        create(owner, {"pages": "2"})
    assert Upload.objects.get(pk=upload.pk).read_options == {}


def test_create_stores_name_and_metadata_of_a_new_upload_only() -> None:
    owner = new_user()
    first = create(owner, filename="invoice.png", metadata={"case": 7}).upload
    assert (first.filename, first.metadata, first.expires_at) == ("invoice.png", {"case": 7}, None)
    assert first.text_bytes == len(b'{"case":7}')
    again = create(owner, filename="other.png", metadata={}).upload
    assert (again.filename, again.metadata) == ("invoice.png", {"case": 7})


def test_create_via_a_wire_expires_unless_the_user_creates_it_too() -> None:
    owner, other = new_user(), new_user()
    hours = dt.timedelta(hours=conf.wire_retention_hours)
    before = timezone.now()
    kept, expired = (create(user, via="docling").upload for user in (owner, other))
    assert kept.metadata == {"via": "docling"}
    assert kept.expires_at is not None
    assert before + hours <= kept.expires_at <= timezone.now() + hours
    create(owner, via="docling")
    assert Upload.objects.get(pk=kept.pk).expires_at is not None
    create(owner)
    assert Upload.objects.get(pk=kept.pk).expires_at is None
    assert expiry.remove_expired() == 0
    Upload.objects.filter(expires_at__isnull=False).update(expires_at=before)
    assert expiry.remove_expired() == 1
    assert [*Upload.objects.filter(owner__in=[owner, other])] == [kept]
    assert not Upload.objects.filter(pk=expired.pk).exists()


def test_create_with_an_invalid_option_of_a_duplicate_changes_nothing() -> None:
    owner = new_user()
    processed(owner)
    with pytest.raises(RequestError):
        create(owner, {"engine": "magic"})
    assert Upload.objects.get(owner=owner).status == Status.PROCESSED
