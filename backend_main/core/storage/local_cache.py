"""Cache of stored files on the local disk, for readers, which open a path.

All processes of a data directory share the cache. File locks coordinate them, and the kernel releases the
locks of a process that dies: a user of a copy holds a shared lock, a download an exclusive one, and eviction
removes only files that nobody has locked. A download gets its final name when it is complete.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import StorageUnavailable
from .base import DISK_FULL_ERRNOS

# Long enough for a document whose pages are read in turn with other documents. A deleted document stays on no
# disk for longer.
MAX_AGE_SECONDS = 3_600.0


class LocalFileCache:
    """Cache of at most `max_bytes`, not counting files in use."""

    def __init__(self, directory: Path, max_bytes: int, max_age_seconds: float = MAX_AGE_SECONDS) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._timer: threading.Timer | None = None

    @contextmanager
    def open_path(self, key: str, download: Callable[[BinaryIO], None]) -> Iterator[Path]:
        """Yield the path of a copy, which stays until the end of the block.

        If there is no copy, `download` writes one; concurrent callers wait for it.

        Raises:
            StorageUnavailable: The local disk is full; also what `download` raises.
        """
        path = self._path(key)
        try:
            while (copy := _lock_existing(path)) is None:
                self._fetch(path, download)
            with copy:  # its lock, until it is closed, keeps the copy from eviction
                os.utime(path)
                yield path
        finally:
            self.evict()

    def insert(self, key: str, path: Path) -> None:
        """Move a file that the backend has just stored into the cache, if it is on the same file system."""
        with suppress(OSError):
            os.replace(path, self._path(key))
        self.evict()

    def invalidate(self, name: str) -> None:
        """Remove the copies of an upload id; a copy in use expires now and is removed after its use."""
        for path in self._directory.glob(f"{name}.*"):
            with suppress(FileNotFoundError):
                os.utime(path, (0, 0))
            _remove_unlocked(path)

    def evict(self, *, max_bytes: int | None = None) -> None:
        """Remove files that are too old or exceed the limit, the least recently used first.

        Args:
            max_bytes: Limit for this call; None: the limit of the cache.
        """
        limit = self._max_bytes if max_bytes is None else max_bytes
        oldest = time.time() - self._max_age_seconds
        files = []
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = 0
        for used_at, size, path in sorted(files, reverse=True):
            total += size
            if total > limit or used_at <= oldest:
                _remove_unlocked(path)
        if total and self._timer is None:
            self._timer = threading.Timer(self._max_age_seconds, self._evict_later)
            self._timer.daemon = True
            self._timer.start()

    def _evict_later(self) -> None:
        self._timer = None
        self.evict()

    def _fetch(self, path: Path, download: Callable[[BinaryIO], None]) -> None:
        partial = path.with_name(f"{path.name}.part")
        with open(partial, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() or not _is_same_file(file, partial):
                return  # another caller has finished this download, or its file was evicted
            try:
                file.truncate(0)  # a process that died may have written a part
                download(file)
                file.flush()
                os.fsync(file.fileno())  # copies stay valid after a power failure
                os.replace(partial, path)
            except OSError as error:
                if error.errno not in DISK_FULL_ERRNOS:
                    raise
                file.truncate(0)
                self.evict(max_bytes=0)
                raise StorageUnavailable from error

    def _path(self, key: str) -> Path:
        name, _, file = key.partition("/")
        return self._directory / f"{name}.{file}"


def _lock_existing(path: Path) -> BinaryIO | None:
    """Open a copy with a shared lock; return None if there is none, or if it has just been evicted."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - its lock lasts until the caller closes it
    except FileNotFoundError:
        return None
    fcntl.flock(file, fcntl.LOCK_SH)
    if _is_same_file(file, path):
        return file
    file.close()
    return None


def _is_same_file(file: BinaryIO, path: Path) -> bool:
    """Return whether the open file still has this path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _remove_unlocked(path: Path) -> None:
    """Remove the file unless a process has locked it."""
    with suppress(FileNotFoundError, BlockingIOError), open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_same_file(file, path):
            path.unlink()
