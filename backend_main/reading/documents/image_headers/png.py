"""Header of PNG and animated PNG (W3C, "Portable Network Graphics", third edition)."""

import re

from .header import MAX_CHUNKS, Data, FileType, Format, ImageSize, WorkLimit, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IHDR_BYTES = 13
CHUNK_OVERHEAD_BYTES = 12
"""Length, type and checksum of a chunk, four bytes each."""
BIT_DEPTHS = (1, 2, 4, 8, 16)
COLOR_TYPES = (0, 2, 3, 4, 6)


def parse(data: Data, _max_frames: int) -> ImageSize:
    """Read IHDR, and the frame count of acTL if that stands before the pixels."""
    at = len(SIGNATURE)
    (length,) = unpack(">I", data, at)
    width, height, depth, color_type = unpack(">IIBB", data, at + 8)
    if (length, data[at + 4 : at + 8]) != (IHDR_BYTES, b"IHDR"):
        raise ValueError("IHDR is missing")
    if depth not in BIT_DEPTHS or color_type not in COLOR_TYPES:
        raise ValueError("IHDR has an unknown bit depth or color type")
    frames, limit = 1, WorkLimit(MAX_CHUNKS)
    at += CHUNK_OVERHEAD_BYTES + length
    while at + CHUNK_OVERHEAD_BYTES <= len(data):
        limit.spend()
        (length,) = unpack(">I", data, at)
        chunk_type = data[at + 4 : at + 8]
        if chunk_type == b"IDAT":
            break
        if chunk_type == b"acTL":
            (frames,) = unpack(">I", data, at + 8)
        at += CHUNK_OVERHEAD_BYTES + length
    return ImageSize(width, height, max(1, frames))


FORMAT = Format(re.compile(re.escape(SIGNATURE)), FileType("PNG", "image/png", "png"), parse)
