"""Retry of transactions after a deadlock, a serialization failure or a lost connection.

A transaction is atomic, so a failed one has written nothing. The exception is a COMMIT whose reply was lost:
it may have succeeded. Retried functions must therefore be idempotent: an attempt number fences them, or a
unique constraint rejects the second run.
"""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.utils import Error

from ..errors import DatabaseUnavailable

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

# Waits between tries. Each varies by up to a half, so that two transactions that met do not meet again.
# Their sum is about as long as a restart of the database.
BACKOFF_SECONDS = (0.1, 0.5, 2.0)
# https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock; server
# shut down, crashed or starting; no connection left. All of class 08 (connections) is transient as well.
TRANSIENT_SQLSTATES = {"40001", "40P01", "57P01", "57P02", "57P03", "53300"}
# A lock or a statement timed out: it has waited long enough already.
TIMEOUT_SQLSTATES = {"55P03", "57014"}


def retry_transient(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function that is a whole transaction, or only reads: repeat it after transient errors.

    Inside another transaction the wrapper does nothing, because only the whole transaction can be repeated.

    Raises:
        DatabaseUnavailable: the last try failed too, or a timeout was reached (raised by the wrapper).
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for wait_seconds in BACKOFF_SECONDS:
            try:
                return function(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                _raise_if_permanent(error)
                log.warning("A transaction is retried after: %s", _first_line(error))
            time.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            connection.close_if_unusable_or_obsolete()
        try:
            return function(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            _raise_if_permanent(error)
            raise DatabaseUnavailable from error

    return run


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error; "" if the connection failed, None for another database."""
    if not hasattr(error.__cause__, "sqlstate"):
        return None
    return getattr(error.__cause__, "sqlstate", "") or ""


def _raise_if_permanent(error: Error) -> None:
    """Raise the error if a retry cannot help, and `DatabaseUnavailable` after a timeout."""
    state = sqlstate(error)
    if state in TIMEOUT_SQLSTATES:
        log.warning("A transaction is given up after: %s", _first_line(error))
        raise DatabaseUnavailable from error
    if state is None or not (state == "" or state in TRANSIENT_SQLSTATES or state.startswith("08")):
        raise error


def _first_line(error: Error) -> str:
    return str(error).partition("\n")[0]
