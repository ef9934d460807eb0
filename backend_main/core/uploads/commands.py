"""Step 5 — the only place where an Upload changes on a user's behalf.

Each function is one transaction with its event. `origin` is the socket that asked, if one did.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError
from msgspec import UNSET, UnsetType

from ...reading.page_ranges import PageRanges
from .. import event_log, storage
from ..db.retry import retry_transient, sqlstate
from ..errors import (
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
from ..models import (
    Job,
    Status,
    Upload,
    User,
)
from ..protocol import messages, serializers
from ..protocol.base64_text import Base64Text
from ..protocol.messages import UploadMessage
from . import ingest, queries, quotas

REQUEUED_STATUSES = (Status.ERROR, Status.CANCELLED)
CANCELLED = "Cancelled"
DELETED_MEANWHILE_MESSAGE = "The same file was stored and deleted while it came in; send it again."
NO_READ_OPTIONS = ReadOptions()
DISK_FULL = "53100"  # PostgreSQL's code


class UploadSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the image comes from: a file that has come in already, or base64 before path before hash."""

    image_base64: str | Base64Text | None = None
    image_path: str | None = None
    image_hash: str | None = None
    received: ingest.StagedFile | None = None


class CreateResult(NamedTuple):
    upload: Upload
    duplicate: bool


def create(
    *,
    owner: User,
    source: UploadSource,
    options: ReadOptions = NO_READ_OPTIONS,
    origin: ReplyTarget | None = None,
) -> CreateResult:
    """A new upload that waits to be read, or the one that holds the same bytes already.

    Raises:
        RequestError: on the field of `source`, or of what is asked, that is wrong; nothing was stored.
    """
    job_options.validate(options)
    if source.image_base64 is None and source.image_path is None and source.received is None:
        return _create_by_hash(owner, source.image_hash, options, origin)
    with _stage_source(source) as received:
        if existing := queries.upload_by_hash(owner=owner, image_hash=received.sha256):
            with suppress(UploadNotFound):  # deleted since that look
                return CreateResult(_requeue_if_failed(existing, options, origin), duplicate=True)
        try:
            return CreateResult(_store(owner, received, options, origin), duplicate=False)
        except IntegrityError:
            return _resolve_duplicate_race(owner, received, options, origin)


@retry_transient
def update(
    *,
    owner: User,
    upload_id: UUID,
    filename: str | UnsetType = UNSET,
    correction: str | UnsetType | None = UNSET,
    metadata: dict[str, Any] | UnsetType = UNSET,
    origin: ReplyTarget | None = None,
) -> Upload:
    """Sets the given fields. Raises `UploadNotFound`, or `RequestError` where nothing is given."""
    given = {"filename": filename, "correction": correction, "metadata": metadata}
    changes = {name: value for name, value in given.items() if value is not UNSET}
    if not changes:
        raise RequestError({"data": "At least one of filename, processed_text, metadata is expected."})
    with event_log.transaction() as happened:
        upload = _locked(owner, upload_id)
        _set(upload, **changes)
        happened.append(_change(upload, serializers.updated(upload), origin))
    return upload


def delete(*, owner: User, upload_id: UUID, origin: ReplyTarget | None = None) -> UploadMessage:
    """Removes the row, then the file; gives the last state. Raises `UploadNotFound`."""
    last, image_path = _delete_row(owner, upload_id, origin)
    storage.delete(image_path)
    return last


@retry_transient
def cancel(*, owner: User, upload_id: UUID, origin: ReplyTarget | None = None) -> Upload:
    """Ends the waiting or the reading; the finished pages keep their text. Once more, it changes nothing.

    Raises:
        UploadNotFound, or StatusConflict where the upload has ended in another way.
    """
    with event_log.transaction() as happened:
        upload = _locked(owner, upload_id)
        if upload.status == Status.CANCELLED:
            return upload
        if upload.status not in quotas.OPEN_STATUSES:
            raise StatusConflict(f"This upload has ended already: it is {upload.status}.")
        _set(upload, status=Status.CANCELLED, error=CANCELLED, **results.texts_so_far(upload_id))
        upload.jobs.all().delete()
        happened.append(_change(upload, serializers.failed(upload), origin))
    return upload


