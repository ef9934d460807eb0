"""L5 - the database and the files are private, whatever the umask; an open directory is reported."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient


@pytest.fixture
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def modes_open_to_others(directory: Path) -> dict[str, str]:
    """Return the modes of files and directories inside that other users may enter, read or write."""
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in directory.rglob("*")}
    return {str(path.relative_to(directory)): oct(mode) for path, mode in found.items() if mode & 0o077}


@pytest.mark.usefixtures("open_umask")
async def test_l5_files_of_a_server_with_an_open_umask_are_private(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "data-0").mkdir(mode=0o755)
    (tmp_path / "data-0" / "scanrill.sqlite3").touch(mode=0o644)
    server = new_server()
    account = Account.create(server)
    async with WebSocketClient(server.url(token=server.token(account.name))) as client:
        upload_id = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(upload_id)
    assert modes_open_to_others(server.data_dir) == {}
    assert f"chmod 700 {server.data_dir}" in server.log


@pytest.mark.usefixtures("open_umask")
def test_l5_new_data_directory_is_private(new_server: Callable[..., Server]) -> None:
    server = new_server()
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    assert "chmod 700" not in server.log
