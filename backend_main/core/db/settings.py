"""Django's database settings: SQLite in the data directory, or PostgreSQL by `SCANRILL_DATABASE_URL`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from ..conf import PREFIX, Conf
from ..errors import CommandError
from ..extras import install_command

URL_EXAMPLES = "postgresql://user:password@host/name, or postgresql://user@/name?host=/directory"
# Defaults, which the URL may override. A connection to a dead machine fails after half a minute; TCP alone
# would take a quarter of an hour.
CONNECTION_OPTIONS: dict[str, str] = {
    "application_name": "scanrill",
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
SQLITE_LOCK_TIMEOUT_SECONDS = 20
# As on SQLite, waiting for a lock fails after 20 s. A client that died with a lock loses it after 60 s.
SESSION_OPTIONS = "-c lock_timeout=20s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
_DJANGO_KEYS = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def django_database(conf: Conf) -> dict[str, Any]:
    """Return Django's settings of the database. Raises `CommandError`."""
    database = _postgresql(conf.database_url) if conf.database_url else _sqlite(conf)
    # Connections stay open: a new one for each request costs a factor of four to seven in throughput.
    return database | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


@contextmanager
def relaxed_durability() -> Iterator[None]:
    """Let commits inside the block return before the data is on disk; SQLite only.

    A loss of power may then lose the newest commits. A reader on SQLite can accept that: the power loss ends
    the reader too, and after the next start the missing pages are read again. Commits stay in order, and the
    next commit outside the block waits for all before it. PostgreSQL may crash without the reader, so there
    the block changes nothing (docs/decisions/0097).
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous = FULL")


@contextmanager
def read_snapshot() -> Iterator[None]:
    """Open a transaction whose queries all see the database at one moment. It takes no lock for writing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # `IMMEDIATE` would keep all other writers waiting. Django reads the mode at each start.
        connection.ensure_connection()  # a new connection has no mode yet
        wrapper: Any = connection
        mode, wrapper.transaction_mode = wrapper.transaction_mode, "DEFERRED"
        try:
            with transaction.atomic():
                yield
        finally:
            wrapper.transaction_mode = mode
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def check_write_lock(timeout_seconds: float) -> None:
    """Take and release the write lock of SQLite; do nothing on PostgreSQL.

    Raises:
        django.db.OperationalError: Another transaction has the lock for all of the time, or the file cannot
            be written.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {round(timeout_seconds * 1000)}")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {SQLITE_LOCK_TIMEOUT_SECONDS * 1000}")


def _sqlite(conf: Conf) -> dict[str, Any]:
    options = {
        # Otherwise a transaction that reads first and writes later fails at once instead of waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": SQLITE_LOCK_TIMEOUT_SECONDS,
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
    }
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": conf.database_path, "OPTIONS": options}


def _postgresql(url: str) -> dict[str, Any]:
    parameters = _parse_url(url)
    settings: dict[str, Any] = {
        _DJANGO_KEYS[key]: parameters.pop(key) for key in _DJANGO_KEYS if key in parameters
    }
    # The session options of the URL come last, so they override the defaults.
    session = f"{SESSION_OPTIONS} {parameters.pop('options', '')}".strip()
    options = CONNECTION_OPTIONS | parameters | {"options": session}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options} | settings


def _parse_url(url: str) -> dict[str, str]:
    """Return the parameters of a URL, as libpq parses it.

    Raises:
        CommandError: the URL cannot be used. The message repeats no part of it, which may be the password.
    """
    try:
        from psycopg import Error, conninfo
    except ImportError:
        raise CommandError(
            f"{PREFIX}DATABASE_URL needs the extra `postgres`. Run: {install_command('postgres')}"
        ) from None
    if not url.startswith(("postgresql://", "postgres://")):
        raise CommandError(f"{PREFIX}DATABASE_URL is not a PostgreSQL URL. Write {URL_EXAMPLES}.")
    _reject_unescaped_credentials(url)
    try:
        parameters = {key: str(value) for key, value in conninfo.conninfo_to_dict(url).items()}
    except Error:
        raise CommandError(f"{PREFIX}DATABASE_URL cannot be parsed. Write {URL_EXAMPLES}.") from None
    if "dbname" not in parameters:
        raise CommandError(f"{PREFIX}DATABASE_URL names no database. Write {URL_EXAMPLES}.")
    return parameters


def _reject_unescaped_credentials(url: str) -> None:
    """Raise `CommandError` for a password with a bare @ or /.

    libpq would take a part of the password for the host name, and its error would print it.
    """
    authority, _, path = url.partition("://")[2].partition("?")[0].partition("/")
    port = authority.rpartition("@")[2].rpartition("]")[2].rpartition(":")[2]
    has_port = ":" in authority.rpartition("@")[2].rpartition("]")[2]
    if authority.count("@") > 1 or "@" in path or (has_port and not port.replace(",", "").isdigit()):
        raise CommandError(
            f"{PREFIX}DATABASE_URL has an unescaped character. In a name or a password, write @, / and : as "
            "%40, %2F and %3A."
        )
