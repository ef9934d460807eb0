"""Reads on a user's behalf, always through the owner."""

from __future__ import annotations

import base64
import datetime as dt
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from ..db.retry import retry_transient
from ..errors import PageNotFound, RequestError, UploadNotFound
from ..models import (
    Page,
    Upload,
    User,
)

MAX_LIST_SIZE = 10_000


class Listing(NamedTuple):
    uploads: list[Upload]
    next: str | None


@retry_transient
def upload(*, owner: User, upload_id: UUID) -> Upload:
    """Raises `UploadNotFound` for an unknown id and for another user's alike."""
    found = Upload.objects.owned_by(owner).select_related("owner").filter(pk=upload_id).first()
    if found is None:
        raise UploadNotFound
    return found


@retry_transient
def upload_by_hash(*, owner: User, image_hash: str) -> Upload | None:
    found = Upload.objects.owned_by(owner).filter(image_hash=image_hash.lower())
    # Asked by every `create`, and mostly in vain.
    return found.select_related("owner").first() if found.exists() else None


@retry_transient
def page(*, owner: User, upload_id: UUID, number: int) -> Page:
    """A finished page. Raises `UploadNotFound`, or `PageNotFound` where it is not finished or not there."""
    found = Page.objects.filter(upload__owner=owner, upload_id=upload_id, number=number).first()
    if found is None:
        upload(owner=owner, upload_id=upload_id)
        raise PageNotFound
    return found


@retry_transient
def uploads(
    *,
    owner: User,
    status: str | None = None,
    search: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    only: UUID | None = None,
) -> Listing:
    """A user's uploads, newest first, without their texts; `next` continues after `limit` of them.

    `only` is the id of the one that is wanted.

    Raises:
        RequestError: on `cursor`, or on `limit` where there is none and too many match.
    """
    found = (
        Upload.objects.owned_by(owner).select_related("owner").defer("raw_text", "plain_text", "correction")
    )
    if status:
        found = found.filter(status=status)
    if search:
        found = found.filter(Q(filename__icontains=search) | Q(raw_text__icontains=search))
    if only:
        found = found.filter(pk=only)
    if cursor is not None:
        found = found.filter(_cursor_filter(cursor))
    wanted = limit or MAX_LIST_SIZE
    rows = list(found.order_by("-created_at", "-id")[: wanted + 1])
    if len(rows) > wanted and limit is None:
        raise RequestError(
            {"limit": f"More than {MAX_LIST_SIZE} uploads match; ask with a limit, and go on with `next`."}
        )
    return Listing(rows[:wanted], _cursor(rows[wanted - 1]) if len(rows) > wanted else None)


def _cursor(last: Upload) -> str:
    text = f"{last.created_at.isoformat()} {last.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _cursor_filter(cursor: str) -> Q:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        created_at, _, key = text.partition(" ")
        when, last = dt.datetime.fromisoformat(created_at), UUID(key)
        if when.tzinfo is None:
            raise ValueError("a time without its zone")
        when = when.astimezone(dt.UTC)
    except (ValueError, OverflowError):  # binascii.Error is a ValueError
        raise RequestError(
            {"cursor": "This is no cursor of a list; take the `next` of the list before."}
        ) from None
    return Q(created_at__lt=when) | Q(created_at=when, pk__lt=last)
