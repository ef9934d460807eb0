"""Queries for uploads and pages, always through the owner.

A user learns nothing about other users' uploads: another user's id gives the same error as an unknown id.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from ...reading.documents.page_jpeg import Area, area_of
from ...reading.page_ranges import PageRanges
from ..conf import conf
from ..db.retry import retry_transient
from ..errors import FigureNotFound, PageNotFound, PageNotReady, RequestError, UploadNotFound
from ..models import Page, Status, Upload, User
from ..protocol import messages, serializers
from .page_content import page_blocks

MAX_LIST_SIZE = 10_000
# An ordinary upload takes 0.7 KiB of a list, so the longest list fits.
MAX_LIST_BYTES = 16 * 1024 * 1024
# A list of this length is a short query: it takes about 5 ms.
MAX_SHORT_LIST_SIZE = 100
LONG_FILTERS = ("search", "warning", "min_confidence", "max_confidence")
CHUNK_ROWS = 500


class Listing(NamedTuple):
    """Uploads, each encoded as JSON, and the cursor of the next request; None at the end."""

    items: list[bytes]
    next: str | None


@retry_transient
def upload(*, owner: User, upload_id: UUID) -> Upload:
    """Return an upload of the user.

    Raises:
        UploadNotFound: The id is unknown, or belongs to another user.
    """
    found = Upload.objects.owned_by(owner).select_related("owner").filter(pk=upload_id).first()
    if found is None:
        raise UploadNotFound
    return found


@retry_transient
def require_uploads(*, owner: User, upload_ids: Sequence[UUID]) -> None:
    """Check that all uploads are the user's.

    Raises:
        UploadNotFound: An id is unknown, or belongs to another user.
    """
    if Upload.objects.owned_by(owner).filter(pk__in=upload_ids).count() != len(upload_ids):
        raise UploadNotFound


@retry_transient
def upload_by_hash(*, owner: User, image_hash: str) -> Upload | None:
    """Return the user's upload of the bytes with this SHA-256 in hex, or None."""
    found = Upload.objects.owned_by(owner).filter(image_hash=image_hash.lower())
    # Every `create` calls this, and most find nothing: `exists` spares the join.
    return found.select_related("owner").first() if found.exists() else None


@retry_transient
def page(*, owner: User, upload_id: UUID, number: int) -> Page:
    """Return a finished page.

    Raises:
        UploadNotFound: The user has no upload with this id.
        PageNotFound: The upload has no such page, or it was not to be read.
        PageNotReady: The page is not read yet.
    """
    found = Page.objects.filter(upload__owner=owner, upload_id=upload_id, number=number).first()
    if found is None:
        raise page_error(upload(owner=owner, upload_id=upload_id), number)
    return found


def page_error(upload: Upload, number: int) -> PageNotFound | PageNotReady:
    """Return the error for a page that an upload lacks in its current reading."""
    page_count = upload.page_count or conf.max_pages
    is_awaited = (
        upload.status in (Status.PENDING, Status.PROCESSING)
        and 1 <= number <= page_count
        and number in PageRanges(upload.read_options.get("pages"))
    )
    return PageNotReady() if is_awaited else PageNotFound()


def figure_area(*, owner: User, upload_id: UUID, number: int, figure: int) -> tuple[str, Area]:
    """Return the key of the file and the area of a figure on a finished page.

    Args:
        owner: The user.
        upload_id: Id of the upload.
        number: Number of the page, from 1.
        figure: Place of the figure among the figures of the page, from 1.

    Raises:
        RequestError: UploadNotFound, PageNotFound, PageNotReady or FigureNotFound.
    """
    found = page(owner=owner, upload_id=upload_id, number=number)
    figures = [block for block in page_blocks(found) if block.type == "figure"]
    box = figures[figure - 1].box if 1 <= figure <= len(figures) else None
    if box is None or not found.width or not found.height:
        raise FigureNotFound
    path = upload(owner=owner, upload_id=upload_id).image_path
    return path, area_of(box, found.width, found.height)


def upload_with_warnings(*, owner: User, upload_id: UUID) -> messages.Instance:
    """Return an upload of the user with its texts, and the warnings of its pages.

    Raises:
        UploadNotFound: The id is unknown, or belongs to another user.
    """
    return with_warnings(upload(owner=owner, upload_id=upload_id))


