"""Step 6 — how much of one user there may be: files, their bytes, and what waits to be read.

Asked in the transaction that adds to it, which then has the user's row: two requests at once are not both let
in by the same room. Where no quota is set, nothing is asked.
"""

from __future__ import annotations

from django.db.models import Count, Sum

from ..conf import conf
from ..errors import PendingLimitExceeded, QuotaExceeded
from ..models import Status, Upload, User

OPEN_STATUSES = (Status.PENDING, Status.PROCESSING)


def check_new_upload(owner: User, more_bytes: int, field: str) -> None:
    """Whether one more file may come in, and be read. Raises `QuotaExceeded` or `PendingLimitExceeded` on `field`."""
    if not (conf.max_uploads_per_user or conf.max_bytes_per_user):
        check_pending(owner, field)
        return
    _lock(owner)
    has = Upload.objects.owned_by(owner).aggregate(files=Count("pk"), bytes=Sum("bytes", default=0))
    if 0 < conf.max_uploads_per_user <= has["files"]:
        raise QuotaExceeded(
            field, f"You have {has['files']} files, which is as many as one user may have here."
        )
    if 0 < conf.max_bytes_per_user < has["bytes"] + more_bytes:
        left = max(0, conf.max_bytes_per_user - has["bytes"])
        raise QuotaExceeded(
            field, f"The file has {more_bytes} bytes; {left} are left of what one user may have here."
        )
    check_pending(owner, field)


def check_pending(owner: User, field: str) -> None:
    """Whether one more may wait to be read. Raises `PendingLimitExceeded` on `field`."""
    if not conf.max_pending_per_user:
        return
    _lock(owner)
    waiting = Upload.objects.owned_by(owner).filter(status__in=OPEN_STATUSES).count()
    if waiting >= conf.max_pending_per_user:
        raise PendingLimitExceeded(field, waiting)


def _lock(owner: User) -> None:
    list(User.objects.filter(pk=owner.pk).select_for_update().values_list("pk"))
