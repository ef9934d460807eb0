"""Kinds of database errors: which a retry can cure, and which only time or an administrator can.

PostgreSQL names a kind by its SQLSTATE, SQLite by its result code.
"""

from __future__ import annotations

from enum import Enum

from django.db.utils import Error, InterfaceError, OperationalError

# https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock; server
# shut down, crashed or starting; no connection left. All of class 08 (connections) is transient as well.
TRANSIENT_SQLSTATES = {"40001", "40P01", "57P01", "57P02", "57P03", "53300"}
# A lock or a statement timed out: it has waited long enough already.
TIMEOUT_SQLSTATES = {"55P03", "57014"}
FULL_SQLSTATE = "53100"

# https://www.sqlite.org/rescode.html. The low byte of an extended code is its primary code.
SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_IOERR, SQLITE_CORRUPT = 5, 6, 8, 10, 11
SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_NOTADB = 13, 14, 15, 26
# The transaction has read a state that another has changed since: SQLite reports it without waiting.
SQLITE_BUSY_SNAPSHOT = 517
# The file of the WAL index cannot grow: the disk is full.
SQLITE_IOERR_SHMSIZE = 4874


class Failure(Enum):
    """Kind of a database error that is not a defect of the program."""

    TRANSIENT = "try again at once"
    WAITED = "locked or timed out: it has waited long enough"
    FULL = "the disk is full"
    BROKEN = "the file cannot be read or written"


_SQLITE_FAILURES = {
    SQLITE_BUSY: Failure.WAITED,
    SQLITE_LOCKED: Failure.TRANSIENT,
    SQLITE_PROTOCOL: Failure.TRANSIENT,
    SQLITE_BUSY_SNAPSHOT: Failure.TRANSIENT,
    SQLITE_FULL: Failure.FULL,
    SQLITE_IOERR_SHMSIZE: Failure.FULL,
    SQLITE_READONLY: Failure.BROKEN,
    SQLITE_IOERR: Failure.BROKEN,
    SQLITE_CORRUPT: Failure.BROKEN,
    SQLITE_CANTOPEN: Failure.BROKEN,
    SQLITE_NOTADB: Failure.BROKEN,
}


def failure_of(error: Error) -> Failure | None:
    """Return the kind of an error of Django's database layer; None for a defect or a broken constraint."""
    cause = error.__cause__
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE_FAILURES.get(code, _SQLITE_FAILURES.get(code & 0xFF))
    # Without a code, only these two mean a lost connection; a value that the driver rejects has none either.
    if not hasattr(cause, "sqlstate") or not isinstance(error, (OperationalError, InterfaceError)):
        return None
    return _postgresql_failure(getattr(cause, "sqlstate", None) or "")


def _postgresql_failure(sqlstate: str) -> Failure | None:
    if sqlstate in TIMEOUT_SQLSTATES:
        return Failure.WAITED
    if sqlstate == FULL_SQLSTATE:
        return Failure.FULL
    is_transient = sqlstate == "" or sqlstate in TRANSIENT_SQLSTATES or sqlstate.startswith("08")
    return Failure.TRANSIENT if is_transient else None
