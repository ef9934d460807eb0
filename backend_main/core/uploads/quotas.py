"""Quotas of a user: stored files, all bytes that the user's data takes, and uploads that wait or are read.

The bytes are those of `usage`: files, texts, corrections and metadata. Files that are arriving count as well.
Page images and events have limits of their own (`page_image_cache`, `event_log`): the oldest give way.

Call the checks inside the transaction that adds the upload. They lock the user's row, so concurrent requests
cannot both use the last free place. A quota of 0 means unlimited and costs no query.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from ..conf import conf
from ..db.retry import retry_transient
from ..errors import PendingLimitExceeded, QuotaExceeded
from ..models import Status, Upload, User
from ..storage import disk_space
from ..storage.disk_space import IncomingFile
from . import usage

OPEN_STATUSES = (Status.PENDING, Status.PROCESSING)


class ByteQuota(NamedTuple):
    """Bytes that a user may still store, as of the start of a request.

    Attributes:
        owner_id: The user; None: nobody, no limit.
        max_bytes: The whole quota; 0: unlimited.
        free_bytes: What is left of it.
    """

    owner_id: UUID | None
    max_bytes: int = 0
    free_bytes: int = 0

    def check(self, file: IncomingFile, field: str) -> None:
        """Check the user's files that are arriving together.

        Only the whole quota limits the only one, because the user may have these bytes already.

        Raises:
            QuotaExceeded: On `field`.
        """
        if self.owner_id is None or not self.max_bytes:
            return
        arriving = disk_space.incoming.unfinished_bytes(self.owner_id)
        limit = self.free_bytes if arriving > file.held_bytes else self.max_bytes
        if arriving > limit:
            raise _bytes_exceeded(field, arriving, self.free_bytes)


UNLIMITED = ByteQuota(None)


@retry_transient
def byte_quota(owner: User) -> ByteQuota:
    """Return what the user may still store. Without a quota this costs no query."""
    if not conf.max_bytes_per_user:
        return ByteQuota(owner.pk)
    free = max(0, conf.max_bytes_per_user - usage.stored_bytes(owner.pk))
    return ByteQuota(owner.pk, conf.max_bytes_per_user, free)


def check_new_upload(owner: User, new_bytes: int, field: str) -> None:
    """Check that the user may store another file of `new_bytes` bytes and have it read.

    Args:
        field: The field of the request that brought the bytes; errors name it.

    Raises:
        QuotaExceeded: The user has too many files or bytes.
        PendingLimitExceeded: Too many of the user's uploads wait.
    """
    if conf.max_uploads_per_user:
        owner.lock()
        files = Upload.objects.owned_by(owner).count()
        if conf.max_uploads_per_user <= files:
            message = f"You have {files} files, the maximum. Delete files that you do not need."
            raise QuotaExceeded(field, message)
    check_bytes(owner, new_bytes, field)
    check_pending(owner, field)


def check_bytes(owner: User, new_bytes: int, field: str) -> None:
    """Check that the user may store `new_bytes` more bytes: of a file, a correction or metadata.

    Raises:
        QuotaExceeded: On `field`.
    """
    if not conf.max_bytes_per_user or new_bytes <= 0:
        return
    owner.lock()
    free = max(0, conf.max_bytes_per_user - usage.stored_bytes(owner.pk))
    if new_bytes > free:
        raise _bytes_exceeded(field, new_bytes, free)


def check_pending(owner: User, field: str) -> None:
    """Check that another upload of the user may wait to be read.

    Raises:
        PendingLimitExceeded: On `field`.
    """
    if not conf.max_pending_per_user:
        return
    owner.lock()
    waiting = Upload.objects.owned_by(owner).filter(status__in=OPEN_STATUSES).count()
    if waiting >= conf.max_pending_per_user:
        raise PendingLimitExceeded(field, waiting)


def _bytes_exceeded(field: str, new_bytes: int, free_bytes: int) -> QuotaExceeded:
    return QuotaExceeded(
        field,
        f"It has {new_bytes} bytes, and your quota has {free_bytes} bytes left. "
        "Delete files that you do not need.",
    )
