"""Data directory and database: creation, migration and checks before a command uses them."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError
from backend_main.sandbox.privileges import protect_server

if TYPE_CHECKING:
    from backend_main.core.conf import Conf

SERVER_LOCK = "serve.lock"
PRIVATE_DIRECTORIES = ("files", "incoming", "copies")
OTHERS_MODE = 0o077
# Key of the advisory lock in PostgreSQL: unlikely to be used by another program on this database.
MIGRATION_LOCK_ID = int.from_bytes(b"scanrill")

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Directory of the database, files and keys. "
        "Default: SCANRILL_DATA_DIR, or ~/.local/share/scanrill."
    ),
]


def set_up(data_dir: Path | None) -> Conf:
    """Create the data directory, set up Django, and migrate the database.

    Raises:
        CommandError: the directory or the database cannot be used, or a setting is not valid.
    """
    protect_server()
    os.umask(0o077)  # all that is created from here on is private, whatever the umask of the shell is
    conf = ensure_data_dir(data_dir)
    make_private(conf)
    set_up_django()
    with locked(conf.data_dir / "migrate.lock", wait=True):
        _migrate()
    return conf


def make_private(conf: Conf) -> None:
    """Take other users' rights from scanrill's files, and report a data directory that they may enter.

    The directory itself keeps its mode: it can be any directory that an administrator has chosen.
    """
    database = conf.database_path.name
    names = (database, f"{database}-wal", f"{database}-shm", "secret.key", *PRIVATE_DIRECTORIES)
    for path in (conf.data_dir / name for name in names):
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if mode & OTHERS_MODE and not path.is_symlink():
                with suppress(PermissionError):  # of another user; `scanrill doctor` reports it
                    path.chmod(mode & ~OTHERS_MODE)
    mode = stat.S_IMODE(conf.data_dir.stat().st_mode)
    if mode & OTHERS_MODE:
        print(
            f"Other users of this machine can enter the data directory {conf.data_dir} (mode {mode:o}). "
            f"Run: chmod 700 {conf.data_dir}",
            file=sys.stderr,
        )


def load_conf(data_dir: Path | None) -> Conf:
    """Load the settings; `--data-dir` overrides SCANRILL_DATA_DIR.

    Raises:
        CommandError: a setting is not valid.
    """
    # The environment passes the option on, because Django's settings and child processes load it from there.
    if data_dir is not None:
        os.environ["SCANRILL_DATA_DIR"] = str(data_dir)
    from backend_main.core.conf import conf

    return conf


def ensure_data_dir(data_dir: Path | None) -> Conf:
    """Load the settings and create the data directory if it does not exist.

    Raises:
        CommandError: a setting is not valid, or the directory cannot be written.
    """
    conf = load_conf(data_dir)
    try:
        conf.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(conf.data_dir / "migrate.lock", "a"):
            pass
    except OSError as error:
        raise CommandError(
            f"Cannot write the data directory {conf.data_dir} ({error.strerror}). "
            "Choose another with --data-dir."
        ) from None
    return conf


@contextmanager
def locked(path: Path, *, wait: bool, shared: bool = False) -> Iterator[IO[str]]:
    """Hold a file lock, which the kernel releases when the process ends.

    Raises:
        BlockingIOError: another process holds the lock, and `wait` is False.
    """
    with open(path, "a+") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
        yield file


@contextmanager
def server_lock(conf: Conf) -> Iterator[IO[str]]:
    """Hold the server lock of the data directory; the server writes its URL into the file.

    An embedded server holds the lock alone. Other servers share it, and the file has the URL of the last.

    Raises:
        CommandError: another server holds the lock.
    """
    try:
        with locked(conf.data_dir / SERVER_LOCK, wait=False, shared=not conf.embedded) as file:
            file.truncate(0)
            yield file
            file.truncate(0)
    except BlockingIOError:
        raise CommandError(
            f"Another `scanrill serve` uses the data directory {conf.data_dir}. "
            "Stop it, or choose another directory with --data-dir."
        ) from None


def running_server(data_dir: Path) -> str | None:
    """Return the URL of the server that uses this data directory, or None."""
    path = data_dir / SERVER_LOCK
    url = path.read_text() if path.exists() else ""
    # A starting server has not written its URL yet. Trying the lock then could make its start fail.
    if not url:
        return None
    try:
        with locked(path, wait=False):
            return None  # a killed server left the URL
    except BlockingIOError:
        return url


def is_loopback(host: str) -> bool:
    """Return whether the host is `localhost` or a loopback address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def set_up_django(*, strict: bool = True) -> None:
    """Set up Django on an existing data directory.

    Raises:
        CommandError: `strict`, and the storage cannot be used or settings contradict each other.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
    import django
    from django.core import checks

    django.setup()
    if not strict:
        return
    from backend_main.core import storage

    storage.prepare()
    # Django's own checks would import the whole server to check routes and models.
    for problem in checks.run_checks(tags=["scanrill"]):
        if problem.is_serious():
            raise CommandError(f"{problem.msg} {problem.hint or ''}".strip())


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    from backend_main.core.db.migrations_state import migrations_state

    try:
        # `migrate.lock` is enough on one machine. Machines that share PostgreSQL wait for its lock, which
        # ends with the connection.
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 0")
                cursor.execute("SET statement_timeout = 0")  # a migration may take long
                cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK_ID])
        state = migrations_state()
        if state.is_newer:
            raise CommandError("A newer version of scanrill wrote the database. Install that version.")
        if not state.is_current:
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise CommandError(database_error_message(error)) from None
    finally:
        connection.close()


def is_database_error(error: Exception) -> bool:
    """Return whether the error says that the database is unavailable. Does not import Django."""
    database = sys.modules.get("django.db")
    return database is not None and isinstance(error, (database.OperationalError, database.InterfaceError))


def database_error_message(error: Exception) -> str:
    """Return a message with the first line of the error: libpq adds lines with advice and addresses."""
    line = str(error).strip().partition("\n")[0].removesuffix(".")
    return f"Cannot use the database: {line}."
