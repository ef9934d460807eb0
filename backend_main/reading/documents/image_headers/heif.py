"""Header of HEIF (ISO 14496-12 boxes; `ispe`: ISO 23008-12, 6.5.3)."""

import re
from collections.abc import Iterator

from .header import MAX_CHUNKS, Data, FileType, Format, ImageSize, WorkLimit, unpack

BOX_HEADER_BYTES = 8
LENGTH_TO_END, LENGTH_OF_64_BITS = 0, 1
"""Special values of a box's length: to the end of the file, and in eight bytes after the type."""
FULL_BOX_BYTES = 4
"""Version and flags, with which `meta` and `ispe` begin."""
PATH_TO_SIZES = ((b"meta", FULL_BOX_BYTES), (b"iprp", 0), (b"ipco", 0), (b"ispe", FULL_BOX_BYTES))
CODECS = {
    b"vvc1": "VVC",
    b"j2k1": "JPEG 2000",
    b"jpeg": "JPEG",
    b"avc1": "H.264",
    b"evc1": "EVC",
    b"unci": "no codec",
}
"""Types of items (ISO 23008-12, annexes) that the decoder for HEVC does not decode."""
MAX_ITEMS_OFFSET = 65_536
_ITEM = re.compile(rb"infe[\2\3]...(..|....)\0\0(" + b"|".join(CODECS) + rb")", re.DOTALL)
_BRANDS = rb"heic|heix|heim|heis|hevc|hevx|mif1|msf1"


def parse(data: Data, _max_frames: int) -> ImageSize:
    """Read the largest of all spatial extents: in a picture of tiles, that of the whole picture."""
    ranges = [(0, len(data))]
    for box_type, skipped_bytes in PATH_TO_SIZES:
        boxes = [box for start, end in ranges for box in _boxes(data, start, end, box_type)]
        ranges = [(start + skipped_bytes, end) for start, end in boxes]
    sizes = [unpack(">II", data, start) for start, _ in ranges]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return ImageSize(width, height)


def _boxes(data: Data, at: int, end: int, box_type: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of the contents of each box of `box_type` between two offsets."""
    limit = WorkLimit(MAX_CHUNKS)
    while at + BOX_HEADER_BYTES <= end:
        limit.spend()
        (length,) = unpack(">I", data, at)
        content = at + BOX_HEADER_BYTES
        is_wanted = data[at + 4 : content] == box_type
        if length == LENGTH_OF_64_BITS:
            (length,) = unpack(">Q", data, content)
            content += 8
        box_end = end if length == LENGTH_TO_END else at + length
        if box_end < content or box_end > len(data):
            return
        if is_wanted:
            yield content, box_end
        at = box_end


def find_codec(data: Data) -> str | None:
    """Return the name of the codec of the picture if it is not HEVC."""
    found = {item_type for _, item_type in _ITEM.findall(data[:MAX_ITEMS_OFFSET])}
    return next((name for item_type, name in CODECS.items() if item_type in found), None)


FORMAT = Format(
    re.compile(rb"....ftyp(?:" + _BRANDS + rb")", re.DOTALL),
    FileType("HEIF", "image/heic", "heic"),
    parse,
)
