"""Header of JPEG (ITU-T T.81, annex B; EXIF: CIPA DC-008, 4.7.2)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .header import Data, FileType, Format, ImageSize, WorkLimit, unpack

EXIF_PREFIX = b"Exif\0\0"
"""First bytes of an APP1 segment that holds EXIF."""
MAX_SEGMENTS = 10_000
MAX_PADDING_BYTES = 4_096

# Markers of T.81, table B.1.
DHT, JPG, DAC = 0xC4, 0xC8, 0xCC
"""Define Huffman tables, reserved, define arithmetic coding: those between the SOF markers."""
START_OF_FRAME = {*range(0xC0, 0xD0)} - {DHT, JPG, DAC}
SUPPORTED_PRECISION = 8
UNSUPPORTED_FRAMES = {
    0xC3: "lossless coding",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical coding"),
    0xCB: "lossless coding",
}
END_OF_IMAGE, START_OF_SCAN, APP1 = 0xD9, 0xDA, 0xE1
_MARKER = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")
"""Any marker that a length follows, or the end of the image: not TEM (0x01), RST (0xD0-0xD7), SOI (0xD8)."""


class Segment(NamedTuple):
    """A segment: its marker, and the offsets of its first byte, of its content and of its end."""

    marker: int
    at: int
    content: int
    end: int


def parse(data: Data, _max_frames: int) -> ImageSize:
    """Read the size from the first SOF segment."""
    for segment in segments(data):
        if segment.marker in START_OF_FRAME:
            height, width = unpack(">HH", data, segment.content + 1)
            return ImageSize(width, height)
    raise ValueError("SOF is missing")


def find_unsupported_kind(data: Data) -> str | None:
    """Return the name of a kind of JPEG that libjpeg-turbo does not decode to 8 bits a sample."""
    for segment in segments(data):
        if segment.marker in START_OF_FRAME:
            precision = data[segment.content]
            if precision != SUPPORTED_PRECISION:
                return f"{precision} bits a color"
            return UNSUPPORTED_FRAMES.get(segment.marker)
    return None


def segments(data: Data) -> Iterator[Segment]:
    """Yield the segments before the pixels. Raises ValueError, struct.error."""
    limit, at = WorkLimit(MAX_SEGMENTS), len(b"\xff\xd8")
    while found := _MARKER.search(data, at, at + MAX_PADDING_BYTES):
        limit.spend()
        marker, length_at = found[1][0], found.end()
        if marker in (END_OF_IMAGE, START_OF_SCAN):
            return
        (length,) = unpack(">H", data, length_at)
        at = length_at + length
        yield Segment(marker, found.start(), length_at + 2, at)


FORMAT = Format(re.compile(rb"\xff\xd8\xff"), FileType("JPEG", "image/jpeg", "jpg"), parse)
