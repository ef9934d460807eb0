"""Idempotency keys: a request that a client repeats with its key is carried out once.

A key belongs to its user for `KEY_LIFETIME`. The row is inserted before the request is carried out, so of two
requests at once one is refused. A request that fails changes nothing, so its key is free again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from ..db.retry import retry_transient
from ..errors import KeyInUse, KeyReused, RequestError
from ..models import IdempotencyKey, User
from . import queries
from .commands import CreateResult

KEY_LIFETIME = dt.timedelta(hours=24)
# The request itself takes seconds: its body has arrived. A process that died leaves its key behind.
ABANDONED_AFTER = dt.timedelta(minutes=2)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def parse_key(value: str | None) -> str | None:
    """Return the key in a header; None without one.

    Raises:
        RequestError: The key is not 1 to 255 printable characters of ASCII.
    """
    if value is None or _KEY.fullmatch(value):
        return value
    message = "1 to 255 characters of ASCII without spaces are expected, such as a UUID."
    raise RequestError({"Idempotency-Key": message})


def run_once(
    *, owner: User, key: str | None, digest: str, function: Callable[[], CreateResult]
) -> CreateResult:
    """Call `function`, or return the upload of the first request with this key, as it is now.

    Args:
        key: Key of the request; None: the request has none.
        digest: SHA-256 of the request.

    Raises:
        KeyReused: The key belongs to another request.
        KeyInUse: The first request with this key still runs.
        UploadNotFound: The upload of the first request was deleted.
    """
    if key is None:
        return function()
    if (found := _begin(owner.pk, key, digest)) is not None:
        assert found.upload_id is not None
        upload = queries.upload(owner=owner, upload_id=found.upload_id)
        return CreateResult(upload, duplicate=found.is_duplicate)
    row = IdempotencyKey.objects.filter(owner_id=owner.pk, key=key)
    try:
        result = function()
    except BaseException:
        row.delete()
        raise
    row.update(upload_id=result.upload.pk, is_duplicate=result.duplicate)
    return result


@retry_transient
def remove_expired() -> int:
    """Remove keys older than `KEY_LIFETIME`; return their number."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEY_LIFETIME).delete()[0]


@retry_transient
def _begin(owner_id: UUID, key: str, digest: str) -> IdempotencyKey | None:
    """Insert the key; return its row instead if a request with it has been carried out."""
    now = timezone.now()
    of_key = IdempotencyKey.objects.filter(owner_id=owner_id, key=key)
    of_key.filter(created_at__lt=now - KEY_LIFETIME).delete()
    of_key.filter(upload_id=None, created_at__lt=now - ABANDONED_AFTER).delete()
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(owner_id=owner_id, key=key, digest=digest)
            return None
    except IntegrityError:
        found = of_key.first()
    if found is None:
        raise KeyInUse
    if found.digest != digest:
        raise KeyReused
    if found.upload_id is None:
        raise KeyInUse
    return found
