"""H7 - `MIN_FREE_BYTES` is a limit for all files that arrive, not a look at the first byte of each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import msgspec
import pytest

from backend_main.core import storage
from backend_main.core.conf import conf
from backend_main.core.errors import StorageFull
from backend_main.core.storage import disk_space
from backend_main.core.uploads import ingest, page_image_cache
from backend_main.core.uploads.quotas import ByteQuota
from tests.support.page_images import scripted_png

MIB = 1024 * 1024
MIN_FREE_BYTES = 256 * MIB


class Disk:
    """A disk whose free space the test decides; what scanrill writes is subtracted by `uses`."""

    free = MIN_FREE_BYTES + 200 * MIB

    def uses(self, size: int) -> None:
        self.free -= size


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(disk_space, "conf", msgspec.structs.replace(conf, min_free_bytes=MIN_FREE_BYTES))
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda _: SimpleNamespace(free=disk.free))
    yield disk
    assert disk_space.incoming._reserved == 0
    assert not disk_space.incoming._owners


def write(writer: ingest.StagedFileWriter, disk: Disk, size: int) -> None:
    writer.write(bytes(size))
    disk.uses(size)


def test_h7_files_announced_at_once_leave_the_minimum_free_together(disk: Disk) -> None:
    with ingest.open_staged_file("file", expected_bytes=120 * MIB):
        with pytest.raises(StorageFull), ingest.open_staged_file("file", expected_bytes=120 * MIB):
            pass
        with ingest.open_staged_file("file", expected_bytes=80 * MIB):
            pass
    with ingest.open_staged_file("file", expected_bytes=120 * MIB):
        pass


def test_h7_body_without_a_length_stops_at_the_minimum(disk: Disk) -> None:
    disk.free = MIN_FREE_BYTES + 3 * MIB
    with ingest.open_staged_file("file") as writer:
        for _ in range(3):
            write(writer, disk, MIB)
        with pytest.raises(StorageFull):
            writer.write(b"x")
    assert disk.free == MIN_FREE_BYTES
    assert not list(conf.staging_dir.iterdir())


def test_h7_body_without_a_length_leaves_announced_bytes_of_others(disk: Disk) -> None:
    disk.free = MIN_FREE_BYTES + 3 * MIB
    with (
        ingest.open_staged_file("file", expected_bytes=2 * MIB) as announced,
        ingest.open_staged_file("file") as chunked,
    ):
        write(chunked, disk, MIB)
        with pytest.raises(StorageFull):
            chunked.write(b"x")
        for _ in range(2):
            write(announced, disk, MIB)


def test_h7_announced_file_stops_when_another_program_fills_the_disk(disk: Disk) -> None:
    with ingest.open_staged_file("file", expected_bytes=2 * MIB) as writer:
        write(writer, disk, MIB)
        disk.uses(200 * MIB)
        with pytest.raises(StorageFull):
            writer.write(bytes(MIB))


def test_h7_unfinished_files_of_a_user_hold_half_of_the_space(disk: Disk) -> None:
    """Announced bytes that never arrive must not refuse the uploads of all others."""
    greedy, other = ByteQuota(uuid.uuid4()), ByteQuota(uuid.uuid4())
    with (
        ingest.open_staged_file("file", expected_bytes=60 * MIB, quota=greedy),
        ingest.open_staged_file("file", expected_bytes=40 * MIB, quota=greedy),
    ):
        with (
            pytest.raises(StorageFull),
            ingest.open_staged_file("file", expected_bytes=40 * MIB, quota=greedy),
        ):
            pass
        with ingest.open_staged_file("file", expected_bytes=40 * MIB, quota=other):
            pass


@pytest.mark.django_db
def test_h7_page_image_below_the_minimum_is_not_stored(disk: Disk) -> None:
    from tests.support.database import new_upload, new_user

    upload = new_upload(new_user(), scripted_png())
    disk.free = MIN_FREE_BYTES + 10
    page_image_cache.write(upload.image_path, "page-1-200.jpg", bytes(11))
    assert storage.read_derived(upload.image_path, "page-1-200.jpg") is None
    page_image_cache.write(upload.image_path, "page-1-200.jpg", bytes(10))
    assert storage.read_derived(upload.image_path, "page-1-200.jpg") == bytes(10)
