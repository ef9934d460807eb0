"""Storage in a directory outside the data directory; directory storage loads no bucket library."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.server import Server, environment
from tests.support.stored_files import files_in

CHECK_STORAGE_PROGRAM = """
import sys
from backend_main.cli.data_dir import set_up
set_up(None)
from backend_main.core import storage
storage.check()
assert not {"boto3", "storages", "backend_main.core.storage.s3"} & set(sys.modules)
"""


def test_directory_storage_imports_no_bucket_library(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHECK_STORAGE_PROGRAM]
    ended = subprocess.run(command, env=environment(tmp_path / "data"), capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()


async def test_storage_url_directory_holds_the_files_and_allows_no_import(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    shared = tmp_path / "shared scans"
    marker = shared / ".deployment"  # written by the first maintenance run, at the server's start
    server = await asyncio.to_thread(
        lambda: new_server(STORAGE_URL=shared.as_uri(), IMPORT_ROOTS=str(tmp_path))
    )
    async with Account.create(server).client() as client:
        instance = (await client.create(scripted_png(lines=["stored"])))["instance"]
        assert (await client.terminal_message(instance["id"]))["raw_text"] == "stored"
        stored = shared / instance["image_path"]
        assert stored.is_file()
        assert not (server.data_dir / "files").exists()
        foreign = {"image_path": str(stored.relative_to(tmp_path))}
        async with Account.create(server).client() as other:
            reply = await other.request({"type": "create", "data": foreign})
        assert list(reply["error"]) == ["image_path"]
        await client.request({"type": "delete", "instance_id": instance["id"]})
        await asyncio.to_thread(wait_until, lambda: set(files_in(shared)) <= {marker}, "the file is deleted")
