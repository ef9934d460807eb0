"""Users of the shared server, a server with low limits, and a gate that pauses the reading of a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import Account
from tests.support.server import Server

MAX_UPLOAD_BYTES = 100_000


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shared server with limits that a test can reach."""
    directory = tmp_path_factory.mktemp("strict")
    (directory / "import").mkdir()
    server = Server(
        directory / "data",
        MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES),
        MAX_SOCKETS_PER_USER="2",
        MESSAGES_PER_SECOND="5",
        PAGE_SECONDS="1.5",
        IMPORT_ROOTS=str(directory / "import"),
        ALLOWED_ORIGINS="https://scans.example",
    )
    yield server.start()
    assert server.stop() == 0


@pytest.fixture
def import_root(strict_server: Server) -> Path:
    return strict_server.data_dir.with_name("import")


@pytest.fixture
def alice(server: Server) -> Account:
    return Account.create(server)


@pytest.fixture
def bob(server: Server) -> Account:
    return Account.create(server)


class ReadingGate:
    """A gate in a page: the reading of `scripted_png(**gate.after(1))` pauses after line 1 until `open()`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def after(self, lines: int) -> dict[str, Any]:
        return {"wait_for": str(self._path), "wait_after": lines}

    def open(self) -> None:
        self._path.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[ReadingGate]:
    """A gate that opens at the end of the test at the latest, because tests share the reader."""
    gate = ReadingGate(tmp_path / "open")
    yield gate
    gate.open()
