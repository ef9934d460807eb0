"""Which database: SQLite in the data directory, or the PostgreSQL of `SCANRILL_DATABASE_URL`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from ..conf import PREFIX, Conf
from ..errors import CommandError

URL_EXAMPLES = "postgresql://user:password@host/name, or postgresql://user@/name?host=/directory"
# The URL may say otherwise. A machine that is gone is given up after half a minute, not after the quarter of
# an hour that TCP takes by itself.
CONNECTION_OPTIONS: dict[str, str] = {
    "application_name": "scanrill",
    "connect_timeout": "10",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# As on SQLite, who waits for another's lock gives up after 20 s; whoever holds one and is gone loses it.
SESSION_OPTIONS = "-c lock_timeout=20s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
_DJANGO_KEYS = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def django_database(conf: Conf) -> dict[str, Any]:
    """Django's settings of the database. Raises `CommandError`."""
    chosen = _postgresql(conf.database_url) if conf.database_url else _sqlite(conf)
    # Connections are kept: a new one for each request costs a factor of four to seven.
    return chosen | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


@contextmanager
def relaxed_durability() -> Iterator[None]:
    """Commits in it do not wait for the disk, where whoever wrote dies with what was not on it yet.

    That is so of a reader on SQLite: a loss of power ends it too, and the next start reads again what is not
    there. Commits stay in their order, and the next one outside waits for all before it. PostgreSQL may die
    alone, so there nothing changes (docs/decisions/0097).
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


def _sqlite(conf: Conf) -> dict[str, Any]:
    options = {
        # A writer that starts as a reader and then cannot become one fails at once instead of waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
    }
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": conf.database_path, "OPTIONS": options}


def _postgresql(url: str) -> dict[str, Any]:
    given = _parse_url(url)
    named: dict[str, Any] = {_DJANGO_KEYS[key]: given.pop(key) for key in _DJANGO_KEYS if key in given}
    # What the URL says of a session comes last, and so it counts.
    session = f"{SESSION_OPTIONS} {given.pop('options', '')}".strip()
    options = CONNECTION_OPTIONS | given | {"options": session}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options} | named


def _parse_url(url: str) -> dict[str, str]:
    """What stands in the URL, as libpq reads it. No error repeats a part of it: that may be the password."""
    try:
        from psycopg import Error, conninfo
    except ImportError:
        raise CommandError(
            f"{PREFIX}DATABASE_URL needs the extra `postgres`: pip install 'scanrill[postgres]'."
        ) from None
    if not url.startswith(("postgresql://", "postgres://")):
        raise CommandError(f"{PREFIX}DATABASE_URL is no address of PostgreSQL; write {URL_EXAMPLES}.")
    _reject_unescaped_credentials(url)
    try:
        given = {key: str(value) for key, value in conninfo.conninfo_to_dict(url).items()}
    except Error:
        raise CommandError(f"{PREFIX}DATABASE_URL cannot be read; write {URL_EXAMPLES}.") from None
    if "dbname" not in given:
        raise CommandError(f"{PREFIX}DATABASE_URL names no database; write {URL_EXAMPLES}.")
    return given


def _reject_unescaped_credentials(url: str) -> None:
    """A password with a bare @ or / would be taken for a host, and be shown as the host that is not there."""
    place, _, path = url.partition("://")[2].partition("?")[0].partition("/")
    port = place.rpartition("@")[2].rpartition("]")[2].rpartition(":")[2]
    named = ":" in place.rpartition("@")[2].rpartition("]")[2]
    if place.count("@") > 1 or "@" in path or (named and not port.replace(",", "").isdigit()):
        raise CommandError(
            f"{PREFIX}DATABASE_URL: @, / and : in a name or a password are written as %40, %2F and %3A."
        )
