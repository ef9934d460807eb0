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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from django.db import connection

from ..conf import conf
from ..errors import DatabaseFull

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

# A deletion writes 150 KB to the log of SQLite for 100 pages with 4 MB of texts, and 4.3 MB for 5,000 pages
# with 200 MB.
RESERVE_BYTES = 6 * 1024**2
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
    try:
        return function(*args, **kwargs)
    except DatabaseFull:
        with _without_secure_delete():
            while _release_step():
                with suppress(DatabaseFull):
                    return function(*args, **kwargs)
        raise


@contextmanager
def _without_secure_delete() -> Iterator[None]:
    """Let SQLite keep the content of deleted pages, as most builds do.

    A build that overwrites it, such as Debian's, writes all texts of the upload to its log: 415 MB for 5,000
    pages with 200 MB.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        [before] = cursor.fetchone()
        cursor.execute("PRAGMA secure_delete = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA secure_delete = {int(before)}")


def _release_step() -> bool:
    """Give a part of the reserve back to the disk; return False if nothing was left."""
    with _lock, suppress(OSError):
        size = path().stat().st_size
        os.truncate(path(), max(0, size - STEP_BYTES))
        log.warning("The disk is full: a deletion uses the reserve, of which %d bytes were left.", size)
        return size > 0
    return False
