"""Stored files, the same in a directory and in a bucket; and on a disk that is full at the worst moment."""

from __future__ import annotations

import copy
import os
import tempfile
import threading
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from backend_main.core import storage
from backend_main.core.conf import conf
from backend_main.core.errors import CommandError, StorageFull, StorageUnavailable
from backend_main.core.storage.base import StorageBackend
from backend_main.core.storage.filesystem import FilesystemBackend
from backend_main.core.storage.local_cache import LocalFileCache
from backend_main.core.storage.s3 import S3Backend
from backend_main.core.storage.url import S3Location, parse_storage_url
from backend_main.core.uploads import ingest
from tests.support.concurrency import run_concurrently
from tests.support.s3 import BUCKET, KEY, REGION, S3, SECRET

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def root() -> str:
    return f"{uuid.uuid4()}/"


@pytest.fixture(scope="module")
def connected(s3_server: S3) -> S3Backend:
    """To begin to speak S3 takes a second."""
    place = S3Location(BUCKET, endpoint=s3_server.endpoint, region=REGION, key=KEY, secret=SECRET)
    return S3Backend(place, LocalFileCache(conf.data_dir, 0))


@pytest.fixture
def bucket(
    s3: S3, connected: S3Backend, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StorageBackend:
    """What `storage` keeps files in, for this test."""
    (tmp_path / "copies").mkdir()
    objects = copy.copy(connected)
    objects._root, objects._cache = root, LocalFileCache(tmp_path / "copies", 2**30)
    return used(objects, monkeypatch)


@pytest.fixture(params=["directory", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorageBackend:
    if request.param == "bucket":
        store: StorageBackend = request.getfixturevalue("bucket")
        return store
    (tmp_path / "files").mkdir()
    return used(FilesystemBackend(tmp_path / "files"), monkeypatch)


def used(store: StorageBackend, monkeypatch: pytest.MonkeyPatch) -> StorageBackend:
    monkeypatch.setattr(storage, "_backend", lambda: store)
    return store


def kept(content: bytes = CONTENT) -> str:
    key = f"{uuid.uuid4()}/original.png"
    with storage.staging_file() as (file, path):
        file.write(content)
        file.flush()
        storage.put(path, key)
    return key


def whole(key: str) -> bytes:
    return b"".join(storage.iter_bytes(key, 0, len(CONTENT)))


# ── both ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_kept_stays_and_what_was_not_goes(store: StorageBackend) -> None:
    key = kept()
    with storage.staging_file() as (file, other):
        file.write(b"not kept")
    assert not other.exists()
    assert list(conf.staging_dir.iterdir()) == []
    assert whole(key) == CONTENT
    with storage.local_copy(key) as path:
        assert path.read_bytes() == CONTENT
    storage.delete(key)
    storage.delete(key)
    assert whole(key) == b""
    with pytest.raises(FileNotFoundError), storage.local_copy(key) as path:
        path.read_bytes()


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 700_000), (1_048_575, 1_048_576), (9, 9), (7, 2**40)])
def test_a_range_is_exactly_that(store: StorageBackend, start: int, end: int) -> None:
    assert b"".join(storage.iter_bytes(kept(), start, end)) == CONTENT[start:end]


def test_no_piece_is_large(store: StorageBackend) -> None:
    assert max(map(len, storage.iter_bytes(kept(), 0, len(CONTENT)))) <= 256 * 1024


def test_what_is_made_from_a_file_lies_beside_it_and_goes_with_it(store: StorageBackend) -> None:
    key, other = kept(), kept()
    assert storage.read_derived(key, "page-1-200.jpg") is None
    storage.write_derived(key, "page-1-200.jpg", b"a picture")
    assert storage.read_derived(key, "page-1-200.jpg") == b"a picture"
    assert storage.read_derived(other, "page-1-200.jpg") is None
    storage.delete(key)
    assert storage.read_derived(key, "page-1-200.jpg") is None
    storage.write_derived(key, "page-1-200.jpg", b"too late")
    assert list(storage.stored_ids(older_than_seconds=0)) == [other.partition("/")[0]]


