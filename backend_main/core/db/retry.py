"""Retry of transactions after transient errors, and one error for each other failure of the database.

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
from typing import NoReturn, ParamSpec, TypeVar

from django.db import connection
from django.db.utils import Error

from ..errors import DatabaseFull, DatabaseUnavailable
from .failures import Failure, failure_of

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

# Waits between tries. Each varies by up to a half, so that two transactions that met do not meet again.
# Their sum is about as long as a restart of the database.
BACKOFF_SECONDS = (0.1, 0.5, 2.0)


def retry_transient(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function that is a whole transaction, or only reads: repeat it after transient errors.

    Inside another transaction the wrapper does nothing, because only the whole transaction can be repeated.

    Raises:
        DatabaseUnavailable: The last try failed too, a timeout was reached, or the database cannot be used
            (raised by the wrapper).
        DatabaseFull: The disk of the database is full (raised by the wrapper).
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for wait_seconds in BACKOFF_SECONDS:
            try:
                return function(*args, **kwargs)
            except Error as error:
                if failure_of(error) is not Failure.TRANSIENT:
                    raise_unavailable(error)
                log.warning("A transaction is retried after: %s", _first_line(error))
            time.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            connection.close_if_unusable_or_obsolete()
        try:
            return function(*args, **kwargs)
        except Error as error:
            raise_unavailable(error)

    return run


def raise_unavailable(error: Error) -> NoReturn:
    """Raise `DatabaseFull` or `DatabaseUnavailable`, with a line in the log; or the error if it is a defect.

    Raises:
        DatabaseFull: The disk of the database is full.
        DatabaseUnavailable: The database is locked, gone or damaged.
    """
    failure = failure_of(error)
    if failure is None:
        raise error
    log.log(
        logging.ERROR if failure is Failure.BROKEN else logging.WARNING,
        "A transaction is given up after: %s",
        _first_line(error),
    )
    raise (DatabaseFull if failure is Failure.FULL else DatabaseUnavailable) from error


def _first_line(error: Error) -> str:
    return str(error).partition("\n")[0]
