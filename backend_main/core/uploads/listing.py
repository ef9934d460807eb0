"""Lists of uploads: filters, orders and cursors.

Each order has an index that begins with the owner, and a cursor continues in it. A list with a limit is
therefore a short query, however many uploads the user has. The filters of `LONG_FILTERS` search for them.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from ..db.retry import retry_transient
from ..errors import RequestError
from ..models import Upload, User
from ..protocol import messages, serializers

MAX_LIST_SIZE = 10_000
# An ordinary upload takes 0.7 KiB of a list, so the longest list fits.
MAX_LIST_BYTES = 16 * 1024 * 1024
# A list of this length is a short query: it takes about 5 ms.
MAX_SHORT_LIST_SIZE = 100
LONG_FILTERS = ("search", "warning", "min_confidence", "max_confidence", "engine", "metadata")
CHUNK_ROWS = 500
ORDER_FIELDS = {"created": "created_at", "updated": "updated_at", "filename": "filename", "bytes": "bytes"}
NEWEST_FIRST = "-created"


class Listing(NamedTuple):
    """Uploads, each encoded as JSON, and the cursor of the next request; None at the end."""

    items: list[bytes]
    next: str | None
    total: int | None = None


class _Order(NamedTuple):
    """Order of a list: by a field, then by the id, both in the same direction."""

    name: str
    field: str
    is_descending: bool

    @property
    def terms(self) -> tuple[str, str]:
        sign = "-" if self.is_descending else ""
        return f"{sign}{self.field}", f"{sign}id"

    def cursor_after(self, last: Upload) -> str:
        value = [self.name, getattr(last, self.field), last.pk]
        return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")

    def filter_after(self, cursor: str) -> Q:
        """Return the filter of the uploads after a cursor. Raises `RequestError`."""
        kind: Any = {"filename": str, "bytes": int}.get(self.field, dt.datetime)
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            name, value, key = msgspec.convert(msgspec.json.decode(text), tuple[str, kind, UUID])
            if name != self.name or getattr(value, "tzinfo", dt.UTC) is None:
                raise ValueError("the cursor of another list")
        except (ValueError, msgspec.MsgspecError):  # binascii.Error is a ValueError
            message = "Invalid cursor. Use `next` from the previous response, with the same `sort`."
            raise RequestError({"cursor": message}) from None
        beyond = "lt" if self.is_descending else "gt"
        # The first condition is the bound of the index, which the alternative below hides from SQLite.
        in_range = Q((f"{self.field}__{beyond}e", value))
        return in_range & (
            Q((f"{self.field}__{beyond}", value)) | Q((self.field, value), (f"pk__{beyond}", key))
        )


def is_short(*, limit: int | None, **filters: object) -> bool:
    """Return whether `uploads` with these filters is a short query.

    Those of `LONG_FILTERS` scan all rows, and several statuses have no common order in their index.
    """
    is_scan = any(filters.get(name) not in (None, "") for name in LONG_FILTERS)
    is_scan |= filters.get("total") in (True, "true")
    is_scan |= not isinstance(filters.get("status"), str | None)
    return not is_scan and limit is not None and limit <= MAX_SHORT_LIST_SIZE


@retry_transient
def uploads(
    *,
    owner: User,
    limit: int | None = None,
    cursor: str | None = None,
    sort: str | None = None,
    total: bool | None = None,
    only: UUID | None = None,
    **filters: Any,
) -> Listing:
    """Return uploads of the user without their texts; at most `MAX_LIST_BYTES`.

    Args:
        limit: Maximum number of uploads, fewer if they are large; None: all, at most `MAX_LIST_SIZE`.
        cursor: `next` of the previous listing.
        sort: Order, as in `field_types.ListOrder`; None: newest first.
        total: Whether to count all uploads that match.
        only: The id of one upload.
        filters: See `matching`.

    Raises:
        RequestError: On `cursor` if it is invalid; on `limit` if it is missing and too many uploads match.
    """
    order = _order(sort)
    found = matching(owner, **filters)
    if only:
        found = found.filter(pk=only)
    count = found.count() if total else None
    found = ordered(found, order.name, cursor)
    size = limit or MAX_LIST_SIZE
    listing = _encode(found[: size + 1], owner, size, order)
    if limit is None and listing.next is not None:
        raise RequestError(
            {
                "limit": f"More than {MAX_LIST_SIZE} uploads or {MAX_LIST_BYTES // 1024**2} MiB match. Set a "
                "limit and continue with `next`."
            }
        )
    return listing._replace(total=count)


def ordered(found: QuerySet[Upload], sort: str | None, cursor: str | None = None) -> QuerySet[Upload]:
    """Order uploads, and leave out those up to the cursor. Raises `RequestError`."""
    order = _order(sort)
    if cursor is not None:
        found = found.filter(order.filter_after(cursor))
    return found.order_by(*order.terms)


def matching(
    owner: User,
    *,
    status: str | Sequence[str] | None = None,
    search: str | None = None,
    engine: str | None = None,
    image_hash: str | None = None,
    created_after: dt.datetime | None = None,
    created_before: dt.datetime | None = None,
    metadata: dict[str, str] | None = None,
    warning: str | None = None,
    min_confidence: float | None = None,
    max_confidence: float | None = None,
) -> QuerySet[Upload]:
    """Return the user's uploads that match all filters.

    Args:
        status: One status, or several.
        search: Part of the file name, of a text or of a correction; case does not matter.
        created_after, created_before: Limits of the time of the creation, which they exclude.
        metadata: Values of keys in the metadata, as text.
        warning: Code of a warning that a page has.
        min_confidence, max_confidence: Limits of the grade; uploads without one are left out.
    """
    equal = {
        "engine": engine,
        "image_hash": image_hash and image_hash.lower(),
        "status": status if isinstance(status, str) else None,
        "status__in": status if isinstance(status, list | tuple) else None,
        "warning_codes__contains": warning and f" {warning} ",
        "confidence__gte": min_confidence,
        "confidence__lte": max_confidence,
        "created_at__gt": created_after,
        "created_at__lt": created_before,
    }
    found = Upload.objects.owned_by(owner).defer("raw_text", "plain_text", "correction")
    found = found.filter(**{name: value for name, value in equal.items() if value not in (None, "")})
    if search:
        # The plain text has the corrections of pages; the text as read is found below a correction too.
        fields = ("filename", "raw_text", "plain_text", "correction")
        found = found.filter(reduce(or_, (Q((f"{field}__icontains", search)) for field in fields)))
    for number, (key, value) in enumerate((metadata or {}).items()):
        text = {f"metadata_{number}": Cast(KeyTextTransform(key, "metadata"), TextField())}
        found = found.alias(**text).filter((f"metadata_{number}", value))
    return found


def _order(sort: str | None) -> _Order:
    name = sort or NEWEST_FIRST
    return _Order(name, ORDER_FIELDS[name.removeprefix("-")], name.startswith("-"))


def _encode(found: QuerySet[Upload], owner: User, size: int, order: _Order) -> Listing:
    """Encode the first uploads, as many as the limits allow. The rows are never in memory all at once."""
    items: list[bytes] = []
    list_bytes = 0
    last: Upload | None = None
    for upload in found.iterator(CHUNK_ROWS):
        upload.owner = owner
        item = messages.encode_instance(serializers.instance(upload))
        list_bytes += len(item) + 1
        if last is not None and (len(items) == size or list_bytes > MAX_LIST_BYTES):
            return Listing(items, order.cursor_after(last))
        items.append(item)
        last = upload
    return Listing(items, None)
