"""Step 6 — the only rooms where stored files are touched. A key is `<upload id>/original.<ext>`.

`base.py`      what a place for files can do
`files.py`     a directory
`objects.py`   a bucket that speaks S3, and `copies.py`, what is on this machine of it; needs the extra `s3`
`place.py`     SCANRILL_STORAGE_URL → which of them
`arriving.py`  files on their way in, on this machine in any case

Everybody else calls the functions here, and knows no path but of an incoming file and of a `local_copy`.
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
from . import url as storage_url
from .base import DISK_FULL_ERRNOS, StorageBackend, validate_key
from .staging import check_free_space, staging_file
from .staging import remove_stale as _clear

__all__ = ["DISK_FULL_ERRNOS", "check_free_space", "staging_file"]

log = logging.getLogger(__name__)

_create_lock = threading.Lock()


def prepare() -> None:
    """Makes the directories. Raises `CommandError` where that, or the URL, or an extra, is wanting."""
    bucket = storage_url.parse_storage_url(conf.storage_url)
    if bucket is not None and not find_spec("storages"):
        raise CommandError("SCANRILL_STORAGE_URL: a bucket needs the extra `s3`: pip install 'scanrill[s3]'.")
    for directory in (_cache_dir() if bucket else conf.files_dir, conf.staging_dir):
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CommandError(f"The directory {directory} cannot be made ({error.strerror}).") from None


def check() -> None:
    """Stores, lists, reads and removes something. Raises `CommandError` where that cannot be done."""
    _backend().check()


def is_writable() -> bool:
    return _backend().is_writable()


def put(path: Path, key: str) -> None:
    """Takes a complete incoming file to its place: there whole or not at all, also after a power cut.

    Raises OSError, or `StorageUnavailable`.
    """
    _backend().put(path, validate_key(key))


def delete(key: str) -> None:
    """Removes an upload's file and what was made from it; what cannot be removed now, a sweep removes."""
    name = validate_key(key).partition("/")[0]
    try:
        delete_all(name)
    except StorageUnavailable:
        log.warning("the files of %s could not be removed; they are swept later", name)


def local_copy(key: str) -> AbstractContextManager[Path]:
    """A path on this machine that the reader may open, until the end of the block.

    Raises FileNotFoundError, or `StorageUnavailable`.
    """
    return _backend().local_copy(validate_key(key))


def iter_bytes(key: str, start: int, end: int) -> Generator[bytes, None, None]:
    """The bytes [start, end) of a file; fewer where the file has gone meanwhile.

    Raises `StorageUnavailable`, at any piece.
    """
    return _backend().iter_bytes(validate_key(key), start, end)


def read_derived(key: str, name: str) -> bytes | None:
    """What was made from a file and kept beside it, or None. Raises `StorageUnavailable`."""
    return _backend().read_derived(validate_key(key), name)


def write_derived(key: str, name: str, content: bytes) -> None:
    """Keeps what was made from a file, unless that has gone or there is no room: it can be made again."""
    _backend().write_derived(validate_key(key), name, content)


def stored_ids(*, older_than_seconds: float) -> Iterator[str]:
    """The names that files are stored under, which are ids of uploads. Raises `StorageUnavailable`."""
    return _backend().stored_ids(older_than_seconds)


def delete_all(name: str) -> None:
    """Removes whatever is stored under an id. Raises `StorageUnavailable`."""
    _backend().delete_all(validate_key(name))


def clear_staging(*, older_than_seconds: float) -> int:
    """Removes what crashed requests left half-written; how many files there were."""
    removed = _clear(older_than_seconds=older_than_seconds)
    _backend().abort_incomplete(older_than_seconds)
    return removed


def claim_for_deployment(deployment: str) -> bool:
    """Whether what is stored here is this deployment's; a place that was nobody's is from now on."""
    return _backend().claim_for_deployment(deployment)


def _backend() -> StorageBackend:
    """One for all threads: of those that a rush of first requests made, each would take 30 MB."""
    with _create_lock:
        return _create_backend()


@cache
def _create_backend() -> StorageBackend:
    bucket = storage_url.parse_storage_url(conf.storage_url)
    if bucket is None:
        from .filesystem import FilesystemBackend

        return FilesystemBackend(conf.files_dir)
    # What speaks S3 takes half a second to import, which nobody else is to wait for.
    from .local_cache import LocalFileCache
    from .s3 import S3Backend

    return S3Backend(bucket, LocalFileCache(_cache_dir(), conf.storage_cache_bytes))


def _cache_dir() -> Path:
    return conf.data_dir / "copies"
