"""A transaction that met another one, or lost its connection, is run again; at most three times.

Nothing of it was written: a transaction is whole, or it is not. But whether a COMMIT was carried out whose
answer was lost nobody can know. What is run again is therefore such that the second time finds out: it is
fenced by an attempt, or a constraint refuses it.
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

# Each by half less or more, so that two who met do not meet again. In all, as long as a restart takes.
BACKOFF_SECONDS = (0.1, 0.5, 2.0)
# https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock; the server
# is shut down, has crashed, or is starting; no connection is left. And all of class 08, connections.
TRANSIENT_SQLSTATES = {"40001", "40P01", "57P01", "57P02", "57P03", "53300"}
# It waited long enough already, for a lock or an answer.
TIMEOUT_SQLSTATES = {"55P03", "57014"}


def retry_transient(work: Callable[P, T]) -> Callable[P, T]:
    """For what is a whole transaction, or reads only; inside another transaction it does nothing.

    What is wrapped raises `DatabaseUnavailable` when the last try fails too.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            return work(*args, **kwargs)
        for wait_seconds in BACKOFF_SECONDS:
            try:
                return work(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                _raise_if_permanent(error)
                log.warning("the database is asked again: %s", _first_line(error))
            time.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            connection.close_if_unusable_or_obsolete()
        try:
            return work(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            _raise_if_permanent(error)
            raise DatabaseUnavailable from error

    return run


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error; empty where the connection failed, None where it is not PostgreSQL's."""
    return getattr(error.__cause__, "sqlstate", "") or "" if hasattr(error.__cause__, "sqlstate") else None


def _raise_if_permanent(error: Error) -> None:
    """Raises the error again where it would come again; `DatabaseUnavailable` where there was enough waiting."""
    state = sqlstate(error)
    if state in TIMEOUT_SQLSTATES:
        log.warning("the database is given up: %s", _first_line(error))
        raise DatabaseUnavailable from error
    if state is None or not (state == "" or state in TRANSIENT_SQLSTATES or state.startswith("08")):
        raise error


def _first_line(error: Error) -> str:
    return str(error).partition("\n")[0]
