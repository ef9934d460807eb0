"""Header of PNG and animated PNG (W3C, "Portable Network Graphics", third edition)."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from .header import MAX_CHUNKS, Data, FileType, Format, ImageSize, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IHDR_BYTES = 13
CHUNK_OVERHEAD_BYTES = 12
"""Length, type and checksum of a chunk, four bytes each."""
BIT_DEPTHS = (1, 2, 4, 8, 16)
COLOR_TYPES = (0, 2, 3, 4, 6)
RGB = 2
"""Color type of red, green and blue."""


class Chunk(NamedTuple):
    """A chunk: its type, and the offsets of its content and of its end, which may be beyond the file."""

    kind: bytes
    content: int
    end: int

    @property
    def at(self) -> int:
        return self.content - 8


def parse(data: Data, _max_frames: int) -> ImageSize:
    """Read IHDR, and count the frames of an animated PNG."""
    at = len(SIGNATURE)
    (length,) = unpack(">I", data, at)
    width, height, depth, color_type = unpack(">IIBB", data, at + 8)
    if (length, data[at + 4 : at + 8]) != (IHDR_BYTES, b"IHDR"):
        raise ValueError("IHDR is missing")
    if depth not in BIT_DEPTHS or color_type not in COLOR_TYPES:
        raise ValueError("IHDR has an unknown bit depth or color type")
    return ImageSize(width, height, max(1, _count_frames(data)))


def chunks(data: Data) -> Iterator[Chunk]:
    """Yield the chunks, until their chain ends or breaks."""
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at + CHUNK_OVERHEAD_BYTES > len(data):
            return
        (length,) = unpack(">I", data, at)
        kind = data[at + 4 : at + 8]
        if not kind.isalpha():
            return
        at += CHUNK_OVERHEAD_BYTES + length
        yield Chunk(kind, at - length - 4, at)


def packed_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _count_frames(data: Data) -> int:
    """Count fcTL chunks. The count in acTL is the claim of a chunk that nothing else depends on."""
    is_animated = has_pixels = False
    frames = count = 0
    for chunk in chunks(data):
        count += 1
        has_pixels |= chunk.kind == b"IDAT"
        if has_pixels and not is_animated:
            break
        is_animated |= chunk.kind == b"acTL"
        frames += chunk.kind == b"fcTL"
    if count == MAX_CHUNKS and not has_pixels:
        raise ValueError("too many chunks before the pixels")
    return frames if is_animated else 1


FORMAT = Format(re.compile(re.escape(SIGNATURE)), FileType("PNG", "image/png", "png"), parse)
