"""Ingest of untrusted bytes: base64, a path, or chunks of a body → a checked and hashed file on disk.

A file counts toward the quota of its owner, and toward the free space of the disk, while it arrives.

Memory does not grow with the file: base64 is sliced, decoded, hashed and written chunk by chunk. The content
of a file decides its type, never its name. Only the header is parsed here; the reader's child process
decodes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pybase64

from ...control_characters import remove_controls
from ...reading.documents import image_headers, rejections
from ...reading.documents.image_headers import FileType
from .. import storage
from ..conf import conf
from ..errors import FileTooLarge, RequestError, StorageFull
from ..protocol.base64_text import Base64Text
from ..storage import disk_space
from ..storage.disk_space import IncomingFile
from .quotas import UNLIMITED, ByteQuota

# Small enough to let other threads run between chunks, large enough that the loop costs nothing.
CHUNK_CHARACTERS = 1024 * 1024
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A checked file in the staging directory.

    Attributes:
        sha256: Hash of the bytes, in hex.
        field: The field of the request that brought the bytes.
    """

    path: Path
    filename: str
    sha256: str
    bytes: int
    file_type: FileType
    field: str


class StagedFileWriter:
    """Writer of one file: it stores and hashes chunks, then checks the file.

    Every method may raise `RequestError` on `field`, among them `FileTooLarge` and `StorageFull`.
    """

    def __init__(self, field: str, file: BinaryIO, path: Path, space: IncomingFile, quota: ByteQuota) -> None:
        self._field = field
        self._file = file
        self._path = path
        self._space = space
        self._quota = quota
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._bytes += len(chunk)
        if conf.max_upload_bytes and self._bytes > conf.max_upload_bytes:
            raise FileTooLarge(self._field, conf.max_upload_bytes)
        with translate_disk_full(self._field):
            self._space.grow(len(chunk))
            self._quota.check(self._space, self._field)
            self._file.write(chunk)
        self._digest.update(chunk)

    def content(self) -> bytes:
        """Return what was written, for a body that contains the file."""
        self._file.flush()
        return self._path.read_bytes()

    def finish(self, name: str | None) -> StagedFile:
        """Flush the file to disk and check it.

        Args:
            name: Name or path from the client; only its last component is kept, for display.
        """
        with translate_disk_full(self._field):
            self._file.flush()
            os.fsync(self._file.fileno())
        file_type = _detect_file_type(self._path, self._field)
        filename = base_name(name) or f"scan.{file_type.extension}"
        return StagedFile(self._path, filename, self._digest.hexdigest(), self._bytes, file_type, self._field)


@contextmanager
def open_staged_file(
    field: str, *, expected_bytes: int = 0, quota: ByteQuota = UNLIMITED
) -> Iterator[StagedFileWriter]:
    """Yield the writer of a new file; remove the file afterwards unless `storage.put` has moved it.

    Args:
        expected_bytes: Announced size, which is reserved on the disk and in the quota; 0: unknown.
        quota: What the owner may still store.
    """
    with ExitStack() as stack:
        with translate_disk_full(field):
            space = stack.enter_context(disk_space.incoming.open_file(expected_bytes, quota.owner_id))
            quota.check(space, field)
            file, path = stack.enter_context(storage.staging_file())
        yield StagedFileWriter(field, file, path, space, quota)


def check_staged_file(path: Path, field: str, *, name: str | None) -> StagedFile:
    """Hash and check a whole file that is in the staging directory.

    Args:
        field: The field of the request that brought the bytes; errors name it.
        name: Name or path from the client, for display.
    """
    with open(path, "rb") as file, translate_disk_full(field):
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256")
    file_type = _detect_file_type(path, field)
    filename = base_name(name) or f"scan.{file_type.extension}"
    return StagedFile(path, filename, digest.hexdigest(), path.stat().st_size, file_type, field)


