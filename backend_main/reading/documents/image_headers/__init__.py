"""Bounded parser of file headers: type, size in pixels and number of pages, without decoding anything.

It detects only the type of a PDF: the engine process opens the file and counts its pages.

It is the only code in the server process that parses the bytes of uploads: arithmetic on a mapped file. It
allocates nothing by a length that the file states, and each walk has a limit; libraries load whole files
(docs/decisions/0008-bounded-image-header-parser.md). The decoder opens a file only as the type found here,
so upload check and decoder cannot disagree.

It may import the standard library alone. Each module has one format: its magic bytes, its type, its parser.
"""

import mmap
import struct
from pathlib import Path
from typing import BinaryIO

from . import avif, bmp, gif, heif, jpeg, pdf, png, tiff, webp
from .header import Advice, Data, FileType, Header, MalformedHeader, UnsupportedFormat
from .jpeg import EXIF_PREFIX
from .other_formats import name_format
from .tiff import exif_orientation

__all__ = [
    "EXIF_PREFIX",
    "SUPPORTED",
    "Advice",
    "FileType",
    "Header",
    "MalformedHeader",
    "UnsupportedFormat",
    "exif_orientation",
    "read_header",
    "read_header_of_file",
]

SUPPORTED = "PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC, AVIF and PDF"
# PDF is the last: its header may stand behind the magic bytes of another format.
_FORMATS = [module.FORMAT for module in (png, jpeg, webp, gif, bmp, avif, heif, tiff, pdf)]


def read_header(path: Path | str, max_frames: int) -> Header | None:
    """Read a file's header, None if the file is empty; count frames up to one more than `max_frames`.

    Raises UnsupportedFormat, MalformedHeader, OSError.
    """
    with open(path, "rb") as file:
        return read_header_of_file(file, max_frames)


def read_header_of_file(file: BinaryIO, max_frames: int) -> Header | None:
    """Read the header of an open file, as `read_header` does."""
    if not file.read(1):
        return None
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return parse_header(data, max_frames)


def parse_header(data: Data, max_frames: int) -> Header:
    """Parse the header of a file's content. Raises UnsupportedFormat, MalformedHeader."""
    start = data[: pdf.MAGIC_BYTES]
    found = next((known for known in _FORMATS if known.magic.match(start)), None)
    if found is None:
        raise UnsupportedFormat(*name_format(data))
    file_type = found.file_type
    if file_type.pillow_format is None or found.parse is None:
        return Header(file_type)
    try:
        size = found.parse(data, max_frames)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise MalformedHeader(file_type.pillow_format) from error
    if size.width < 1 or size.height < 1:
        raise MalformedHeader(file_type.pillow_format)
    return Header(file_type, *size)
