"""Step 6 — untrusted base64 or a path → a complete, hashed file of a known kind.

Memory does not grow with the image: base64 is cut, decoded, hashed and written piece by piece. What a file is
decides its content, never its name. `reading.headers` looks at that; decoding is left to the reader's child.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pybase64

from ...reading.documents import image_headers, rejections
from ...reading.documents.image_headers import FileType
from .. import storage
from ..conf import conf
from ..errors import FileTooLarge, RequestError, StorageFull
from ..protocol.base64_text import Base64Text

# Pieces small enough to leave the processor to others, large enough that the loop around them is nothing.
CHUNK_CHARACTERS = 1024 * 1024
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A verified file, not yet at its place; `sha256` in hex, `field` the one that brought it."""

    path: Path
    filename: str
    sha256: str
    bytes: int
    kind: FileType
    field: str


class StagedFileWriter:
    """A file on its way in: pieces are written and hashed as they come, then it is verified.

    `field` is what errors are about. Every method may raise `RequestError` on it, `StorageFull` among them.
    """

    def __init__(self, field: str, file: BinaryIO, path: Path) -> None:
        self._field, self._file, self._path = field, file, path
        self._digest, self._bytes = hashlib.sha256(), 0

    def write(self, piece: bytes) -> None:
        self._bytes += len(piece)
        if conf.max_upload_bytes and self._bytes > conf.max_upload_bytes:
            raise FileTooLarge(self._field, conf.max_upload_bytes)
        with _translate_disk_full(self._field):
            self._file.write(piece)
        self._digest.update(piece)

    def finish(self, name: str | None) -> StagedFile:
        """The verified file, on disk; `name` is only a name."""
        with _translate_disk_full(self._field):
            self._file.flush()
            os.fsync(self._file.fileno())
        kind = _detect_file_type(self._path, self._field)
        filename = _base_name(name) or f"scan.{kind.extension}"
        return StagedFile(self._path, filename, self._digest.hexdigest(), self._bytes, kind, self._field)


@contextmanager
def open_staged_file(field: str, *, bytes_expected: int = 0) -> Iterator[StagedFileWriter]:
    """A new file, which is gone afterwards unless `storage.keep` has taken it."""
    with _translate_disk_full(field):
        storage.check_free_space(bytes_expected)
        opened = storage.staging_file()
        file, path = opened.__enter__()
    try:
        yield StagedFileWriter(field, file, path)
    finally:
        opened.__exit__(None, None, None)


