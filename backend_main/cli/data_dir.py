"""The data directory and the database: made, migrated and checked before anything uses them."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

if TYPE_CHECKING:
    from backend_main.core.conf import Conf

_SERVER = "serve.lock"
# A number that nothing else takes for a lock of this database.
MIGRATION_LOCK_ID = int.from_bytes(b"scanrill")

DataDir = Annotated[Path | None, typer.Option(help="Where data is kept. [env: SCANRILL_DATA_DIR]")]


def set_up(data_dir: Path | None) -> Conf:
    """Sets Django up on a data directory that exists and has this version's tables. Raises `CommandError`."""
    conf = ensure_data_dir(data_dir)
    set_up_django()
    with locked(conf.data_dir / "migrate.lock", wait=True):
        _migrate()
    return conf


def ensure_data_dir(data_dir: Path | None) -> Conf:
    """The settings, and a data directory that is there. Raises `CommandError`."""
    if data_dir is not None:
        os.environ["SCANRILL_DATA_DIR"] = str(data_dir)
    from backend_main.core.conf import conf

    _make(conf.data_dir)
    return conf


@contextmanager
def locked(path: Path, *, wait: bool, shared: bool = False) -> Iterator[IO[str]]:
    """Holds a lock; the kernel releases it however the process ends. Raises BlockingIOError."""
    with open(path, "a+") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
        yield file


@contextmanager
def server_lock(conf: Conf) -> Iterator[IO[str]]:
    """Holds the lock of a data directory's server; its address goes into the file.

    An embedded server is the only one. Others share the lock, and the file has the address of the last.

    Raises BlockingIOError where there is one that it cannot be beside.
    """
    with locked(conf.data_dir / _SERVER, wait=False, shared=not conf.embedded) as file:
        file.truncate(0)
        yield file
        file.truncate(0)


def running_server(data_dir: Path) -> str | None:
    """The address of the server on this data directory; None where none runs."""
    path = data_dir / _SERVER
    address = path.read_text() if path.exists() else ""
    # Looked at only where an address stands: a server that is just starting finds the lock free.
    return address if address and _is_held(path) else None


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_held(path: Path) -> bool:
    try:
        with locked(path, wait=False):
            return False  # left by a server that was killed
    except BlockingIOError:
        return True


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(data_dir / "migrate.lock", "a"):
            pass
    except OSError as error:
        raise CommandError(
            f"The data directory {data_dir} cannot be written ({error.strerror}); "
            "choose another with --data-dir."
        ) from None


def set_up_django(*, strict: bool = True) -> None:
    """On a data directory that is there. If strict, raises `CommandError` where nothing can be stored, or
    settings do not go together."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
    import django
    from django.core import checks

    django.setup()
    if not strict:
        return
    from backend_main.core import storage

    storage.prepare()
    # Ours only: the framework's own look at routes and models, and import all of the server for it.
    for problem in checks.run_checks(tags=["scanrill"]):
        if problem.is_serious():
            raise CommandError(f"{problem.msg} {problem.hint or ''}".strip())


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    from backend_main.core.db.migrations_state import migrations_state

    try:
        _acquire_migration_lock()
        state = migrations_state()
        if state.is_newer:
            raise CommandError("A newer version of scanrill wrote the database. Install that version.")
        if not state.is_current:
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise CommandError(database_error_message(error)) from None
    finally:
        connection.close()


def _acquire_migration_lock() -> None:
    """Machines that start at once migrate one after another; the lock is gone with the connection."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SET statement_timeout = 0")  # a migration may take its time
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK_ID])


def is_database_error(error: Exception) -> bool:
    """Whether a database went away in the middle of a command; False in one that uses none."""
    database = sys.modules.get("django.db")
    return database is not None and isinstance(error, (database.OperationalError, database.InterfaceError))


def database_error_message(error: Exception) -> str:
    """A sentence with the first line: libpq adds advice, and each address that it tried."""
    line = str(error).strip().partition("\n")[0].removesuffix(".")
    return f"The database cannot be used: {line}."
