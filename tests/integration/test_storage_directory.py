"""Files in another directory than the data directory's; and in neither case anything of a bucket."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.accounts import Account
from tests.support.http_client import files_in
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.server import Server, environment

WITHOUT_A_BUCKET = """
import sys
from backend_main.cli.data_dir import set_up
set_up(None)
from backend_main.core import storage
storage.check()
assert not {"boto3", "storages", "backend_main.core.storage.s3"} & set(sys.modules)
"""


def test_who_has_no_bucket_waits_for_nothing_of_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_A_BUCKET]
    ended = subprocess.run(command, env=environment(tmp_path / "data"), capture_output=True, timeout=60)
    assert ended.returncode == 0, ended.stderr.decode()


async def test_files_go_where_they_are_told_and_nobody_imports_them_from_there(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    shared = tmp_path / "shared scans"
    mark = str(shared / ".deployment")  # of the first sweep, which is at the start of a server that is alone
    server = await asyncio.to_thread(
        lambda: new_server(STORAGE_URL=shared.as_uri(), IMPORT_ROOTS=str(tmp_path))
    )
    async with Account.create(server).client() as client:
        instance = (await client.create(scripted_png(lines=["told"])))["instance"]
        assert (await client.terminal_message(instance["id"]))["raw_text"] == "told"
        kept = shared / instance["image_path"]
        assert kept.is_file()
        assert not (server.data_dir / "files").exists()
        stolen = {"image_path": str(kept.relative_to(tmp_path))}
        async with Account.create(server).client() as other:
            reply = await other.request({"type": "create", "data": stolen})
        assert list(reply["error"]) == ["image_path"]
        await client.request({"type": "delete", "instance_id": instance["id"]})
        await asyncio.to_thread(wait_until, lambda: set(files_in(shared)) <= {mark}, "it is gone")