@contextmanager
def from_base64(
    text: str | Base64Text, *, name: str | None = None, quota: ByteQuota = UNLIMITED
) -> Iterator[StagedFile]:
    """Yield the file that base64 encodes. A data-URL prefix and white space are allowed.

    Args:
        name: Name or path from the client, for display.

    Raises:
        RequestError: On `image_base64`.
    """
    encoded = Base64Text(text) if isinstance(text, str) else text
    with open_staged_file("image_base64", expected_bytes=len(encoded) * 3 // 4, quota=quota) as writer:
        for chunk in _iter_decoded(encoded):
            writer.write(chunk)
        yield writer.finish(name)


@contextmanager
def from_path(text: str, *, quota: ByteQuota = UNLIMITED) -> Iterator[StagedFile]:
    """Yield a copy of a file below one of `conf.import_roots`.

    Raises:
        RequestError: On `image_path`.
    """
    with (
        os.fdopen(_open_below_roots(text), "rb") as source,
        open_staged_file(
            "image_path", expected_bytes=os.fstat(source.fileno()).st_size, quota=quota
        ) as writer,
    ):
        while chunk := source.read(CHUNK_BYTES):
            writer.write(chunk)
        yield writer.finish(text)


@contextmanager
def translate_disk_full(field: str) -> Iterator[None]:
    """Turn the error of a full disk, disk quota or file-size limit into `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in storage.DISK_FULL_ERRNOS:
            raise StorageFull(field) from error
        raise


# ── base64 ───────────────────────────────────────────────────────────────────────────────────────


def _iter_decoded(text: Base64Text) -> Iterator[bytes]:
    prefix = re.match(r"\s*data:[^,]{0,200};base64,", text.slice(0, 300))
    rest = ""
    has_padding = False
    for position in range(prefix.end() if prefix else 0, len(text), CHUNK_CHARACTERS):
        chunk = rest + text.slice(position, CHUNK_CHARACTERS)
        # `str.split` on a chunk without white space takes longer than decoding it; these searches do not.
        if not chunk.isascii() or any(space in chunk for space in " \n\r\t\v\f\x1c\x1d\x1e\x1f"):
            chunk = "".join(chunk.split())
        if has_padding and chunk:
            raise RequestError({"image_base64": "Invalid base64 encoding: text after the padding."})
        whole = len(chunk) - len(chunk) % 4
        yield _decode_chunk(chunk[:whole])
        has_padding = has_padding or chunk[:whole].endswith("=")
        rest = chunk[whole:]
    yield _decode_chunk(rest)


def _decode_chunk(text: str) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError as error:  # `binascii.Error` is a ValueError
        raise RequestError({"image_base64": f"Invalid base64 encoding: {error}."}) from None


# ── file type and name ───────────────────────────────────────────────────────────────────────────


def _detect_file_type(path: Path, field: str) -> FileType:
    """Return the type of a file whose header has at least one page and keeps the limits."""
    try:
        header = image_headers.read_header(path, max_frames=conf.max_pages)
    except image_headers.UnsupportedFormat as error:
        raise RequestError({field: rejections.unsupported_format(error)}) from None
    except image_headers.MalformedHeader as error:
        raise RequestError({field: rejections.malformed_header(error.pillow_format)}) from error
    if header is None:
        raise RequestError({field: rejections.EMPTY_FILE})
    if header.width * header.height > conf.max_pixels:
        message = rejections.too_many_pixels(header.width, header.height, conf.max_pixels)
        raise RequestError({field: message})
    if header.page_count > conf.max_pages:
        raise RequestError({field: rejections.too_many_pages(conf.max_pages)})
    return header.file_type


def base_name(name: str | None) -> str | None:
    """Return the last component of a POSIX or Windows path, without control characters; None if empty."""
    last = re.split(r"[/\\]", name or "")[-1]
    clean = re.sub(r"[\t\n]", "", remove_controls(last))[:255].strip()
    return None if clean in ("", ".", "..") else clean


# ── files of this machine ────────────────────────────────────────────────────────────────────────


def _open_below_roots(text: str) -> int:
    """Open a regular file below an import root; return its descriptor.

    Each directory is opened relative to its parent without following symbolic links, so swapping a component
    meanwhile does not lead out of the root.
    """
    if not conf.import_roots:
        raise RequestError({"image_path": "This server does not import files by path. Send image_base64."})
    for root, parts in _candidate_paths(text):
        try:
            return _open_regular(root, parts)
        except (OSError, ValueError):  # ValueError: a name that a file cannot have
            continue
    # One message for every reason, so that users cannot find out which files exist.
    raise RequestError({"image_path": "No importable file has this path. Use a regular file below a root."})


def _candidate_paths(text: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield each import root that the path can be below, with the components below it."""
    path = PurePosixPath(text)
    if ".." in path.parts or "\x00" in text:
        return
    for root in conf.import_roots:
        if not path.is_absolute():
            yield root, path.parts
        elif path.is_relative_to(root):
            yield root, path.relative_to(root).parts


def _open_regular(root: Path, parts: tuple[str, ...]) -> int:
    if not parts:
        raise IsADirectoryError(root)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    directory = os.open(root.resolve(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            _reject_data_directory(directory)
            below = os.open(part, flags | os.O_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = below
        _reject_data_directory(directory)
        # O_NONBLOCK: opening a FIFO must not wait for its writer.
        file = os.open(parts[-1], flags | os.O_NONBLOCK, dir_fd=directory)
    finally:
        os.close(directory)
    try:
        status = os.fstat(file)
        # A file with a second name, a hard link, can be another user's.
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise PermissionError("not a regular file with one name")
    except OSError:
        os.close(file)
        raise
    return file


def _reject_data_directory(directory: int) -> None:
    """Raise PermissionError in the data directories, which a root may contain: they hold users' files."""
    opened = os.fstat(directory)
    if any(os.path.samestat(opened, os.stat(private)) for private in conf.private_dirs):
        raise PermissionError("inside the data directory")
