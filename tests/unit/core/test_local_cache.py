"""Copies of stored files: downloaded once, whole or not there, few, and never taken from who uses them."""

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
    """What is downloaded from; `asked` counts how often."""

    def __init__(self, content: bytes = b"content") -> None:
        self.content, self.asked = content, 0

    def __call__(self, file: BinaryIO) -> None:
        self.asked += 1
        file.write(self.content)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def copies(tmp_path: Path) -> LocalFileCache:
    return LocalFileCache(tmp_path, 100)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def read(copies: LocalFileCache, key: str, source: Callable[[BinaryIO], None]) -> bytes:
    with copies.open_path(key, source) as path:
        return path.read_bytes()


def test_a_document_that_is_read_page_by_page_is_downloaded_once(
    copies: LocalFileCache, source: Source
) -> None:
    assert [read(copies, KEY, source) for _page in range(3)] == [b"content"] * 3
    assert source.asked == 1


def test_another_process_of_the_same_directory_has_it_too(tmp_path: Path, source: Source) -> None:
    for _process in range(2):
        assert read(LocalFileCache(tmp_path, 100), KEY, source) == b"content"
    assert source.asked == 1


def test_who_asks_for_what_is_being_downloaded_waits_for_it(copies: LocalFileCache, tmp_path: Path) -> None:
    begun, go = threading.Event(), threading.Event()
    source = Source()

    def slow(file: BinaryIO) -> None:
        file.write(b"half, ")
        file.flush()
        begun.set()
        assert go.wait(30)
        source(file)

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(read, copies, KEY, slow)
        assert begun.wait(30)
        others = [threads.submit(read, copies, KEY, source) for _ in range(7)]
        assert names(tmp_path) == {"one.original.png.part"}, "what is half there has no name yet"
        go.set()
        assert {each.result(30) for each in (first, *others)} == {b"half, content"}
    assert source.asked == 1


def test_a_download_that_failed_leaves_nothing_to_be_taken_for_the_file(
    copies: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    def broken(file: BinaryIO) -> None:
        file.write(b"half")
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        read(copies, KEY, broken)
    assert "one.original.png" not in names(tmp_path)
    assert read(copies, KEY, source) == b"content"
    assert names(tmp_path) == {"one.original.png"}


def test_the_longest_unused_go_first(copies: LocalFileCache, tmp_path: Path) -> None:
    for number in range(4):
        read(copies, f"{number}/original.png", Source(bytes(30)))
        os.utime(tmp_path / f"{number}.original.png", (time.time() - 100 + number,) * 2)
    read(copies, "1/original.png", Source())
    read(copies, "4/original.png", Source(bytes(30)))
    assert names(tmp_path) == {"1.original.png", "3.original.png", "4.original.png"}


def test_what_is_old_goes_though_there_is_room(
    copies: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    read(copies, KEY, source)
    read(copies, OTHER, source)
    os.utime(tmp_path / "one.original.png", (0, 0))
    copies.evict()
    assert names(tmp_path) == {"two.original.png"}


def test_what_is_used_stays_however_large_or_old_it_is(copies: LocalFileCache, tmp_path: Path) -> None:
    with copies.open_path(KEY, Source(bytes(1000))) as path:
        os.utime(path, (0, 0))
        LocalFileCache(tmp_path, 0).evict()
        copies.invalidate("one")
        assert path.stat().st_size == 1000
    assert names(tmp_path) == set()


def test_the_age_is_looked_at_without_being_asked(tmp_path: Path, source: Source) -> None:
    copies = LocalFileCache(tmp_path, 100, max_age_seconds=0.05)
    with copies.open_path(KEY, source):
        pass
    end = time.monotonic() + 30
    while names(tmp_path):
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.01)


def test_the_copies_of_an_upload_that_is_deleted_go(
    copies: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    read(copies, KEY, source)
    read(copies, OTHER, source)
    copies.invalidate("one")
    assert names(tmp_path) == {"two.original.png"}


def test_the_copy_of_an_upload_that_is_deleted_while_it_is_read_goes_when_that_ends(
    copies: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    def read_what_is_deleted() -> None:
        with copies.open_path(KEY, source) as path:
            LocalFileCache(tmp_path, 100).invalidate("one")
            assert path.exists(), "who uses it has it"
            raise LookupError("it was deleted")

    with pytest.raises(LookupError):
        read_what_is_deleted()
    assert names(tmp_path) == set()


def test_a_file_that_was_just_stored_is_taken_over(
    copies: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    incoming = tmp_path / "draft"
    incoming.write_bytes(b"stored")
    copies.insert(KEY, incoming)
    assert read(copies, KEY, source) == b"stored"
    assert source.asked == 0


def test_a_full_disk_gives_up_the_copies_and_is_no_fault_of_the_file(
    copies: LocalFileCache, source: Source, tmp_path: Path
) -> None:
    def full(_file: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, "full")

    read(copies, OTHER, source)
    with pytest.raises(StorageUnavailable):
        read(copies, KEY, full)
    assert "two.original.png" not in names(tmp_path)


def test_what_the_body_raises_is_raised_and_the_copy_is_let_go(
    copies: LocalFileCache, source: Source
) -> None:
    with pytest.raises(FileNotFoundError, match="the body's own"), copies.open_path(KEY, source):
        raise FileNotFoundError("the body's own")
    copies.invalidate("one")
    assert read(copies, KEY, source) == b"content"
    assert source.asked == 2


def test_many_threads_with_room_for_few_all_read_what_they_asked_for(tmp_path: Path) -> None:
    copies = LocalFileCache(tmp_path, 25)

    def one(number: int) -> bool:
        content = str(number % 5).encode() * 10
        return read(copies, f"{number % 5}/original.png", Source(content)) == content

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(one, range(400)))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 25
