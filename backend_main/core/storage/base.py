"""Interface of a storage backend; `filesystem` and `s3` implement it.

A key is `<upload id>/original.<extension>`. Derived files lie beside the original, under the upload's id. A
stored file never changes.
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
    """Storage of files by key. Callers validate keys with `validate_key`; methods are thread-safe.

    Every method may raise `StorageUnavailable` if the storage does not answer; the call can be repeated.
    """

    @abstractmethod
    def check(self) -> None:
        """Store, list, read and delete a test file. Raises `CommandError` if one of these fails."""

    @abstractmethod
    def is_writable(self) -> bool:
        """Return whether the storage accepts files; cheap enough for a call per second."""

    @abstractmethod
    def put(self, path: Path, key: str) -> None:
        """Move a complete staged file into the storage: whole or not at all, also after a power failure."""

    @abstractmethod
    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """Provide a path on this machine until the end of the block. Raises FileNotFoundError."""

    @abstractmethod
    def iter_bytes(self, key: str, start: int, end: int) -> Generator[bytes, None, None]:
        """Yield the bytes [start, end) of a file; fewer if the file is deleted meanwhile."""

    @abstractmethod
    def read_derived(self, key: str, name: str) -> bytes | None:
        """Return the content of a derived file, or None."""

    @abstractmethod
    def write_derived(self, key: str, name: str, content: bytes) -> None:
        """Store a derived file, if that is possible and the original still exists."""

    @abstractmethod
    def delete_derived(self, key: str, name: str) -> None:
        """Delete a derived file; do nothing if there is none."""

    @abstractmethod
    def stored_ids(self, older_than_seconds: float) -> Iterator[str]:
        """Yield the first components of the stored keys whose files are all at least that old."""

    @abstractmethod
    def delete_all(self, name: str) -> None:
        """Delete every file of an id; do nothing if there is none."""

    @abstractmethod
    def abort_incomplete(self, older_than_seconds: float) -> None:
        """Delete what interrupted calls of `put` have left."""

    @abstractmethod
    def claim_for_deployment(self, deployment: str) -> bool:
        """Return whether the storage belongs to this deployment; claim it if it has no owner yet."""


def validate_key(key: str) -> None:
    """Raise ValueError unless the key stays below the root of the storage."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"{key!r} is not a valid storage key")