@retry_transient
def retry(
    *, owner: User, upload_id: UUID, options: ReadOptions = NO_READ_OPTIONS, origin: ReplyTarget | None = None
) -> Upload:
    """Reads an upload that has ended anew. What is not asked is as it was asked before.

    Where pages are asked for, they alone are read; the others keep their text.

    Raises:
        UploadNotFound, StatusConflict, or `RequestError` on what is asked; nothing was changed.
    """
    with event_log.transaction() as happened:
        upload = _locked(owner, upload_id)
        if upload.status in quotas.OPEN_STATUSES:
            raise StatusConflict(f"This upload is {upload.status}; only one that has ended is read again.")
        wanted = job_options.validate(options.merged_with(job_options.from_stored(upload.read_options)))
        quotas.check_pending(owner, "instance_id")
        _requeue(upload, job_options.check_pages_exist(wanted, upload.page_count))
        happened.append(_change(upload, serializers.updated(upload), origin))
    notify.notify_jobs_available()
    return upload


def _stage_source(source: UploadSource) -> AbstractContextManager[ingest.StagedFile]:
    if source.received is not None:
        return _check_hash(nullcontext(source.received), source.image_hash)
    if source.image_base64 is None:
        assert source.image_path is not None
        return _check_hash(ingest.from_path(source.image_path), source.image_hash)
    return _check_hash(ingest.from_base64(source.image_base64, name=source.image_path), source.image_hash)


@contextmanager
def _check_hash(
    receiving: AbstractContextManager[ingest.StagedFile], image_hash: str | None
) -> Iterator[ingest.StagedFile]:
    """A hash beside the bytes must be theirs. The specification's example sends one that is no SHA-256."""
    with receiving as received:
        claimed = (image_hash or "").lower()
        if re.fullmatch(r"[0-9a-f]{64}", claimed) and claimed != received.sha256:
            raise RequestError({"image_hash": "This is not the SHA-256 of the bytes sent."})
        yield received


@retry_transient
def _delete_row(owner: User, upload_id: UUID, origin: ReplyTarget | None) -> tuple[UploadMessage, str]:
    with event_log.transaction() as happened:
        upload = _locked(owner, upload_id)
        last = serializers.deleted(upload)
        upload.delete()
        happened.append(UploadChange(owner.pk, upload_id, upload.attempt, last, origin))
    return last, upload.image_path


def _create_by_hash(
    owner: User, image_hash: str | None, asked: ReadOptions, origin: ReplyTarget | None
) -> CreateResult:
    if image_hash is None:
        raise RequestError({"image_base64": "One of image_base64, image_path, image_hash is expected."})
    existing = queries.upload_by_hash(owner=owner, image_hash=image_hash)
    if existing is None:
        raise RequestError({"image_hash": "You have no upload with this hash; send its bytes."})
    return CreateResult(_requeue_if_failed(existing, asked, origin), duplicate=True)


def _store(
    owner: User, received: ingest.StagedFile, asked: ReadOptions, origin: ReplyTarget | None
) -> Upload:
    """File before row: a crash between the two leaves an unreferenced file, never a row without one."""
    key = uuid.uuid4()
    path = f"{key}/original.{received.kind.extension}"
    try:
        storage.put(received.path, path)
        upload = _insert(
            origin,
            asked,
            received.field,
            id=key,
            owner=owner,
            filename=received.filename,
            image_path=path,
            image_hash=received.sha256,
            content_type=received.kind.content_type,
            bytes=received.bytes,
        )
    except DatabaseUnavailable:
        raise  # there may be a row after all; if not, the file is swept
    except BaseException as error:
        storage.delete(path)
        if _is_disk_full(error):
            raise StorageFull(received.field) from error
        if isinstance(error, StorageUnavailable):
            raise StorageUnavailable(received.field) from error
        raise
    notify.notify_jobs_available()
    return upload


