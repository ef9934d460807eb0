"""Deletion of a user with everything that the user has."""

from __future__ import annotations

from contextlib import suppress

from ..auth import user_admin
from ..db.retry import retry_transient
from ..errors import UploadNotFound
from ..models import Upload, User
from . import commands


def delete_owner(owner: User) -> None:
    """Delete the uploads of a user with their files, and then the user.

    The user is deactivated first: sockets close, no new upload comes, and an interrupted deletion can be
    repeated. A file that arrives at this moment has no upload then, and maintenance removes it.
    """
    user_admin.deactivate(owner)
    for upload_id in list(Upload.objects.owned_by(owner).values_list("pk", flat=True)):
        with suppress(UploadNotFound):
            commands.delete(owner=owner, upload_id=upload_id)
    _delete_row(owner)


@retry_transient
def _delete_row(owner: User) -> None:
    User.objects.filter(pk=owner.pk).delete()
