"""Row of an upload inside of a command: locked, changed with its sizes, and reported as an event."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .. import storage
from ..conf import conf
from ..errors import StorageFull, UploadNotFound
from ..event_log import ReplyTarget, UploadChange
from ..models import Upload, User
from ..protocol import messages
from . import quotas, usage

COUNTED_FIELDS = frozenset({"raw_text", "plain_text", "correction", "metadata"})


def lock(owner: User, upload_id: UUID) -> Upload:
    """Return the user's upload, locked until the transaction ends (SQLite has one writer at a time).

    Raises:
        UploadNotFound: The user has no upload with this id.
    """
    rows = Upload.objects.owned_by(owner).select_for_update(of=("self",)).select_related("owner")
    upload = rows.filter(pk=upload_id).first()
    if upload is None:
        raise UploadNotFound
    return upload


def save(upload: Upload, **changes: Any) -> None:
    """Set and save fields of a locked upload, with the size of its texts."""
    for name, value in changes.items():
        setattr(upload, name, value)
    if not COUNTED_FIELDS.isdisjoint(changes):
        changes["text_bytes"] = upload.text_bytes = usage.text_bytes(upload)
    upload.save(update_fields=[*changes, "updated_at"])


def change_of(
    upload: Upload,
    message: messages.DurableMessage,
    requester: ReplyTarget | None,
    reply: messages.UploadMessage | messages.Failed | None = None,
) -> UploadChange:
    """Return the change of an upload for the event log."""
    return UploadChange(upload.owner_id, upload.pk, upload.attempt, message, requester, reply)


def check_text_growth(owner: User, new_bytes: int, field: str) -> None:
    """Raise `QuotaExceeded` or `StorageFull` if there is no space for `new_bytes` more of texts."""
    if new_bytes <= 0:
        return
    quotas.check_bytes(owner, new_bytes, field)
    if not conf.database_url:
        try:
            storage.check_free_space(new_bytes)
        except OSError as error:
            raise StorageFull(field) from error
