"""`scanrill backup` and `scanrill restore`: all of a data directory as one file, and back.

The file is a tar: `manifest.json`, `secret.key`, `scanrill.sqlite3` and `files/` with the originals. What was
made from them (pictures of pages) is left out, as it can be made again.
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
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main import __version__
from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up

if TYPE_CHECKING:
    from backend_main.core.conf import Conf

FORMAT = 1
MANIFEST, DATABASE, SECRET, FILES = "manifest.json", "scanrill.sqlite3", "secret.key", "files"
# What a data directory holds before anything was put into it.
INITIAL_ENTRIES = {"migrate.lock", "serve.lock", "incoming", FILES}


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    data_dir: DataDir = None,
) -> None:
    """Write users, uploads, files and keys into one file. Works beside a running server."""
    conf = set_up(data_dir)
    if conf.database_url:
        raise CommandError(f"The database is PostgreSQL: save it with pg_dump, then copy {conf.files_dir}.")
    if conf.storage_url.startswith("s3:"):
        raise CommandError(
            "The files are in a bucket (SCANRILL_STORAGE_URL), which this backup does not read: "
            "keep a copy of the bucket and of the database, the bucket's made later."
        )
    if file.exists():
        raise CommandError(f"{file} exists already; a backup does not write over anything.")
    with _atomic_output(file) as draft, tempfile.TemporaryDirectory(dir=draft.parent) as directory:
        snapshot = Path(directory) / DATABASE
        _copy_database(conf.database_path, snapshot)
        with tarfile.open(draft, "w") as archive:
            _add(archive, MANIFEST, json.dumps(_manifest()).encode())
            _add(archive, SECRET, (conf.data_dir / SECRET).read_bytes() if not conf.secret_key else b"")
            kept = _add_files(archive, snapshot, conf.files_dir)
            archive.add(snapshot, DATABASE)
    print(f"{kept} uploads in {file}. It holds the secret key: keep it where only you can read it.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file of `scanrill backup`.", exists=True, dir_okay=False)],
    data_dir: DataDir = None,
) -> None:
    """Make a data directory from a backup. The directory must be new or empty."""
    conf = _load_conf(data_dir)
    if conf.database_url:
        raise CommandError(
            "The database is PostgreSQL: put it back with pg_restore, then run `scanrill reset-event-log`."
        )
    target = conf.data_dir
    if os.environ.get("SCANRILL_STORAGE_URL"):
        raise CommandError("Files are restored into the data directory: do it without SCANRILL_STORAGE_URL.")
    _check_empty(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as directory:
        draft = Path(directory) / "data"
        _unpack(file, draft)
        _reset_event_log(draft / DATABASE)
        if target.exists():
            shutil.rmtree(target)
        os.replace(draft, target)
    print(f"{target} is as it was when the backup was made; `scanrill serve` starts it.")


def reset_event_log(data_dir: DataDir = None) -> None:
    """Say that a PostgreSQL database was put back, before any server starts: old cursors count no more."""
    set_up(data_dir)
    from backend_main.core.models import EventLog

    EventLog.objects.all().delete()  # the next start names a new one
    print("Clients that come back get the list of all uploads anew; `scanrill serve` starts the server.")


# ── writing ──


def _manifest() -> dict[str, object]:
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return {"format": FORMAT, "scanrill": __version__, "made": made}


@contextmanager
def _atomic_output(file: Path) -> Iterator[Path]:
    """Becomes the file when it is whole, for its owner's eyes only. Raises `CommandError`."""
    try:
        descriptor, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f"{file.name}.")  # mode 0600
        os.close(descriptor)
        try:
            yield Path(name)
            os.replace(name, file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"{file} cannot be written ({error.strerror}).") from None


def _copy_database(source: Path, target: Path) -> None:
    """As of one moment, whatever a server does meanwhile."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _add_files(archive: tarfile.TarFile, snapshot: Path, files_dir: Path) -> int:
    """The originals of the snapshot; how many. What was deleted since goes out of the snapshot too."""
    kept = 0
    with closing(sqlite3.connect(snapshot)) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        for key, path in database.execute("SELECT id, image_path FROM core_upload").fetchall():
            try:
                archive.add(files_dir / path, f"{FILES}/{path}", recursive=False)
                kept += 1
            except FileNotFoundError:
                for table in ("core_page", "core_job"):
                    database.execute(f"DELETE FROM {table} WHERE upload_id = ?", [key])  # noqa: S608
                database.execute("DELETE FROM core_upload WHERE id = ?", [key])
    return kept


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


# ── reading ──


def _load_conf(data_dir: Path | None) -> Conf:
    if data_dir is not None:
        os.environ["SCANRILL_DATA_DIR"] = str(data_dir)
    from backend_main.core.conf import conf

    return conf


def _check_empty(target: Path) -> None:
    """A server makes its directories at once, so one that never held anything counts as empty."""
    if not target.exists():
        return
    if not target.is_dir():
        raise CommandError(f"{target} is no directory; choose another with --data-dir.")
    there = {path.name for path in target.iterdir()}
    if there - INITIAL_ENTRIES or any(any((target / name).iterdir()) for name in there & {"incoming", FILES}):
        raise CommandError(f"{target} is not empty; a backup is restored into a new directory (--data-dir).")


def _unpack(file: Path, draft: Path) -> None:
    """Raises `CommandError` where it is no backup, or one of a later version."""
    draft.mkdir(mode=0o700)
    try:
        with tarfile.open(file, "r:") as archive:
            manifest = archive.extractfile(MANIFEST)
            assert manifest is not None
            if json.load(manifest)["format"] != FORMAT:
                raise CommandError(f"{file} was written by a newer version of scanrill; install that one.")
            archive.extractall(draft, filter="data")
    except (tarfile.TarError, KeyError, ValueError, AssertionError):
        raise CommandError(f"{file} is no backup of scanrill, or it is damaged.") from None
    except OSError as error:
        raise CommandError(f"The backup cannot be unpacked ({error.strerror}).") from None
    (draft / MANIFEST).unlink()
    if not (draft / SECRET).stat().st_size:  # the key is in SCANRILL_SECRET_KEY
        (draft / SECRET).unlink()


def _reset_event_log(database: Path) -> None:
    """What clients heard after the backup is not in its log: their cursors must not count in it."""
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("DELETE FROM core_eventlog")  # the next start names a new one
    except sqlite3.DatabaseError:
        raise CommandError("The database in this backup is damaged.") from None
