"""What all tests share: one server a worker with the `dummy` engine, users, and the pages with known text."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# Django reads its settings at import; the unit tests get a data directory that nobody else uses.
os.environ["SCANRILL_DATA_DIR"] = tempfile.mkdtemp(prefix="scanrill-unit-")
os.environ["SCANRILL_ENGINE"] = "dummy"
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"

from tests.support import deployment_mode, postgresql

# Too early for pytest's options; the processes of a run inherit what is set here.
if deployment_mode.selected_mode(sys.argv[1:]) != deployment_mode.EMBEDDED:
    os.environ["SCANRILL_DATABASE_URL"] = postgresql.url_of("postgres")
    os.environ["SCANRILL_SECRET_KEY"] = "of the unit tests, which sign with it what nobody else reads"

from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.wheel import Wheel

if TYPE_CHECKING:
    from tests.support.s3 import S3

NO_NOTIFICATIONS_PROGRAM = """
from backend_main.core.pubsub.local import LocalPubSub
LocalPubSub._dispatch = lambda self, item, *, local: None
from backend_main.cli.main import main
main()
"""
# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PAGES = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each worker is to come by this file before its settings: it has a data directory of its own then."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked as slow too")
    # Read above; here it is known, and explained.
    parser.addoption(
        "--deployment",
        choices=deployment_mode.MODES,
        help="of the tests' servers; see tests/support/deployment_mode.py",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slow ones first, if at all: one that is begun last keeps all workers but its own waiting."""
    for item in items:
        if (embedded := item.get_closest_marker("embedded")) and not deployment_mode.is_embedded():
            item.add_marker(pytest.mark.skip(reason=f"of embedded servers alone: {embedded.args[0]}"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    if config.option.slow or not others:
        items[:] = slow + others
    else:
        items[:] = others
        config.hook.pytest_deselected(items=slow)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared by the tests of a worker, so each takes users of its own."""
    running = Server(tmp_path_factory.mktemp("server") / "data").start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def two_readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared like `server`; it reads two pages at once."""
    running = Server(tmp_path_factory.mktemp("two-readers") / "data", READERS="2", READER_THREADS="1").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with settings of their own: `new_server(PAGE_SECONDS="1")`."""
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
    """Installed; all workers of a run share it."""
    base = tmp_path_factory.getbasetemp()
    wheel = Wheel((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wheel")
    wheel.make()
    yield wheel
    assert not wheel.node_was_called, "Node.js comes from PyPI"


@pytest.fixture(scope="session")
def pages() -> Path:
    """The pages with their true text, which stand beside the checkout of those who develop scanrill."""
    if not PAGES.is_dir():
        pytest.skip("LOUD: the pages with known text are not here; nothing was said about accuracy")
    return PAGES


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    """A running Redis that the test may stop and start."""
    server = Redis(tmp_path / "redis").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def deaf_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared like `server`; in it no bell is ever heard."""
    server = Server(tmp_path_factory.mktemp("deaf") / "data")
    server.program = [sys.executable, "-c", NO_NOTIFICATIONS_PROGRAM]
    yield server.start()
    assert server.stop() == 0


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """Shared by the tests of a worker: each takes a prefix of its own, and ends with the gate open."""
    from tests.support.s3 import S3  # two seconds, for those alone who need it

    running = S3()
    yield running
    running.stop()


@pytest.fixture
def s3(s3_server: S3) -> Iterator[S3]:
    yield s3_server
    s3_server.recover()
