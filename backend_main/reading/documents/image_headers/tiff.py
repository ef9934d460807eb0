"""Header of TIFF and BigTIFF, and EXIF: a chain of directories, one a page (TIFF 6.0, section 2)."""

import re
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .header import Data, FileType, Format, ImageSize, WorkLimit, unpack

MAX_TAGS = 512
BIG_TIFF_VERSION = 43
NEW_SUBFILE_TYPE, SUBFILE_TYPE, IMAGE_WIDTH, IMAGE_LENGTH = 254, 255, 256, 257
BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLE_FORMAT = 258, 259, 262, 274, 339
"""TIFF 6.0, sections 8 and 19."""
REDUCED_IMAGE_BIT, MASK_BIT = 1, 4
"""Bits of NewSubfileType: a smaller version of another image of the file, and a mask for one."""
REDUCED_IMAGE_TYPE = 2
"""Value of SubfileType."""
WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1
"""Values of PhotometricInterpretation for gray."""
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
"""Values of SampleFormat."""
DIRECTORIES_PER_PAGE = 4
"""Directories in the chain that are visited for each page allowed: a page may have a thumbnail and a mask."""
MAX_VALUES = 16
MAX_CHAIN_ENTRIES = 2_000_000
"""Entries of all directories in the chain; walking further would cost the server seconds."""
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

    @property
    def entry_bytes(self) -> int:
        return struct.calcsize(self.entry) + self.offset_bytes


class Entry(NamedTuple):
    """An entry of a directory. `value_bytes` is 0 if the values stand in the entry itself."""

    tag: int
    value_type: int
    number: int
    packed: bytes
    value: int
    value_at: int
    value_bytes: int


class Directory(NamedTuple):
    """Place of a directory in the chain, and what decides whether it is a page; `next` is 0 at the end."""

    at: int
    next: int
    width: int
    height: int
    is_mask: bool
    is_reduced: bool

    @property
    def area(self) -> int:
        return self.width * self.height


def parse(data: Data, max_frames: int) -> ImageSize:
    """Read the size of the smallest page, and count pages. A later page beyond the file is not an error."""
    directories, truncated = read_chain(data, DIRECTORIES_PER_PAGE * max_frames)
    found = pages(directories)
    valid = [(page.width, page.height) for page in found if min(page.width, page.height) > 0]
    width, height = min(valid, key=lambda size: size[0] * size[1], default=(0, 0))
    return ImageSize(width, height, min(len(found), max_frames + 1), truncated)


def pages(directories: list[Directory]) -> list[Directory]:
    """Return the directories that are pages: not the masks, and not smaller versions of another image."""
    images = [directory for directory in directories if not directory.is_mask] or directories
    largest = max((image.area for image in images if not image.is_reduced), default=0)
    return [image for image in images if not (image.is_reduced and image.area < largest)]


def read_chain(data: Data, max_directories: int) -> tuple[list[Directory], bool]:
    """Return up to one more directory than the maximum, and whether the chain leads out of the file."""
    directories: list[Directory] = []
    visited: set[int] = set()
    limit = WorkLimit(MAX_CHAIN_ENTRIES)
    at = _first_directory(data)
    while at and at not in visited and len(visited) <= max_directories:
        visited.add(at)
        try:
            directories.append(_directory(data, at, limit))
        except struct.error:
            if len(visited) == 1:
                raise
            return directories, True
        at = directories[-1].next
    return directories, False


def exif_orientation(exif: Data) -> int:
    """Return the orientation (CIPA DC-008, 4.6.5.1.6), 1 if there is none. No other value is read."""
    try:
        found = tag_value(exif, _first_directory(exif), ORIENTATION, 1)
    except (struct.error, ValueError, IndexError):
        return 1
    return found if found in range(1, 9) else 1


def tag_value(data: Data, directory_at: int, tag: int, default: int) -> int:
    """Return the first integer of a tag."""
    return next(iter(tag_values(data, directory_at, tag)), default)


