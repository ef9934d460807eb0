"""Tests of stored files, with a directory and with a bucket, and on a full disk."""

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
def s3_backend(s3_server: S3) -> S3Backend:
    """A backend shared by the module, since creating one takes a second."""
    location = S3Location(BUCKET, endpoint=s3_server.endpoint, region=REGION, key=KEY, secret=SECRET)
    return S3Backend(location, LocalFileCache(conf.data_dir, 0))


@pytest.fixture
def bucket(
    s3: S3, s3_backend: S3Backend, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StorageBackend:
    """The S3 backend that `storage` uses in this test."""
    (tmp_path / "copies").mkdir()
    objects = copy.copy(s3_backend)
    objects._root, objects._cache = root, LocalFileCache(tmp_path / "copies", 2**30)
    return use_backend(objects, monkeypatch)


@pytest.fixture(params=["directory", "bucket"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StorageBackend:
    if request.param == "bucket":
        backend: StorageBackend = request.getfixturevalue("bucket")
        return backend
    (tmp_path / "files").mkdir()
    return use_backend(FilesystemBackend(tmp_path / "files"), monkeypatch)


def use_backend(backend: StorageBackend, monkeypatch: pytest.MonkeyPatch) -> StorageBackend:
    monkeypatch.setattr(storage, "_backend", lambda: backend)
    return backend


def put_file(content: bytes = CONTENT) -> str:
    key = f"{uuid.uuid4()}/original.png"
    with storage.staging_file() as (file, path):
        file.write(content)
        file.flush()
        storage.put(path, key)
    return key


def read_all(key: str) -> bytes:
    return b"".join(storage.iter_bytes(key, 0, len(CONTENT)))


# ── both backends ──────────────────────────────────────────────────────────────────────────────────


def test_put_keeps_a_file_until_delete(backend: StorageBackend) -> None:
    key = put_file()
    with storage.staging_file() as (file, other):
        file.write(b"not kept")
    assert not other.exists()
    assert list(conf.staging_dir.iterdir()) == []
    assert read_all(key) == CONTENT
    with storage.local_copy(key) as path:
        assert path.read_bytes() == CONTENT
    storage.delete(key)
    storage.delete(key)
    assert read_all(key) == b""
    with pytest.raises(FileNotFoundError), storage.local_copy(key) as path:
        path.read_bytes()


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 700_000), (1_048_575, 1_048_576), (9, 9), (7, 2**40)])
def test_iter_bytes_yields_exactly_the_range(backend: StorageBackend, start: int, end: int) -> None:
    assert b"".join(storage.iter_bytes(put_file(), start, end)) == CONTENT[start:end]


def test_iter_bytes_yields_small_chunks(backend: StorageBackend) -> None:
    assert max(map(len, storage.iter_bytes(put_file(), 0, len(CONTENT)))) <= 256 * 1024


def test_derived_file_is_deleted_with_its_original(backend: StorageBackend) -> None:
    key, other = put_file(), put_file()
    assert storage.read_derived(key, "page-1-200.jpg") is None
    storage.write_derived(key, "page-1-200.jpg", b"an image")
    assert storage.read_derived(key, "page-1-200.jpg") == b"an image"
    assert storage.read_derived(other, "page-1-200.jpg") is None
    storage.delete(key)
    assert storage.read_derived(key, "page-1-200.jpg") is None
    storage.write_derived(key, "page-1-200.jpg", b"too late")
    assert list(storage.stored_ids(older_than_seconds=0)) == [other.partition("/")[0]]


def test_delete_derived_deletes_one_file_and_accepts_a_missing_one(backend: StorageBackend) -> None:
    key = put_file()
    for name in ("page-1-200.jpg", "page-2-200.jpg"):
        storage.write_derived(key, name, b"an image")
    for _ in range(2):
        storage.delete_derived(key, "page-1-200.jpg")
    assert storage.read_derived(key, "page-1-200.jpg") is None
    assert storage.read_derived(key, "page-2-200.jpg") == b"an image"
    assert read_all(key) == CONTENT


def test_stored_ids_lists_ids_of_the_given_age(backend: StorageBackend) -> None:
    keys = sorted(put_file() for _ in range(3))
    storage.write_derived(keys[0], "page-1-200.jpg", b"an image")
    ids = [key.partition("/")[0] for key in keys]
    assert sorted(storage.stored_ids(older_than_seconds=-2)) == ids
    assert list(storage.stored_ids(older_than_seconds=60)) == []
    storage.delete_all(ids[1])
    assert sorted(storage.stored_ids(older_than_seconds=-2)) == [ids[0], ids[2]]


def test_claim_for_deployment_accepts_one_deployment_only(backend: StorageBackend) -> None:
    assert storage.claim_for_deployment("one")
    assert storage.claim_for_deployment("one")
    assert not storage.claim_for_deployment("another")
    assert [name for name in storage.stored_ids(older_than_seconds=-2) if not name.startswith(".")] == []


def test_check_of_a_working_storage_does_not_raise(backend: StorageBackend) -> None:
    storage.check()
    assert storage.is_writable()


@pytest.mark.parametrize(
    "key", ["../outside/original.png", "/etc/passwd", "a/../../x", "", "a//b", "a\\..\\b"]
)
def test_every_function_rejects_keys_outside_the_root(backend: StorageBackend, key: str) -> None:
    for call in (storage.delete, storage.local_copy, storage.delete_all):
        with pytest.raises(ValueError, match="not a valid storage key"):
            call(key)
    with pytest.raises(ValueError, match="not a valid storage key"):
        storage.iter_bytes(key, 0, 1)


# ── S3 ─────────────────────────────────────────────────────────────────────────────────────────────


