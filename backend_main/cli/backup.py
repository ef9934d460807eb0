"""Commands `backup`, `restore` and `reset-event-log`: a data directory as one file, and back.

The file is a tar archive: `manifest.json`, `secret.key`, `scanrill.sqlite3`, and `files/` with the originals.
Page images are left out: the server renders them from the originals on demand.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from backend_main import __version__
from backend_main.control_characters import mark_controls
from backend_main.core.errors import CommandError

from .backup_archive import DATABASE, FILES, FORMAT, MANIFEST, SECRET, unpack
from .data_dir import DataDir, load_conf, set_up

# Entries that a start of the server creates in an empty data directory.
INITIAL_ENTRIES = {"migrate.lock", "serve.lock", "incoming", FILES}


def backup(
    file: Annotated[Path, typer.Argument(help="File to write. It must not exist.")],
    data_dir: DataDir = None,
) -> None:
    """Write users, uploads, files and keys into one file. The server may run meanwhile."""
    conf = set_up(data_dir)
    if conf.database_url:
        raise CommandError(
            f"The database is PostgreSQL. Back it up with pg_dump, then copy the files in {conf.files_dir}."
        )
    if conf.storage_url.startswith("s3:"):
        raise CommandError(
            "The files are in a bucket (SCANRILL_STORAGE_URL), which `scanrill backup` does not read. "
            "Back up the database first, then the bucket."
        )
    if file.exists():
        raise CommandError(f"{file} already exists. Choose another file name.")
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    manifest = {"format": FORMAT, "scanrill": __version__, "made": made}
    with _atomic_output(file) as draft, tempfile.TemporaryDirectory(dir=draft.parent) as directory:
        snapshot = Path(directory) / DATABASE
        with closing(sqlite3.connect(conf.database_path)) as old, closing(sqlite3.connect(snapshot)) as new:
            old.backup(new)  # as of one moment, also while a server writes to it
        with tarfile.open(draft, "w") as archive:
            _add(archive, MANIFEST, json.dumps(manifest).encode())
            _add(archive, SECRET, (conf.data_dir / SECRET).read_bytes() if not conf.secret_key else b"")
            count = _add_files(archive, snapshot, conf.files_dir)
            archive.add(snapshot, DATABASE)
    uploads = "1 upload" if count == 1 else f"{count} uploads"
    print(mark_controls(f"Backed up {uploads} to {file}. The file contains the secret key: keep it private."))


def restore(
    file: Annotated[
        Path, typer.Argument(help="File that `scanrill backup` wrote.", exists=True, dir_okay=False)
    ],
    data_dir: DataDir = None,
) -> None:
    """Create a data directory from a backup. The directory must be new or empty."""
    conf = load_conf(data_dir)
    if conf.database_url:
        raise CommandError(
            "The database is PostgreSQL. Restore it with pg_restore, then run `scanrill reset-event-log`."
        )
    target = conf.data_dir
    if os.environ.get("SCANRILL_STORAGE_URL"):
        raise CommandError(
            "A backup restores files into the data directory. Run the command without SCANRILL_STORAGE_URL."
        )
    try:
        _check_empty(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as directory:
            draft = Path(directory) / "data"
            unpack(file, draft)
            if target.exists():
                shutil.rmtree(target)
            os.replace(draft, target)
    except OSError as error:
        raise CommandError(
            f"Cannot write {target} ({error.strerror}). Choose another directory with --data-dir."
        ) from None
    print(mark_controls(f"Restored {file} to {target}. Start the server with `scanrill serve`."))


def reset_event_log(data_dir: DataDir = None) -> None:
    """Invalidate the event cursors of all clients.

    Run this after restoring a PostgreSQL database, before any server starts. Cursors from the time after the
    backup would otherwise match wrong events.
    """
    set_up(data_dir)
    from backend_main.core.models import EventLog

    EventLog.objects.all().delete()  # the next start creates a log with a new id
    print("Event cursors reset. Reconnecting clients receive a full list.")


# ── writing ──


@contextmanager
def _atomic_output(file: Path) -> Iterator[Path]:
    """Yield a temporary path, mode 0600, that replaces `file` if the block succeeds.

    Raises:
        CommandError: the file cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f"{file.name}.")  # mode 0600
        os.close(descriptor)
        try:
            yield Path(name)
            os.replace(name, file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"Cannot write {file} ({error.strerror}). Choose another path.") from None


def _add_files(archive: tarfile.TarFile, snapshot: Path, files_dir: Path) -> int:
    """Add the originals of all uploads to the archive, and return their number.

    Uploads whose file was deleted since the snapshot are removed from the snapshot.
    """
    count = 0
    with closing(sqlite3.connect(snapshot)) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        for key, path in database.execute("SELECT id, image_path FROM core_upload").fetchall():
            try:
                archive.add(files_dir / path, f"{FILES}/{path}", recursive=False)
                count += 1
            except FileNotFoundError:
                for table in ("core_page", "core_job"):
                    database.execute(f"DELETE FROM {table} WHERE upload_id = ?", [key])  # noqa: S608
                database.execute("DELETE FROM core_upload WHERE id = ?", [key])
    return count


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


# ── reading ──


def _check_empty(target: Path) -> None:
    """Raise `CommandError` unless the directory is missing, empty, or has only `INITIAL_ENTRIES`."""
    if not target.exists():
        return
    if not target.is_dir():
        raise CommandError(f"{target} is not a directory. Choose another with --data-dir.")
    names = {path.name for path in target.iterdir()}
    if names - INITIAL_ENTRIES or any(any((target / name).iterdir()) for name in names & {"incoming", FILES}):
        raise CommandError(f"{target} is not empty. Choose a new directory with --data-dir.")
