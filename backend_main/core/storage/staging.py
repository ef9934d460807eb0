"""Step 6 — files on their way in: always on this machine, whatever they are kept in afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..conf import conf


@contextmanager
def staging_file() -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write to that is gone afterwards, unless `keep` has taken it."""
    descriptor, name = tempfile.mkstemp(dir=conf.staging_dir)
    path = Path(name)
    file = open(descriptor, "wb")  # noqa: SIM115 - closed below, where a full disk must not speak a second time
    try:
        yield file, path
    finally:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            file.close()


def remove_stale(*, older_than_seconds: float) -> int:
    """Removes what crashed requests left half-written; how many files there were."""
    found = [path for path in conf.staging_dir.iterdir() if path.is_file()]
    stale = [path for path in found if is_older_than(path, older_than_seconds)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def check_free_space(required_bytes: int) -> None:
    """Raises OSError (ENOSPC) where the file would leave less free than `conf.min_free_bytes`."""
    if shutil.disk_usage(conf.staging_dir).free - required_bytes < conf.min_free_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_older_than(path: Path, seconds: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime >= seconds
    except FileNotFoundError:
        return False
