"""Disk space that only deletions may use, so that a user can free space on a full disk; SQLite only.

SQLite writes a deletion to its log before any page becomes free, and that log must be able to grow. A file in
the data directory therefore holds a few megabytes. A deletion that meets a full disk releases them in steps.
Afterwards, when the files of the upload are gone, the reserve takes them again.

PostgreSQL stops by itself before its disk is full, and its disk need not be that of this machine.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from ..conf import conf
from ..errors import DatabaseFull

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

# The deletion of an upload with 5,000 pages of 40 KB writes TODO to the log of SQLite.
RESERVE_BYTES = 4 * 1024**2
# Other writers take what a deletion does not use, so it gets little at a time.
STEP_BYTES = 512 * 1024

_lock = threading.Lock()


def path() -> Path:
    return conf.data_dir / "disk.reserve"


def fill() -> bool:
    """Take the reserve, as far as the disk has space; return whether it is complete."""
    if conf.database_url:
        return True
    with _lock, suppress(OSError):
        descriptor = os.open(path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            while size < RESERVE_BYTES:
                # Zeros that are written could be compressed or left out by the file system.
                os.posix_fallocate(descriptor, size, STEP_BYTES)
                size += STEP_BYTES
        finally:
            os.close(descriptor)
        return True
    return False


def call_with_reserve(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a transaction that frees space; while the disk is full, give it another part of the reserve.

    The caller calls `fill` when it has freed the space.

    Raises:
        DatabaseFull: The whole reserve did not suffice.
    """
    while True:
        try:
            return function(*args, **kwargs)
        except DatabaseFull:
            if not _release_step():
                raise


def _release_step() -> bool:
    """Give a part of the reserve back to the disk; return False if nothing was left."""
    with _lock, suppress(OSError):
        size = path().stat().st_size
        os.truncate(path(), max(0, size - STEP_BYTES))
        log.warning("The disk is full: a deletion uses the reserve, of which %d bytes were left.", size)
        return size > 0
    return False
