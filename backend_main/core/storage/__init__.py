"""Storage of uploaded files. Only this package touches stored files.

Code here stores, reads, lists and deletes files by key, `<upload id>/original.<extension>`; derived files lie
beside the original. May import conf, errors and extras.

`base`         interface of a storage backend
`filesystem`   backend for a directory
`s3`           backend for a bucket of S3 or a compatible service; needs the extra `s3`
`local_cache`  copies of objects on this machine, for `s3`
`staging`      incomplete incoming files, always on this machine
`disk_space`   free space, shared out among the incoming files
`url`          SCANRILL_STORAGE_URL → the backend's location

Other packages call the functions of this module and of `disk_space`. They see a path only of a staged file
and of a `local_copy`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..conf import conf
from ..errors import CommandError, StorageUnavailable
from ..extras import install_command
from . import url as storage_url
from .base import DISK_FULL_ERRNOS, StorageBackend, validate_key
from .disk_space import check_free_space
from .staging import remove_stale, staging_file

__all__ = ["DISK_FULL_ERRNOS", "check_free_space", "staging_file"]

log = logging.getLogger(__name__)

_create_lock = threading.Lock()


def prepare() -> None:
    """Create the directories.

    Raises:
        CommandError: A directory cannot be created, the URL is invalid, or the extra `s3` is missing.
    """
    bucket = storage_url.parse_storage_url(conf.storage_url)
    if bucket is not None and not find_spec("storages"):
        raise CommandError(
            f"SCANRILL_STORAGE_URL: A bucket needs the extra `s3`. Run: {install_command('s3')}"
        )
    for directory in (_cache_dir() if bucket else conf.files_dir, conf.staging_dir):
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CommandError(f"Cannot create the directory {directory}: {error.strerror}.") from None


def check() -> None:
    """Store, list, read and delete a test file.

    Raises:
        CommandError: One of these failed.
    """
    _backend().check()


def is_writable() -> bool:
    """Return whether the storage accepts files."""
    return _backend().is_writable()


def put(path: Path, key: str) -> None:
    """Move a complete staged file into the storage: whole or not at all, also after a power failure.

    Raises:
        OSError: The disk or bucket is full, or the file cannot be moved.
        StorageUnavailable: The storage does not answer.
    """
    validate_key(key)
    _backend().put(path, key)


def delete(key: str) -> None:
    """Delete an upload's file and its derived files; if the storage fails, maintenance deletes them later."""
    validate_key(key)
    name = key.partition("/")[0]
    try:
        delete_all(name)
    except StorageUnavailable:
        log.warning("The files of %s could not be deleted. Maintenance deletes them later.", name)


def local_copy(key: str) -> AbstractContextManager[Path]:
    """Return a context manager with a path on this machine, valid until the end of the block.

    Raises:
        FileNotFoundError: No such file.
        StorageUnavailable: The storage does not answer.
    """
    validate_key(key)
    return _backend().local_copy(key)


def iter_bytes(key: str, start: int, end: int) -> Generator[bytes, None, None]:
    """Yield the bytes [start, end) of a file; fewer if the file is deleted meanwhile.

    Raises:
        StorageUnavailable: The storage does not answer, possibly after some chunks.
    """
    validate_key(key)
    return _backend().iter_bytes(key, start, end)


def read_derived(key: str, name: str) -> bytes | None:
    """Return the content of a derived file, or None.

    Raises:
        StorageUnavailable: The storage does not answer.
    """
    validate_key(key)
    return _backend().read_derived(key, name)


def write_derived(key: str, name: str, content: bytes) -> None:
    """Store a derived file, if the original still exists and the storage has space."""
    validate_key(key)
    _backend().write_derived(key, name, content)


def delete_derived(key: str, name: str) -> None:
    """Delete a derived file.

    Raises:
        StorageUnavailable: The storage does not answer.
    """
    validate_key(key)
    _backend().delete_derived(key, name)


def stored_ids(*, older_than_seconds: float) -> Iterator[str]:
    """Yield the first components of the stored keys, which are upload ids.

    Raises:
        StorageUnavailable: The storage does not answer.
    """
    return _backend().stored_ids(older_than_seconds)


def delete_all(name: str) -> None:
    """Delete every file of an upload id.

    Raises:
        StorageUnavailable: The storage does not answer.
    """
    validate_key(name)
    _backend().delete_all(name)


def clear_staging(*, older_than_seconds: float) -> int:
    """Delete incomplete files of crashed requests; return the number of staged files among them."""
    removed = remove_stale(older_than_seconds=older_than_seconds)
    _backend().abort_incomplete(older_than_seconds)
    return removed


def claim_for_deployment(deployment: str) -> bool:
    """Return whether the storage belongs to this deployment; claim it if it has no owner yet."""
    return _backend().claim_for_deployment(deployment)


def _backend() -> StorageBackend:
    """Return the one backend of this process: a second `S3Backend` would take 30 MB more."""
    with _create_lock:
        return _create_backend()


@cache
def _create_backend() -> StorageBackend:
    bucket = storage_url.parse_storage_url(conf.storage_url)
    if bucket is None:
        from .filesystem import FilesystemBackend

        return FilesystemBackend(conf.files_dir)
    # Importing boto3 takes half a second, so other deployments do not.
    from .local_cache import LocalFileCache
    from .s3 import S3Backend

    return S3Backend(bucket, LocalFileCache(_cache_dir(), conf.storage_cache_bytes))


def _cache_dir() -> Path:
    return conf.data_dir / "copies"
