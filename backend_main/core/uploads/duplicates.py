"""Duplicates: a create whose bytes the user has already returns that upload, perhaps to be read again."""

from __future__ import annotations

from typing import NamedTuple

from .. import event_log
from ..db.retry import retry_transient
from ..errors import DuplicateUpload, RequestError, StatusConflict
from ..event_log import ReplyTarget
from ..jobs import notify
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..models import Status, Upload, User
from ..protocol import serializers
from ..protocol.field_types import OnDuplicate
from . import queries, quotas, readings, rows

REQUEUED_STATUSES = (Status.ERROR, Status.CANCELLED)
NO_READ_OPTIONS = ReadOptions()


class DuplicateRequest(NamedTuple):
    """Request of a create, as far as an upload of the same bytes depends on it."""

    options: ReadOptions
    on_duplicate: OnDuplicate
    is_wire: bool
    requester: ReplyTarget | None


def reuse_by_hash(owner: User, image_hash: str, request: DuplicateRequest, missing_message: str) -> Upload:
    """Return the user's upload of these bytes as `reuse` does.

    Raises:
        RequestError: The user has none; the error has `missing_message`.
        DuplicateUpload, StatusConflict, UploadNotFound: See `reuse`.
    """
    existing = queries.upload_by_hash(owner=owner, image_hash=image_hash)
    if existing is None:
        raise RequestError({"image_hash": missing_message})
    return reuse(existing, request)


@retry_transient
def reuse(upload: Upload, request: DuplicateRequest) -> Upload:
    """Return an upload that the user has. Queue it again if it has no text, or not the one asked for.

    Raises:
        DuplicateUpload: The request refuses duplicates.
        StatusConflict: The upload waits or is being read with other options.
        UploadNotFound: The upload was deleted meanwhile.
    """
    options, on_duplicate, is_wire, requester = request
    if on_duplicate == "error":
        raise DuplicateUpload(upload.pk)
    is_kept_from_now_on = upload.expires_at is not None and not is_wire
    if not (is_kept_from_now_on or _needs_reading(upload, options, on_duplicate)):
        return upload
    with event_log.transaction() as changes:
        upload = rows.lock(upload.owner, upload.pk)
        if is_kept_from_now_on:
            rows.save(upload, expires_at=None)
        if _needs_reading(upload, options, on_duplicate):
            _check_can_be_read_again(upload)
            if upload.status in REQUEUED_STATUSES and options == NO_READ_OPTIONS:
                options = job_options.from_stored(upload.read_options).for_all_pages()
            readings.begin(upload, options)
            reply = serializers.created(upload, duplicate=True)
            changes.append(rows.change_of(upload, serializers.updated(upload), requester, reply))
    notify.notify_jobs_available()
    return upload


def _needs_reading(upload: Upload, options: ReadOptions, on_duplicate: OnDuplicate) -> bool:
    """Return whether the upload has no text, or another one than a create with these options asks for."""
    if upload.status in REQUEUED_STATUSES:
        return True
    return on_duplicate == "reread" and not job_options.is_satisfied_by(
        options, job_options.from_stored(upload.read_options), upload.engine
    )


def _check_can_be_read_again(upload: Upload) -> None:
    if upload.status in quotas.OPEN_STATUSES:
        raise StatusConflict(
            f"This file is {upload.status} with other options, as the upload {upload.pk}. Wait until it "
            "ends, or cancel it."
        )
    if upload.status not in REQUEUED_STATUSES:
        quotas.check_pending(upload.owner, "instance_id")
