"""Storage backend for a directory: in the data directory, or one that several machines share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..conf import conf
from ..errors import CommandError
from . import disk_space, staging
from .base import CHUNK_BYTES, StorageBackend

DEPLOYMENT_MARKER = ".deployment"


class FilesystemBackend(StorageBackend):
    """Files below `root`, in one directory per upload id."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def check(self) -> None:
        if not self.is_writable():
            raise CommandError(
                f"Cannot write to the storage directory {self._root}. Check its owner and permissions."
            )

    def is_writable(self) -> bool:
        return os.access(self._root, os.W_OK) and os.access(conf.staging_dir, os.W_OK)

    def put(self, path: Path, key: str) -> None:
        target = self._path(key)
        target.parent.mkdir(mode=0o700)
        os.replace(path, target)
        # Write the new entries of both directories to disk.
        for directory in (target.parent, self._root):
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        yield self._path(key)

    def iter_bytes(self, key: str, start: int, end: int) -> Generator[bytes, None, None]:
        with suppress(FileNotFoundError), open(self._path(key), "rb") as file:
            file.seek(start)
            while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
                start += len(chunk)
                yield chunk

    def read_derived(self, key: str, name: str) -> bytes | None:
        try:
            return self._path(key).with_name(name).read_bytes()
        except FileNotFoundError:
            return None

    def write_derived(self, key: str, name: str, content: bytes) -> None:
        with (
            suppress(OSError),
            disk_space.incoming.open_file(len(content)),
            staging.staging_file() as (file, path),
        ):
            file.write(content)
            file.flush()
            os.replace(path, self._path(key).with_name(name))

    def delete_derived(self, key: str, name: str) -> None:
        self._path(key).with_name(name).unlink(missing_ok=True)

    def stored_ids(self, older_than_seconds: float) -> Iterator[str]:
        for directory in self._root.iterdir():
            if staging.is_older_than(directory, older_than_seconds):
                yield directory.name

    def delete_all(self, name: str) -> None:
        shutil.rmtree(self._path(name), ignore_errors=True)

    def abort_incomplete(self, older_than_seconds: float) -> None:
        """Do nothing: an interrupted `put` leaves only a staged file."""

    def claim_for_deployment(self, deployment: str) -> bool:
        if self._root.parent == conf.data_dir:  # no other deployment uses this data directory
            return True
        marker = self._root / DEPLOYMENT_MARKER
        with suppress(FileExistsError), open(marker, "x") as file:
            file.write(deployment)
        return marker.read_text() == deployment

    def _path(self, key: str) -> Path:
        path = self._root / key
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise ValueError(f"{key!r} is not a valid storage key")
        return path