@retry_transient
def _insert(
    origin: ReplyTarget | None,
    asked: ReadOptions,
    field: str,
    *,
    id: UUID,
    owner: User,
    bytes: int,
    **columns: Any,
) -> Upload:
    """`field` brought the bytes. Raises IntegrityError where another upload has the same."""
    try:
        with event_log.transaction() as happened:
            quotas.check_new(owner, bytes, field)
            upload = Upload.objects.create(id=id, owner=owner, bytes=bytes, **columns, **asked.model_fields())
            Job.objects.create(upload=upload, priority=job_options.job_priority(asked))
            reply = serializers.created(upload, duplicate=False)
            happened.append(_change(upload, serializers.created(upload), origin, reply))
        return upload
    except IntegrityError:
        # It stands there from a time before, whose COMMIT was carried out and its answer lost.
        there = Upload.objects.select_related("owner").filter(pk=id).first()
        if there is None:
            raise
        return there


def _resolve_duplicate_race(
    owner: User, received: ingest.StagedFile, asked: ReadOptions, origin: ReplyTarget | None
) -> CreateResult:
    """The same bytes came in at the same time, and the other request was first: the constraint says so."""
    existing = queries.upload_by_hash(owner=owner, image_hash=received.sha256)
    if existing is None:
        raise RequestError({"image_hash": DELETED_MEANWHILE_MESSAGE})
    return CreateResult(_requeue_if_failed(existing, asked, origin), duplicate=True)


def _is_disk_full(error: BaseException) -> bool:
    """Whether the disk has no room for the file's directory, or for the row."""
    if isinstance(error, OSError):
        return error.errno in storage.DISK_FULL_ERRNOS
    return isinstance(error, OperationalError) and ("full" in str(error) or sqlstate(error) == DISK_FULL)


@retry_transient
def _requeue_if_failed(upload: Upload, asked: ReadOptions, origin: ReplyTarget | None) -> Upload:
    """An upload that ended without a text is read again when its bytes come again; no other is."""
    if upload.status not in REQUEUED_STATUSES:
        return upload
    with event_log.transaction() as happened:
        upload = _locked(upload.owner, upload.pk)
        if upload.status in REQUEUED_STATUSES:
            _requeue(
                upload,
                asked
                if asked != NO_READ_OPTIONS
                else job_options.from_stored(upload.read_options).for_all_pages(),
            )
            reply = serializers.created(upload, duplicate=True)
            happened.append(_change(upload, serializers.updated(upload), origin, reply))
    notify.notify_jobs_available()
    return upload


def _requeue(upload: Upload, wanted: ReadOptions) -> None:
    """Pending again; the attempt goes on counting, and a correction stays."""
    anew = PageRanges(wanted.reread_pages or "")
    read = upload.pages.values_list("number", flat=True)
    upload.pages.filter(number__in=[number for number in read if number in anew]).delete()
    kept = upload.pages.count()
    fresh = {"status": Status.PENDING, "error": None, "pages_done": kept}
    if not kept:
        fresh["page_count"] = None
    _set(upload, **fresh, **wanted.model_fields(), **results.texts_so_far(upload.pk))
    Job.objects.create(upload=upload, priority=job_options.job_priority(wanted))


def _change(
    upload: Upload,
    message: messages.DurableMessage,
    origin: ReplyTarget | None,
    reply: UploadMessage | None = None,
) -> UploadChange:
    return UploadChange(upload.owner_id, upload.pk, upload.attempt, message, origin, reply)


def _set(upload: Upload, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(upload, name, value)
    upload.save(update_fields=[*changes, "updated_at"])


def _locked(owner: User, upload_id: UUID) -> Upload:
    """The row, held until the end of the transaction (PostgreSQL; SQLite has one writer at a time)."""
    rows = Upload.objects.owned_by(owner).select_for_update(of=("self",)).select_related("owner")
    upload = rows.filter(pk=upload_id).first()
    if upload is None:
        raise UploadNotFound
    return upload
