"""Step 6 — stored files as objects of a bucket, on anything that speaks S3.

django-storages makes the connection, with its rules for credentials. What it lacks is asked of the client
below, which threads may share: ranges, ages, removal of all that is under an id.
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
from typing import Any, BinaryIO, NamedTuple

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
# A larger file goes up in parts of this size, four at a time: that is the memory it takes.
PART_BYTES = 16 * 1024**2
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, MAX_ATTEMPTS = 3, 10, 3
# For what somebody waits for who is not helped by waiting: health, and removals, which a sweep makes up for.
FAIL_FAST_TIMEOUT_SECONDS = 3
WRITABLE_CACHE_SECONDS = 10.0
S3_ERRORS = (BotoCoreError, ClientError)
# What MinIO and Ceph say; of a bucket at AWS there is no end.
DISK_FULL_CODES = ("XMinioStorageFull", "QuotaExceeded", "507")


class ObjectInfo(NamedTuple):
    """An object, by its whole name."""

    name: str
    age_seconds: float


class S3Backend(StorageBackend):
    """Below `bucket.root`, an object for each key."""

    def __init__(self, bucket: S3Location, copies: LocalFileCache) -> None:
        self._name, self._root, self._cache = bucket.name, bucket.root, copies
        patient = _config(
            bucket,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            tries=MAX_ATTEMPTS,
        )
        quick = _config(
            bucket, connect_timeout=FAIL_FAST_TIMEOUT_SECONDS, read_timeout=FAIL_FAST_TIMEOUT_SECONDS, tries=1
        )
        self._client, self._fail_fast_client = _client(bucket, patient), _client(bucket, quick)
        self._failing = False
        self._probing = threading.Lock()
        self._written_at, self._writable = -WRITABLE_CACHE_SECONDS, True

    # ── whether it works ──

    def check(self) -> None:
        name = f".check-{uuid.uuid4()}"
        try:
            self._fail_fast_client.put_object(**self._at(name), Body=b"scanrill")
            list(self._objects(name))
            self._fail_fast_client.get_object(**self._at(name))["Body"].read()
            self._fail_fast_client.delete_object(**self._at(name))
        except S3_ERRORS as error:
            raise CommandError(
                f"SCANRILL_STORAGE_URL: the bucket {self._name} cannot be used: {_reason(error)}."
            ) from None

    def is_writable(self) -> bool:
        """As it was found a few seconds ago, if nothing has failed since.

        Who asks while somebody finds out does not wait for it.
        """
        if time.monotonic() - self._written_at < WRITABLE_CACHE_SECONDS:
            return True
        if self._probing.acquire(blocking=False):
            try:
                self._probe()
            finally:
                self._probing.release()
        return self._writable

    def _probe(self) -> None:
        try:
            with self._translate_errors():
                self._fail_fast_client.put_object(**self._at(".probe"), Body=b"")
            self._written_at, self._writable = time.monotonic(), True
        except StorageUnavailable:
            self._writable = False

    # ── files ──

    def put(self, path: Path, key: str) -> None:
        # A bucket that is public by mistake shows nothing in a browser, as our own answers do not.
        kind = {"ContentType": "application/octet-stream", "ContentDisposition": "attachment"}
        with _translate_disk_full(), self._translate_errors(), open(path, "rb") as file:
            parts = TransferConfig(
                multipart_threshold=PART_BYTES,
                multipart_chunksize=PART_BYTES,
                max_concurrency=4,
                use_threads=path.stat().st_size >= PART_BYTES,
            )
            self._client_for_state.upload_fileobj(file, *self._at(key).values(), ExtraArgs=kind, Config=parts)
        self._cache.insert(key, path)

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        return self._cache.open_path(key, lambda file: self._download(key, file))

    def iter_bytes(self, key: str, start: int, end: int) -> Generator[bytes, None, None]:
        with suppress(FileNotFoundError):
            yield from self._stream(key, start, end)

    def read_derived(self, key: str, name: str) -> bytes | None:
        try:
            with self._translate_errors():
                found = self._client_for_state.get_object(**self._at(_derived_key(key, name)))
                content: bytes = found["Body"].read()
                return content
        except FileNotFoundError:
            return None

    def write_derived(self, key: str, name: str, content: bytes) -> None:
        """Looked at afterwards: a delete that comes before the look has not removed what was written."""
        beside = self._at(_derived_key(key, name))
        with suppress(StorageUnavailable):
            try:
                with self._translate_errors():
                    self._fail_fast_client.put_object(
                        **beside, Body=content, ContentType="application/octet-stream"
                    )
                    self._fail_fast_client.head_object(**self._at(key))
            except FileNotFoundError:
                with self._translate_errors():
                    self._fail_fast_client.delete_object(**beside)

    def delete_all(self, name: str) -> None:
        self._cache.invalidate(name)
        with self._translate_errors():
            found = self._objects(f"{name}/")
            while batch := [{"Key": each.name} for each in itertools.islice(found, 1000)]:
                answer = self._fail_fast_client.delete_objects(
                    Bucket=self._name, Delete={"Objects": batch, "Quiet": True}
                )
                if answer.get("Errors"):
                    raise StorageUnavailable

    # ── what is there ──

    def stored_ids(self, older_than_seconds: float) -> Iterator[str]:
        """In the order of their names, in which all of an id stands together."""
        with self._translate_errors():
            for name, objects in itertools.groupby(self._objects(""), self._id_of):
                if min(each.age_seconds for each in objects) >= older_than_seconds and name:
                    yield name

    def abort_incomplete(self, older_than_seconds: float) -> None:
        """Parts of a file whose upload was cut off: nothing shows them, and they cost.

        Not every store lets itself be asked for them; one that does not removes them itself.
        """
        with suppress(StorageUnavailable), self._translate_errors():
            pages = self._fail_fast_client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._name, Prefix=self._root):
                for begun in page.get("Uploads", ()):
                    if _age_seconds(page, begun["Initiated"]) >= older_than_seconds:
                        self._fail_fast_client.abort_multipart_upload(
                            Bucket=self._name, Key=begun["Key"], UploadId=begun["UploadId"]
                        )
        self._cache.evict()

    def claim_for_deployment(self, deployment: str) -> bool:
        with self._translate_errors():
            with suppress(FileNotFoundError), self._translate_errors():
                mark: bytes = self._fail_fast_client.get_object(**self._at(DEPLOYMENT_MARKER_KEY))[
                    "Body"
                ].read()
                return mark.decode() == deployment
            self._fail_fast_client.put_object(**self._at(DEPLOYMENT_MARKER_KEY), Body=deployment.encode())
        return True

    # ── parts ──

    @property
    def _client_for_state(self) -> Any:
        """While nothing works, nobody waits long to hear it."""
        return self._fail_fast_client if self._failing else self._client

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": self._root + key}

    def _id_of(self, found: ObjectInfo) -> str:
        """Empty where it is no file of an upload."""
        name, slash, _ = found.name.removeprefix(self._root).partition("/")
        return name if slash else ""

    def _objects(self, below: str) -> Iterator[ObjectInfo]:
        pages = self._fail_fast_client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._name, Prefix=self._root + below):
            for item in page.get("Contents", ()):
                yield ObjectInfo(item["Key"], _age_seconds(page, item["LastModified"]))

    def _download(self, key: str, file: BinaryIO) -> None:
        for piece in self._stream(key, 0, None):
            file.write(piece)

    def _stream(self, key: str, start: int, end: int | None) -> Generator[bytes, None, None]:
        """Goes on after a connection that broke, from where it was. Raises FileNotFoundError."""
        tries = 0
        while end is None or start < end:
            try:
                with self._translate_errors(), closing(self._opened(key, start, end)) as body:
                    while piece := body.read(CHUNK_BYTES):
                        start, tries = start + len(piece), 0
                        yield piece
                    return
            except StorageUnavailable:
                tries += 1
                if tries == MAX_ATTEMPTS:
                    raise

    def _opened(self, key: str, start: int, end: int | None) -> Any:
        last = "" if end is None else end - 1
        return self._client_for_state.get_object(**self._at(key), Range=f"bytes={start}-{last}")["Body"]

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """What boto says → FileNotFoundError or `StorageUnavailable`; the first of a row is logged."""
        try:
            yield
        except S3_ERRORS as error:
            if _code(error) in ("NoSuchKey", "404", "InvalidRange"):
                raise FileNotFoundError("there is no such object") from None
            if not self._failing:
                log.warning("the bucket %s does not do what it is asked: %s", self._name, _reason(error))
            self._failing, self._written_at = True, -WRITABLE_CACHE_SECONDS
            raise StorageUnavailable from error
        else:
            self._failing = False


@contextmanager
def _translate_disk_full() -> Iterator[None]:
    """A bucket that is full is as a disk that is."""
    try:
        yield
    except StorageUnavailable as error:
        if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in DISK_FULL_CODES:
            raise OSError(errno.ENOSPC, "the bucket has no room") from error
        raise


def _derived_key(key: str, name: str) -> str:
    return f"{key.partition('/')[0]}/{name}"


def _client(bucket: S3Location, config: Config) -> Any:
    own: dict[str, Any] = {}
    if bucket.key:  # and not the session token that belongs to the environment's key
        own = {"access_key": bucket.key, "secret_key": bucket.secret, "security_token": None}
    storage = S3Storage(
        bucket_name=bucket.name,
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        client_config=config,
        **own,
    )
    return storage.connection.meta.client


def _config(bucket: S3Location, *, connect_timeout: float, read_timeout: float, tries: int) -> Config:
    return Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": tries},
        max_pool_connections=64,
        signature_version="s3v4",
        s3={"addressing_style": bucket.addressing},
        # Newer checksums are not known to everything that speaks S3.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _age_seconds(answer: dict[str, Any], since: dt.datetime) -> float:
    """By the store's own clock."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(date) if date else dt.datetime.now(dt.UTC)
    return (now - since).total_seconds()


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _reason(error: Exception) -> str:
    """One line for an operator; boto's own sentences name the request, and never a secret."""
    return str(error).strip().rstrip(".").replace("\n", " ")
