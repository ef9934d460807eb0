"""Shared fixtures: one server per worker with the `dummy` engine, users, and pages with known text."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# Django reads its settings at import. The unit tests get their own data directory.
os.environ["SCANRILL_DATA_DIR"] = tempfile.mkdtemp(prefix="scanrill-unit-")
os.environ["SCANRILL_ENGINE"] = "dummy"
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"

from tests.support import deployment_mode, postgresql

# pytest's options are not parsed yet. Child processes of the run inherit these variables.
if deployment_mode.selected_mode(sys.argv[1:]) != deployment_mode.EMBEDDED:
    os.environ["SCANRILL_DATABASE_URL"] = postgresql.url_of("postgres")
    os.environ["SCANRILL_SECRET_KEY"] = "a fixed key for the unit tests, at least 32 bytes"

from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.wheel import Wheel

if TYPE_CHECKING:
    from tests.support.s3 import S3

NO_NOTIFICATIONS_PROGRAM = """
from backend_main.core.pubsub.local import LocalPubSub
LocalPubSub._dispatch = lambda self, message, *, is_local: None
from backend_main.cli.main import main
main()
"""
# The duration of an example depends on the machine more than on the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PAGES = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Make each worker load this file before its settings, so that it gets its own data directory."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked as slow")
    # `selected_mode` reads it above; this declares and documents it.
    parser.addoption(
        "--deployment",
        choices=deployment_mode.MODES,
        help="deployment mode of the tests' servers; see tests/support/deployment_mode.py",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run slow tests first, or deselect them: a slow test that starts last keeps the other workers idle."""
    for item in items:
        if (embedded := item.get_closest_marker("embedded")) and not deployment_mode.is_embedded():
            item.add_marker(pytest.mark.skip(reason=f"for embedded servers only: {embedded.args[0]}"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    if config.option.slow or not others:
        items[:] = slow + others
    else:
        items[:] = others
        config.hook.pytest_deselected(items=slow)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the tests of a worker share; each test creates its own users."""
    # All tests send from one address, with wrong passwords too.
    limits = {"PASSWORD_TRIES_PER_ADDRESS": "1000", "PASSWORD_TRIES_IN_ALL": "1000"}
    running = Server(tmp_path_factory.mktemp("server") / "data", **limits).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def two_reader_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shared server that reads two pages at once."""
    running = Server(tmp_path_factory.mktemp("two-readers") / "data", READERS="2", READER_THREADS="1").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server with its own settings: `new_server(PAGE_SECONDS="1")`."""
    started: list[Server] = []

    def start(*arguments: str, **settings: str) -> Server:
        server = Server(tmp_path / f"data-{len(started)}", *arguments, **settings)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def token(server: Server) -> str:
    """An access token of a new user of the shared server."""
    return server.token(server.user())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wheel]:
    """The installed wheel, which all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    wheel = Wheel((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wheel")
    wheel.make()
    yield wheel
    assert not wheel.node_was_called, "the build must use the Node.js from PyPI"


@pytest.fixture(scope="session")
def pages() -> Path:
    """The directory of pages with known text, which is beside the checkout and optional."""
    if not PAGES.is_dir():
        pytest.skip("LOUD: the pages with known text are missing; accuracy was not tested")
    return PAGES


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    """A running Redis that the test may stop and start."""
    server = Redis(tmp_path / "redis").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server_without_notifications(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shared server that drops all pub/sub notifications."""
    server = Server(tmp_path_factory.mktemp("no-notifications") / "data")
    server.program = [sys.executable, "-c", NO_NOTIFICATIONS_PROGRAM]
    yield server.start()
    assert server.stop() == 0


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """An S3 server that the tests of a worker share; each test uses its own prefix."""
    from tests.support.s3 import S3  # takes two seconds to import

    running = S3()
    yield running
    running.stop()


@pytest.fixture
def s3(s3_server: S3) -> Iterator[S3]:
    """The shared S3 server; its failures are reset after the test."""
    yield s3_server
    s3_server.recover()
