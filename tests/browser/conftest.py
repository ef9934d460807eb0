"""Debian's Chromium before a server from the wheel; whatever the console complains of fails a test."""

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
    """Building and installing the wheel is within the first test's time."""
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Not for the session: while it is there an event loop runs, and no other test's loop could."""
    if CHROMIUM is None:
        pytest.skip("LOUD: there is no chromium here; nothing was said about the web page")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_installed_server(wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    """Starts a server from the wheel; whoever asks for it stops it."""

    class Installed(Server):
        program = [str(wheel.scanrill)]

    def start(**settings: str) -> Server:
        return Installed(tmp_path_factory.mktemp("installed") / "data", **settings).start()

    return start


@pytest.fixture(scope="session")
def installed_server(new_installed_server: Callable[..., Server]) -> Iterator[Server]:
    """Shared by a worker's tests, with the `dummy` engine; each takes a user of its own."""
    server = new_installed_server()
    yield server
    assert server.stop() == 0


@pytest.fixture
def console() -> Iterator[ConsoleMonitor]:
    console = ConsoleMonitor()
    yield console
    assert console.errors == []


@pytest.fixture
def web_page(browser: Browser, installed_server: Server, console: ConsoleMonitor) -> Iterator[WebPage]:
    """A page of a new user of the shared server, signed in."""
    with WebPage.open_signed_in(browser, installed_server, console) as web_page:
        yield web_page


@pytest.fixture
def barrier(tmp_path: Path) -> Iterator[Path]:
    """A page with `wait_for` this path is read on when it exists, in the end in any case."""
    path = tmp_path / "lifted"
    yield path
    path.touch()
