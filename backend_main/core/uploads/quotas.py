"""Quotas of a user: stored files, their bytes, and uploads that wait or are being read.

Call the checks inside the transaction that adds the upload. They lock the user's row, so concurrent requests
cannot both use the last free place. A quota of 0 means unlimited and costs no query.
"""

from __future__ import annotations

from django.db.models import Count, Sum

from ..conf import conf
from ..errors import PendingLimitExceeded, QuotaExceeded
from ..models import Status, Upload, User

OPEN_STATUSES = (Status.PENDING, Status.PROCESSING)


def check_new_upload(owner: User, new_bytes: int, field: str) -> None:
    """Check that the user may store another file of `new_bytes` bytes and have it read.

    Args:
        field: The field of the request that brought the bytes; errors name it.

    Raises:
        QuotaExceeded: The user has too many files or bytes.
        PendingLimitExceeded: Too many of the user's uploads wait.
    """
    if conf.max_uploads_per_user or conf.max_bytes_per_user:
        _lock(owner)
        stored = Upload.objects.owned_by(owner).aggregate(files=Count("pk"), bytes=Sum("bytes", default=0))
        if 0 < conf.max_uploads_per_user <= stored["files"]:
            raise QuotaExceeded(
                field, f"You have {stored['files']} files, the maximum. Delete files that you do not need."
            )
        if 0 < conf.max_bytes_per_user < stored["bytes"] + new_bytes:
            free = max(0, conf.max_bytes_per_user - stored["bytes"])
            raise QuotaExceeded(
                field,
                f"The file has {new_bytes} bytes, and your quota has {free} bytes left. "
                "Delete files that you do not need.",
            )
    check_pending(owner, field)


def check_pending(owner: User, field: str) -> None:
    """Check that another upload of the user may wait to be read.

    Raises:
        PendingLimitExceeded: On `field`.
    """
    if not conf.max_pending_per_user:
        return
    _lock(owner)
    waiting = Upload.objects.owned_by(owner).filter(status__in=OPEN_STATUSES).count()
    if waiting >= conf.max_pending_per_user:
        raise PendingLimitExceeded(field, waiting)


def _lock(owner: User) -> None:
    list(User.objects.filter(pk=owner.pk).select_for_update().values_list("pk"))
