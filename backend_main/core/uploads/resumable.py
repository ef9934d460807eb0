"""Resumable uploads: files that arrive over several requests, as tus defines them (`http.tus`).

The row says whose file it is and how many bytes it will have; the size of the file says how many have come.
So nothing is lost when a server dies. A lock on the file keeps two requests from writing it, also in two
processes that share the staging directory.

The announced bytes of all unfinished files of a user count at the creation of another one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from ..conf import conf
from ..db.retry import retry_transient
from ..errors import (
    FileTooLarge,
    QuotaExceeded,
    RequestError,
    ResumableUploadLocked,
    ResumableUploadNotFound,
    StorageFull,
)
from ..integration_models import ResumableUpload
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..models import User
from ..protocol.messages import Create
from ..storage import disk_space, staging
from ..storage.disk_space import IncomingFile
from . import commands, ingest, usage

FIELD = "file"
DIRECTORY = "resumable"
# A user who sends a folder has a few at once; each may hold a file of the largest size until it expires.
MAX_UNFINISHED_PER_USER = 100
# A file is made before its row, so a younger one may be a new upload.
ORPHAN_SECONDS = 3_600


@retry_transient
def create(*, owner: User, length: int, request: Create) -> ResumableUpload:
    """Add a resumable upload of `length` bytes.

    Raises:
        RequestError: The file is too large for a limit, or an option is not valid. Nothing was stored.
    """
    if conf.max_upload_bytes and length > conf.max_upload_bytes:
        raise FileTooLarge(FIELD, conf.max_upload_bytes)
    options = ReadOptions(**request.read_options())
    job_options.validate(options)
    with transaction.atomic():
        owner.lock()
        _check_quotas(owner, length)
        upload = ResumableUpload(
            owner=owner,
            length=length,
            filename=request.filename or "",
            metadata=request.metadata or {},
            read_options=msgspec.to_builtins(options),
            on_duplicate=request.on_duplicate or "reread",
            expires_at=_expiry(),
        )
        path_of(upload).parent.mkdir(mode=0o700, exist_ok=True)
        path_of(upload).touch(mode=0o600)
        upload.save(force_insert=True)
    return upload


@retry_transient
def get(*, owner: User, upload_id: UUID) -> ResumableUpload:
    """Return a resumable upload of a user. Raises `ResumableUploadNotFound`."""
    found = ResumableUpload.objects.filter(owner=owner, pk=upload_id, expires_at__gt=timezone.now()).first()
    if found is None:
        raise ResumableUploadNotFound
    return found


def path_of(upload: ResumableUpload) -> Path:
    """Return the path of the file, in the staging directory: storing it is a rename."""
    return conf.staging_dir / DIRECTORY / str(upload.pk)


def offset_of(upload: ResumableUpload) -> int:
    """Return how many bytes have arrived.

    Raises:
        ResumableUploadLocked: The file is on another server.
    """
    if upload.upload_id is not None:
        return upload.length
    try:
        return path_of(upload).stat().st_size
    except FileNotFoundError:
        raise ResumableUploadLocked from None


class ResumableFile:
    """Open file of a resumable upload, locked for one request.

    Attributes:
        offset: Bytes that have arrived.
    """

    def __init__(self, upload: ResumableUpload, descriptor: int, space: IncomingFile, hash_name: str) -> None:
        self._length = upload.length
        self._descriptor = descriptor
        self._space = space
        self._digest = hashlib.new(hash_name, usedforsecurity=False) if hash_name else None
        self._start = self.offset = os.fstat(descriptor).st_size

    def write(self, chunk: bytes) -> None:
        """Append a chunk. Raises `RequestError` beyond the announced length, and `StorageFull`."""
        if self.offset + len(chunk) > self._length:
            raise RequestError({FIELD: f"The file has more than its announced {self._length} bytes."})
        with ingest.translate_disk_full(FIELD):
            self._space.grow(len(chunk))
            written = os.write(self._descriptor, chunk)
            while written < len(chunk):
                written += os.write(self._descriptor, chunk[written:])
        self.offset += len(chunk)
        if self._digest is not None:
            self._digest.update(chunk)

    def digest(self) -> bytes:
        """Return the hash of what this request has written."""
        assert self._digest is not None
        return self._digest.digest()

    def discard(self) -> None:
        """Remove what this request has written."""
        os.ftruncate(self._descriptor, self._start)
        self.offset = self._start


@contextmanager
def open_file(
    upload: ResumableUpload, *, expected_bytes: int = 0, hash_name: str = ""
) -> Iterator[ResumableFile]:
    """Open the file of a resumable upload, alone.

    Args:
        expected_bytes: Bytes that this request announces; they are reserved on the disk.
        hash_name: Name of the hash of what this request writes; empty: none.

    Raises:
        ResumableUploadLocked: Another request writes the file, or another server has it.
        StorageFull: The disk has no space for the bytes.
    """
    with (
        _locked(upload) as descriptor,
        ingest.translate_disk_full(FIELD),
        disk_space.incoming.open_file(expected_bytes, upload.owner_id) as space,
    ):
        yield ResumableFile(upload, descriptor, space, hash_name)


@retry_transient
def record_progress(upload: ResumableUpload, offset: int) -> None:
    """Store how many bytes have arrived, and extend the time in which the rest may come."""
    upload.received, upload.expires_at = offset, _expiry()
    ResumableUpload.objects.filter(pk=upload.pk).update(received=offset, expires_at=upload.expires_at)


def check_whole_file(upload: ResumableUpload) -> ingest.StagedFile:
    """Hash and check a file that has arrived; the caller has it open. Takes a second for each gigabyte."""
    return ingest.check_staged_file(path_of(upload), FIELD, name=upload.filename or None)


def complete(owner: User, upload: ResumableUpload, staged: ingest.StagedFile) -> None:
    """Make a resumable upload an upload like all others, under the limits and rules of all others.

    The storage gets a second name of the file. The first stays if the upload is refused, and until the row
    says what it became: if the process dies before, the next request finds a duplicate.

    Raises:
        RequestError: The upload is refused; `is_retryable` says whether it can succeed later.
    """
    second_name = staged.path.with_suffix(".whole")
    second_name.unlink(missing_ok=True)
    os.link(staged.path, second_name)
    try:
        created = commands.create(
            owner=owner,
            source=commands.UploadSource(staged=dataclasses.replace(staged, path=second_name)),
            options=job_options.from_stored(upload.read_options),
            filename=upload.filename or None,
            metadata=upload.metadata or None,
            on_duplicate=upload.on_duplicate,  # type: ignore[arg-type] # the column has no other values
        )
    finally:
        second_name.unlink(missing_ok=True)
    _record_completion(upload, created.upload.pk, is_duplicate=created.duplicate)
    path_of(upload).unlink(missing_ok=True)


@retry_transient
def remove(upload: ResumableUpload) -> None:
    """Delete a resumable upload with its file; an upload that it became stays."""
    path_of(upload).unlink(missing_ok=True)
    upload.delete()


@retry_transient
def remove_expired() -> int:
    """Delete resumable uploads whose time is over, and files without a row; return their number."""
    removed = 0
    for upload in ResumableUpload.objects.filter(expires_at__lte=timezone.now()):
        if not path_of(upload).exists():  # it was stored, or is on another server, which finds an orphan
            upload.delete()
            removed += 1
        else:
            with suppress(ResumableUploadLocked), _locked(upload):  # a request that runs extends the time
                remove(upload)
                removed += 1
    return removed + _remove_orphan_files()


def _check_quotas(owner: User, length: int) -> None:
    """Check the announced bytes of all unfinished files of a user, whose row is locked."""
    unfinished = ResumableUpload.objects.filter(owner=owner, upload_id=None, expires_at__gt=timezone.now())
    if unfinished.count() >= MAX_UNFINISHED_PER_USER:
        message = (
            f"You have {MAX_UNFINISHED_PER_USER} unfinished uploads, the maximum. Finish or delete some."
        )
        raise QuotaExceeded(FIELD, message)
    announced = unfinished.aggregate(sum=Sum("length", default=0))["sum"] + length
    if conf.max_bytes_per_user:
        free = max(0, conf.max_bytes_per_user - usage.stored_bytes(owner.pk))
        if announced > free:
            message = f"Your unfinished uploads have {announced} bytes, and your quota has {free} bytes left."
            raise QuotaExceeded(FIELD, f"{message} Delete files that you do not need.")
    coming = ResumableUpload.objects.filter(upload_id=None).aggregate(
        sum=Sum(F("length") - F("received"), default=0)
    )["sum"]
    try:
        disk_space.check_free_space(coming + length)
    except OSError:
        raise StorageFull(FIELD) from None


@contextmanager
def _locked(upload: ResumableUpload) -> Iterator[int]:
    """Yield a descriptor of the file, for appending, that no other request has locked."""
    try:
        descriptor = os.open(path_of(upload), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise ResumableUploadLocked from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResumableUploadLocked from None
        yield descriptor
    finally:
        os.close(descriptor)


def _expiry() -> dt.datetime:
    return timezone.now() + conf.resumable_upload_retention.timedelta


@retry_transient
def _record_completion(upload: ResumableUpload, upload_id: UUID, *, is_duplicate: bool) -> None:
    upload.upload_id, upload.is_duplicate, upload.received = upload_id, is_duplicate, upload.length
    upload.save(update_fields=["upload_id", "is_duplicate", "received"])


def _remove_orphan_files() -> int:
    """Delete files that have no row."""
    directory = conf.staging_dir / DIRECTORY
    files = {path.name: path for path in directory.iterdir()} if directory.is_dir() else {}
    known = {str(key) for key in ResumableUpload.objects.values_list("pk", flat=True)}
    orphans = [path for name, path in files.items() if name not in known]
    stale = [path for path in orphans if staging.is_older_than(path, ORPHAN_SECONDS)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)
