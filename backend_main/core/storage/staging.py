"""Staging directory: incoming files, always on this machine, before a storage backend stores them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..conf import conf


@contextmanager
def staging_file() -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a new file and its path; remove it afterwards unless `put` has moved it."""
    descriptor, name = tempfile.mkstemp(dir=conf.staging_dir)
    path = Path(name)
    file = open(descriptor, "wb")  # noqa: SIM115 - closed below, where the error of a full disk must not be raised again
    try:
        yield file, path
    finally:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            file.close()


def remove_stale(*, older_than_seconds: float) -> int:
    """Delete incomplete files of crashed requests; return their number."""
    files = [path for path in conf.staging_dir.iterdir() if path.is_file()]
    stale = [path for path in files if is_older_than(path, older_than_seconds)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def is_older_than(path: Path, seconds: float) -> bool:
    """Return whether the file was last modified at least `seconds` ago; False if it does not exist."""
    try:
        return time.time() - path.stat().st_mtime >= seconds
    except FileNotFoundError:
        return False
