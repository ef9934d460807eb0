"""Deletion of uploads whose time is over, such as those that came through a wire (`NewUpload.via`)."""

from __future__ import annotations

from contextlib import suppress

from django.utils import timezone

from ..errors import UploadNotFound
from ..models import Upload
from . import commands

BATCH_UPLOADS = 500
"""Uploads of one run; the next run, minutes later, deletes more."""


def remove_expired() -> int:
    """Delete the uploads that have expired, with their events; return their number."""
    expired = Upload.objects.filter(expires_at__lt=timezone.now()).select_related("owner")
    removed = 0
    for upload in expired.only("pk", "owner").order_by("expires_at")[:BATCH_UPLOADS]:
        with suppress(UploadNotFound):  # its owner deleted it meanwhile
            commands.delete(owner=upload.owner, upload_id=upload.pk)
            removed += 1
    return removed
