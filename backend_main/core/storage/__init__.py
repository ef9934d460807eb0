"""Step 6 — the only rooms where stored files are touched. A key is `<upload id>/original.<ext>`.

`base.py`      what a place for files can do
`files.py`     a directory
`objects.py`   a bucket that speaks S3, and `copies.py`, what is on this machine of it; needs the extra `s3`
`place.py`     SCANRILL_STORAGE_URL → which of them
`arriving.py`  files on their way in, on this machine in any case

Everybody else calls the functions here, and knows no path but of an incoming file and of a `local_copy`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..conf import conf
from ..errors import StartRefused, StorageUnavailable
from . import place
from .arriving import check_room, incoming
from .arriving import clear as _clear
from .base import NO_ROOM, Store, checked

__all__ = ["NO_ROOM", "check_room", "incoming"]

log = logging.getLogger(__name__)

_making = threading.Lock()


def prepare() -> None:
    """Makes the directories. Raises `StartRefused` where that, or the URL, or an extra, is wanting."""
    bucket = place.bucket_of(conf.storage_url)
    if bucket is not None and not find_spec("storages"):
        raise StartRefused("SCANRILL_STORAGE_URL: a bucket needs the extra `s3`: pip install 'scanrill[s3]'.")
    for directory in (_copies_dir() if bucket else conf.files_dir, conf.incoming_dir):
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartRefused(f"The directory {directory} cannot be made ({error.strerror}).") from None


def check() -> None:
    """Stores, lists, reads and removes something. Raises `StartRefused` where that cannot be done."""
    _store().check()


def writable() -> bool:
    return _store().writable()


def keep(path: Path, key: str) -> None:
    """Takes a complete incoming file to its place: there whole or not at all, also after a power cut.

    Raises OSError, or `StorageUnavailable`.
    """
    _store().keep(path, checked(key))


def delete(key: str) -> None:
    """Removes an upload's file and what was made from it; what cannot be removed now, a sweep removes."""
    name = checked(key).partition("/")[0]
    try:
        delete_all(name)
    except StorageUnavailable:
        log.warning("the files of %s could not be removed; they are swept later", name)


def local_copy(key: str) -> AbstractContextManager[Path]:
    """A path on this machine that the reader may open, until the end of the block.

    Raises FileNotFoundError, or `StorageUnavailable`.
    """
    return _store().local_copy(checked(key))


def pieces(key: str, start: int, end: int) -> Generator[bytes, None, None]:
    """The bytes [start, end) of a file; fewer where the file has gone meanwhile.

    Raises `StorageUnavailable`, at any piece.
    """
    return _store().pieces(checked(key), start, end)


def read_beside(key: str, name: str) -> bytes | None:
    """What was made from a file and kept beside it, or None. Raises `StorageUnavailable`."""
    return _store().read_beside(checked(key), name)


def write_beside(key: str, name: str, content: bytes) -> None:
    """Keeps what was made from a file, unless that has gone or there is no room: it can be made again."""
    _store().write_beside(checked(key), name, content)


def stored_ids(*, older_than_seconds: float) -> Iterator[str]:
    """The names that files are stored under, which are ids of uploads. Raises `StorageUnavailable`."""
    return _store().stored_ids(older_than_seconds)


def delete_all(name: str) -> None:
    """Removes whatever is stored under an id. Raises `StorageUnavailable`."""
    _store().delete_all(checked(name))


def clear_incoming(*, older_than_seconds: float) -> int:
    """Removes what crashed requests left half-written; how many files there were."""
    removed = _clear(older_than_seconds=older_than_seconds)
    _store().clear_unfinished(older_than_seconds)
    return removed


def belongs_to(deployment: str) -> bool:
    """Whether what is stored here is this deployment's; a place that was nobody's is from now on."""
    return _store().belongs_to(deployment)


def _store() -> Store:
    """One for all threads: of those that a rush of first requests made, each would take 30 MB."""
    with _making:
        return _made()


@cache
def _made() -> Store:
    bucket = place.bucket_of(conf.storage_url)
    if bucket is None:
        from .files import Files

        return Files(conf.files_dir)
    # What speaks S3 takes half a second to import, which nobody else is to wait for.
    from .copies import Copies
    from .objects import Objects

    return Objects(bucket, Copies(_copies_dir(), conf.storage_cache_bytes))


def _copies_dir() -> Path:
    return conf.data_dir / "copies"
