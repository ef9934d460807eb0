"""The deployment mode of all servers in a test run, from `--deployment`.

`embedded`    one process that serves and reads, with SQLite
`postgresql`  one process that serves and reads, with PostgreSQL
`scaled`      a process that serves and a worker that reads, with PostgreSQL and Redis

The processes of a run share one PostgreSQL and one Redis. Environment variables hold their addresses.
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
_MODE_VARIABLE, _REDIS_VARIABLE = "SCANRILL_TEST_DEPLOYMENT", "SCANRILL_TEST_REDIS"


def selected_mode(arguments: Sequence[str]) -> str:
    """Return the mode from the command line or from the environment, and export it to child processes."""
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
    """Return settings with which a new server and its workers share nothing with other servers."""
    if is_embedded():
        return {}
    settings = {"DATABASE_URL": postgresql.new_database(), "SECRET_KEY": secrets.token_hex(32)}
    if is_scaled():
        # The prefix separates servers: Redis has one pub/sub namespace for all its databases.
        settings |= {"REDIS_URL": _redis_url(), "REDIS_PREFIX": f"{secrets.token_hex(6)}:"}
    return settings


def _redis_url() -> str:
    if _REDIS_VARIABLE not in os.environ:
        directory = tempfile.TemporaryDirectory(prefix="scanrill-redis-")
        server = Redis(Path(directory.name)).start()
        atexit.register(directory.cleanup)
        atexit.register(server.stop)
        os.environ[_REDIS_VARIABLE] = server.url
    return os.environ[_REDIS_VARIABLE]
