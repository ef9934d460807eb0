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

from ..reading.selection import Selection
from . import dispatch, events, intake, jobs, protocol, queries, quotas, serializers, storage, wishes
from .again import again, sqlstate
from .errors import Invalid, StorageFull, StorageUnavailable, Unavailable, UploadNotFound, WrongStatus
from .events import Asker, Change
from .models import Job, Status, Upload, User
from .protocol import Base64Text, UploadMessage
from .wishes import Wishes

READ_AGAIN = (Status.ERROR, Status.CANCELLED)
CANCELLED = "Cancelled"
GONE = "The same file was stored and deleted while it came in; send it again."
NO_WISHES = Wishes()
DISK_FULL = "53100"  # PostgreSQL's code


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where the image comes from: a file that has come in already, or base64 before path before hash."""

    image_base64: str | Base64Text | None = None
    image_path: str | None = None
    image_hash: str | None = None
    received: intake.Received | None = None


class Created(NamedTuple):
    upload: Upload
    duplicate: bool


def create(*, owner: User, source: Source, asked: Wishes = NO_WISHES, origin: Asker | None = None) -> Created:
    """A new upload that waits to be read, or the one that holds the same bytes already.

    Raises:
        Invalid: on the field of `source`, or of what is asked, that is wrong; nothing was stored.
    """
    wishes.check(asked)
    if source.image_base64 is None and source.image_path is None and source.received is None:
        return _probe(owner, source.image_hash, asked, origin)
    with _received(source) as received:
        if existing := queries.upload_by_hash(owner=owner, image_hash=received.sha256):
            with suppress(UploadNotFound):  # deleted since that look
                return Created(_read_again(existing, asked, origin), duplicate=True)
        try:
            return Created(_store(owner, received, asked, origin), duplicate=False)
        except IntegrityError:
            return _beaten(owner, received, asked, origin)


@again
def update(
    *,
    owner: User,
    upload_id: UUID,
    filename: str | UnsetType = UNSET,
    correction: str | UnsetType | None = UNSET,
    metadata: dict[str, Any] | UnsetType = UNSET,
    origin: Asker | None = None,
) -> Upload:
    """Sets the given fields. Raises `UploadNotFound`, or `Invalid` where nothing is given."""
    given = {"filename": filename, "correction": correction, "metadata": metadata}
    changes = {name: value for name, value in given.items() if value is not UNSET}
    if not changes:
        raise Invalid({"data": "At least one of filename, processed_text, metadata is expected."})
    with events.transaction() as happened:
        upload = _locked(owner, upload_id)
        _set(upload, **changes)
        happened.append(_change(upload, serializers.updated(upload), origin))
    return upload


def delete(*, owner: User, upload_id: UUID, origin: Asker | None = None) -> UploadMessage:
    """Removes the row, then the file; gives the last state. Raises `UploadNotFound`."""
    last, image_path = _delete_row(owner, upload_id, origin)
    storage.delete(image_path)
    return last


@again
def cancel(*, owner: User, upload_id: UUID, origin: Asker | None = None) -> Upload:
    """Ends the waiting or the reading; the finished pages keep their text. Once more, it changes nothing.

    Raises:
        UploadNotFound, or WrongStatus where the upload has ended in another way.
    """
    with events.transaction() as happened:
        upload = _locked(owner, upload_id)
        if upload.status == Status.CANCELLED:
            return upload
        if upload.status not in quotas.OPEN:
            raise WrongStatus(f"This upload has ended already: it is {upload.status}.")
        _set(upload, status=Status.CANCELLED, error=CANCELLED, **jobs.texts_so_far(upload_id))
        upload.jobs.all().delete()
        happened.append(_change(upload, serializers.failed(upload), origin))
    return upload


@again
def retry(*, owner: User, upload_id: UUID, asked: Wishes = NO_WISHES, origin: Asker | None = None) -> Upload:
    """Reads an upload that has ended anew. What is not asked is as it was asked before.

    Where pages are asked for, they alone are read; the others keep their text.

    Raises:
        UploadNotFound, WrongStatus, or `Invalid` on what is asked; nothing was changed.
    """
    with events.transaction() as happened:
        upload = _locked(owner, upload_id)
        if upload.status in quotas.OPEN:
            raise WrongStatus(f"This upload is {upload.status}; only one that has ended is read again.")
        wanted = wishes.check(asked.after(wishes.of(upload.asked)))
        quotas.check_pending(owner, "instance_id")
        _reset(upload, wishes.in_document(wanted, upload.page_count))
        happened.append(_change(upload, serializers.updated(upload), origin))
    dispatch.there_is_work()
    return upload


def _received(source: Source) -> AbstractContextManager[intake.Received]:
    if source.received is not None:
        return _hash_checked(nullcontext(source.received), source.image_hash)
    if source.image_base64 is None:
        assert source.image_path is not None
        return _hash_checked(intake.from_path(source.image_path), source.image_hash)
    return _hash_checked(intake.from_base64(source.image_base64, name=source.image_path), source.image_hash)


@contextmanager
def _hash_checked(
    receiving: AbstractContextManager[intake.Received], image_hash: str | None
) -> Iterator[intake.Received]:
    """A hash beside the bytes must be theirs. The specification's example sends one that is no SHA-256."""
    with receiving as received:
        claimed = (image_hash or "").lower()
        if re.fullmatch(r"[0-9a-f]{64}", claimed) and claimed != received.sha256:
            raise Invalid({"image_hash": "This is not the SHA-256 of the bytes sent."})
        yield received


