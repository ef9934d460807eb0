"""Cache of page images in the storage, with a size limit for all users and one for each.

An image is a hundred times larger than some pages that it is rendered from. Without a limit, a user fills the
storage with images of few small files. The least recently used images are deleted. The database has a row for
each image, so all processes and machines count together, also with a bucket.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from .. import storage
from ..conf import conf
from ..db.retry import retry_transient
from ..errors import DatabaseUnavailable, StorageUnavailable
from ..models import PageImage, Upload

log = logging.getLogger(__name__)

# One user's images take at most this part of the cache.
OWNER_SHARE = 4
# `used_at` is that exact, so that not every request writes to the database.
USED_AT_PRECISION = dt.timedelta(hours=1)


def record_use(key: str, name: str, size: int) -> None:
    """Make a stored image the most recently used; count it if an earlier version has stored it.

    Args:
        key: Key of the original.
        size: Size of the image, in bytes.
    """
    with suppress(DatabaseUnavailable):
        if not _refresh(_upload_id(key), name) and (owner_id := _insert(key, name, size)):
            _evict(owner_id)


def write(key: str, name: str, content: bytes) -> None:
    """Store an image, if the storage has space and the original exists; delete others beyond the limits."""
    if len(content) > max_owner_bytes():
        return
    # The row comes first: an image without a row would count for no limit.
    with suppress(DatabaseUnavailable):
        if owner_id := _insert(key, name, len(content)):
            storage.write_derived(key, name, content)
            _evict(owner_id)


def max_owner_bytes() -> int:
    """Return the largest size of one user's images. A byte quota of the user limits it too."""
    share = conf.page_image_cache_bytes // OWNER_SHARE
    return min(share, conf.max_bytes_per_user) if conf.max_bytes_per_user else share


def remove_rows(upload_id: UUID) -> None:
    """Remove the rows of a deleted upload; the storage deletes them with the original."""
    PageImage.objects.filter(upload_id=upload_id).delete()


@retry_transient
def _refresh(upload_id: UUID, name: str) -> bool:
    """Update `used_at`, if that is old; return whether the image has a row."""
    image = PageImage.objects.filter(upload_id=upload_id, name=name)
    used_at = image.values_list("used_at", flat=True).first()
    if used_at is None:
        return False
    now = timezone.now()
    if now - used_at > USED_AT_PRECISION:
        image.update(used_at=now)
    return True


@retry_transient
def _insert(key: str, name: str, size: int) -> UUID | None:
    """Insert or update the row; return the owner, or None if the upload is deleted."""
    upload_id = _upload_id(key)
    owner_id = Upload.objects.filter(pk=upload_id).values_list("owner_id", flat=True).first()
    if owner_id is not None:
        row = {"owner_id": owner_id, "key": key, "bytes": size, "used_at": timezone.now()}
        with suppress(IntegrityError):  # another process has rendered it at the same time
            PageImage.objects.update_or_create(upload_id=upload_id, name=name, defaults=row)
    return owner_id


def _evict(owner_id: UUID) -> None:
    """Delete the least recently used images of the owner, and then of all users, beyond the limits."""
    for key, name in _remove_excess_rows(owner_id):
        try:
            storage.delete_derived(key, name)
        except StorageUnavailable:
            log.warning("An image of %s could not be deleted; it is deleted with its upload.", key)


@retry_transient
def _remove_excess_rows(owner_id: UUID) -> list[tuple[str, str]]:
    removed: list[tuple[str, str]] = []
    with transaction.atomic():
        for images, limit in (
            (PageImage.objects.filter(owner_id=owner_id), max_owner_bytes()),
            (PageImage.objects.all(), conf.page_image_cache_bytes),
        ):
            excess = list(_excess(images, limit))
            PageImage.objects.filter(pk__in=[image.pk for image in excess]).delete()
            removed += [(image.key, image.name) for image in excess]
    return removed


def _excess(images: QuerySet[PageImage], limit: int) -> Iterator[PageImage]:
    """Yield the least recently used images until the others fit into the limit."""
    total = images.aggregate(total=Sum("bytes", default=0))["total"]
    if total <= limit:
        return
    for image in images.order_by("used_at", "pk").iterator(chunk_size=100):
        yield image
        total -= image.bytes
        if total <= limit:
            return


def _upload_id(key: str) -> UUID:
    return UUID(key.partition("/")[0])