def tag_values(data: Data, directory_at: int, tag: int) -> tuple[int, ...]:
    """Return up to `MAX_VALUES` integers of a tag. Raises struct.error if they are beyond the file."""
    for entry in _entries(data, directory_at):
        integer = INTEGER_LAYOUTS.get(entry.value_type)
        if entry.tag == tag and integer:
            order = _layout(data).order
            return unpack(f"{order}{min(entry.number, MAX_VALUES)}{integer}", data, entry.value_at)
    return ()


def single_page(
    data: Data, page_at: int, max_value_bytes: Mapping[int, int], replaced: Mapping[int, int]
) -> dict[int, bytes]:
    """Return patches that leave one page of the file, with the tags that `max_value_bytes` lists.

    A tag is left out if its value is longer than listed, or beyond the end of the file. `replaced`: integers
    of 16 bits that replace the values of tags.
    """
    layout = _layout(data)
    kept: dict[int, bytes] = {}
    for entry in _entries(data, page_at):
        is_in_file = entry.value_at + entry.value_bytes <= len(data)
        if is_in_file and entry.value_bytes <= max_value_bytes.get(entry.tag, -1):
            kept.setdefault(entry.tag, entry.packed)
    for tag, value in replaced.items():
        packed = struct.pack(layout.entry, tag, SHORT, 1) + struct.pack(f"{layout.order}H", value)
        kept[tag] = packed.ljust(layout.entry_bytes, b"\0")
    directory = struct.pack(layout.entry_count, len(kept)) + b"".join(
        packed for _, packed in sorted(kept.items())
    )
    directory += struct.pack(layout.offset, 0)
    return {layout.offset_bytes: struct.pack(layout.offset, page_at), page_at: directory}


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


def _directory(data: Data, at: int, limit: WorkLimit) -> Directory:
    """Read a directory: a count, entries of (tag, type, count, value or offset), the next offset."""
    values = dict.fromkeys((NEW_SUBFILE_TYPE, SUBFILE_TYPE, IMAGE_WIDTH, IMAGE_LENGTH), 0)
    for entry in _entries(data, at):
        limit.spend()
        if entry.tag in values:
            values[entry.tag] = entry.value
    layout, (first, count) = _layout(data), _entry_range(data, at)
    (following,) = unpack(layout.offset, data, first + count * layout.entry_bytes)
    is_reduced = values[NEW_SUBFILE_TYPE] & REDUCED_IMAGE_BIT or values[SUBFILE_TYPE] == REDUCED_IMAGE_TYPE
    is_mask = values[NEW_SUBFILE_TYPE] & MASK_BIT
    return Directory(
        at, following, values[IMAGE_WIDTH], values[IMAGE_LENGTH], bool(is_mask), bool(is_reduced)
    )


def _entry_range(data: Data, directory_at: int) -> tuple[int, int]:
    """Return the offset of a directory's first entry, and the number of entries."""
    layout = _layout(data)
    (count,) = unpack(layout.entry_count, data, directory_at)
    if count > MAX_TAGS:
        raise ValueError("too many tags")
    return directory_at + struct.calcsize(layout.entry_count), count


def _entries(data: Data, directory_at: int) -> Iterator[Entry]:
    layout, (first, count) = _layout(data), _entry_range(data, directory_at)
    for at in range(first, first + count * layout.entry_bytes, layout.entry_bytes):
        tag, value_type, number = unpack(layout.entry, data, at)
        value_at = at + struct.calcsize(layout.entry)
        (value,) = unpack(layout.order + INTEGER_LAYOUTS.get(value_type, "H"), data, value_at)
        length = TYPE_BYTES.get(value_type, 0) * number
        if length > layout.offset_bytes:
            (value_at,) = unpack(layout.offset, data, value_at)
        else:
            length = 0
        yield Entry(tag, value_type, number, data[at : at + layout.entry_bytes], value, value_at, length)


FORMAT = Format(re.compile(rb"II[*+]\0|MM\0[*+]"), FileType("TIFF", "image/tiff", "tif"), parse)
