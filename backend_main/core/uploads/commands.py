"""Commands that change uploads on behalf of their owner; beside `reading_commands`, no other module does.

Each function is one transaction, which also writes the event of the change. `requester` is the connection
that sent the request, if it came over a WebSocket: it receives the reply in the order of the events.
`duplicates` is the part of `create` for bytes that the user has already.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import IntegrityError
from django.utils import timezone
from msgspec import UNSET, UnsetType

from .. import event_log, storage
from ..conf import conf
from ..db import disk_reserve
from ..db.retry import retry_transient
from ..errors import (
    DatabaseFull,
    DatabaseUnavailable,
    RequestError,
    StatusConflict,
    StorageFull,
    StorageUnavailable,
    UploadNotFound,
)
from ..event_log import ReplyTarget, UploadChange
from ..jobs import notify, results
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..models import Job, Status, Upload, User
from ..protocol import serializers
from ..protocol.base64_text import Base64Text
from ..protocol.field_types import OnDuplicate
from ..protocol.messages import UploadMessage
from ..search import index as search_index
from . import duplicates, ingest, page_image_cache, queries, quotas, readings, rows, usage
from .duplicates import NO_READ_OPTIONS

CANCELLED = "Cancelled"
CANCELLED_CODE = "cancelled"
UNKNOWN_HASH_MESSAGE = "You have no upload with this hash. Send the bytes of the file."
DELETED_MEANWHILE_MESSAGE = "The upload with these bytes was deleted meanwhile. Send the file again."
INDEXED_FIELDS = frozenset({"filename", "correction"})


class UploadSource(msgspec.Struct, frozen=True, kw_only=True):
    """Source of an upload's bytes. The first that is set counts: `staged`, base64, path, hash.

    Beside bytes, `image_path` names the file and `image_hash` is compared with the bytes.
    """

    image_base64: str | Base64Text | None = None
    image_path: str | None = None
    image_hash: str | None = None
    staged: ingest.StagedFile | None = None


class NewUpload(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says about a new upload beside its bytes. A duplicate keeps what it has.

    Attributes:
        filename: Name in place of that of the file.
        via: Name of the wire that brought it: it is stored in the metadata, and the upload expires.
    """

    filename: str | None = None
    metadata: dict[str, Any] | None = None
    via: str = ""

    def columns(self, file_name: str) -> dict[str, Any]:
        """Return the columns of a row; `file_name` is the name of the file."""
        metadata = dict(self.metadata or {})
        expires_at = None
        if self.via:
            metadata["via"] = self.via
            if hours := conf.wire_retention_hours:
                expires_at = timezone.now() + dt.timedelta(hours=hours)
        return {"filename": self.filename or file_name, "metadata": metadata, "expires_at": expires_at}


class CreateResult(NamedTuple):
    """The upload, and whether the user had these bytes already."""

    upload: Upload
    duplicate: bool


def create(
    *,
    owner: User,
    source: UploadSource,
    options: ReadOptions = NO_READ_OPTIONS,
    filename: str | None = None,
    metadata: dict[str, Any] | None = None,
    via: str = "",
    on_duplicate: OnDuplicate = "reread",
    requester: ReplyTarget | None = None,
) -> CreateResult:
    """Store a new upload that waits to be read, or return the user's upload of the same bytes.

    An upload that ended with an error or was cancelled is read again.

    Args:
        filename, metadata, via: As those of `NewUpload`.
        on_duplicate: “reread” reads a duplicate again if its reading is not what `options` ask for,
            “existing” never does, “error” refuses it.

    Raises:
        RequestError: On the field of `source` or `options` that is invalid. Nothing was stored.
        DuplicateUpload: The user has these bytes, and `on_duplicate` is “error”.
        StatusConflict: The upload of these bytes waits or is being read with other options.
    """
    job_options.validate(options)
    request = duplicates.DuplicateRequest(options, on_duplicate, is_wire=bool(via), requester=requester)
    if source.image_base64 is None and source.image_path is None and source.staged is None:
        if source.image_hash is None:
            raise RequestError({"image_base64": "Set one of image_base64, image_path, image_hash."})
        upload = duplicates.reuse_by_hash(owner, source.image_hash, request, UNKNOWN_HASH_MESSAGE)
        return CreateResult(upload, duplicate=True)
    with _stage_source(owner, source) as staged:
        if existing := queries.upload_by_hash(owner=owner, image_hash=staged.sha256):
            with suppress(UploadNotFound):  # deleted after the query
                return CreateResult(duplicates.reuse(existing, request), duplicate=True)
        about = NewUpload(filename=filename, metadata=metadata, via=via)
        try:
            return CreateResult(_store(owner, staged, about, options, requester), duplicate=False)
        except IntegrityError:
            # The constraint says that another request has stored the same bytes first.
            upload = duplicates.reuse_by_hash(owner, staged.sha256, request, DELETED_MEANWHILE_MESSAGE)
            return CreateResult(upload, duplicate=True)


