"""Header of BMP (Microsoft, "Bitmap Header Types")."""

import re

from .header import Data, FileType, Format, ImageSize, unpack

DIB_HEADER_OFFSET = 14
CORE_HEADER_BYTES = 12
"""BITMAPCOREHEADER: sides have 16 bits."""
MIN_INFO_HEADER_BYTES, MAX_INFO_HEADER_BYTES = 16, 256
"""OS22XBITMAPHEADER to beyond BITMAPV5HEADER (124): sides have 32 bits, the height negative for top-down."""


def parse(data: Data, _max_frames: int) -> ImageSize:
    """Read the size from the DIB header."""
    (header_bytes,) = unpack("<I", data, DIB_HEADER_OFFSET)
    if header_bytes == CORE_HEADER_BYTES:
        width, height = unpack("<HH", data, DIB_HEADER_OFFSET + 4)
    elif MIN_INFO_HEADER_BYTES <= header_bytes <= MAX_INFO_HEADER_BYTES:
        width, height = unpack("<ii", data, DIB_HEADER_OFFSET + 4)
    else:
        raise ValueError("unknown DIB header")
    return ImageSize(width, abs(height))


FORMAT = Format(re.compile(rb"BM"), FileType("BMP", "image/bmp", "bmp"), parse)
