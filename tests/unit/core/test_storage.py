"""Files on their way in, on a disk that is full at the worst moment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from backend_main.core import intake, storage
from backend_main.core.conf import conf
from backend_main.core.errors import StorageFull


@pytest.fixture
def full_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written goes to a device that takes nothing; a small file is refused only as it is flushed."""
    mkstemp = tempfile.mkstemp

    def full(**options: Path) -> tuple[int, str]:
        descriptor, name = mkstemp(**options)
        os.close(descriptor)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", full)


def take_in(data: bytes) -> None:
    with intake.incoming("file") as incoming:
        incoming.write(data)
        incoming.finish("a.png")


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_a_disk_that_is_full_at_any_byte_is_storage_full_and_leaves_nothing(
    size: int, full_device: None
) -> None:
    with pytest.raises(StorageFull) as raised:
        take_in(bytes(size))
    assert list(raised.value.fields) == ["file"]
    assert list(conf.incoming_dir.iterdir()) == []


def test_what_was_kept_stays_and_what_was_not_goes() -> None:
    key = "00000000-0000-4000-8000-000000000000/original.png"
    with storage.incoming() as (file, path):
        file.write(b"kept")
        file.flush()
        storage.keep(path, key)
    with storage.incoming() as (file, other):
        file.write(b"not kept")
    assert not other.exists()
    assert b"".join(storage.pieces(key, 1, 3)) == b"ep"
    storage.delete(key)
    storage.delete(key)
    assert list(storage.pieces(key, 0, 4)) == []


@pytest.mark.parametrize("key", ["../outside/original.png", "/etc/passwd", "a/../../x"])
def test_a_key_that_leads_out_of_the_directory_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no storage key"):
        storage.delete(key)
