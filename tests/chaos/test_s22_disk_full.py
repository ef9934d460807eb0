"""S22 - the disk is full: `storage_full`, without a row or residue; uploads succeed once space is free."""

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

from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of
from tests.support.processes import wait_until
from tests.support.server import Server
from tests.support.stored_files import paths_in
from tests.support.websocket_client import Message, WebSocketClient

DISK_BYTES = 16 * 1024**2
# Any bytes may follow the chunks of a PNG; random bytes do not compress on any disk.
TOO_LARGE = scripted_png() + os.urandom(DISK_BYTES)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small file system. Only root may mount one; the file-size limit below covers other users."""
    path = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "scanrill-test", str(path)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a file system")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture(scope="module")
def full_server(small_disk: Path) -> Iterator[Server]:
    server = Server(small_disk / "data", MIN_FREE_BYTES="0")
    yield server.start()
    (small_disk / "ballast").unlink(missing_ok=True)
    assert server.stop() == 0


@pytest.fixture(scope="module")
def full_account(full_server: Server) -> Account:
    return Account.create(full_server)


def fill(disk: Path) -> None:
    """Fill the disk to the last byte."""
    with suppress(OSError), open(disk / "ballast", "wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass


def residue(server: Server) -> list[Path]:
    """Return all stored and incoming files, and their directories."""
    return [path for name in ("files", "incoming") for path in paths_in(server.data_dir / name)]


async def assert_storage_full(client: WebSocketClient, image: bytes) -> None:
    reply = await client.create(image)
    assert reply["type"] == "Upload.created"
    assert reply["error"]["image_base64"].startswith("storage_full")
    assert (await client.request({"type": "list"}))["list"] == []


async def post(server: Server, account: Account, image: bytes, *, with_length: bool = True) -> httpx.Response:
    """Post the body with a Content-Length, or in chunks without one."""

    async def chunks() -> AsyncIterator[bytes]:
        yield image

    content = image if with_length else chunks()
    async with httpx.AsyncClient(timeout=60) as http:
        return await http.post(f"{server.http}/api/uploads/", content=content, headers=account.headers)


async def assert_accepted(client: WebSocketClient, server: Server, image: bytes) -> None:
    """Create, read and delete an upload; wait until its file is deleted."""
    upload_id = (await client.create(image))["instance"]["id"]
    assert (await client.terminal_message(upload_id))["status"] == "processed"
    await client.request({"type": "delete", "instance_id": upload_id})
    await asyncio.to_thread(wait_until, lambda: residue(server) == [], "the file is deleted")


async def test_s22_file_larger_than_the_disk_is_rejected_and_leaves_nothing(
    full_server: Server, full_account: Account
) -> None:
    async with full_account.client() as client:
        await assert_storage_full(client, TOO_LARGE)
        assert residue(full_server) == []
        answer = await post(full_server, full_account, TOO_LARGE)
        assert answer.status_code == 507
        assert errors_of(answer)["file"].startswith("storage_full")
        assert (await post(full_server, full_account, TOO_LARGE, with_length=False)).status_code == 507
        assert residue(full_server) == []
        await assert_accepted(client, full_server, scripted_png())
    assert run_query(full_server, "SELECT * FROM core_upload") == []


async def test_s22_full_disk_rejects_small_files_until_space_is_free(
    full_server: Server, full_account: Account, small_disk: Path
) -> None:
    async with full_account.client() as client:
        await asyncio.to_thread(fill, small_disk)
        await assert_storage_full(client, scripted_png())
        for with_length in (True, False):
            answer = await post(full_server, full_account, scripted_png(), with_length=with_length)
            assert answer.status_code == 507
        assert residue(full_server) == []
        (small_disk / "ballast").unlink()
        await assert_accepted(client, full_server, scripted_png())
    assert "Traceback" not in full_server.log


async def rename_until_error(client: WebSocketClient, upload_id: str) -> Message:
    """Write events until the database has no space left in its files; return the error."""
    for number in range(10_000):
        name = f"{number:05d}" * 50
        reply = await client.request({"type": "update", "instance_id": upload_id, "data": {"filename": name}})
        if "error" in reply:
            error: Message = reply["error"]
            return error
    raise AssertionError("no write of the database failed")


@pytest.mark.embedded("the disk of PostgreSQL is another one")
async def test_s22_m8_full_disk_delete_frees_space_and_changes_are_507(
    full_server: Server, full_account: Account, small_disk: Path
) -> None:
    """The database has used up all space in its files, so each of its writes fails but a deletion."""
    long_text = "x" * 1024 * 1024
    async with full_account.client() as client, httpx.AsyncClient(base_url=full_server.http) as http:
        http.headers.update(full_account.headers)
        ids: list[str] = []
        for _ in range(3):
            ids.append((await client.create(scripted_png()))["instance"]["id"])
            await client.terminal_message(ids[-1])
        await asyncio.to_thread(fill, small_disk)
        correction = {"type": "update", "instance_id": ids[0], "data": {"processed_text": long_text}}
        reply = await client.request(correction)
        assert reply["error"]["processed_text"].startswith("storage_full")
        assert (await rename_until_error(client, ids[0]))["server"].startswith("storage_full")
        answer = await http.patch(f"/api/uploads/{ids[0]}/", json={"filename": "other.png"})
        assert answer.status_code == 507
        assert errors_of(answer)["detail"].startswith("storage_full")
        ready = await http.get("/readyz")
        assert ready.json()["reasons"] == ["the disk is full: uploads are refused"]
        assert "error" not in await client.request({"type": "delete", "instance_id": ids[0]})
        for upload_id in ids[1:]:
            assert (await http.delete(f"/api/uploads/{upload_id}/")).status_code == 200
        assert (await client.request({"type": "list"}))["list"] == []
    assert "Traceback" not in full_server.log
    (small_disk / "ballast").unlink()


async def test_s22_file_size_limit_of_the_process_is_storage_full(new_server: Callable[..., Server]) -> None:
    """As with a user's disk quota or `ulimit -f`; this test needs no root."""
    server = await asyncio.to_thread(new_server)
    account = Account.create(server)
    limit = DISK_BYTES // 2
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    async with account.client() as client:
        await assert_storage_full(client, TOO_LARGE)
        assert (await post(server, account, TOO_LARGE)).status_code == 507
        assert residue(server) == []
        await assert_accepted(client, server, scripted_png())
    assert "Traceback" not in server.log


async def test_s22_free_space_below_the_minimum_rejects_uploads(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The minimum is larger than any disk, so the server rejects every upload at once."""
    server = await asyncio.to_thread(new_server, MIN_FREE_BYTES=str(2**60))
    account = Account.create(server)
    async with account.client() as client:
        await assert_storage_full(client, scripted_png())
    assert (await post(server, account, scripted_png())).status_code == 507
    assert residue(server) == []
