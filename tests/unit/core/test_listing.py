"""Lists of uploads: orders, filters, totals, and the indexes that they use."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.db import connection

from backend_main.core.errors import RequestError
from backend_main.core.models import Upload, User
from backend_main.core.uploads import listing
from tests.support.database import new_user
from tests.unit.core.test_queries import ids, insert_uploads

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def upload_of(owner: User, **columns: Any) -> Upload:
    [upload] = insert_uploads(owner, 1)
    Upload.objects.filter(pk=upload.pk).update(**columns)
    return upload


@pytest.mark.parametrize("sort", [*listing.ORDER_FIELDS, *(f"-{name}" for name in listing.ORDER_FIELDS)])
def test_uploads_in_each_order_continue_from_the_cursor(sort: str) -> None:
    owner = new_user()
    for number in (2, 1, 2, 3, 1):
        time = NOON + dt.timedelta(hours=number)
        upload_of(owner, created_at=time, updated_at=time, filename=f"{number}.png", bytes=number)
    field = listing.ORDER_FIELDS[sort.removeprefix("-")]
    rows = Upload.objects.owned_by(owner).values_list(field, "pk")
    expected = [key for _, key in sorted(rows, reverse=sort.startswith("-"))]
    found: list[uuid.UUID] = []
    cursor = None
    for _ in range(3):
        page = listing.uploads(owner=owner, sort=sort, limit=2, cursor=cursor)
        found += ids(page)
        cursor = page.next
    assert (found, cursor) == (expected, None)


def test_uploads_with_the_cursor_of_another_order_raises_request_error() -> None:
    owner = new_user()
    insert_uploads(owner, 2)
    cursor = listing.uploads(owner=owner, limit=1, sort="filename").next
    with pytest.raises(RequestError) as raised:
        listing.uploads(owner=owner, limit=1, sort="bytes", cursor=cursor)
    assert list(raised.value.fields) == ["cursor"]


@pytest.mark.parametrize(
    ("wanted", "filters"),
    [
        ({"status": "error"}, {"status": "error"}),
        ({"status": "cancelled"}, {"status": ["cancelled", "error"]}),
        ({"engine": "tesseract"}, {"engine": "tesseract"}),
        ({"image_hash": "a" * 64}, {"image_hash": "A" * 64}),
        ({"created_at": NOON}, {"created_before": NOON + dt.timedelta(seconds=1)}),
        ({"metadata": {"case": "7", "x.y '$": "z"}}, {"metadata": {"case": "7", "x.y '$": "z"}}),
        ({"metadata": {"case": 7}}, {"metadata": {"case": "7"}}),
    ],
)
def test_uploads_with_a_filter_returns_the_matching_one(
    wanted: dict[str, Any], filters: dict[str, Any]
) -> None:
    owner = new_user()
    upload_of(owner, metadata={"case": "70"})
    upload = upload_of(owner, **wanted)
    upload_of(new_user(), **wanted)
    found = listing.uploads(owner=owner, total=True, limit=1, **filters)
    assert (ids(found), found.total, found.next) == ([upload.pk], 1, None)


def test_uploads_counts_only_if_asked() -> None:
    owner = new_user()
    insert_uploads(owner, 3)
    assert listing.uploads(owner=owner, limit=1).total is None
    cursor = listing.uploads(owner=owner, limit=1).next
    assert listing.uploads(owner=owner, limit=1, cursor=cursor, total=True).total == 3


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the planner of PostgreSQL decides by statistics")
@pytest.mark.parametrize("sort", [None, "created", "updated", "-updated", "filename", "-filename"])
@pytest.mark.parametrize("filters", [{}, {"status": "error"}], ids=["all", "status"])
def test_uploads_reads_its_order_from_an_index(sort: str | None, filters: dict[str, Any]) -> None:
    if filters and sort not in (None, "created"):
        pytest.skip("a status has an index with the time of the creation alone")
    owner = new_user()
    insert_uploads(owner, 3)
    cursor = listing.uploads(owner=owner, sort=sort, limit=1).next
    for after in (None, cursor):
        found = listing.ordered(listing.matching(owner, **filters), sort, after)[:51]
        plan = found.explain()
        assert re.search(r"SEARCH core_upload USING INDEX", plan), plan
        assert not re.search(r"SCAN|TEMP B-TREE", plan), plan


def test_uploads_items_are_json_without_texts() -> None:
    owner = new_user()
    insert_uploads(owner, 1)
    [item] = listing.uploads(owner=owner, limit=1).items
    assert "raw_text" not in json.loads(item)
