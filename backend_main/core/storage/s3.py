"""Storage backend for a bucket of S3 or a compatible service.

django-storages creates the connection, with its rules for credentials. It has no ranges, ages or bulk
deletion, so this module calls its boto3 client, which threads may share.
"""

from __future__ import annotations

import datetime as dt
import errno
import itertools
import logging
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from ..errors import CommandError, StorageUnavailable
from .base import CHUNK_BYTES, StorageBackend
from .local_cache import LocalFileCache
from .url import S3Location

log = logging.getLogger(__name__)

DEPLOYMENT_MARKER_KEY = ".deployment"
PART_BYTES = 16 * 1024**2
"""Size of a part of a larger file. Four parts are uploaded at a time, which is the memory that it takes."""
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 10
MAX_ATTEMPTS = 3
FAIL_FAST_TIMEOUT_SECONDS = 3
"""For calls whose caller gains nothing by waiting: health checks and deletions, which are repeated."""
WRITABLE_CACHE_SECONDS = 10.0
S3_ERRORS = (BotoCoreError, ClientError)
# Codes of MinIO and Ceph. A bucket of AWS has no limit.
DISK_FULL_CODES = ("XMinioStorageFull", "QuotaExceeded", "507")


class ObjectInfo(NamedTuple):
    """Name of an object, with the prefix of the backend, and its age."""

    name: str
    age_seconds: float