@retry_transient
def update(
    *,
    owner: User,
    upload_id: UUID,
    filename: str | UnsetType = UNSET,
    correction: str | UnsetType | None = UNSET,
    metadata: dict[str, Any] | UnsetType = UNSET,
    check: Callable[[Upload], None] | None = None,
    requester: ReplyTarget | None = None,
) -> Upload:
    """Set the given fields of an upload.

    Args:
        check: Raises an error if the locked upload is not the one that the change is meant for.

    Raises:
        UploadNotFound: The user has no upload with this id.
        RequestError: No field is given.
        QuotaExceeded: The user has no bytes left for the correction or the metadata.
        StorageFull: The disk has no space for them.
    """
    given = {"filename": filename, "correction": correction, "metadata": metadata}
    fields = {name: value for name, value in given.items() if value is not UNSET}
    if not fields:
        raise RequestError({"data": "Set at least one of filename, processed_text, metadata."})
    with event_log.transaction() as changes:
        upload = rows.lock(owner, upload_id)
        if check is not None:
            check(upload)
        bytes_before = usage.text_bytes(upload)
        for name, value in fields.items():
            setattr(upload, name, value)
        field = "metadata" if correction is UNSET else "processed_text"
        rows.check_text_growth(owner, usage.text_bytes(upload) - bytes_before, field)
        rows.save(upload, **fields)
        if not INDEXED_FIELDS.isdisjoint(fields):
            search_index.index_upload(upload)
        changes.append(rows.change_of(upload, serializers.updated(upload), requester))
    return upload


def delete(
    *,
    owner: User,
    upload_id: UUID,
    check: Callable[[Upload], None] | None = None,
    requester: ReplyTarget | None = None,
) -> UploadMessage:
    """Delete the row, then the file; return the last state. Works on a full disk as well.

    `check` is that of `update`.

    Raises:
        UploadNotFound: The user has no upload with this id.
    """
    last, image_path = disk_reserve.call_with_reserve(_delete_row, owner, upload_id, check, requester)
    storage.delete(image_path)
    disk_reserve.fill()
    return last


@retry_transient
def cancel(*, owner: User, upload_id: UUID, requester: ReplyTarget | None = None) -> Upload:
    """End an upload that waits or is being read; finished pages keep their text.

    A cancelled upload stays as it is.

    Raises:
        UploadNotFound: The user has no upload with this id.
        StatusConflict: The upload has been processed, or has failed.
    """
    with event_log.transaction() as changes:
        upload = rows.lock(owner, upload_id)
        if upload.status == Status.CANCELLED:
            return upload
        if upload.status not in quotas.OPEN_STATUSES:
            raise StatusConflict(f"This upload is {upload.status}. Only an open upload can be cancelled.")
        ended = {"status": Status.CANCELLED, "error": CANCELLED, "error_code": CANCELLED_CODE}
        rows.save(upload, **ended, **results.text_fields(upload_id))
        upload.jobs.all().delete()
        reply = serializers.failed(upload)
        changes.append(rows.change_of(upload, serializers.status_change(upload), requester, reply))
        changes.append(rows.change_of(upload, reply, requester))
    return upload


@retry_transient
def retry(
    *,
    owner: User,
    upload_id: UUID,
    options: ReadOptions = NO_READ_OPTIONS,
    requester: ReplyTarget | None = None,
) -> Upload:
    """Read an upload that has ended again.

    Options that are not named keep their stored values. If pages are named, only these are read; the others
    keep their text.

    Raises:
        UploadNotFound: The user has no upload with this id.
        StatusConflict: The upload waits or is being read.
        RequestError: An option is invalid. Nothing was changed.
    """
    with event_log.transaction() as changes:
        upload = rows.lock(owner, upload_id)
        if upload.status in quotas.OPEN_STATUSES:
            raise StatusConflict(f"This upload is {upload.status}. Wait until it ends, or cancel it.")
        merged = options.merged_with(job_options.from_stored(upload.read_options))
        job_options.validate(merged)
        quotas.check_pending(owner, "instance_id")
        job_options.check_pages_exist(merged, upload.page_count)
        readings.begin(upload, merged)
        changes.append(rows.change_of(upload, serializers.updated(upload), requester))
    notify.notify_jobs_available()
    return upload


