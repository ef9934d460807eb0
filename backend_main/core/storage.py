"""Step 6 — the only module that touches stored files. A key is `<upload id>/original.<ext>`."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .conf import conf

PIECE_BYTES = 256 * 1024
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def prepare() -> None:
    """Makes the directories; raises OSError where the data directory cannot be written."""
    for directory in (conf.files_dir, conf.incoming_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def incoming() -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write to that is gone afterwards, unless `keep` has taken it."""
    descriptor, name = tempfile.mkstemp(dir=conf.incoming_dir)
    path = Path(name)
    file = open(descriptor, "wb")  # noqa: SIM115 - closed below, where a full disk must not speak a second time
    try:
        yield file, path
    finally:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            file.close()


def keep(path: Path, key: str) -> None:
    """Moves a complete incoming file to its place: there whole or not at all, also after a power cut."""
    target = _path(key)
    target.parent.mkdir(mode=0o700)
    os.replace(path, target)
    for directory in (target.parent, conf.files_dir):
        _sync(directory)


def delete(key: str) -> None:
    """Removes an upload's file and what was made from it; that it is gone already is fine."""
    delete_all(_path(key).parent.name)


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """A path on this machine that the reader may open."""
    yield _path(key)


def pieces(key: str, start: int, end: int) -> Generator[bytes, None, None]:
    """The bytes [start, end) of a file; fewer where the file has gone meanwhile."""
    with suppress(FileNotFoundError), open(_path(key), "rb") as file:
        file.seek(start)
        while start < end and (piece := file.read(min(PIECE_BYTES, end - start))):
            start += len(piece)
            yield piece


def read_beside(key: str, name: str) -> bytes | None:
    """What was made from a file and kept beside it, or None."""
    try:
        return _path(key).with_name(name).read_bytes()
    except FileNotFoundError:
        return None


def write_beside(key: str, name: str, content: bytes) -> None:
    """Keeps what was made from a file, unless that has gone or there is no room: it can be made again."""
    with suppress(OSError), incoming() as (draft, path):
        draft.write(content)
        draft.flush()
        os.replace(path, _path(key).with_name(name))


def writable() -> bool:
    return os.access(conf.files_dir, os.W_OK) and os.access(conf.incoming_dir, os.W_OK)


def check() -> None:
    """Stores, reads and removes something. Raises OSError where that cannot be done."""
    with incoming() as (file, path):
        file.write(b"scanrill")
        file.flush()
        os.fsync(file.fileno())
        if path.read_bytes() != b"scanrill":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
    if not writable():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(conf.files_dir))


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


def stored_ids(*, older_than_seconds: float) -> Iterator[str]:
    """Names of the directories of stored files, which are ids of uploads."""
    for directory in conf.files_dir.iterdir():
        if _older(directory, older_than_seconds):
            yield directory.name


def delete_all(name: str) -> None:
    """Removes a directory of stored files, whatever is in it."""
    shutil.rmtree(_path(name), ignore_errors=True)


def clear_incoming(*, older_than_seconds: float) -> int:
    """Removes what crashed requests left half-written; how many files there were."""
    found = [path for path in conf.incoming_dir.iterdir() if path.is_file()]
    stale = [path for path in found if _older(path, older_than_seconds)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def check_room(bytes_wanted: int) -> None:
    """Raises OSError (ENOSPC) where the file would leave less free than `conf.min_free_bytes`."""
    if shutil.disk_usage(conf.incoming_dir).free - bytes_wanted < conf.min_free_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _older(path: Path, seconds: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime >= seconds
    except FileNotFoundError:
        return False