def test_put_uploads_a_large_file_in_parts(bucket: StorageBackend, s3: S3, root: str) -> None:
    content = os.urandom(1024) * (33 * 1024)
    key = put_file(content)
    assert s3.content(root + key) == content
    assert s3.requests.count(f"PUT /{BUCKET}/{root}{key}") == 3


def test_local_copy_of_a_new_file_needs_no_download(bucket: StorageBackend, s3: S3, root: str) -> None:
    key = put_file()
    for _page in range(3):
        with storage.local_copy(key) as path:
            assert path.read_bytes() == CONTENT
    assert s3.get_count(root + key) == 0


def test_iter_bytes_resumes_after_a_broken_connection(bucket: StorageBackend, s3: S3, root: str) -> None:
    key = put_file()
    s3.cut_once_after(600_000)
    assert read_all(key) == CONTENT
    assert s3.get_count(root + key) == 2


def test_unavailable_bucket_raises_storage_unavailable(bucket: StorageBackend, s3: S3, root: str) -> None:
    key = put_file()
    s3.fail()
    for call in (put_file, lambda: read_all(key), lambda: storage.read_derived(key, "page-1-200.jpg")):
        with pytest.raises(StorageUnavailable):
            call()
    with pytest.raises(StorageUnavailable):
        list(storage.stored_ids(older_than_seconds=0))
    assert not storage.is_writable()
    with pytest.raises(CommandError, match=f"The bucket {BUCKET} cannot be used"):
        storage.check()
    storage.write_derived(key, "page-1-200.jpg", b"an image")
    storage.delete(key)
    s3.recover()
    assert s3.keys(root) == {root + key}, "maintenance deletes it later"
    assert list(conf.staging_dir.iterdir()) == []


def test_bucket_that_never_answers_raises_storage_unavailable(
    s3: S3, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("READ_TIMEOUT_SECONDS", "FAIL_FAST_TIMEOUT_SECONDS"):
        monkeypatch.setattr(f"backend_main.core.storage.s3.{name}", 0.5)
    location = S3Location(BUCKET, root, s3.endpoint, REGION, key=KEY, secret=SECRET)
    use_backend(S3Backend(location, LocalFileCache(tmp_path, 2**30)), monkeypatch)
    s3.freeze()
    with pytest.raises(StorageUnavailable):
        put_file()
    assert not storage.is_writable()
    s3.recover()
    assert read_all(put_file()) == CONTENT


def test_is_writable_probes_rarely_and_after_each_failure(bucket: StorageBackend, s3: S3, root: str) -> None:
    assert all(storage.is_writable() for _ in range(5))
    s3.fail()
    assert storage.is_writable(), "the last result"
    assert s3.requests.count(f"PUT /{BUCKET}/{root}.probe") == 1
    with pytest.raises(StorageUnavailable):
        put_file()
    assert not storage.is_writable()
    s3.recover()
    assert storage.is_writable()


def test_clear_staging_aborts_interrupted_multipart_uploads(
    bucket: StorageBackend, s3: S3, root: str
) -> None:
    upload_id = s3.client.create_multipart_upload(Bucket=BUCKET, Key=f"{root}x/original.pdf")["UploadId"]
    storage.clear_staging(older_than_seconds=100 * 365 * 86_400)  # this S3 dates each upload to 2010
    assert multipart_upload_ids(s3, root) == [upload_id]
    storage.clear_staging(older_than_seconds=0)
    assert multipart_upload_ids(s3, root) == []


def multipart_upload_ids(s3: S3, root: str) -> list[str]:
    found = s3.client.list_multipart_uploads(Bucket=BUCKET, Prefix=root)
    return [each["UploadId"] for each in found.get("Uploads", [])]


# ── SCANRILL_STORAGE_URL ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("url", ["", "file:///var/scans", "file://localhost/var/scans"])
def test_parse_storage_url_of_a_directory_is_none(url: str) -> None:
    assert parse_storage_url(url) is None


def test_parse_storage_url_of_a_bucket_has_all_its_parts() -> None:
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
def test_parse_storage_url_of_an_invalid_url_hides_secrets(url: str) -> None:
    with pytest.raises(CommandError, match=r"^SCANRILL_STORAGE_URL: ") as raised:
        parse_storage_url(url)
    assert "topsecret" not in str(raised.value)
    assert "\n" not in str(raised.value)


# ── full disk ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def full_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Staged files are on a full device, which refuses a small file only when it is flushed."""
    mkstemp = tempfile.mkstemp

    def open_full_device(**options: Path) -> tuple[int, str]:
        descriptor, name = mkstemp(**options)
        os.close(descriptor)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", open_full_device)


def ingest_bytes(data: bytes) -> None:
    with ingest.open_staged_file("file") as incoming:
        incoming.write(data)
        incoming.finish("a.png")


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_full_disk_raises_storage_full_and_leaves_no_file(size: int, full_device: None) -> None:
    with pytest.raises(StorageFull) as raised:
        ingest_bytes(bytes(size))
    assert list(raised.value.fields) == ["file"]
    assert list(conf.staging_dir.iterdir()) == []


def test_concurrent_first_calls_create_one_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    barrier = threading.Barrier(2)
    created: list[str] = []

    def no_bucket(url: str) -> None:
        created.append(url)
        with suppress(threading.BrokenBarrierError):
            barrier.wait(0.2)  # for the other thread, if it creates a backend too

    monkeypatch.setattr(storage.storage_url, "parse_storage_url", no_bucket)
    storage._create_backend.cache_clear()
    assert run_concurrently(storage.is_writable, storage.is_writable) == [None, None]
    assert len(created) == 1
