"""S22 — a full disk is an error, `storage_full`: no row, no residue; what fits goes in once there is room."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.chaos.conftest import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

DISK_BYTES = 16 * 1024**2
# The chunks of a PNG may be followed by anything; base64 of noise does not compress on any disk.
TOO_LARGE = scripted_png() + os.urandom(DISK_BYTES)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own. Only root may mount one; the file-size limit below stands in for it."""
    place = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "scanrill-test", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def full_server(small_disk: Path) -> Iterator[Server]:
    server = Server(small_disk / "data", MIN_FREE_BYTES="0")
    yield server.start()
    (small_disk / "ballast").unlink(missing_ok=True)
    assert server.stop() == 0


@pytest.fixture(scope="module")
def full_account(full_server: Server) -> Account:
    return Account(full_server, full_server.token(full_server.user()))


def fill(disk: Path) -> None:
    """Not a byte is left."""
    with suppress(OSError), open(disk / "ballast", "wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass


def residue(server: Server) -> list[Path]:
    """Every stored file, and every one that was on its way in."""
    return [path for name in ("files", "incoming") for path in (server.data_dir / name).rglob("*")]


async def refused(client: WebSocketClient, image: bytes) -> None:
    reply = await client.create(image)
    assert reply["type"] == "Upload.created"
    assert reply["error"]["image_base64"].startswith("storage_full")
    assert (await client.request({"type": "list"}))["list"] == []


async def post(server: Server, account: Account, image: bytes, *, announced: bool = True) -> httpx.Response:
    """The body with its length before it, or in chunks of which nobody knows how many will come."""

    async def chunks() -> AsyncIterator[bytes]:
        yield image

    content = image if announced else chunks()
    async with httpx.AsyncClient(timeout=60) as http:
        return await http.post(f"{server.http}/api/uploads/", content=content, headers=account.headers)


async def accepted(client: WebSocketClient, server: Server, image: bytes) -> None:
    """It is read, and deleted again: with its file, which goes after the row."""
    upload_id = (await client.create(image))["instance"]["id"]
    assert (await client.terminal_message(upload_id))["status"] == "processed"
    await client.request({"type": "delete", "instance_id": upload_id})
    await asyncio.to_thread(wait_until, lambda: residue(server) == [], "the file is gone")


async def test_s22_what_does_not_fit_is_refused_and_leaves_nothing(
    full_server: Server, full_account: Account
) -> None:
    async with full_account.client() as client:
        await refused(client, TOO_LARGE)
        assert residue(full_server) == []
        answer = await post(full_server, full_account, TOO_LARGE)
        assert answer.status_code == 507
        assert answer.json()["error"]["file"].startswith("storage_full")
        assert (await post(full_server, full_account, TOO_LARGE, announced=False)).status_code == 507
        assert residue(full_server) == []
        await accepted(client, full_server, scripted_png())
    assert run_query(full_server, "SELECT * FROM core_upload") == []


async def test_s22_without_a_byte_left_even_a_small_file_is_refused_until_there_is_room(
    full_server: Server, full_account: Account, small_disk: Path
) -> None:
    async with full_account.client() as client:
        await asyncio.to_thread(fill, small_disk)
        await refused(client, scripted_png())
        for announced in (True, False):
            answer = await post(full_server, full_account, scripted_png(), announced=announced)
            assert answer.status_code == 507
        assert residue(full_server) == []
        (small_disk / "ballast").unlink()
        await accepted(client, full_server, scripted_png())
    assert "Traceback" not in full_server.log


async def test_s22_a_limit_on_the_size_of_files_is_the_same_error(new_server: Callable[..., Server]) -> None:
    """The quota of a user, or `ulimit -f`; it needs no root to be shown."""
    server = await asyncio.to_thread(new_server)
    account = await Account.create(server)
    limit = DISK_BYTES // 2
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    async with account.client() as client:
        await refused(client, TOO_LARGE)
        assert (await post(server, account, TOO_LARGE)).status_code == 507
        assert residue(server) == []
        await accepted(client, server, scripted_png())
    assert "Traceback" not in server.log


async def test_s22_the_last_free_space_is_kept_for_the_machine(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The floor is above what any disk has, so nothing fits, and nothing is even begun."""
    server = await asyncio.to_thread(new_server, MIN_FREE_BYTES=str(2**60))
    account = await Account.create(server)
    async with account.client() as client:
        await refused(client, scripted_png())
    assert (await post(server, account, scripted_png())).status_code == 507
    assert residue(server) == []
