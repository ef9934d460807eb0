"""The reserve of disk space: released in steps while the disk is full, and taken again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from django.db import connection

from backend_main.core.conf import conf
from backend_main.core.db import disk_reserve
from backend_main.core.errors import DatabaseFull

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = msgspec.structs.replace(conf, data_dir=tmp_path, database_url="")
    monkeypatch.setattr(disk_reserve, "conf", settings)
    assert disk_reserve.fill()
    return disk_reserve.path()


def secure_delete() -> int:
    if connection.vendor != "sqlite":
        return -1
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        return int(cursor.fetchone()[0])


def test_call_with_reserve_releases_as_much_as_is_needed(reserve: Path) -> None:
    sizes, before = [], secure_delete()

    def delete() -> str:
        sizes.append((reserve.stat().st_size, secure_delete()))
        if len(sizes) < 3:
            raise DatabaseFull
        return "deleted"

    assert disk_reserve.call_with_reserve(delete) == "deleted"
    whole, step = disk_reserve.RESERVE_BYTES, disk_reserve.STEP_BYTES
    without = min(before, 0)
    assert sizes == [(whole, before), (whole - step, without), (whole - 2 * step, without)]
    assert secure_delete() == before
    assert disk_reserve.fill()
    assert reserve.stat().st_size == whole
    assert reserve.stat().st_mode & 0o777 == 0o600


def test_call_with_reserve_raises_when_nothing_is_left(reserve: Path) -> None:
    def fail() -> None:
        raise DatabaseFull

    with pytest.raises(DatabaseFull):
        disk_reserve.call_with_reserve(fail)
    assert reserve.stat().st_size == 0


def test_call_with_reserve_without_a_reserve_raises(reserve: Path) -> None:
    reserve.unlink()

    def fail() -> None:
        raise DatabaseFull

    with pytest.raises(DatabaseFull):
        disk_reserve.call_with_reserve(fail)
