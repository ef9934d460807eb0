"""M10, L4 - `scanrill restore` writes nothing but the files of a backup, and refuses all else in one line."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend_main.cli.backup_archive import DATABASE, unpack
from backend_main.core.errors import CommandError

KEY = "0f8fad5b-d9cb-469f-a165-70867728950e/original.png"
MANIFEST = json.dumps({"format": 1}).encode()


def database(tmp_path: Path, *statements: str, key: str = KEY) -> bytes:
    path = tmp_path / "made.sqlite3"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE core_upload (image_path TEXT); CREATE TABLE core_eventlog (id TEXT)"
    )
    connection.execute("INSERT INTO core_upload VALUES (?)", [key])
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path.read_bytes()


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o777
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry, content


def archive(tmp_path: Path, *extra: tuple[tarfile.TarInfo, bytes], **replaced: bytes | None) -> Path:
    """Write a backup with other members before its database; `None` leaves a member out."""
    contents: dict[str, bytes | None] = {
        "manifest": MANIFEST,
        "secret": b"key",
        "database": database(tmp_path),
    }
    contents |= replaced
    names = {"manifest": "manifest.json", "secret": "secret.key", "database": DATABASE}
    members = [member(names[name], content) for name, content in contents.items() if content is not None]
    members[1:1] = [*extra, member(f"files/{KEY}", b"original")]
    path = tmp_path / "backup.tar"
    with tarfile.open(path, "w") as tar:
        for entry, content in members:
            tar.addfile(entry, io.BytesIO(content))
    return path


def assert_refused(file: Path, tmp_path: Path) -> None:
    inside = set(tmp_path.iterdir())
    with pytest.raises(CommandError, match="is not a scanrill backup") as refused:
        unpack(file, tmp_path / "draft")
    assert "\n" not in str(refused.value)
    assert set(tmp_path.iterdir()) - inside <= {tmp_path / "draft"}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_m10_restored_files_are_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    file = archive(tmp_path)
    with umask(mask):
        unpack(file, tmp_path / "draft")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "draft").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert (tmp_path / "draft/files" / KEY).read_bytes() == b"original"


MEMBERS = {
    "symbolic link": member("files/link", type=tarfile.SYMTYPE, linkname="/etc"),
    "symbolic link to a known name": member(f"files/{KEY}", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": member("secret.key", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "device": member("files/null", type=tarfile.CHRTYPE),
    "pipe": member("files/pipe", type=tarfile.FIFOTYPE),
    "directory": member("files", type=tarfile.DIRTYPE),
    "absolute": member("/tmp/outside", b"out"),
    "parent": member("../outside", b"out"),
    "parent below files": member("files/../../outside", b"out"),
    "foreign name": member("serve.lock", b"foreign"),
    "foreign file": member("files/0f8fad5b-d9cb-469f-a165-70867728950f/original.png", b"no upload"),
    "two of a name": member(f"files/{KEY}", b"other"),
    "large secret": member("secret.key", b"k" * 70_000),
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_m10_archive_with_another_member_is_refused(tmp_path: Path, kind: str) -> None:
    assert_refused(archive(tmp_path, MEMBERS[kind]), tmp_path)


@pytest.mark.parametrize(
    "replaced",
    [
        {"secret": None},
        {"database": None},
        {"manifest": None},
        {"manifest": b"[1]"},
        {"manifest": b'{"format": "1"}'},
        {"manifest": b"[" * 50_000},
        {"database": b"no database"},
    ],
    ids=["no secret", "no database", "no manifest", "list", "text", "deep", "damaged database"],
)
def test_l4_archive_with_a_damaged_member_is_refused(
    tmp_path: Path, replaced: dict[str, bytes | None]
) -> None:
    assert_refused(archive(tmp_path, **replaced), tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW harmful AS SELECT 1",
        "CREATE TRIGGER t AFTER DELETE ON core_eventlog BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE core_searchindex USING fts5 (other)",
    ],
    ids=["view", "trigger", "virtual table"],
)
def test_m10_database_with_code_is_refused(tmp_path: Path, statement: str) -> None:
    assert_refused(archive(tmp_path, database=database(tmp_path, statement)), tmp_path)


def test_m10_database_that_names_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    assert_refused(
        archive(tmp_path, database=database(tmp_path, "INSERT INTO core_upload VALUES ('../../etc/passwd')")),
        tmp_path,
    )


def test_m10_archive_that_ends_within_a_file_is_refused(tmp_path: Path) -> None:
    file = archive(tmp_path)
    file.write_bytes(file.read_bytes()[:2_200])
    assert_refused(file, tmp_path)
