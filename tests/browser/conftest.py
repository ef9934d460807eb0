"""Fixtures: Chromium and a server installed from the wheel. Any console error fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.page_object import CHROMIUM_FLAGS, ConsoleMonitor, WebPage
from tests.support.server import Server
from tests.support.wheel import Wheel

CHROMIUM = shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Extend the timeout: the first test also builds and installs the wheel."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser with package scope: Playwright's event loop blocks the loops of other tests."""
    if CHROMIUM is None:
        pytest.skip("LOUD: Chromium is not installed, so the web page is not tested.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_installed_server(wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    """A function that starts a server from the wheel. The caller stops it."""

    class Installed(Server):
        program = [str(wheel.scanrill)]

    def start(**settings: str) -> Server:
        return Installed(tmp_path_factory.mktemp("installed") / "data", **settings).start()

    return start


@pytest.fixture(scope="session")
def installed_server(new_installed_server: Callable[..., Server]) -> Iterator[Server]:
    """A server with the `dummy` engine, shared by all tests of a worker. Each test creates a user."""
    server = new_installed_server()
    yield server
    assert server.stop() == 0


@pytest.fixture
def console() -> Iterator[ConsoleMonitor]:
    """The console monitor of a test; remaining errors fail the test."""
    console = ConsoleMonitor()
    yield console
    assert console.errors == []


@pytest.fixture
def web_page(browser: Browser, installed_server: Server, console: ConsoleMonitor) -> Iterator[WebPage]:
    """The web page of the shared server, signed in as a new user."""
    with WebPage.open_signed_in(browser, installed_server, console) as web_page:
        yield web_page


@pytest.fixture
def barrier(tmp_path: Path) -> Iterator[Path]:
    """A path for `wait_for`: the engine pauses until the file exists. Teardown creates it."""
    path = tmp_path / "released"
    yield path
    path.touch()
