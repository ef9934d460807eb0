"""Command `backup` beside a running server, and command `restore` into a new directory."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanrill_client import AsyncClient

from tests.support.accounts import Account
from tests.support.event_recorder import QUICK_TIMEOUTS, current_cursor, recording
from tests.support.page_images import scripted_png
from tests.support.server import Server

pytestmark = pytest.mark.embedded("PostgreSQL and buckets have their own backup tools")

LINES = ["kept text", "and more"]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("original") / "data").start()
    yield server
    assert server.stop() == 0


def refusal(server: Server, *arguments: str) -> str:
    """Return the line that a failed command printed; assert that it is the only one."""
    done = server.command(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


async def test_restore_brings_back_uploads_and_invalidates_cursors(original: Server, tmp_path: Path) -> None:
    account, file = Account.create(original), tmp_path / "kept.tar"
    token = account.mint()
    image = scripted_png(lines=LINES)
    async with account.client() as client:
        upload_id = (await client.create(image))["instance"]["id"]
        await client.terminal_message(upload_id)
    before = await current_cursor(account)
    made = original.command("backup", str(file))
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with account.client() as client:
        await client.request({"type": "update", "instance_id": upload_id, "data": {"filename": "later.png"}})

    copy = Server(tmp_path / "copy")
    restored = copy.command("restore", str(file))
    assert restored.returncode == 0, restored.stderr
    copy.start()
    try:
        async with AsyncClient(copy.http, token=token, timeouts=QUICK_TIMEOUTS) as client:
            upload = await client.retrieve(upload_id)
            assert (upload.raw_text, upload.filename) == ("\n".join(LINES), "scan.png")
            assert await client.original(upload_id) == image
        theirs = Account(copy, account.id, account.name)
        async with theirs.client() as client:
            reply = await client.request({"type": "subscribe", "since": before})
            assert reply["recovered"] is False
        async with recording(theirs, copy.port) as watcher:
            assert set(watcher.client.uploads) == {upload_id}
    finally:
        assert copy.stop() == 0


def test_backup_refuses_an_existing_file(original: Server, tmp_path: Path) -> None:
    file = tmp_path / "there.tar"
    file.write_text("mine")
    assert "already exists" in refusal(original, "backup", str(file))
    assert file.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["there.tar"]


def test_restore_into_a_directory_that_is_not_empty_is_refused(original: Server, tmp_path: Path) -> None:
    file = tmp_path / "whole.tar"
    assert original.command("backup", str(file)).returncode == 0
    assert "is not empty" in refusal(original, "restore", str(file))


def test_backup_and_restore_with_a_bucket_are_refused(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", STORAGE_URL="s3://scans")
    assert "in a bucket" in refusal(server, "backup", str(tmp_path / "backup.tar"))
    (tmp_path / "backup.tar").touch()
    assert "without SCANRILL_STORAGE_URL" in refusal(server, "restore", str(tmp_path / "backup.tar"))


@pytest.mark.parametrize(
    "content",
    [b"", b"not an archive", "path traversal", "newer", "manifest is a directory", "no database"],
    ids=["empty", "text", "path traversal", "newer", "manifest is a directory", "no database"],
)
def test_restore_refuses_other_files_and_leaves_nothing(tmp_path: Path, content: bytes | str) -> None:
    file = tmp_path / "other.tar"
    file.write_bytes(content if isinstance(content, bytes) else archive(content))
    target = Server(tmp_path / "target" / "data")
    message = refusal(target, "restore", str(file))
    assert ("newer version" if content == "newer" else "is not a scanrill backup") in message
    assert not target.data_dir.exists()
    assert not (tmp_path / "outside").exists()
    assert list(target.data_dir.parent.glob("data.*")) == []


def archive(kind: str) -> bytes:
    """Return an archive that resembles a backup, with the named flaw."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entries = {
            "manifest.json": json.dumps({"format": 99 if kind == "newer" else 1}).encode(),
            "secret.key": b"",
        }
        if kind == "path traversal":
            entries["../../outside"] = b"out"
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            if kind == "manifest is a directory" and name == "manifest.json":
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
