"""Direct access to the rows of a server's database, SQLite or PostgreSQL."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.server import Server

Rows = list[tuple[Any, ...]]
Execute = Callable[..., Rows]


def run_query(server: Server, query: str, *parameters: Any) -> Rows:
    """Run one statement and return its rows; placeholders are `?`, ids come as hex digits."""
    with transaction(server) as execute:
        return execute(query, *parameters)


@contextmanager
def transaction(server: Server) -> Iterator[Execute]:
    """Open a transaction and yield `execute(query, *parameters)`."""
    with (
        _postgresql_transaction(server.database_url)
        if server.database_url
        else _sqlite_transaction(server) as execute
    ):
        yield execute


@contextmanager
def _sqlite_transaction(server: Server) -> Iterator[Execute]:
    path = f"file:{server.data_dir / 'scanrill.sqlite3'}?mode=rw"
    options: dict[str, Any] = {"uri": True, "timeout": 20, "isolation_level": "IMMEDIATE"}
    with closing(sqlite3.connect(path, **options)) as database, database:
        yield lambda query, *parameters: database.execute(query, parameters).fetchall()


@contextmanager
def _postgresql_transaction(url: str) -> Iterator[Execute]:
    import psycopg

    def execute(query: str, *parameters: Any) -> Rows:
        cursor = database.execute(query.replace("%", "%%").replace("?", "%s"), parameters)
        fetched = cursor.fetchall() if cursor.description else []
        return [tuple(map(_sqlite_value, row)) for row in fetched]

    with psycopg.connect(url, options="-c timezone=UTC") as database:
        yield execute


def _sqlite_value(value: Any) -> Any:
    """Convert a value to the form that SQLite returns."""
    return value.hex if isinstance(value, uuid.UUID) else value
