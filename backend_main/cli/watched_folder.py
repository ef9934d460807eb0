"""Folder whose files are read as they arrive: which file is whole, and what is done.

The place of a file is its state, so that nothing is lost or done twice after a kill:

    FOLDER                      new files
    FOLDER/.scanrill-reading    files that are read now; after a kill they are read first
    FOLDER/done, FOLDER/failed  files whose results are written, and files that cannot be read

A file gets its final name when it enters `.scanrill-reading`. Results have that name, so reading a file
again after a kill replaces its own results only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend_main.core.errors import CommandError

READING_FOLDER = ".scanrill-reading"
# Names of downloads and copies in progress, and of lock files of office programs.
TEMPORARY_SUFFIXES = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", "~")
TEMPORARY_PREFIXES = (".", "~")
SETTLE_SECONDS = 2.0


class Signature(NamedTuple):
    """Size and time of a file. They change while another program writes it."""

    size: int
    mtime_ns: int


def signature(path: Path) -> Signature | None:
    """Return the signature of a regular file; None for anything else, or if it has gone."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        stat = path.stat()
    except OSError:
        return None
    return Signature(stat.st_size, stat.st_mtime_ns)


class WatchedFolder:
    """One watched folder. Subfolders are not read.

    Args:
        folder: The folder.
        done: Folder for files that were read.
        failed: Folder for files that cannot be read.
        settle_seconds: Time without a change after which a file is whole.

    Raises:
        CommandError: A folder cannot be created, or another process watches this one.
    """

    def __init__(self, folder: Path, *, done: Path, failed: Path, settle_seconds: float) -> None:
        self._folder = folder
        self._reading = folder / READING_FOLDER
        self._done, self._failed = done, failed
        self._settle_seconds = settle_seconds
        # Signature of each new file, and the time at which it was first seen.
        self._seen: dict[Path, tuple[Signature, float]] = {}
        for each in (self._reading, done, failed):
            create_folder(each)
        self._lock = _lock(self._reading / ".lock")

    def interrupted_files(self) -> list[Path]:
        """Return the files that a process before this one did not finish."""
        return sorted(path for path in self._reading.iterdir() if _is_candidate(path))

    def whole_files(self, now: float) -> Iterator[Path]:
        """Yield the new files that have not changed for the settle time, moved to the reading folder.

        Args:
            now: A monotonic time, in seconds.
        """
        present = {path: signature(path) for path in sorted(self._folder.iterdir()) if _is_candidate(path)}
        self._seen = {path: seen for path, seen in self._seen.items() if path in present}
        for path, current in present.items():
            if current is None:
                continue
            seen, since = self._seen.setdefault(path, (current, now))
            if seen != current:
                self._seen[path] = (current, now)
            elif now - since >= self._settle_seconds:
                yield self._take(path)

    @property
    def has_unsettled_files(self) -> bool:
        """Whether a new file waits until it is whole."""
        return bool(self._seen)

    def finish(self, path: Path) -> Path:
        """Move a file that was read, and return its place."""
        return _move(path, self._done / path.name)

    def fail(self, path: Path, message: str) -> Path:
        """Move a file that cannot be read, write the message beside it, and return its place."""
        target = self._failed / path.name
        target.with_name(f"{path.name}.error.txt").write_text(f"{message}\n", encoding="utf-8")
        return _move(path, target)

    def _take(self, path: Path) -> Path:
        del self._seen[path]
        target = self._reading / self._free_name(path)
        path.rename(target)
        return target

    def _free_name(self, path: Path) -> str:
        """Return the name of a file, with a number if an earlier file had the name: `scan (2).png`."""
        name, number = path.name, 1
        while any((folder / name).exists() for folder in (self._reading, self._done, self._failed)):
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        return name


def create_folder(folder: Path) -> None:
    """Create a folder if it does not exist. Raises `CommandError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"Cannot create {folder}: {error.strerror}.") from None


def _is_candidate(path: Path) -> bool:
    name = path.name.lower()
    return not name.startswith(TEMPORARY_PREFIXES) and not name.endswith(TEMPORARY_SUFFIXES)


def _lock(path: Path) -> int:
    """Lock a file until the process ends, and return its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise CommandError("Another scanrill watches this folder. Stop it first.") from None
        raise CommandError(f"Cannot lock {path}: {error.strerror}.") from None
    return descriptor


def _move(path: Path, target: Path) -> Path:
    """Move a file; onto another file system by a copy with a hidden name first."""
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f".{target.name}.part")
        shutil.copy2(path, part)
        part.replace(target)
        path.unlink()
    return target