def test_the_stored_are_listed_by_id_once_they_are_old_enough(store: StorageBackend) -> None:
    keys = sorted(kept() for _ in range(3))
    storage.write_derived(keys[0], "page-1-200.jpg", b"a picture")
    ids = [key.partition("/")[0] for key in keys]
    assert sorted(storage.stored_ids(older_than_seconds=-2)) == ids
    assert list(storage.stored_ids(older_than_seconds=60)) == []
    storage.delete_all(ids[1])
    assert sorted(storage.stored_ids(older_than_seconds=-2)) == [ids[0], ids[2]]


def test_a_place_is_one_deployment_s(store: StorageBackend) -> None:
    assert storage.claim_for_deployment("one")
    assert storage.claim_for_deployment("one")
    assert not storage.claim_for_deployment("another")
    assert [name for name in storage.stored_ids(older_than_seconds=-2) if not name.startswith(".")] == []


def test_a_place_that_works_says_so(store: StorageBackend) -> None:
    storage.check()
    assert storage.is_writable()


@pytest.mark.parametrize(
    "key", ["../outside/original.png", "/etc/passwd", "a/../../x", "", "a//b", "a\\..\\b"]
)
def test_a_key_that_leads_out_of_the_place_is_refused(store: StorageBackend, key: str) -> None:
    for call in (storage.delete, storage.local_copy, storage.delete_all):
        with pytest.raises(ValueError, match="no storage key"):
            call(key)
    with pytest.raises(ValueError, match="no storage key"):
        storage.iter_bytes(key, 0, 1)


# ── a bucket ─────────────────────────────────────────────────────────────────────────────────────


def test_a_large_file_goes_up_in_parts_and_is_whole(bucket: StorageBackend, s3: S3, root: str) -> None:
    content = os.urandom(1024) * (33 * 1024)
    key = kept(content)
    assert s3.content(root + key) == content
    assert s3.requests.count(f"PUT /{BUCKET}/{root}{key}") == 3


def test_a_file_that_is_kept_here_need_not_come_back(bucket: StorageBackend, s3: S3, root: str) -> None:
    key = kept()
    for _page in range(3):
        with storage.local_copy(key) as path:
            assert path.read_bytes() == CONTENT
    assert s3.get_count(root + key) == 0


def test_a_connection_that_breaks_goes_on_where_it_was(bucket: StorageBackend, s3: S3, root: str) -> None:
    key = kept()
    s3.cut_once_after(600_000)
    assert whole(key) == CONTENT
    assert s3.get_count(root + key) == 2


def test_a_bucket_that_is_away_is_an_error_of_its_own_and_takes_nothing(
    bucket: StorageBackend, s3: S3, root: str
) -> None:
    key = kept()
    s3.fail()
    for call in (kept, lambda: whole(key), lambda: storage.read_derived(key, "page-1-200.jpg")):
        with pytest.raises(StorageUnavailable):
            call()
    with pytest.raises(StorageUnavailable):
        list(storage.stored_ids(older_than_seconds=0))
    assert not storage.is_writable()
    with pytest.raises(CommandError, match=f"the bucket {BUCKET} cannot be used"):
        storage.check()
    storage.write_derived(key, "page-1-200.jpg", b"a picture")
    storage.delete(key)
    s3.recover()
    assert s3.keys(root) == {root + key}, "what could not be removed is left for the sweep"
    assert list(conf.staging_dir.iterdir()) == []


