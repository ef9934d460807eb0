"""Tests of queries through the owner: lists, cursors, and valid tokens."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid

import pytest
from django.utils import timezone

from backend_main.core.auth import accounts
from backend_main.core.errors import PageNotFound, PageNotReady, RequestError, UploadNotFound
from backend_main.core.models import Upload, User
from backend_main.core.uploads import listing, queries, reading_commands
from tests.support.database import new_upload, new_user
from tests.support.searchable import insert_upload

pytestmark = pytest.mark.django_db

UPLOAD_ID = "6f1e1a52-7d0c-4f8e-9d5c-0a4f0f6f1b11"


def insert_uploads(owner: User, count: int, **fields: object) -> list[Upload]:
    """Insert uploads, two of each instant, so that their order needs the id; return the newest first."""
    now = timezone.now()
    inserted = []
    for number in range(count):
        upload = Upload.objects.create(
            owner=owner,
            filename=f"{number}.png",
            image_path=f"{number}",
            image_hash=uuid.uuid4().hex,
            content_type="image/png",
            bytes=1,
            **fields,
        )
        Upload.objects.filter(pk=upload.pk).update(created_at=now + dt.timedelta(seconds=number // 2))
        inserted.append(upload)
    return list(Upload.objects.filter(pk__in=[u.pk for u in inserted]).order_by("-created_at", "-id"))


def ids(found: listing.Listing) -> list[uuid.UUID]:
    return [uuid.UUID(json.loads(item)["id"]) for item in found.items]


def keys(uploads: list[Upload]) -> list[uuid.UUID]:
    return [upload.pk for upload in uploads]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_uploads_with_a_limit_yields_the_whole_list_in_parts(limit: int) -> None:
    owner = new_user()
    expected = insert_uploads(owner, 7)
    found: list[uuid.UUID] = []
    cursor = None
    while True:
        batch = listing.uploads(owner=owner, limit=limit, cursor=cursor)
        assert len(batch.items) <= limit
        found += ids(batch)
        cursor = batch.next
        if cursor is None:
            break
    assert found == keys(expected)


def test_uploads_with_the_cursor_of_a_deleted_upload_continues() -> None:
    owner = new_user()
    expected = insert_uploads(owner, 6)
    first = listing.uploads(owner=owner, limit=3)
    Upload.objects.get(pk=ids(first)[-1]).delete()
    assert ids(listing.uploads(owner=owner, limit=3, cursor=first.next)) == keys(expected[3:])


def test_uploads_with_the_cursor_of_another_user_lists_own_uploads_only() -> None:
    owner, other = new_user(), new_user()
    insert_uploads(owner, 4)
    cursor = listing.uploads(owner=owner, limit=1).next
    own = insert_uploads(other, 2)
    assert {*ids(listing.uploads(owner=other, cursor=cursor))} <= {*keys(own)}
    assert ids(listing.uploads(owner=other)) == keys(own)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!!",
        "é",
        "\ud800",
        encoded(""),
        encoded("2026-01-01T00:00:00+00:00"),
        encoded("2026-01-01T00:00:00+00:00 no-uuid"),
        encoded(f"never {UPLOAD_ID}"),
        encoded(f"2026-01-01T00:00:00 {UPLOAD_ID}"),
        encoded(f"0001-01-01T00:00:00+23:59 {UPLOAD_ID}"),
        encoded(f"9999-12-31T23:59:59-23:59 {UPLOAD_ID}"),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "A" * 100_000,
    ],
)
def test_uploads_with_an_invalid_cursor_is_an_error_on_cursor(cursor: str) -> None:
    with pytest.raises(RequestError) as raised:
        listing.uploads(owner=new_user(), cursor=cursor)
    assert list(raised.value.fields) == ["cursor"]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("4711", ["misread.png"]),  # the text as read, below the correction
        ("ZEBRA", ["misread.png"]),
        ("giraffe", ["page.png"]),
        ("page.PNG", ["page.png"]),
        ("elephant", []),
    ],
)
def test_uploads_with_search_finds_names_texts_and_corrections(search: str, names: list[str]) -> None:
    owner = new_user()
    insert_upload(owner, "invoice 4711", filename="misread.png", correction="a zebra")
    corrected = insert_upload(owner, "invoice 4712", filename="page.png")
    reading_commands.correct_page(owner=owner, upload_id=corrected.pk, number=1, correction="a giraffe")
    insert_upload(new_user(), "a zebra and a giraffe", filename="page.png")
    found = listing.uploads(owner=owner, search=search)
    assert [json.loads(item)["filename"] for item in found.items] == names


def test_uploads_without_a_limit_is_an_error_if_too_many_match(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_user()
    insert_uploads(owner, 4)
    monkeypatch.setattr(listing, "MAX_LIST_SIZE", 3)
    with pytest.raises(RequestError) as raised:
        listing.uploads(owner=owner)
    assert list(raised.value.fields) == ["limit"]
    monkeypatch.setattr(listing, "MAX_LIST_SIZE", 4)
    assert len(ids(listing.uploads(owner=owner))) == 4


def test_uploads_beyond_the_bytes_of_a_list_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_user()
    expected = keys(insert_uploads(owner, 5, metadata={"a": "x" * 500}))
    monkeypatch.setattr(listing, "MAX_LIST_BYTES", 4_000)
    first = listing.uploads(owner=owner, limit=5)
    assert sum(map(len, first.items)) <= 4_000
    assert ids(first) == expected[: len(first.items)]
    assert first.next is not None
    second = listing.uploads(owner=owner, limit=5, cursor=first.next)
    assert ids(first) + ids(second) == expected
    with pytest.raises(RequestError) as raised:
        listing.uploads(owner=owner)
    assert list(raised.value.fields) == ["limit"]
    monkeypatch.setattr(listing, "MAX_LIST_BYTES", 1)
    assert ids(listing.uploads(owner=owner, limit=5)) == expected[:1], "one always fits"


def test_uploads_filters_by_status_and_search() -> None:
    owner = new_user()
    done = insert_uploads(owner, 2, status="processed", raw_text="One Invoice")
    insert_uploads(owner, 2, status="error")
    assert ids(listing.uploads(owner=owner, status="processed")) == keys(done)
    assert ids(listing.uploads(owner=owner, search="invoice")) == keys(done)
    assert ids(listing.uploads(owner=owner, status="error", search="invoice")) == []
    assert len(ids(listing.uploads(owner=owner, search=".PNG"))) == 4


def test_uploads_search_takes_percent_and_underscore_literally() -> None:
    owner = new_user()
    insert_uploads(owner, 2)
    assert ids(listing.uploads(owner=owner, search="%")) == []
    assert ids(listing.uploads(owner=owner, search="_")) == []


def test_upload_of_another_user_is_not_found_by_id_or_hash() -> None:
    owner, other = new_user(), new_user()
    [upload] = insert_uploads(owner, 1)
    with pytest.raises(UploadNotFound):
        queries.upload(owner=other, upload_id=upload.pk)
    assert queries.upload_by_hash(owner=other, image_hash=upload.image_hash) is None
    assert queries.upload_by_hash(owner=owner, image_hash=upload.image_hash.upper()) == upload


def test_is_credential_valid_is_false_for_inactive_unknown_or_revoking_users() -> None:
    active, inactive, revoked = new_user(), new_user(), new_user()
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    revoked.revoke_tokens()
    revoked.save()
    assert revoked.tokens_valid_from is not None
    revoked_at = revoked.tokens_valid_from.timestamp()
    unknown = uuid.uuid4()
    found = accounts.load_accounts([active.pk, inactive.pk, revoked.pk, unknown])
    assert found == {
        active.pk: accounts.AccountState(0.0, 0),
        revoked.pk: accounts.AccountState(revoked_at, 0),
    }
    assert accounts.is_credential_valid(found[active.pk], 1.0)
    assert not accounts.is_credential_valid(found[revoked.pk], revoked_at - 0.001)
    assert accounts.is_credential_valid(found[revoked.pk], revoked_at)
    for user_id in (inactive.pk, unknown):
        assert not accounts.is_credential_valid(accounts.load_account(user_id), revoked_at + 1)


def test_uploads_by_confidence_leaves_out_uploads_without_a_grade() -> None:
    owner = new_user()
    [low] = insert_uploads(owner, 1, confidence=0.4)
    [high] = insert_uploads(owner, 1, confidence=0.9)
    insert_uploads(owner, 1)
    assert ids(listing.uploads(owner=owner, min_confidence=0.4)) == [high.pk, low.pk]
    assert ids(listing.uploads(owner=owner, max_confidence=0.4)) == [low.pk]
    assert ids(listing.uploads(owner=owner, min_confidence=0.5, max_confidence=0.8)) == []


def test_uploads_by_warning_compares_whole_codes() -> None:
    owner = new_user()
    [found] = insert_uploads(owner, 1, warning_codes=" blank-page low-confidence ")
    insert_uploads(owner, 1, warning_codes=" very-low-confidence ")
    insert_uploads(owner, 1, warning_codes="")
    insert_uploads(owner, 1)
    assert ids(listing.uploads(owner=owner, warning="low-confidence")) == [found.pk]
    for pattern in ("low_confidence", "low%", "confidence"):
        assert ids(listing.uploads(owner=owner, warning=pattern)) == []


def test_upload_with_warnings_has_code_page_and_message_of_each() -> None:
    owner = new_user()
    [upload] = insert_uploads(owner, 1)
    for number, warnings in (
        (2, ["an old sentence"]),
        (1, [{"code": "no-text", "message": "None."}]),
        (3, []),
    ):
        upload.pages.create(attempt=1, number=number, width=1, height=1, warnings=warnings)
    found = queries.upload_with_warnings(owner=owner, upload_id=upload.pk)
    assert [(each.page, each.code, each.message) for each in found.page_warnings] == [  # type: ignore[union-attr]
        (1, "no-text", "None."),
        (2, "unspecified", "an old sentence"),
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"search": ""}, True),
        ({"search": "a"}, False),
        ({"warning": "no-text"}, False),
        ({"min_confidence": 0.0}, False),
        ({"max_confidence": 1.0}, False),
    ],
)
def test_is_short_with_a_filter_that_scans_all_rows_is_false(
    filters: dict[str, object], expected: bool
) -> None:
    assert listing.is_short(limit=10, **filters) is expected


@pytest.mark.parametrize(
    ("status", "number", "is_awaited"),
    [
        ("processing", 2, True),
        ("pending", 3, True),
        ("processing", 4, False),  # not to be read
        ("processing", 6, False),  # beyond the end
        ("processing", 0, False),
        ("processed", 2, False),
        ("error", 2, False),
        ("cancelled", 2, False),
    ],
)
def test_page_that_will_be_read_is_not_ready_and_others_do_not_exist(
    status: str, number: int, *, is_awaited: bool
) -> None:
    upload = new_upload(new_user())
    Upload.objects.filter(pk=upload.pk).update(status=status, page_count=5, read_options={"pages": "1-3,5-9"})
    with pytest.raises(PageNotReady if is_awaited else PageNotFound):
        queries.page(owner=upload.owner, upload_id=upload.pk, number=number)
