"""The parts that the servers of a run of tests are made of: `--deployment`, for all of them alike.

`embedded`    one process that serves and reads, with a SQLite
`postgresql`  the same on a PostgreSQL
`scaled`      a process that serves, and a worker that reads, on a PostgreSQL and a Redis

The processes of a run share one PostgreSQL and one Redis, whose places stand in the environment.
"""

from __future__ import annotations

import argparse
import atexit
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support import postgresql
from tests.support.redis import Redis

EMBEDDED, POSTGRESQL, SCALED = MODES = ("embedded", "postgresql", "scaled")
_MODE_VARIABLE, _REDIS_VARIABLE = "SCANRILL_TEST_PARTS", "SCANRILL_TEST_REDIS"


def selected_mode(arguments: Sequence[str]) -> str:
    """By the arguments of a command that runs tests, or by who started that; its processes inherit it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--deployment", default=os.environ.get(_MODE_VARIABLE, EMBEDDED))
    os.environ[_MODE_VARIABLE] = parser.parse_known_args(arguments)[0].deployment
    if is_scaled():
        _redis_url()
    return os.environ[_MODE_VARIABLE]


def is_embedded() -> bool:
    return os.environ.get(_MODE_VARIABLE, EMBEDDED) == EMBEDDED


def is_scaled() -> bool:
    return os.environ.get(_MODE_VARIABLE) == SCALED


def new_server_settings() -> dict[str, str]:
    """Of one server, and of who works with it: nothing in them is another server's."""
    if is_embedded():
        return {}
    own = {"DATABASE_URL": postgresql.new_database(), "SECRET_KEY": secrets.token_hex(32)}
    if is_scaled():
        # A prefix, as a Redis has one pub/sub for all its databases.
        own |= {"REDIS_URL": _redis_url(), "REDIS_PREFIX": f"{secrets.token_hex(6)}:"}
    return own


def _redis_url() -> str:
    if _REDIS_VARIABLE not in os.environ:
        directory = tempfile.TemporaryDirectory(prefix="scanrill-redis-")
        server = Redis(Path(directory.name)).start()
        atexit.register(directory.cleanup)
        atexit.register(server.stop)
        os.environ[_REDIS_VARIABLE] = server.url
    return os.environ[_REDIS_VARIABLE]