@contextmanager
def _stage_source(owner: User, source: UploadSource) -> Iterator[ingest.StagedFile]:
    """Yield the checked file of `source`.

    A value of `image_hash` that is not a SHA-256 is ignored: the specification's example sends one.
    """
    if source.staged is not None:
        staging: AbstractContextManager[ingest.StagedFile] = nullcontext(source.staged)
    elif source.image_base64 is not None:
        staging = ingest.from_base64(
            source.image_base64, name=source.image_path, quota=quotas.byte_quota(owner)
        )
    else:
        assert source.image_path is not None
        staging = ingest.from_path(source.image_path, quota=quotas.byte_quota(owner))
    expected = (source.image_hash or "").lower()
    with staging as staged:
        if re.fullmatch(r"[0-9a-f]{64}", expected) and expected != staged.sha256:
            message = "The hash is not the SHA-256 of these bytes. Correct it, or leave it out."
            raise RequestError({"image_hash": message})
        yield staged


@retry_transient
def _delete_row(
    owner: User,
    upload_id: UUID,
    check: Callable[[Upload], None] | None,
    requester: ReplyTarget | None,
) -> tuple[UploadMessage, str]:
    with event_log.transaction() as changes:
        upload = rows.lock(owner, upload_id)
        if check is not None:
            check(upload)
        last = serializers.deleted(upload)
        upload.delete()
        page_image_cache.remove_rows(upload_id)
        readings.remove_all(upload_id)
        changes.append(UploadChange(owner.pk, upload_id, upload.attempt, last, requester))
    return last, upload.image_path


def _store(
    owner: User,
    staged: ingest.StagedFile,
    about: NewUpload,
    options: ReadOptions,
    requester: ReplyTarget | None,
) -> Upload:
    """Store the file, then the row: a crash in between leaves an orphan file, never a row without a file."""
    key = uuid.uuid4()
    path = f"{key}/original.{staged.file_type.extension}"
    try:
        storage.put(staged.path, path)
        upload = _insert(
            requester,
            options,
            staged.field,
            id=key,
            owner=owner,
            **about.columns(staged.filename),
            image_path=path,
            image_hash=staged.sha256,
            content_type=staged.file_type.content_type,
            bytes=staged.bytes,
        )
    except BaseException as error:
        if isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseFull):
            raise  # the row may exist; if not, maintenance removes the file
        storage.delete(path)
        if _is_disk_full(error):
            raise StorageFull(staged.field) from error
        if isinstance(error, StorageUnavailable):
            raise StorageUnavailable(staged.field) from error
        raise
    notify.notify_jobs_available()
    return upload


@retry_transient
def _insert(
    requester: ReplyTarget | None,
    options: ReadOptions,
    field: str,
    *,
    id: UUID,
    owner: User,
    bytes: int,
    metadata: dict[str, Any],
    **columns: Any,
) -> Upload:
    """Insert the row with its job and its event.

    Args:
        field: The field of the request that brought the bytes; errors name it.

    Raises:
        IntegrityError: The user has another upload of the same bytes.
    """
    try:
        with event_log.transaction() as changes:
            text_bytes = len(msgspec.json.encode(metadata)) if metadata else 0
            quotas.check_new_upload(owner, bytes + text_bytes, field)
            upload = Upload.objects.create(
                id=id,
                owner=owner,
                bytes=bytes,
                metadata=metadata,
                text_bytes=text_bytes,
                page_bytes=0,
                **columns,
                **options.model_fields(),
            )
            search_index.index_upload(upload)
            Job.objects.create(upload=upload, priority=job_options.job_priority(options))
            reply = serializers.created(upload, duplicate=False)
            changes.append(rows.change_of(upload, serializers.created(upload), requester, reply))
        return upload
    except IntegrityError:
        # An earlier try may have committed this row, with the reply of its COMMIT lost.
        inserted = Upload.objects.select_related("owner").filter(pk=id).first()
        if inserted is None:
            raise
        return inserted


def _is_disk_full(error: BaseException) -> bool:
    """Return whether the file system or the database is out of space."""
    if isinstance(error, OSError):
        return error.errno in storage.DISK_FULL_ERRNOS
    return isinstance(error, DatabaseFull)