class S3Backend(StorageBackend):
    """Objects of one bucket, whose names begin with `bucket.root`."""

    def __init__(self, bucket: S3Location, cache: LocalFileCache) -> None:
        self._name = bucket.name
        self._root = bucket.root
        self._cache = cache
        self._client = _client(
            bucket,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            max_attempts=MAX_ATTEMPTS,
        )
        self._fail_fast_client = _client(
            bucket,
            connect_timeout=FAIL_FAST_TIMEOUT_SECONDS,
            read_timeout=FAIL_FAST_TIMEOUT_SECONDS,
            max_attempts=1,
        )
        self._is_failing = False
        self._probe_lock = threading.Lock()
        self._last_probe_succeeded = True
        self._written_at = -WRITABLE_CACHE_SECONDS

    # ── availability ──

    def check(self) -> None:
        name = f".check-{uuid.uuid4()}"
        try:
            self._fail_fast_client.put_object(**self._object_args(name), Body=b"scanrill")
            list(self._objects(name))
            self._fail_fast_client.get_object(**self._object_args(name))["Body"].read()
            self._fail_fast_client.delete_object(**self._object_args(name))
        except S3_ERRORS as error:
            raise CommandError(
                f"SCANRILL_STORAGE_URL: The bucket {self._name} cannot be used: {_reason(error)}."
            ) from None

    def is_writable(self) -> bool:
        """Return the last result, which is renewed after `WRITABLE_CACHE_SECONDS` and after a failure.

        Only one thread probes; the others return the last result.
        """
        if time.monotonic() - self._written_at < WRITABLE_CACHE_SECONDS:
            return True
        if self._probe_lock.acquire(blocking=False):
            try:
                with self._translate_errors():
                    self._fail_fast_client.put_object(**self._object_args(".probe"), Body=b"")
                self._written_at = time.monotonic()
                self._last_probe_succeeded = True
            except StorageUnavailable:
                self._last_probe_succeeded = False
            finally:
                self._probe_lock.release()
        return self._last_probe_succeeded

    # ── files ──

    def put(self, path: Path, key: str) -> None:
        # In a bucket that is public by mistake, a browser must not render users' files.
        headers = {"ContentType": "application/octet-stream", "ContentDisposition": "attachment"}
        with _translate_disk_full(), self._translate_errors(), open(path, "rb") as file:
            parts = TransferConfig(
                multipart_threshold=PART_BYTES,
                multipart_chunksize=PART_BYTES,
                max_concurrency=4,
                use_threads=path.stat().st_size >= PART_BYTES,
            )
            self._client_for_state.upload_fileobj(
                file, *self._object_args(key).values(), ExtraArgs=headers, Config=parts
            )
        self._cache.insert(key, path)

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        return self._cache.open_path(key, lambda file: file.writelines(self._stream(key, 0, None)))

    def iter_bytes(self, key: str, start: int, end: int) -> Generator[bytes, None, None]:
        with suppress(FileNotFoundError):
            yield from self._stream(key, start, end)

    def read_derived(self, key: str, name: str) -> bytes | None:
        try:
            with self._translate_errors():
                response = self._client_for_state.get_object(**self._object_args(_derived_key(key, name)))
                content: bytes = response["Body"].read()
                return content
        except FileNotFoundError:
            return None

    def write_derived(self, key: str, name: str, content: bytes) -> None:
        """Store a derived file, then check for the original: a delete before that misses the new object."""
        target = self._object_args(_derived_key(key, name))
        with suppress(StorageUnavailable):
            try:
                with self._translate_errors():
                    self._fail_fast_client.put_object(
                        **target, Body=content, ContentType="application/octet-stream"
                    )
                    self._fail_fast_client.head_object(**self._object_args(key))
            except FileNotFoundError:
                with self._translate_errors():
                    self._fail_fast_client.delete_object(**target)

    def delete_derived(self, key: str, name: str) -> None:
        with self._translate_errors():
            self._fail_fast_client.delete_object(**self._object_args(_derived_key(key, name)))

    def delete_all(self, name: str) -> None:
        self._cache.invalidate(name)
        with self._translate_errors():
            objects = self._objects(f"{name}/")
            while batch := [{"Key": each.name} for each in itertools.islice(objects, 1000)]:
                response = self._fail_fast_client.delete_objects(
                    Bucket=self._name, Delete={"Objects": batch, "Quiet": True}
                )
                if response.get("Errors"):
                    raise StorageUnavailable

    # ── listing ──

    def stored_ids(self, older_than_seconds: float) -> Iterator[str]:
        # The service lists objects in the order of their names, so the objects of an id are adjacent.
        with self._translate_errors():
            for name, objects in itertools.groupby(self._objects(""), self._id_of):
                if min(each.age_seconds for each in objects) >= older_than_seconds and name is not None:
                    yield name

    def abort_incomplete(self, older_than_seconds: float) -> None:
        """Delete the parts of interrupted multipart uploads, which no listing shows and which cost money.

        A service that cannot list them, such as one that removes them itself, is skipped.
        """
        with suppress(StorageUnavailable), self._translate_errors():
            pages = self._fail_fast_client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._name, Prefix=self._root):
                for upload in page.get("Uploads", ()):
                    if _age_seconds(page, upload["Initiated"]) >= older_than_seconds:
                        self._fail_fast_client.abort_multipart_upload(
                            Bucket=self._name, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
        self._cache.evict()

    def claim_for_deployment(self, deployment: str) -> bool:
        with self._translate_errors():
            with suppress(FileNotFoundError), self._translate_errors():
                marker: bytes = self._fail_fast_client.get_object(**self._object_args(DEPLOYMENT_MARKER_KEY))[
                    "Body"
                ].read()
                return marker.decode() == deployment
            self._fail_fast_client.put_object(
                **self._object_args(DEPLOYMENT_MARKER_KEY), Body=deployment.encode()
            )
        return True

    # ── parts ──

    @property
    def _client_for_state(self) -> Any:
        """The client with short timeouts while calls fail, so that callers get the error soon."""
        return self._fail_fast_client if self._is_failing else self._client

    def _object_args(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": self._root + key}

    def _id_of(self, item: ObjectInfo) -> str | None:
        """Return the upload id of an object; None if it is not a file of an upload."""
        name, slash, _ = item.name.removeprefix(self._root).partition("/")
        return name if slash and name else None

    def _objects(self, prefix: str) -> Iterator[ObjectInfo]:
        pages = self._fail_fast_client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._name, Prefix=self._root + prefix):
            for item in page.get("Contents", ()):
                yield ObjectInfo(item["Key"], _age_seconds(page, item["LastModified"]))

    def _stream(self, key: str, start: int, end: int | None) -> Generator[bytes, None, None]:
        """Yield the bytes [start, end), or to the end; reconnect where a connection broke.

        Raises:
            FileNotFoundError: No such object.
        """
        attempts = 0
        while end is None or start < end:
            try:
                with self._translate_errors(), closing(self._open_body(key, start, end)) as body:
                    while chunk := body.read(CHUNK_BYTES):
                        start += len(chunk)
                        attempts = 0
                        yield chunk
                    return
            except StorageUnavailable:
                attempts += 1
                if attempts == MAX_ATTEMPTS:
                    raise

    def _open_body(self, key: str, start: int, end: int | None) -> Any:
        last = "" if end is None else end - 1
        return self._client_for_state.get_object(**self._object_args(key), Range=f"bytes={start}-{last}")[
            "Body"
        ]

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Turn errors of boto3 into FileNotFoundError or `StorageUnavailable`; log the first in a row."""
        try:
            yield
        except S3_ERRORS as error:
            if _code(error) in ("NoSuchKey", "404", "InvalidRange"):
                raise FileNotFoundError("no such object") from None
            if not self._is_failing:
                log.warning("A request to the bucket %s failed: %s.", self._name, _reason(error))
            self._is_failing = True
            self._written_at = -WRITABLE_CACHE_SECONDS
            raise StorageUnavailable from error
        else:
            self._is_failing = False


@contextmanager
def _translate_disk_full() -> Iterator[None]:
    """Turn the error of a full bucket into that of a full disk."""
    try:
        yield
    except StorageUnavailable as error:
        if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in DISK_FULL_CODES:
            raise OSError(errno.ENOSPC, "the bucket is full") from error
        raise


def _derived_key(key: str, name: str) -> str:
    return f"{key.partition('/')[0]}/{name}"


def _client(bucket: S3Location, *, connect_timeout: float, read_timeout: float, max_attempts: int) -> Any:
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": max_attempts},
        max_pool_connections=64,
        signature_version="s3v4",
        s3={"addressing_style": bucket.addressing},
        # Not every compatible service knows the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    credentials: dict[str, Any] = {}
    if bucket.key:  # without the session token, which belongs to the key of the environment
        credentials = {"access_key": bucket.key, "secret_key": bucket.secret, "security_token": None}
    storage = S3Storage(
        bucket_name=bucket.name,
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        client_config=config,
        **credentials,
    )
    return storage.connection.meta.client


def _age_seconds(response: dict[str, Any], since: dt.datetime) -> float:
    """Return the time since then by the service's own clock."""
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(date) if date else dt.datetime.now(dt.UTC)
    return (now - since).total_seconds()


def _code(error: Exception) -> str | None:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else None


def _reason(error: Exception) -> str:
    """Return one line for the log; messages of boto3 name the request and contain no secret."""
    return str(error).strip().rstrip(".").replace("\n", " ")
