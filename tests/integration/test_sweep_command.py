"""Command `sweep`: all orphaned files without a server, only old ones beside a server."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import pytest

from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

ABOVE_GRACE_SECONDS = 3_700


def add_orphans(data_dir: Path, *, age_seconds: float = 0.0) -> list[Path]:
    """Create a file without a row, and an incomplete file; return both."""
    orphan, half = data_dir / "files" / str(uuid.uuid4()), data_dir / "incoming" / uuid.uuid4().hex
    orphan.mkdir()
    (orphan / "original.png").write_bytes(b"left")
    half.write_bytes(b"half")
    for path in (orphan, half):
        os.utime(path, (time.time() - age_seconds,) * 2)
    return [orphan, half]


def sweep(server: Server) -> str:
    """Run the command and return its line."""
    ended = server.command("sweep")
    assert (ended.returncode, ended.stdout.count("\n")) == (0, 1), ended.stderr
    return ended.stdout.strip()


@pytest.mark.embedded("with a shared database, young files may be uploads on another machine")
def test_sweep_without_a_server_removes_all_orphans(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    assert sweep(server) == "Recovered 0 jobs, removed 0 orphaned and 0 incomplete files."
    orphans = add_orphans(server.data_dir)
    assert sweep(server) == "Recovered 0 jobs, removed 1 orphaned and 1 incomplete files."
    assert not any(path.exists() for path in orphans)


@pytest.mark.parametrize("reading", [False, True])
async def test_sweep_beside_a_server_keeps_young_files(
    reading: bool, server: Server, token: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    async with WebSocketClient(server.url(token=token)) as client:
        script = {"wait_for": str(gate), "wait_after": 1} if reading else {}
        upload_id = (await client.create(scripted_png(lines=["one", "two"], **script)))["instance"]["id"]
        if reading:
            await client.receive_until(lambda m: m.get("streamed_text") == "one")
        else:
            await client.terminal_message(upload_id)
        young = add_orphans(server.data_dir)
        old = add_orphans(server.data_dir, age_seconds=ABOVE_GRACE_SECONDS)
        assert sweep(server) == "Recovered 0 jobs, removed 1 orphaned and 1 incomplete files."
        assert all(path.exists() for path in young)
        assert not any(path.exists() for path in old)
        assert (server.data_dir / "files" / upload_id).is_dir()
        gate.touch()
        if reading:
            assert (await client.terminal_message(upload_id))["raw_text"] == "one\ntwo"
        young[1].unlink()
