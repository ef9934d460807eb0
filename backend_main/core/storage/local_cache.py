"""Step 6 — copies of stored files on this machine's disk, for what opens a path: few, and not for long.

All processes of a data directory share them, by locks that the kernel releases with who held them: who uses a
copy, or writes one, holds its file; who evicts takes only what nobody holds. A draft gets its name when it is
whole.
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

# Long enough for a document that is read in turns with others; a deleted one is on no disk for longer.
MAX_AGE_SECONDS = 3_600.0


class LocalFileCache:
    """At most `max_bytes` of them, beside those in use."""

    def __init__(self, directory: Path, max_bytes: int, max_age_seconds: float = MAX_AGE_SECONDS) -> None:
        self._directory = directory
        self._max_bytes, self._max_age_seconds = max_bytes, max_age_seconds
        self._timer: threading.Timer | None = None

    @contextmanager
    def open_path(self, key: str, download: Callable[[BinaryIO], None]) -> Iterator[Path]:
        """The path of a copy, which stays until the end of the block; downloaded where there is none.

        Whoever asks for a file that is being downloaded waits for it. Raises what `download` raises.
        """
        path = self._path(key)
        try:
            with self._open_locked(path, download):
                yield path
        finally:
            self.evict()

    def insert(self, key: str, path: Path) -> None:
        """Moves a file here that is stored now, so that it need not come back, where that costs nothing."""
        with suppress(OSError):
            os.replace(path, self._path(key))
        self.evict()

    def invalidate(self, name: str) -> None:
        """Removes the copies of an id; one that is in use is too old from now on and goes with its user."""
        for path in self._directory.glob(f"{name}.*"):
            with suppress(FileNotFoundError):
                os.utime(path, (0, 0))
            _remove(path)

    def evict(self, *, max_bytes: int | None = None) -> None:
        """Removes what is too old or too much, the longest unused first."""
        most = self._max_bytes if max_bytes is None else max_bytes
        oldest = time.time() - self._max_age_seconds
        kept = 0
        for used_at, size, path in self._newest_first():
            kept += size
            if kept > most or used_at <= oldest:
                _remove(path)
        if kept and self._timer is None:
            self._timer = threading.Timer(self._max_age_seconds, self._evict_later)
            self._timer.daemon = True
            self._timer.start()

    def _evict_later(self) -> None:
        self._timer = None
        self.evict()

    def _newest_first(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return sorted(found, reverse=True)

    def _open_locked(self, path: Path, download: Callable[[BinaryIO], None]) -> BinaryIO:
        """The copy, locked against eviction until it is closed."""
        while (file := _locked(path)) is None:
            self._fetch(path, download)
        os.utime(path)
        return file

    def _fetch(self, path: Path, download: Callable[[BinaryIO], None]) -> None:
        draft = path.with_name(f"{path.name}.part")
        with open(draft, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() or not _is_same_file(file, draft):
                return  # somebody else has fetched it, or given up
            try:
                file.truncate(0)  # of who died at it
                download(file)
                file.flush()
                os.fsync(file.fileno())  # copies outlive a power cut, and are believed after it
                os.replace(draft, path)
            except OSError as error:
                if error.errno not in DISK_FULL_ERRNOS:
                    raise
                file.truncate(0)
                self.evict(max_bytes=0)
                raise StorageUnavailable from error

    def _path(self, key: str) -> Path:
        name, _, file = key.partition("/")
        return self._directory / f"{name}.{file}"


def _locked(path: Path) -> BinaryIO | None:
    """None where there is no copy, or was evicted just now."""
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
    """Whether the open file is the one that has this name now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError, BlockingIOError), open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_same_file(file, path):
            path.unlink()
