"""Header of GIF (CompuServe, "Graphics Interchange Format, Version 89a")."""

import re

from .header import Data, FileType, Format, ImageSize, WorkLimit, unpack

MAX_BLOCKS = 2_000_000
"""A GIF of 500 MB has as many blocks; walking further would cost the server seconds."""
SCREEN_DESCRIPTOR_END = 13
"""Signature (6 bytes) and logical screen descriptor (7 bytes): sections 17 and 18."""
IMAGE_SEPARATOR, EXTENSION_INTRODUCER = 0x2C, 0x21
"""Sections 20 and 23 to 26."""
IMAGE_DESCRIPTOR_BYTES = 10
COLOR_TABLE_FLAG, COLOR_TABLE_SIZE_MASK = 0x80, 0x07
"""Bits of the packed fields in the screen descriptor and the image descriptor."""


def parse(data: Data, max_frames: int) -> ImageSize:
    """Read the screen's size, enlarged to the first frame's, and count frames."""
    width, height, flags = unpack("<HHB", data, 6)
    at = SCREEN_DESCRIPTOR_END + _color_table_bytes(flags)
    frames, limit = 0, WorkLimit(MAX_BLOCKS)
    while at < len(data) and frames <= max_frames:
        limit.spend()
        block = data[at]
        if block == IMAGE_SEPARATOR:
            data_at = at + IMAGE_DESCRIPTOR_BYTES + 1  # one byte of LZW code size stands before the blocks
            if data_at > len(data):
                break
            left, top, frame_width, frame_height, flags = unpack("<HHHHB", data, at + 1)
            if not frames:
                width, height = max(width, left + frame_width), max(height, top + frame_height)
            frames += 1
            at = _skip_sub_blocks(data, data_at + _color_table_bytes(flags), limit)
        elif block == EXTENSION_INTRODUCER:
            at = _skip_sub_blocks(data, at + 2, limit)
        else:
            break
    return ImageSize(width, height, max(1, frames))


def _color_table_bytes(flags: int) -> int:
    return 3 << (flags & COLOR_TABLE_SIZE_MASK) + 1 if flags & COLOR_TABLE_FLAG else 0


def _skip_sub_blocks(data: Data, at: int, limit: WorkLimit) -> int:
    """Return the offset after a chain of sub-blocks (section 15), or beyond the file if it is truncated."""
    end = len(data)
    while at < end and (length := data[at]):
        limit.spend()
        at += 1 + length
    return at + 1


FORMAT = Format(re.compile(rb"GIF8[79]a"), FileType("GIF", "image/gif", "gif"), parse)
