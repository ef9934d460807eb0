"""Header of WebP (RFC 9649; lossy frames: RFC 6386, 9.1)."""

import re
from collections.abc import Iterator

from .header import MAX_CHUNKS, Data, FileType, Format, ImageSize, WorkLimit, unpack

RIFF_HEADER_BYTES, CHUNK_HEADER_BYTES = 12, 8
VP8_START_CODE = b"\x9d\x01\x2a"
"""RFC 6386, 9.1: three bytes after the frame tag of each key frame."""
VP8L_SIGNATURE = 0x2F
"""RFC 9649, 3.4."""
SIDE_MASK = 0x3FFF
"""Sides of VP8 and VP8L have 14 bits."""


def parse(data: Data, max_frames: int) -> ImageSize:
    """Read the size from the first chunk: VP8 (lossy), VP8L (lossless) or VP8X (extended, with frames)."""
    chunk_type = data[12:16]
    if chunk_type == b"VP8 ":
        if data[23:26] != VP8_START_CODE:
            raise ValueError("VP8 key frame is missing")
        width, height = unpack("<HH", data, 26)
        return ImageSize(width & SIDE_MASK, height & SIDE_MASK)
    if chunk_type == b"VP8L":
        signature, bits = unpack("<BI", data, 20)
        if signature != VP8L_SIGNATURE:
            raise ValueError("VP8L signature is missing")
        return ImageSize((bits & SIDE_MASK) + 1, (bits >> 14 & SIDE_MASK) + 1)
    if chunk_type != b"VP8X":
        raise ValueError("image chunk is missing")
    width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    return ImageSize(width, height, max(1, _count_frames(data, max_frames)))


def last_chunk(data: Data) -> tuple[int, int]:
    """Return the offset and the stated length of the last chunk that begins in the file."""
    at = length = 0
    for at, _, length in _chunks(data):  # noqa: B007  # the last values count
        pass
    return at, length


def _count_frames(data: Data, max_frames: int) -> int:
    """Count ANMF chunks, up to one more than `max_frames`."""
    frames = 0
    for _, kind, _ in _chunks(data):
        frames += kind == b"ANMF"
        if frames > max_frames:
            break
    return frames


def _chunks(data: Data) -> Iterator[tuple[int, bytes, int]]:
    """Yield offset, type and length of each chunk."""
    at, limit = RIFF_HEADER_BYTES, WorkLimit(MAX_CHUNKS)
    while at + CHUNK_HEADER_BYTES <= len(data):
        limit.spend()
        (length,) = unpack("<I", data, at + 4)
        yield at, data[at : at + 4], length
        at += CHUNK_HEADER_BYTES + length + length % 2


FORMAT = Format(re.compile(rb"RIFF....WEBP", re.DOTALL), FileType("WEBP", "image/webp", "webp"), parse)
