"""Header of JPEG (ITU-T T.81, annex B; EXIF: CIPA DC-008, 4.7.2)."""

import re

from .header import Data, FileType, Format, ImageSize, WorkLimit, unpack
from .tiff import is_exif_bounded

EXIF_PREFIX = b"Exif\0\0"
"""First bytes of an APP1 segment that holds EXIF."""
MAX_SEGMENTS = 10_000
MAX_PADDING_BYTES = 4_096
MAX_EXIF_BYTES = 16 * 1024 * 1024

# Markers of T.81, table B.1.
DHT, JPG, DAC = 0xC4, 0xC8, 0xCC
"""Define Huffman tables, reserved, define arithmetic coding: those between the SOF markers."""
START_OF_FRAME = {*range(0xC0, 0xD0)} - {DHT, JPG, DAC}
END_OF_IMAGE, START_OF_SCAN, APP1 = 0xD9, 0xDA, 0xE1
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")
"""Any marker that a length follows, or the end of the image: not TEM (0x01), RST (0xD0-0xD7), SOI (0xD8)."""


def parse(data: Data, _max_frames: int) -> ImageSize:
    """Read the size from the first SOF segment, and check the size of the EXIF."""
    exif, size = bytearray(), None
    limit, at = WorkLimit(MAX_SEGMENTS), len(b"\xff\xd8")
    while found := _MARKER.search(data, at, at + MAX_PADDING_BYTES):
        limit.spend()
        marker, at = found[1][0], found.end()
        if marker in (END_OF_IMAGE, START_OF_SCAN):
            break
        (length,) = unpack(">H", data, at)
        if marker in START_OF_FRAME and size is None:
            height, width = unpack(">HH", data, at + 3)
            size = ImageSize(width, height)
        if marker == APP1 and data[at + 2 : at + 8] == EXIF_PREFIX:
            exif += data[at + 8 : at + length]
            if len(exif) > MAX_EXIF_BYTES:
                raise ValueError("EXIF is too long")
        at += length
    if size is None:
        raise ValueError("SOF is missing")
    if not is_exif_bounded(bytes(exif)):
        raise ValueError("EXIF values exceed the EXIF")
    return size


FORMAT = Format(re.compile(rb"\xff\xd8\xff"), FileType("JPEG", "image/jpeg", "jpg"), parse)
