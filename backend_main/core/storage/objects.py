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

from ..errors import StartRefused, StorageUnavailable
from .base import PIECE_BYTES, Store
from .copies import Copies
from .place import Bucket

log = logging.getLogger(__name__)

MARK = ".deployment"
# A larger file goes up in parts of this size, four at a time: that is the memory it takes.
PART_BYTES = 16 * 1024**2
CONNECT_SECONDS, READ_SECONDS, TRIES = 3, 10, 3
# For what somebody waits for who is not helped by waiting: health, and removals, which a sweep makes up for.
QUICK_SECONDS = 3
WRITABLE_FOR_SECONDS = 10.0
BROKEN = (BotoCoreError, ClientError)
# What MinIO and Ceph say; of a bucket at AWS there is no end.
NO_ROOM_CODES = ("XMinioStorageFull", "QuotaExceeded", "507")


class Found(NamedTuple):
    """An object, by its whole name."""

    name: str
    age_seconds: float


class Objects(Store):
    """Below `bucket.root`, an object for each key."""

    def __init__(self, bucket: Bucket, copies: Copies) -> None:
        self._name, self._root, self._copies = bucket.name, bucket.root, copies
        patient = _config(bucket, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, tries=TRIES)
        quick = _config(bucket, connect_timeout=QUICK_SECONDS, read_timeout=QUICK_SECONDS, tries=1)
        self._client, self._quick = _client(bucket, patient), _client(bucket, quick)
        self._failing = False
        self._probing = threading.Lock()
        self._written_at, self._writable = -WRITABLE_FOR_SECONDS, True

    # ── whether it works ──

    def check(self) -> None:
        name = f".check-{uuid.uuid4()}"
        try:
            self._quick.put_object(**self._at(name), Body=b"scanrill")
            list(self._objects(name))
            self._quick.get_object(**self._at(name))["Body"].read()
            self._quick.delete_object(**self._at(name))
        except BROKEN as error:
            raise StartRefused(
                f"SCANRILL_STORAGE_URL: the bucket {self._name} cannot be used: {_reason(error)}."
            ) from None

    def writable(self) -> bool:
        """As it was found a few seconds ago, if nothing has failed since.

        Who asks while somebody finds out does not wait for it.
        """
        if time.monotonic() - self._written_at < WRITABLE_FOR_SECONDS:
            return True
        if self._probing.acquire(blocking=False):
            try:
                self._probe()
            finally:
                self._probing.release()
        return self._writable

    def _probe(self) -> None:
        try:
            with self._answering():
                self._quick.put_object(**self._at(".probe"), Body=b"")
            self._written_at, self._writable = time.monotonic(), True
        except StorageUnavailable:
            self._writable = False

    # ── files ──

    def keep(self, path: Path, key: str) -> None:
        # A bucket that is public by mistake shows nothing in a browser, as our own answers do not.
        kind = {"ContentType": "application/octet-stream", "ContentDisposition": "attachment"}
        with _room_told(), self._answering(), open(path, "rb") as file:
            parts = TransferConfig(
                multipart_threshold=PART_BYTES,
                multipart_chunksize=PART_BYTES,
                max_concurrency=4,
                use_threads=path.stat().st_size >= PART_BYTES,
            )
            self._working.upload_fileobj(file, *self._at(key).values(), ExtraArgs=kind, Config=parts)
        self._copies.adopt(key, path)

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        return self._copies.use(key, lambda file: self._download(key, file))

    def pieces(self, key: str, start: int, end: int) -> Generator[bytes, None, None]:
        with suppress(FileNotFoundError):
            yield from self._stream(key, start, end)

    def read_beside(self, key: str, name: str) -> bytes | None:
        try:
            with self._answering():
                found = self._working.get_object(**self._at(_beside(key, name)))
                content: bytes = found["Body"].read()
                return content
        except FileNotFoundError:
            return None

    def write_beside(self, key: str, name: str, content: bytes) -> None:
        """Looked at afterwards: a delete that comes before the look has not removed what was written."""
        beside = self._at(_beside(key, name))
        with suppress(StorageUnavailable):
            try:
                with self._answering():
                    self._quick.put_object(**beside, Body=content, ContentType="application/octet-stream")
                    self._quick.head_object(**self._at(key))
            except FileNotFoundError:
                with self._answering():
                    self._quick.delete_object(**beside)

    def delete_all(self, name: str) -> None:
        self._copies.forget(name)
        with self._answering():
            found = self._objects(f"{name}/")
            while batch := [{"Key": each.name} for each in itertools.islice(found, 1000)]:
                answer = self._quick.delete_objects(
                    Bucket=self._name, Delete={"Objects": batch, "Quiet": True}
                )
                if answer.get("Errors"):
                    raise StorageUnavailable

    # ── what is there ──

    def stored_ids(self, older_than_seconds: float) -> Iterator[str]:
        """In the order of their names, in which all of an id stands together."""
        with self._answering():
            for name, objects in itertools.groupby(self._objects(""), self._id_of):
                if min(each.age_seconds for each in objects) >= older_than_seconds and name:
                    yield name

    def clear_unfinished(self, older_than_seconds: float) -> None:
        """Parts of a file whose upload was cut off: nothing shows them, and they cost.

        Not every store lets itself be asked for them; one that does not removes them itself.
        """
        with suppress(StorageUnavailable), self._answering():
            pages = self._quick.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._name, Prefix=self._root):
                for begun in page.get("Uploads", ()):
                    if _age_seconds(page, begun["Initiated"]) >= older_than_seconds:
                        self._quick.abort_multipart_upload(
                            Bucket=self._name, Key=begun["Key"], UploadId=begun["UploadId"]
                        )
        self._copies.evict()

    def belongs_to(self, deployment: str) -> bool:
        with self._answering():
            with suppress(FileNotFoundError), self._answering():
                mark: bytes = self._quick.get_object(**self._at(MARK))["Body"].read()
                return mark.decode() == deployment
            self._quick.put_object(**self._at(MARK), Body=deployment.encode())
        return True

    # ── parts ──

    @property
    def _working(self) -> Any:
        """While nothing works, nobody waits long to hear it."""
        return self._quick if self._failing else self._client

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": self._root + key}

    def _id_of(self, found: Found) -> str:
        """Empty where it is no file of an upload."""
        name, slash, _ = found.name.removeprefix(self._root).partition("/")
        return name if slash else ""

    def _objects(self, below: str) -> Iterator[Found]:
        pages = self._quick.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._name, Prefix=self._root + below):
            for item in page.get("Contents", ()):
                yield Found(item["Key"], _age_seconds(page, item["LastModified"]))

    def _download(self, key: str, file: BinaryIO) -> None:
        for piece in self._stream(key, 0, None):
            file.write(piece)

    def _stream(self, key: str, start: int, end: int | None) -> Generator[bytes, None, None]:
        """Goes on after a connection that broke, from where it was. Raises FileNotFoundError."""
        tries = 0
        while end is None or start < end:
            try:
                with self._answering(), closing(self._opened(key, start, end)) as body:
                    while piece := body.read(PIECE_BYTES):
                        start, tries = start + len(piece), 0
                        yield piece
                    return
            except StorageUnavailable:
                tries += 1
                if tries == TRIES:
                    raise

    def _opened(self, key: str, start: int, end: int | None) -> Any:
        last = "" if end is None else end - 1
        return self._working.get_object(**self._at(key), Range=f"bytes={start}-{last}")["Body"]

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """What boto says → FileNotFoundError or `StorageUnavailable`; the first of a row is logged."""
        try:
            yield
        except BROKEN as error:
            if _code(error) in ("NoSuchKey", "404", "InvalidRange"):
                raise FileNotFoundError("there is no such object") from None
            if not self._failing:
                log.warning("the bucket %s does not do what it is asked: %s", self._name, _reason(error))
            self._failing, self._written_at = True, -WRITABLE_FOR_SECONDS
            raise StorageUnavailable from error
        else:
            self._failing = False


@contextmanager
def _room_told() -> Iterator[None]:
    """A bucket that is full is as a disk that is."""
    try:
        yield
    except StorageUnavailable as error:
        if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in NO_ROOM_CODES:
            raise OSError(errno.ENOSPC, "the bucket has no room") from error
        raise


def _beside(key: str, name: str) -> str:
    return f"{key.partition('/')[0]}/{name}"


def _client(bucket: Bucket, config: Config) -> Any:
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


def _config(bucket: Bucket, *, connect_timeout: float, read_timeout: float, tries: int) -> Config:
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