@retry_transient
def with_warnings(found: Upload) -> messages.Instance:
    """Return an upload with its texts, and the warnings of its pages."""
    pages = found.pages.exclude(warnings=[]).order_by("number").only("number", "warnings")
    warnings = [
        messages.UploadWarning(code=warning["code"], page=page.number, message=warning["message"])
        for page in pages
        for warning in page.page_warnings
    ]
    return serializers.instance(found, texts=True, page_warnings=warnings)


def is_short(*, limit: int | None, **filters: object) -> bool:
    """Return whether `uploads` with these filters is a short query: those of `LONG_FILTERS` scan all rows."""
    is_scan = any(filters.get(name) not in (None, "") for name in LONG_FILTERS)
    return not is_scan and limit is not None and limit <= MAX_SHORT_LIST_SIZE


@retry_transient
def uploads(
    *,
    owner: User,
    status: str | None = None,
    search: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    warning: str | None = None,
    min_confidence: float | None = None,
    max_confidence: float | None = None,
    only: UUID | None = None,
) -> Listing:
    """Return uploads of the user, newest first, without their texts; at most `MAX_LIST_BYTES`.

    Args:
        search: Part of the file name, of a text or of a correction; case does not matter.
        limit: Maximum number of uploads, fewer if they are large; None: all, at most `MAX_LIST_SIZE`.
        cursor: `next` of the previous listing.
        warning: Code of a warning that a page has.
        min_confidence, max_confidence: Limits of the grade; uploads without one are left out.
        only: The id of one upload.

    Raises:
        RequestError: On `cursor` if it is invalid; on `limit` if it is missing and too many uploads match.
    """
    found = Upload.objects.owned_by(owner).defer("raw_text", "plain_text", "correction")
    if status:
        found = found.filter(status=status)
    if search:
        # The plain text has the corrections of pages; the text as read is found below a correction too.
        fields = ("filename", "raw_text", "plain_text", "correction")
        found = found.filter(reduce(or_, (Q((f"{field}__icontains", search)) for field in fields)))
    if warning:
        found = found.filter(warning_codes__contains=f" {warning} ")
    if min_confidence is not None:
        found = found.filter(confidence__gte=min_confidence)
    if max_confidence is not None:
        found = found.filter(confidence__lte=max_confidence)
    if only:
        found = found.filter(pk=only)
    if cursor is not None:
        found = found.filter(_cursor_filter(cursor))
    size = limit or MAX_LIST_SIZE
    listing = _encode(found.order_by("-created_at", "-id")[: size + 1], owner, size)
    if limit is None and listing.next is not None:
        raise RequestError(
            {
                "limit": f"More than {MAX_LIST_SIZE} uploads or {MAX_LIST_BYTES // 1024**2} MiB match. Set a "
                "limit and continue with `next`."
            }
        )
    return listing


def _encode(found: QuerySet[Upload], owner: User, size: int) -> Listing:
    """Encode the first uploads, as many as the limits allow. The rows are never in memory all at once."""
    items: list[bytes] = []
    list_bytes = 0
    last: Upload | None = None
    for upload in found.iterator(CHUNK_ROWS):
        upload.owner = owner
        item = messages.encode_instance(serializers.instance(upload))
        list_bytes += len(item) + 1
        if last is not None and (len(items) == size or list_bytes > MAX_LIST_BYTES):
            return Listing(items, _cursor(last))
        items.append(item)
        last = upload
    return Listing(items, None)


def _cursor(last: Upload) -> str:
    text = f"{last.created_at.isoformat()} {last.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _cursor_filter(cursor: str) -> Q:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        created_at, _, key = text.partition(" ")
        when, last = dt.datetime.fromisoformat(created_at), UUID(key)
        if when.tzinfo is None:
            raise ValueError("the time has no time zone")
        when = when.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # binascii.Error is a ValueError
        message = "Invalid cursor. Use `next` from the previous response."
        raise RequestError({"cursor": message}) from None
    return Q(created_at__lt=when) | Q(created_at=when, pk__lt=last)
