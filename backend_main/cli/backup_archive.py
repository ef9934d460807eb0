"""Unpacking of a backup: known names and regular files alone, written by this module.

`tarfile.extractall` followed hostile archives out of the directory (CVE-2025-4517). So an archive only gives
names and bytes here: no links, no modes, no owners, no times.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import IO

from backend_main.core.errors import CommandError

FORMAT = 1
MANIFEST, DATABASE, SECRET, FILES = "manifest.json", "scanrill.sqlite3", "secret.key", "files"
MAX_SMALL_BYTES = 65_536
"""Bytes of the manifest and of the secret key, which have some hundred."""
FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
# `commands._store` writes such keys.
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/original\.[a-z0-9]{1,16}")


class _Damaged(Exception):
    """An archive that `scanrill backup` did not write, or that is damaged."""


def unpack(file: Path, draft: Path) -> None:
    """Unpack a backup into a new directory, and invalidate the event cursors.

    Raises:
        CommandError: the file is not a backup, is damaged, or comes from a newer version; the disk is full.
    """
    try:
        _make_directory(draft)
        _unpack_members(file, draft)
        _check_database(draft)
    except OSError as error:
        raise CommandError(
            f"Cannot unpack {file} ({error.strerror or error}). Check the file and the free space."
        ) from None
    except CommandError:
        raise
    except Exception:  # tarfile raises exceptions of many kinds on hostile headers
        raise CommandError(
            f"{file} is not a scanrill backup, or it is damaged. Choose another file."
        ) from None


def _unpack_members(file: Path, draft: Path) -> None:
    names: set[str] = set()
    with tarfile.open(file, "r:") as archive:
        for member in archive:
            if not names and member.name != MANIFEST:
                raise _Damaged  # the manifest is first
            if member.name in names or not _is_known(member):
                raise _Damaged
            names.add(member.name)
            content = archive.extractfile(member)
            if content is None:
                raise _Damaged
            if member.name == MANIFEST:
                _check_format(content.read(), file)
            else:
                _write(draft, member.name, content)
    if not {MANIFEST, SECRET, DATABASE} <= names:
        raise _Damaged
    if not (draft / SECRET).stat().st_size:  # the key is in SCANRILL_SECRET_KEY
        (draft / SECRET).unlink()


def _is_known(member: tarfile.TarInfo) -> bool:
    """Return whether a member is a regular file with a name that `scanrill backup` gives."""
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        return False
    if member.name in (MANIFEST, SECRET):
        return member.size <= MAX_SMALL_BYTES
    directory, _, key = member.name.partition("/")
    return member.name == DATABASE or (directory == FILES and _KEY.fullmatch(key) is not None)


def _check_format(manifest: bytes, file: Path) -> None:
    number = json.loads(manifest)["format"]
    if not isinstance(number, int):
        raise _Damaged
    if number != FORMAT:
        raise CommandError(f"A newer version of scanrill wrote {file}. Install that version.")


def _write(draft: Path, name: str, content: IO[bytes]) -> None:
    """Write a new file, mode 0600 whatever the umask is."""
    path = draft / name
    for directory in reversed(path.relative_to(draft).parents[:-1]):
        if not (draft / directory).is_dir():
            _make_directory(draft / directory)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    with open(descriptor, "wb") as output:
        os.fchmod(descriptor, FILE_MODE)
        shutil.copyfileobj(content, output)  # raises an error if the archive ends within the file


def _make_directory(path: Path) -> None:
    path.mkdir(mode=DIRECTORY_MODE)
    path.chmod(DIRECTORY_MODE)


def _check_database(draft: Path) -> None:
    """Check that the database names each file and no others, and delete the id of its event log.

    Without the id, cursors of events after the backup do not match the restored log: the next start creates
    a log with a new id. Views, triggers and virtual tables must be those of the search index: others would
    run code that strangers choose.
    """
    with closing(sqlite3.connect(draft / DATABASE)) as database, database:
        active = database.execute(
            "SELECT sql FROM sqlite_master WHERE type IN ('view', 'trigger') OR sql LIKE 'create virtual%'"
        )
        if not {_normalized(sql) for (sql,) in active} <= _search_statements():
            raise _Damaged
        keys = {key for (key,) in database.execute("SELECT image_path FROM core_upload")}
        files = {str(path.relative_to(draft / FILES)) for path in (draft / FILES).glob("*/*")}
        if not files <= keys or not all(_KEY.fullmatch(key) for key in keys):
            raise _Damaged
        database.execute("DELETE FROM core_eventlog")


def _search_statements() -> set[str]:
    """Return the statements that create the search index; its triggers and virtual table are among them."""
    migration = importlib.import_module("backend_main.core.migrations.0018_search")
    return set(map(_normalized, migration.SQLITE))


def _normalized(sql: str) -> str:
    return " ".join(sql.split())
