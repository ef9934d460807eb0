"""Step 6 — the only module that touches stored files. A key is `<upload id>/original.<ext>`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .conf import conf


def prepare() -> None:
    """Makes the directories; raises OSError where the data directory cannot be written."""
    for directory in (conf.files_dir, conf.incoming_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def incoming() -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write to that is gone afterwards, unless `keep` has taken it."""
    descriptor, name = tempfile.mkstemp(dir=conf.incoming_dir)
    path = Path(name)
    try:
        with open(descriptor, "wb") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)


def keep(path: Path, key: str) -> None:
    """Moves a complete incoming file to its place: there whole or not at all, also after a power cut."""
    target = _path(key)
    target.parent.mkdir(mode=0o700)
    os.replace(path, target)
    for directory in (target.parent, conf.files_dir):
        _sync(directory)


def delete(key: str) -> None:
    """Removes a file and its directory; that it is gone already is fine."""
    target = _path(key)
    target.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        target.parent.rmdir()


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """A path on this machine that the reader may open."""
    yield _path(key)


def writable() -> bool:
    return os.access(conf.files_dir, os.W_OK) and os.access(conf.incoming_dir, os.W_OK)


def _path(key: str) -> Path:
    path = conf.files_dir / key
    if not path.resolve().is_relative_to(conf.files_dir.resolve()):
        raise ValueError(f"{key!r} is no storage key")
    return path


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
