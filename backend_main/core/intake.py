"""Step 6 — untrusted base64 or a path → a complete, hashed file of a known kind.

Memory does not grow with the image: base64 is cut, decoded, hashed and written piece by piece. What a file is
decides its content, never its name. Only headers are parsed here; decoding is left to the reader's child.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pybase64
from PIL import Image, UnidentifiedImageError

from . import storage
from .conf import conf
from .errors import Invalid
from .protocol import Base64Text

# Pieces small enough to leave the processor to others, large enough that the loop around them is nothing.
PIECE_CHARACTERS = 1024 * 1024
PIECE_BYTES = 1024 * 1024

Image.MAX_IMAGE_PIXELS = None  # `conf.max_pixels` is the limit, and its error says so


class Kind(NamedTuple):
    """A format that is read: Pillow's name for it (None: not Pillow's), and what users see."""

    pillow: str | None
    content_type: str
    extension: str


PDF = Kind(None, "application/pdf", "pdf")
_KINDS: list[tuple[re.Pattern[bytes], Kind]] = [
    (re.compile(rb"\x89PNG\r\n\x1a\n"), Kind("PNG", "image/png", "png")),
    (re.compile(rb"\xff\xd8\xff"), Kind("JPEG", "image/jpeg", "jpg")),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), Kind("WEBP", "image/webp", "webp")),
    (re.compile(rb"GIF8[79]a"), Kind("GIF", "image/gif", "gif")),
    (re.compile(rb"BM"), Kind("BMP", "image/bmp", "bmp")),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), Kind("TIFF", "image/tiff", "tif")),
    # Some writers put a few bytes before a PDF's header; readers accept it within the first KiB.
    (re.compile(rb".{0,1019}%PDF-", re.DOTALL), PDF),
]
SUPPORTED = "PNG, JPEG, WebP, GIF, BMP, TIFF and PDF"


@dataclass(frozen=True, slots=True)
class Received:
    """A verified file, not yet at its place; `sha256` in hex."""

    path: Path
    filename: str
    sha256: str
    bytes: int
    kind: Kind


@contextmanager
def from_base64(text: str | Base64Text, *, name: str | None = None) -> Iterator[Received]:
    """The file that base64 holds. A data-URL prefix and white space are fine; `name` is only a name.

    Raises:
        Invalid: on `image_base64`.
    """
    whole = Base64Text(text) if isinstance(text, str) else text
    with _receiving("image_base64", _decoded(whole), name) as received:
        yield received


@contextmanager
def from_path(text: str) -> Iterator[Received]:
    """A copy of a file below one of `conf.import_roots`.

    Raises:
        Invalid: on `image_path`.
    """
    with os.fdopen(_open_below_roots(text), "rb") as source:
        pieces = iter(lambda: source.read(PIECE_BYTES), b"")
        with _receiving("image_path", pieces, text) as received:
            yield received


@contextmanager
def _receiving(field: str, pieces: Iterable[bytes], name: str | None) -> Iterator[Received]:
    """Writes, hashes and verifies; every failure is an error on the field that brought the bytes."""
    with storage.incoming() as (file, path):
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            size += len(piece)
            if conf.max_upload_bytes and size > conf.max_upload_bytes:
                raise Invalid(
                    {field: f"The file is larger than the {conf.max_upload_bytes} bytes allowed here."}
                )
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
        kind = _kind(path, field)
        yield Received(path, _base_name(name) or f"scan.{kind.extension}", digest.hexdigest(), size, kind)


# ── base64 ───────────────────────────────────────────────────────────────────────────────────────


def _decoded(text: Base64Text) -> Iterator[bytes]:
    start = _after_data_url_prefix(text.piece(0, 300))
    rest, ended = "", False
    for position in range(start, len(text), PIECE_CHARACTERS):
        piece = rest + "".join(text.piece(position, PIECE_CHARACTERS).split())
        whole = len(piece) - len(piece) % 4
        if ended and piece:
            raise Invalid({"image_base64": "Invalid base64 encoding: text after the padding."})
        yield _decode_piece(piece[:whole])
        ended = ended or piece[:whole].endswith("=")
        rest = piece[whole:]
    yield _decode_piece(rest)


def _decode_piece(piece: str) -> bytes:
    try:
        return pybase64.b64decode(piece, validate=True)
    except ValueError as error:  # binascii.Error is one
        raise Invalid({"image_base64": f"Invalid base64 encoding: {error}."}) from None


def _after_data_url_prefix(text: str) -> int:
    match = re.match(r"\s*data:[^,]{0,200};base64,", text)
    return match.end() if match else 0


# ── what kind of file ────────────────────────────────────────────────────────────────────────────


def _kind(path: Path, field: str) -> Kind:
    with open(path, "rb") as file:
        head = file.read(1024)
    if not head:
        raise Invalid({field: "The file is empty."})
    kind = next((kind for magic, kind in _KINDS if magic.match(head)), None)
    if kind is None:
        raise Invalid({field: f"This is no format that can be read; {SUPPORTED} can."})
    if kind.pillow:
        _check_header(path, kind.pillow, field)
    return kind


def _check_header(path: Path, pillow_format: str, field: str) -> None:
    try:
        with Image.open(path, formats=[pillow_format]) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, ArithmeticError) as error:
        raise Invalid({field: f"The file begins like {pillow_format}, but its header is broken."}) from error
    if width * height > conf.max_pixels:
        size = f"{width} × {height}"
        raise Invalid(
            {field: f"The image is {size} pixels; at most {conf.max_pixels} pixels are allowed here."}
        )


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
        raise Invalid({"image_path": "Reading files by path is off here; send the bytes as image_base64."})
    for root, parts in _places(text):
        try:
            return _open_regular(root, parts)
        except (OSError, ValueError):  # a name that no file can have is a ValueError
            continue
    # One sentence for all: whether a file exists is nobody's business who may not read it.
    raise Invalid({"image_path": "This path names no regular file that may be imported."})


def _places(text: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
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
            _refuse_data_directory(directory)
            below = os.open(
                part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory
            )
            os.close(directory)
            directory = below
        _refuse_data_directory(directory)
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


def _refuse_data_directory(directory: int) -> None:
    """Other users' scans lie in the data directory; a root around it must not open it."""
    if os.path.samestat(os.fstat(directory), os.stat(conf.data_dir)):
        raise PermissionError("inside the data directory")
