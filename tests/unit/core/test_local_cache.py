"""Tests of the local file cache: one download, complete copies, eviction, and copies in use."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from backend_main.core.errors import StorageUnavailable
from backend_main.core.storage.local_cache import LocalFileCache

KEY, OTHER = "one/original.png", "two/original.png"


class Source:
    """Source of a file that counts its downloads."""

    def __init__(self, content: bytes = b"content") -> None:
        self.content = content
        self.downloads = 0

    def __call__(self, file: BinaryIO) -> None:
        self.downloads += 1
        file.write(self.content)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(tmp_path: Path) -> LocalFileCache:
    return LocalFileCache(tmp_path, 100)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def read(cache: LocalFileCache, key: str, source: Callable[[BinaryIO], None]) -> bytes:
    with cache.open_path(key, source) as path:
        return path.read_bytes()


def test_open_path_downloads_a_file_once(cache: LocalFileCache, source: Source) -> None:
    assert [read(cache, KEY, source) for _page in range(3)] == [b"content"] * 3
    assert source.downloads == 1


def test_open_path_finds_copies_of_other_processes(tmp_path: Path, source: Source) -> None:
    for _process in range(2):
        assert read(LocalFileCache(tmp_path, 100), KEY, source) == b"content"
    assert source.downloads == 1


def test_open_path_waits_for_a_running_download(cache: LocalFileCache, tmp_path: Path) -> None:
    started, continue_event = threading.Event(), threading.Event()
    source = Source()

    def slow(file: BinaryIO) -> None:
        file.write(b"half, ")
        file.flush()
        started.set()
        assert continue_event.wait(30)
        source(file)

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(read, cache, KEY, slow)
        assert started.wait(30)
        others = [threads.submit(read, cache, KEY, source) for _ in range(7)]
        assert names(tmp_path) == {"one.original.png.part"}, "an incomplete copy has no final name"
        continue_event.set()
        assert {each.result(30) for each in (first, *others)} == {b"half, content"}
    assert source.downloads == 1


def test_open_path_after_a_failed_download_downloads_again(
    cache: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    def broken(file: BinaryIO) -> None:
        file.write(b"half")
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        read(cache, KEY, broken)
    assert "one.original.png" not in names(tmp_path)
    assert read(cache, KEY, source) == b"content"
    assert names(tmp_path) == {"one.original.png"}


def test_evict_removes_the_least_recently_used_first(cache: LocalFileCache, tmp_path: Path) -> None:
    for number in range(4):
        read(cache, f"{number}/original.png", Source(bytes(30)))
        os.utime(tmp_path / f"{number}.original.png", (time.time() - 100 + number,) * 2)
    read(cache, "1/original.png", Source())
    read(cache, "4/original.png", Source(bytes(30)))
    assert names(tmp_path) == {"1.original.png", "3.original.png", "4.original.png"}


def test_evict_removes_old_copies_below_the_limit(
    cache: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    read(cache, KEY, source)
    read(cache, OTHER, source)
    os.utime(tmp_path / "one.original.png", (0, 0))
    cache.evict()
    assert names(tmp_path) == {"two.original.png"}


def test_evict_keeps_copies_in_use(cache: LocalFileCache, tmp_path: Path) -> None:
    with cache.open_path(KEY, Source(bytes(1000))) as path:
        os.utime(path, (0, 0))
        LocalFileCache(tmp_path, 0).evict()
        cache.invalidate("one")
        assert path.stat().st_size == 1000
    assert names(tmp_path) == set()


def test_timer_evicts_old_copies(tmp_path: Path, source: Source) -> None:
    cache = LocalFileCache(tmp_path, 100, max_age_seconds=0.05)
    with cache.open_path(KEY, source):
        pass
    end = time.monotonic() + 30
    while names(tmp_path):
        assert time.monotonic() < end, "the copy was not evicted"
        time.sleep(0.01)


def test_invalidate_removes_the_copies_of_an_upload(
    cache: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    read(cache, KEY, source)
    read(cache, OTHER, source)
    cache.invalidate("one")
    assert names(tmp_path) == {"two.original.png"}


def test_invalidate_of_a_copy_in_use_removes_it_afterwards(
    cache: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    def read_while_deleting() -> None:
        with cache.open_path(KEY, source) as path:
            LocalFileCache(tmp_path, 100).invalidate("one")
            assert path.exists(), "a copy in use stays"
            raise LookupError("deleted")

    with pytest.raises(LookupError):
        read_while_deleting()
    assert names(tmp_path) == set()


def test_insert_moves_a_stored_file_into_the_cache(
    cache: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    incoming = tmp_path / "draft"
    incoming.write_bytes(b"stored")
    cache.insert(KEY, incoming)
    assert read(cache, KEY, source) == b"stored"
    assert source.downloads == 0


def test_open_path_on_a_full_disk_evicts_copies_and_raises(
    cache: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    def full(_file: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, "full")

    read(cache, OTHER, source)
    with pytest.raises(StorageUnavailable):
        read(cache, KEY, full)
    assert "two.original.png" not in names(tmp_path)


def test_open_path_unlocks_the_copy_after_an_exception(cache: LocalFileCache, source: Source) -> None:
    with pytest.raises(FileNotFoundError, match="the body's own"), cache.open_path(KEY, source):
        raise FileNotFoundError("the body's own")
    cache.invalidate("one")
    assert read(cache, KEY, source) == b"content"
    assert source.downloads == 2


def test_open_path_by_many_threads_keeps_the_limit(tmp_path: Path) -> None:
    cache = LocalFileCache(tmp_path, 25)

    def read_one(number: int) -> bool:
        content = str(number % 5).encode() * 10
        return read(cache, f"{number % 5}/original.png", Source(content)) == content

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read_one, range(400)))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 25
