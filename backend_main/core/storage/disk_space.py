"""Free space on the disk of incoming files, shared out among the files that are arriving.

An announced size is reserved at once, and free space is checked again before each chunk is written. Uploads
that arrive at the same time therefore leave `conf.min_free_bytes` free together, also if they announce no
size or another program fills the disk meanwhile. Server processes that share a disk reserve for themselves:
each counts the bytes that others have written, not those that they have announced.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from ..conf import conf


class IncomingFile:
    """Space of one file that is arriving.

    Attributes:
        written: Bytes written so far.
        reserved: Announced bytes that are not written yet.
    """

    def __init__(self, ledger: SpaceLedger, owner_id: UUID | None) -> None:
        self._ledger = ledger
        self.owner_id = owner_id
        self.written = 0
        self.reserved = 0

    @property
    def held_bytes(self) -> int:
        """Bytes that the file takes of its owner's quota and of the disk."""
        return self.written + self.reserved

    def grow(self, new_bytes: int) -> None:
        """Account for bytes that are written next. Raises OSError (ENOSPC) if the disk has no space."""
        self._ledger.grow(self, new_bytes)


class SpaceLedger:
    """Bytes of all files that arrive in this process. Methods are thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reserved = 0
        self._owners: Counter[UUID] = Counter()

    @contextmanager
    def open_file(self, announced_bytes: int, owner_id: UUID | None = None) -> Iterator[IncomingFile]:
        """Reserve space for a file until the end of the block.

        Raises:
            OSError: ENOSPC; the disk has too little space, or the owner's unfinished files hold half of it.
        """
        file = IncomingFile(self, owner_id)
        with self._lock:
            self._check(file, announced_bytes)
            self._add(file, reserved=announced_bytes)
        try:
            yield file
        finally:
            with self._lock:
                self._add(file, reserved=-file.reserved, written=-file.written)

    def grow(self, file: IncomingFile, new_bytes: int) -> None:
        with self._lock:
            from_reserve = min(new_bytes, file.reserved)
            self._check(file, new_bytes - from_reserve)
            self._add(file, reserved=-from_reserve, written=new_bytes)

    def unfinished_bytes(self, owner_id: UUID) -> int:
        """Return the bytes of an owner's files that are arriving: written ones, and announced ones."""
        with self._lock:
            return self._owners[owner_id]

    def _check(self, file: IncomingFile, new_bytes: int) -> None:
        """Raise OSError (ENOSPC) if the disk has no space for more bytes of the file.

        The unfinished files of one user may hold half of the space, so that others can upload too. A user's
        only file may be larger.
        """
        available = _available_bytes() - self._reserved
        held = self._owners[file.owner_id] if file.owner_id else 0
        has_other_files = held > file.held_bytes
        if new_bytes > available or (new_bytes and has_other_files and held + new_bytes > available):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _add(self, file: IncomingFile, *, reserved: int = 0, written: int = 0) -> None:
        file.reserved += reserved
        file.written += written
        self._reserved += reserved
        if file.owner_id is not None:
            self._owners[file.owner_id] += reserved + written
            if not self._owners[file.owner_id]:
                del self._owners[file.owner_id]


incoming = SpaceLedger()


def check_free_space(required_bytes: int) -> None:
    """Raise OSError (ENOSPC) if a file of this size would leave less than `conf.min_free_bytes` free.

    Use it for what is written at once; it counts what others have announced.
    """
    with incoming.open_file(required_bytes):
        pass


def is_full() -> bool:
    """Return whether the disk has less than `conf.min_free_bytes` free."""
    return _available_bytes() <= 0


def _available_bytes() -> int:
    return shutil.disk_usage(conf.staging_dir).free - conf.min_free_bytes
