"""Threads for database work off the event loop, with connections that stay open.

`sync_to_async` queues all work behind one thread, and `database_sync_to_async` closes the connection after
each call. In measurements, each cost a factor of four to seven in throughput.

The requests of a user take turns with those of other users. One user may have several at once, but not all
threads, and one long query.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections
from django.db.utils import Error

from ..fair_sharing import FairExecutor
from .retry import raise_unavailable, retry_transient

P = ParamSpec("P")
T = TypeVar("T")

_CORES = os.cpu_count() or 1
MAX_THREADS = min(32, 4 * _CORES)
# Two threads stay free for work without a user: tokens, sign-in, health.
MAX_USER_CALLS = MAX_THREADS - 2
MAX_CALLS_PER_USER = MAX_USER_CALLS // 2
MAX_SHORT_QUERIES = 4
MAX_CATCH_UPS = 3
MAX_CATCH_UPS_PER_USER = 2
# A long query takes a core.
MAX_LONG_QUERIES = max(2, min(8, _CORES))
# So does a step of an export: a few pages.
MAX_EXPORT_STEPS = max(2, min(4, _CORES))

_threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="db")
_short_query_threads = ThreadPoolExecutor(MAX_SHORT_QUERIES, thread_name_prefix="db-short-query")
_long_query_threads = ThreadPoolExecutor(MAX_LONG_QUERIES, thread_name_prefix="db-long-query")
_export_threads = ThreadPoolExecutor(MAX_EXPORT_STEPS, thread_name_prefix="db-export")
_user_calls = FairExecutor(_threads, MAX_USER_CALLS, MAX_CALLS_PER_USER)
_catch_ups = FairExecutor(_short_query_threads, MAX_CATCH_UPS, MAX_CATCH_UPS_PER_USER)
_long_queries = FairExecutor(_long_query_threads, MAX_LONG_QUERIES, per_user=1)
_export_steps = FairExecutor(_export_threads, MAX_EXPORT_STEPS, per_user=1)


async def run_in_db_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function(*args, **kwargs)` on a database thread; return its result or raise its exception.

    A failure of the database becomes `DatabaseUnavailable`.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, _db_call(function, *args, **kwargs))


async def run_for_user(user: Hashable, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function on a database thread when it is the user's turn; return its result."""
    return await _user_calls.run(user, _db_call(function, *args, **kwargs))


async def run_long_query(user: Hashable, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a search or a long list when it is the user's turn; one of a user at once, on other threads.

    Raises `DatabaseUnavailable`.
    """
    return await _long_queries.run(user, _db_call(retry_transient(function), *args, **kwargs))


async def run_export_step(user: Hashable, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a step of an export when it is the user's turn; one of a user at once, on other threads.

    Raises `DatabaseUnavailable`.
    """
    return await _export_steps.run(user, _db_call(function, *args, **kwargs))


async def run_catch_up(user: Hashable, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a short read for one connection that lags behind, when it is the user's turn.

    Raises `DatabaseUnavailable`.
    """
    return await _catch_ups.run(user, _db_call(retry_transient(function), *args, **kwargs))


async def run_short_query(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a short read on threads of its own, so that it does not queue behind incoming files.

    All connections of the process wait for such reads. Raises `DatabaseUnavailable`.
    """
    call = _db_call(retry_transient(function), *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_short_query_threads, call)


def _db_call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
    """Return the call of a function as a database thread makes it."""

    def call() -> T:
        # With CONN_MAX_AGE=None this closes no working connection; it lets the next health check run.
        close_old_connections()
        try:
            return function(*args, **kwargs)
        except Error as error:  # outside a function that `retry_transient` wraps
            raise_unavailable(error)

    return call
