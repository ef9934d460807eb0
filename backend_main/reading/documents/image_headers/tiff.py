"""Header of TIFF and BigTIFF, and EXIF: a chain of directories, one a page (TIFF 6.0, section 2)."""

import re
import struct
from typing import NamedTuple

from .header import Data, FileType, Format, ImageSize, unpack

MAX_TAGS = 512
BIG_TIFF_VERSION = 43
IMAGE_WIDTH, IMAGE_LENGTH = 256, 257
"""TIFF 6.0, section 8."""
BYTE, SHORT, LONG, LONG8 = 1, 3, 4, 16
INTEGER_LAYOUTS = {BYTE: "B", SHORT: "H", LONG: "I", LONG8: "Q"}
"""Types in which writers store width and height, as `struct` layouts."""
TYPE_BYTES = {
    BYTE: 1,
    2: 1,  # ASCII
    SHORT: 2,
    LONG: 4,
    5: 8,  # RATIONAL
    6: 1,  # SBYTE
    7: 1,  # UNDEFINED
    8: 2,  # SSHORT
    9: 4,  # SLONG
    10: 8,  # SRATIONAL
    11: 4,  # FLOAT
    12: 8,  # DOUBLE
    13: 4,  # IFD
    LONG8: 8,
    17: 8,  # SLONG8
    18: 8,  # IFD8
}


class _Layout(NamedTuple):
    """`struct` layouts of a byte order and variant: TIFF has offsets of four bytes, BigTIFF of eight."""

    order: str
    entry_count: str
    entry: str
    offset: str
    offset_bytes: int


class _Directory(NamedTuple):
    """`value_bytes` is the length of all values outside the directory; `next` is 0 for the last directory."""

    width: int
    height: int
    value_bytes: int
    next: int


def parse(data: Data, max_frames: int) -> ImageSize:
    """Read the size of the smallest page, and count pages. A later page beyond the file is not an error."""
    sizes: list[tuple[int, int]] = []
    visited: set[int] = set()
    truncated = False
    at = _first_directory(data)
    while at and at not in visited and len(visited) <= max_frames:
        visited.add(at)
        try:
            directory = _directory(data, at)
        except struct.error:
            if len(visited) == 1:
                raise
            truncated = True
            break
        if directory.value_bytes > len(data):
            raise ValueError("values exceed the file")
        sizes.append((directory.width, directory.height))
        at = directory.next
    valid = [size for size in sizes if min(size) > 0]
    width, height = min(valid, key=lambda size: size[0] * size[1], default=(0, 0))
    return ImageSize(width, height, len(sizes), truncated)


def is_exif_bounded(exif: bytes) -> bool:
    """Return whether the values of EXIF's first directory fit into it.

    Values that all point at one place would fill the memory of a decoder that loads them. Malformed EXIF
    counts as bounded, because no decoder loads it.
    """
    try:
        return _directory(exif, _first_directory(exif)).value_bytes <= len(exif)
    except (struct.error, ValueError, IndexError):
        return True


def _first_directory(data: Data) -> int:
    layout = _layout(data)
    # In both variants, the offset stands as far from the start as it is long.
    (offset,) = unpack(layout.offset, data, layout.offset_bytes)
    return offset


def _layout(data: Data) -> _Layout:
    order = "<" if data[:1] == b"I" else ">"
    if unpack(f"{order}H", data, 2) == (BIG_TIFF_VERSION,):
        return _Layout(order, f"{order}Q", f"{order}HHQ", f"{order}Q", 8)
    return _Layout(order, f"{order}H", f"{order}HHI", f"{order}I", 4)


def _directory(data: Data, at: int) -> _Directory:
    """Read a directory: a count, entries of (tag, type, count, value or offset), the next offset."""
    layout = _layout(data)
    (count,) = unpack(layout.entry_count, data, at)
    if count > MAX_TAGS:
        raise ValueError("too many tags")
    entry_bytes = struct.calcsize(layout.entry) + layout.offset_bytes
    at += struct.calcsize(layout.entry_count)
    (following,) = unpack(layout.offset, data, at + count * entry_bytes)
    size = {IMAGE_WIDTH: 0, IMAGE_LENGTH: 0}
    value_bytes = 0
    for entry in range(at, at + count * entry_bytes, entry_bytes):
        tag, value_type, number = unpack(layout.entry, data, entry)
        length = TYPE_BYTES.get(value_type, 0) * number
        value_bytes += length if length > layout.offset_bytes else 0
        if tag in size:
            integer = layout.order + INTEGER_LAYOUTS.get(value_type, "H")
            (size[tag],) = unpack(integer, data, entry + entry_bytes - layout.offset_bytes)
    return _Directory(size[IMAGE_WIDTH], size[IMAGE_LENGTH], value_bytes, following)


FORMAT = Format(re.compile(rb"II[*+]\0|MM\0[*+]"), FileType("TIFF", "image/tiff", "tif"), parse)
