"""Step 6 — what a place for stored files can do; `files` and `objects` are the two there are.

A key is `<upload id>/original.<ext>`; what is made from a file lies beside it, under the same id. A file that
is kept never changes.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

CHUNK_BYTES = 256 * 1024
DISK_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StorageBackend(ABC):
    """Every method takes keys that `validate_key` has seen, from any thread.

    Any may raise `StorageUnavailable` where the place does not answer: what was asked may be asked again.
    """

    @abstractmethod
    def check(self) -> None:
        """Stores, lists, reads and removes something. Raises `CommandError` where that cannot be done."""

    @abstractmethod
    def is_writable(self) -> bool:
        """Whether a file could be kept now; cheap enough to be asked each second."""

    @abstractmethod
    def put(self, path: Path, key: str) -> None:
        """Takes a complete incoming file: there whole or not at all, also after a power cut."""

    @abstractmethod
    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """A path on this machine, good until the end of the block. Raises FileNotFoundError."""

    @abstractmethod
    def iter_bytes(self, key: str, start: int, end: int) -> Generator[bytes, None, None]:
        """The bytes [start, end) of a file; fewer where the file has gone meanwhile."""

    @abstractmethod
    def read_derived(self, key: str, name: str) -> bytes | None:
        """What was made from a file and kept beside it, or None."""

    @abstractmethod
    def write_derived(self, key: str, name: str, content: bytes) -> None:
        """Keeps what was made from a file, where that is possible and the file is still there."""

    @abstractmethod
    def stored_ids(self, older_than_seconds: float) -> Iterator[str]:
        """The first parts of the keys there are."""

    @abstractmethod
    def delete_all(self, name: str) -> None:
        """Removes whatever is under an id; that it is gone already is fine."""

    @abstractmethod
    def abort_incomplete(self, older_than_seconds: float) -> None:
        """Removes what a crash left of a `put`."""

    @abstractmethod
    def claim_for_deployment(self, deployment: str) -> bool:
        """Whether the place is this deployment's; one that was nobody's is from now on."""


def validate_key(key: str) -> str:
    """The key, which leads nowhere but below the place's own root. Raises ValueError."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"{key!r} is no storage key")
    return key
