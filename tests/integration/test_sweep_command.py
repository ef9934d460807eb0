"""`scanrill sweep` by hand: without a server it takes all that a crash left, beside one only what is old."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import pytest

from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

AN_HOUR_AND_A_BIT = 3_700


def leave(data_dir: Path, *, age_seconds: float = 0.0) -> list[Path]:
    """A file without a row, and a half-written one."""
    orphan, half = data_dir / "files" / str(uuid.uuid4()), data_dir / "incoming" / uuid.uuid4().hex
    orphan.mkdir()
    (orphan / "original.png").write_bytes(b"left")
    half.write_bytes(b"half")
    for path in (orphan, half):
        os.utime(path, (time.time() - age_seconds,) * 2)
    return [orphan, half]


def swept(server: Server) -> str:
    ended = server.command("sweep")
    assert (ended.returncode, ended.stdout.count("\n")) == (0, 1), ended.stderr
    return ended.stdout.strip()


@pytest.mark.embedded("elsewhere another machine may be taking in what is young")
def test_without_a_server_it_removes_all_that_no_upload_refers_to(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    assert swept(server) == "Recovered 0 jobs, removed 0 orphaned and 0 incomplete files."
    left = leave(server.data_dir)
    assert swept(server) == "Recovered 0 jobs, removed 1 orphaned and 1 incomplete files."
    assert not any(path.exists() for path in left)


@pytest.mark.parametrize("reading", [False, True])
async def test_beside_a_server_it_leaves_alone_what_is_young(
    reading: bool, server: Server, token: str, tmp_path: Path
) -> None:
    gate = tmp_path / "lifted"
    async with WebSocketClient(server.url(token=token)) as client:
        script = {"wait_for": str(gate), "wait_after": 1} if reading else {}
        upload_id = (await client.create(scripted_png(lines=["one", "two"], **script)))["instance"]["id"]
        if reading:
            await client.receive_until(lambda m: m.get("streamed_text") == "one")
        else:
            await client.terminal_message(upload_id)
        young, old = leave(server.data_dir), leave(server.data_dir, age_seconds=AN_HOUR_AND_A_BIT)
        assert swept(server) == "Recovered 0 jobs, removed 1 orphaned and 1 incomplete files."
        assert all(path.exists() for path in young)
        assert not any(path.exists() for path in old)
        assert (server.data_dir / "files" / upload_id).is_dir()
        gate.touch()
        if reading:
            assert (await client.terminal_message(upload_id))["raw_text"] == "one\ntwo"
        young[1].unlink()