def test_a_bucket_that_takes_requests_and_never_answers_is_away_too(
    s3: S3, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("READ_TIMEOUT_SECONDS", "FAIL_FAST_TIMEOUT_SECONDS"):
        monkeypatch.setattr(f"backend_main.core.storage.s3.{name}", 0.5)
    place = S3Location(BUCKET, root, s3.endpoint, REGION, key=KEY, secret=SECRET)
    used(S3Backend(place, LocalFileCache(tmp_path, 2**30)), monkeypatch)
    s3.freeze()
    with pytest.raises(StorageUnavailable):
        kept()
    assert not storage.is_writable()
    s3.recover()
    assert whole(kept()) == CONTENT


def test_whether_it_can_be_written_is_asked_now_and_then_and_after_each_failure(
    bucket: StorageBackend, s3: S3, root: str
) -> None:
    assert all(storage.is_writable() for _ in range(5))
    s3.fail()
    assert storage.is_writable(), "as it was a moment ago"
    assert s3.requests.count(f"PUT /{BUCKET}/{root}.probe") == 1
    with pytest.raises(StorageUnavailable):
        kept()
    assert not storage.is_writable()
    s3.recover()
    assert storage.is_writable()


def test_parts_of_an_upload_that_was_cut_off_are_removed(bucket: StorageBackend, s3: S3, root: str) -> None:
    begun = s3.client.create_multipart_upload(Bucket=BUCKET, Key=f"{root}x/original.pdf")["UploadId"]
    storage.clear_staging(older_than_seconds=100 * 365 * 86_400)  # this S3 says of each that it began in 2010
    assert unfinished(s3, root) == [begun]
    storage.clear_staging(older_than_seconds=0)
    assert unfinished(s3, root) == []


def unfinished(s3: S3, root: str) -> list[str]:
    found = s3.client.list_multipart_uploads(Bucket=BUCKET, Prefix=root)
    return [each["UploadId"] for each in found.get("Uploads", [])]


# ── what is given as SCANRILL_STORAGE_URL ────────────────────────────────────────────────────────


@pytest.mark.parametrize("url", ["", "file:///var/scans", "file://localhost/var/scans"])
def test_a_directory_is_no_bucket(url: str) -> None:
    assert parse_storage_url(url) is None


def test_a_bucket_is_named_with_all_that_is_its() -> None:
    assert parse_storage_url("s3://scans") == S3Location("scans")
    url = (
        "s3://the%20key:a%2Fb%2Bc@scans/deep/er/?endpoint=http://127.0.0.1:9000&region=eu&addressing=virtual"
    )
    bucket = parse_storage_url(url)
    assert bucket == S3Location(
        "scans", "deep/er/", "http://127.0.0.1:9000", "eu", "virtual", key="the key", secret="a/b+c"
    )
    assert "a/b" not in repr(bucket)


@pytest.mark.parametrize(
    "url",
    [
        "/var/scans",
        "file:scans",
        "file:/var/scans",
        "file:///",
        "file://other/var",
        "http://topsecret@scans",
        "s3://",
        "s3://Scans",
        "s3://key:topsecret/with/slash@scans",
        "s3://topsecret@scans",
        "s3://scans?endpoint=minio:9000",
        "s3://scans?endpoint=http://me:topsecret@minio:9000",
        "s3://scans?addressing=both",
        "s3://scans?ssl=topsecret",
        "s3://[scans",
    ],
)
def test_any_other_is_refused_in_a_line_that_tells_no_secret(url: str) -> None:
    with pytest.raises(CommandError, match=r"^SCANRILL_STORAGE_URL: ") as raised:
        parse_storage_url(url)
    assert "topsecret" not in str(raised.value)
    assert "\n" not in str(raised.value)


# ── a full disk ──────────────────────────────────────────────────────────────────────────────────


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
    with ingest.open_staged_file("file") as incoming:
        incoming.write(data)
        incoming.finish("a.png")


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_a_disk_that_is_full_at_any_byte_is_storage_full_and_leaves_nothing(
    size: int, full_device: None
) -> None:
    with pytest.raises(StorageFull) as raised:
        take_in(bytes(size))
    assert list(raised.value.fields) == ["file"]
    assert list(conf.staging_dir.iterdir()) == []


def test_threads_that_are_the_first_to_need_the_store_at_once_have_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2)
    made: list[str] = []

    def bucket_of_none(url: str) -> None:
        made.append(url)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)  # the other, if it makes one too

    monkeypatch.setattr(storage.storage_url, "parse_storage_url", bucket_of_none)
    storage._create_backend.cache_clear()
    assert run_concurrently(storage.is_writable, storage.is_writable) == [None, None]
    assert len(made) == 1