@contextmanager
def from_base64(text: str | Base64Text, *, name: str | None = None) -> Iterator[StagedFile]:
    """The file that base64 holds. A data-URL prefix and white space are fine; `name` is only a name.

    Raises:
        RequestError: on `image_base64`.
    """
    whole = Base64Text(text) if isinstance(text, str) else text
    with open_staged_file("image_base64", bytes_expected=len(whole) * 3 // 4) as file:
        for piece in _iter_decoded(whole):
            file.write(piece)
        yield file.finish(name)


@contextmanager
def from_path(text: str) -> Iterator[StagedFile]:
    """A copy of a file below one of `conf.import_roots`.

    Raises:
        RequestError: on `image_path`.
    """
    with os.fdopen(_open_below_roots(text), "rb") as source, open_staged_file("image_path") as file:
        while piece := source.read(CHUNK_BYTES):
            file.write(piece)
        yield file.finish(text)


@contextmanager
def _translate_disk_full(field: str) -> Iterator[None]:
    """A full disk, quota or file-size limit is an error of its own, and nothing stays behind."""
    try:
        yield
    except OSError as error:
        if error.errno in storage.DISK_FULL_ERRNOS:
            raise StorageFull(field) from error
        raise


# ── base64 ───────────────────────────────────────────────────────────────────────────────────────


def _iter_decoded(text: Base64Text) -> Iterator[bytes]:
    start = _after_data_url_prefix(text.slice(0, 300))
    rest, ended = "", False
    for position in range(start, len(text), CHUNK_CHARACTERS):
        piece = rest + text.slice(position, CHUNK_CHARACTERS)
        if _has_white_space(piece):
            piece = "".join(piece.split())
        whole = len(piece) - len(piece) % 4
        if ended and piece:
            raise RequestError({"image_base64": "Invalid base64 encoding: text after the padding."})
        yield _decode_chunk(piece[:whole])
        ended = ended or piece[:whole].endswith("=")
        rest = piece[whole:]
    yield _decode_chunk(rest)


def _has_white_space(piece: str) -> bool:
    """Four quick searches: to split a piece that has none takes longer than to decode it."""
    return not piece.isascii() or any(space in piece for space in " \n\r\t\v\f\x1c\x1d\x1e\x1f")


def _decode_chunk(piece: str) -> bytes:
    try:
        return pybase64.b64decode(piece, validate=True)
    except ValueError as error:  # binascii.Error is one
        raise RequestError({"image_base64": f"Invalid base64 encoding: {error}."}) from None


def _after_data_url_prefix(text: str) -> int:
    match = re.match(r"\s*data:[^,]{0,200};base64,", text)
    return match.end() if match else 0


# ── file type and name ───────────────────────────────────────────────────────────────────────────


def _detect_file_type(path: Path, field: str) -> FileType:
    """Return the type of a file whose header has at least one page and keeps the limits."""
    try:
        header = image_headers.read_header(path, max_frames=conf.max_pages)
    except image_headers.UnsupportedFormat:
        raise RequestError({field: rejections.UNSUPPORTED_FORMAT}) from None
    except image_headers.MalformedHeader as error:
        raise RequestError({field: rejections.malformed_header(error.pillow_format)}) from error
    if header is None:
        raise RequestError({field: rejections.EMPTY_FILE})
    if header.width * header.height > conf.max_pixels:
        message = rejections.too_many_pixels(header.width, header.height, conf.max_pixels)
        raise RequestError({field: message})
    if header.frames > conf.max_pages:
        raise RequestError({field: rejections.too_many_pages(conf.max_pages)})
    return header.file_type


def _base_name(name: str | None) -> str:
    """The last component of a path in either notation, without control characters; "" where it is no name."""
    last = re.split(r"[/\\]", name or "")[-1]
    name = re.sub(r"[\x00-\x1f\x7f]", "", last)[:255].strip()
    return "" if name in (".", "..") else name


# ── files of this machine ────────────────────────────────────────────────────────────────────────


def _open_below_roots(text: str) -> int:
    """A descriptor of a regular file below an import root, reached without following a symlink.

    Each component is opened from the directory before it, so nothing that is swapped meanwhile is followed.
    """
    if not conf.import_roots:
        raise RequestError(
            {"image_path": "Reading files by path is off here; send the bytes as image_base64."}
        )
    for root, parts in _candidate_paths(text):
        try:
            return _open_regular(root, parts)
        except (OSError, ValueError):  # a name that no file can have is a ValueError
            continue
    # One sentence for all: whether a file exists is nobody's business who may not read it.
    raise RequestError({"image_path": "This path names no regular file that may be imported."})


def _candidate_paths(text: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
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
    directory = os.open(root.resolve(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            _reject_data_directory(directory)
            below = os.open(
                part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory
            )
            os.close(directory)
            directory = below
        _reject_data_directory(directory)
        # O_NONBLOCK: opening a FIFO must not wait for its writer.
        file = os.open(
            parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory
        )
    finally:
        os.close(directory)
    try:
        _refuse_irregular(os.fstat(file))
    except OSError:
        os.close(file)
        raise
    return file


def _refuse_irregular(status: os.stat_result) -> None:
    """Regular files with one name only: a second name may be another user's file, linked to here."""
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise PermissionError("not a regular file with one name")


def _reject_data_directory(directory: int) -> None:
    """Other users' scans lie in these; a root around one must not open it."""
    opened = os.fstat(directory)
    if any(os.path.samestat(opened, os.stat(private)) for private in conf.private_dirs):
        raise PermissionError("inside the data directory")