@again
def _delete_row(owner: User, upload_id: UUID, origin: Asker | None) -> tuple[UploadMessage, str]:
    with events.transaction() as happened:
        upload = _locked(owner, upload_id)
        last = serializers.deleted(upload)
        upload.delete()
        happened.append(Change(owner.pk, upload_id, upload.attempt, last, origin))
    return last, upload.image_path


def _probe(owner: User, image_hash: str | None, asked: Wishes, origin: Asker | None) -> Created:
    if image_hash is None:
        raise Invalid({"image_base64": "One of image_base64, image_path, image_hash is expected."})
    existing = queries.upload_by_hash(owner=owner, image_hash=image_hash)
    if existing is None:
        raise Invalid({"image_hash": "You have no upload with this hash; send its bytes."})
    return Created(_read_again(existing, asked, origin), duplicate=True)


def _store(owner: User, received: intake.Received, asked: Wishes, origin: Asker | None) -> Upload:
    """File before row: a crash between the two leaves an unreferenced file, never a row without one."""
    key = uuid.uuid4()
    path = f"{key}/original.{received.kind.extension}"
    try:
        storage.keep(received.path, path)
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
    except Unavailable:
        raise  # there may be a row after all; if not, the file is swept
    except BaseException as error:
        storage.delete(path)
        if _is_full(error):
            raise StorageFull(received.field) from error
        if isinstance(error, StorageUnavailable):
            raise StorageUnavailable(received.field) from error
        raise
    dispatch.there_is_work()
    return upload


@again
def _insert(
    origin: Asker | None, asked: Wishes, field: str, *, id: UUID, owner: User, bytes: int, **columns: Any
) -> Upload:
    """`field` brought the bytes. Raises IntegrityError where another upload has the same."""
    try:
        with events.transaction() as happened:
            quotas.check_new(owner, bytes, field)
            upload = Upload.objects.create(id=id, owner=owner, bytes=bytes, **columns, **asked.columns())
            Job.objects.create(upload=upload, priority=wishes.rank(asked))
            reply = serializers.created(upload, duplicate=False)
            happened.append(_change(upload, serializers.created(upload), origin, reply))
        return upload
    except IntegrityError:
        # It stands there from a time before, whose COMMIT was carried out and its answer lost.
        there = Upload.objects.select_related("owner").filter(pk=id).first()
        if there is None:
            raise
        return there


def _beaten(owner: User, received: intake.Received, asked: Wishes, origin: Asker | None) -> Created:
    """The same bytes came in at the same time, and the other request was first: the constraint says so."""
    existing = queries.upload_by_hash(owner=owner, image_hash=received.sha256)
    if existing is None:
        raise Invalid({"image_hash": GONE})
    return Created(_read_again(existing, asked, origin), duplicate=True)


def _is_full(error: BaseException) -> bool:
    """Whether the disk has no room for the file's directory, or for the row."""
    if isinstance(error, OSError):
        return error.errno in storage.NO_ROOM
    return isinstance(error, OperationalError) and ("full" in str(error) or sqlstate(error) == DISK_FULL)


@again
def _read_again(upload: Upload, asked: Wishes, origin: Asker | None) -> Upload:
    """An upload that ended without a text is read again when its bytes come again; no other is."""
    if upload.status not in READ_AGAIN:
        return upload
    with events.transaction() as happened:
        upload = _locked(upload.owner, upload.pk)
        if upload.status in READ_AGAIN:
            _reset(upload, asked if asked != NO_WISHES else wishes.of(upload.asked).of_all())
            reply = serializers.created(upload, duplicate=True)
            happened.append(_change(upload, serializers.updated(upload), origin, reply))
    dispatch.there_is_work()
    return upload


def _reset(upload: Upload, wanted: Wishes) -> None:
    """Pending again; the attempt goes on counting, and a correction stays."""
    anew = Selection(wanted.anew or "")
    read = upload.pages.values_list("number", flat=True)
    upload.pages.filter(number__in=[number for number in read if number in anew]).delete()
    kept = upload.pages.count()
    fresh = {"status": Status.PENDING, "error": None, "pages_done": kept}
    if not kept:
        fresh["page_count"] = None
    _set(upload, **fresh, **wanted.columns(), **jobs.texts_so_far(upload.pk))
    Job.objects.create(upload=upload, priority=wishes.rank(wanted))


def _change(
    upload: Upload, message: protocol.Change, origin: Asker | None, reply: UploadMessage | None = None
) -> Change:
    return Change(upload.owner_id, upload.pk, upload.attempt, message, origin, reply)


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
