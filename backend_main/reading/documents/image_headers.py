"""Step 10 - what the first bytes of a file say: its kind, its size in pixels, its frames. Nothing is decoded.

This is all that looks at a stranger's bytes in the server's own process, so it is arithmetic on a mapped file
and no library: libraries load whole files, or all that a tag points at, to answer the same. The reader opens
a file by what this says and as nothing else, so the door and the decoder cannot disagree.

Each parser follows the format's own specification: PNG and APNG (W3C), JPEG (T.81 B), WebP (RFC 9649),
GIF89a, BMP (its DIB header), TIFF 6.0 and BigTIFF, HEIF (ISO 14496-12 boxes, 23008-12 `ispe`).
"""

import mmap
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

PDF_MAGIC_WITHIN_BYTES = 1024
"""ISO 32000-1, annex H.3.4.1: readers accept a header within the first 1024 bytes."""
SUPPORTED = "PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC and PDF"
EXIF = b"Exif\0\0"
MAX_STEPS = 2_000_000
"""A GIF of 500 MB has as many blocks; walking further costs the server seconds and is somebody's plan."""
MAX_PARTS = 100_000
MAX_SEGMENTS, MAX_PADDING_BYTES = 10_000, 4_096
MAX_TAGS = 512
MAX_EXIF_BYTES = 16 * 1024 * 1024

Data = mmap.mmap | bytes


class UnsupportedFormat(Exception):
    """No format that is read."""


class MalformedHeader(Exception):
    """It begins like `pillow`'s format, and then does not go on like it."""

    def __init__(self, pillow: str) -> None:
        super().__init__(pillow)
        self.pillow_format = pillow


class FileType(NamedTuple):
    """A format that is read: Pillow's name for it (None: not Pillow's), and what users see."""

    pillow_format: str | None
    content_type: str
    extension: str


class Header(NamedTuple):
    """`width` and `height` are of the smallest page, so what is too large here has no page that is not.

    A PDF is all zeros: only the reader's child opens it. `truncated` says that the chain of pages leads out of the
    file: there were more of them.
    """

    file_type: FileType
    width: int = 0
    height: int = 0
    frames: int = 0
    truncated: bool = False


class _Size(NamedTuple):
    width: int
    height: int
    frames: int = 1
    truncated: bool = False


def read_header(path: Path | str, max_frames: int) -> Header | None:
    """The header of a file, None for an empty one; frames are counted to one more than `most_frames`.

    Raises UnsupportedFormat, MalformedHeader, OSError.
    """
    with open(path, "rb") as file:
        if not file.read(1):
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read_header(data, max_frames)


def _read_header(data: Data, most_frames: int) -> Header:
    start = data[: PDF_MAGIC_WITHIN_BYTES + len(b"%PDF-")]
    found = next(((kind, parse) for magic, kind, parse in _KINDS if magic.match(start)), None)
    if found is None:
        raise UnsupportedFormat
    kind, parse = found
    if kind.pillow_format is None or parse is None:
        return Header(kind)
    try:
        size = parse(data, most_frames)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise MalformedHeader(kind.pillow_format) from error
    if size.width < 1 or size.height < 1:
        raise MalformedHeader(kind.pillow_format)
    return Header(kind, *size)


class WorkLimit:
    """How far a parser may walk. `spend` raises ValueError when that is used up."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ValueError("no end of parts")


def _unpack(layout: str, data: Data, offset: int) -> tuple[Any, ...]:
    """Of `struct`'s layout at this place. Raises struct.error beyond the file's end."""
    if offset > len(data):
        raise struct.error("an offset behind the file")
    return struct.unpack_from(layout, data, offset)


# ── one format each ──────────────────────────────────────────────────────────────────────────────


def _png(data: Data, _most_frames: int) -> _Size:
    length, kind, width, height, depth, colour = _unpack(">I4sIIBB", data, 8)
    if (length, kind) != (13, b"IHDR") or depth not in (1, 2, 4, 8, 16) or colour not in (0, 2, 3, 4, 6):
        raise ValueError("no IHDR")
    frames, at, steps = 1, 8 + 12 + length, WorkLimit(MAX_PARTS)
    while at + 12 <= len(data):
        steps.spend()
        length, kind = _unpack(">I4s", data, at)
        if kind == b"IDAT":
            break
        if kind == b"acTL":
            (frames,) = _unpack(">I", data, at + 8)
        at += 12 + length
    return _Size(width, height, max(1, frames))


_JPEG_MARKER = re.compile(rb"\xff([\x02-\xcf\xd9-\xfe])")  # one that a length follows, or the end
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def _jpeg(data: Data, _most_frames: int) -> _Size:
    exif, size = bytearray(), None
    steps, at = WorkLimit(MAX_SEGMENTS), 2
    while found := _JPEG_MARKER.search(data, at, at + MAX_PADDING_BYTES):
        steps.spend()
        marker, at = found[1][0], found.end()
        if marker in (0xD9, 0xDA):  # the end, or the pixels
            break
        (length,) = _unpack(">H", data, at)
        if marker in _JPEG_FRAMES and size is None:
            height, width = _unpack(">HH", data, at + 3)
            size = _Size(width, height)
        if marker == 0xE1 and data[at + 2 : at + 8] == EXIF:
            exif += data[at + 8 : at + length]
            if len(exif) > MAX_EXIF_BYTES:
                raise ValueError("no end of EXIF")
        at += length
    if size is None or not is_exif_bounded(bytes(exif)):
        raise ValueError("no frame, or EXIF that points at more than there is")
    return size


def _webp(data: Data, most_frames: int) -> _Size:
    kind = data[12:16]
    if kind == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise ValueError("no key frame")
        width, height = _unpack("<HH", data, 26)
        return _Size(width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        signature, bits = _unpack("<BI", data, 20)
        if signature != 0x2F:
            raise ValueError("no VP8L signature")
        return _Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind != b"VP8X":
        raise ValueError("no image chunk")
    width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    return _Size(width, height, max(1, _webp_frames(data, most_frames)))


def _webp_frames(data: Data, most_frames: int) -> int:
    frames, at, steps = 0, 12, WorkLimit(MAX_PARTS)
    while at + 8 <= len(data) and frames <= most_frames:
        steps.spend()
        kind, length = _unpack("<4sI", data, at)
        frames += kind == b"ANMF"
        at += 8 + length + length % 2
    return frames


def _gif(data: Data, most_frames: int) -> _Size:
    width, height, flags = _unpack("<HHB", data, 6)
    at = 13 + _colours(flags)
    frames, steps = 0, WorkLimit(MAX_STEPS)
    while at < len(data) and frames <= most_frames:
        steps.spend()
        block = data[at]
        if block == 0x2C:  # an image
            if at + 11 > len(data):
                break
            left, top, wide, high, flags = _unpack("<HHHHB", data, at + 1)
            if not frames:
                width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            at = _after_blocks(steps, data, at + 11 + _colours(flags))
        elif block == 0x21:  # an extension
            at = _after_blocks(steps, data, at + 2)
        else:
            break
    return _Size(width, height, max(1, frames))


def _colours(flags: int) -> int:
    """Bytes of the colour table that the flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(steps: WorkLimit, data: Data, at: int) -> int:
    """Past a chain of sub-blocks; the file's end where it breaks off."""
    end = len(data)
    while at < end and (length := data[at]):
        steps.spend()
        at += 1 + length
    return at + 1


def _bmp(data: Data, _most_frames: int) -> _Size:
    (header,) = _unpack("<I", data, 14)
    if header == 12:
        width, height = _unpack("<HH", data, 18)
    elif 16 <= header <= 256:
        width, height = _unpack("<ii", data, 18)
    else:
        raise ValueError("no DIB header")
    return _Size(width, abs(height))


# ── TIFF: a chain of directories, one a page ─────────────────────────────────────────────────────


class _Directory(NamedTuple):
    width: int
    height: int
    value_bytes: int
    next: int


_TYPE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
} | dict.fromkeys((16, 17, 18), 8)
_WIDTH, _HEIGHT = 256, 257


def _tiff(data: Data, most_frames: int) -> _Size:
    sizes: list[tuple[int, int]] = []
    cut = False
    seen: set[int] = set()
    at = _first_directory(data)
    while at and at not in seen and len(seen) <= most_frames:
        seen.add(at)
        try:
            directory = _directory(data, at)
        except struct.error:
            if len(seen) == 1:
                raise
            cut = True
            break
        if directory.value_bytes > len(data):
            raise ValueError("tags larger than the file")
        sizes.append((directory.width, directory.height))
        at = directory.next
    whole = [size for size in sizes if min(size) > 0]
    width, height = min(whole, key=lambda size: size[0] * size[1], default=(0, 0))
    return _Size(width, height, len(sizes), cut)


def is_exif_bounded(exif: bytes) -> bool:
    """Whether the values of EXIF's first directory can lie in it; what points at one place a thousand times
    would fill the memory of who loads them all. What is no EXIF fits: nobody loads it."""
    try:
        return _directory(exif, _first_directory(exif)).value_bytes <= len(exif)
    except (struct.error, ValueError, IndexError):
        return True


def _first_directory(data: Data) -> int:
    order, big = _order(data)
    (offset,) = _unpack(f"{order}Q", data, 8) if big else _unpack(f"{order}I", data, 4)
    return int(offset)


def _order(data: Data) -> tuple[str, bool]:
    order = "<" if data[:1] == b"I" else ">"
    return order, _unpack(f"{order}H", data, 2) == (43,)


def _directory(data: Data, at: int) -> _Directory:
    order, big = _order(data)
    counts, entries, offsets = (f"{order}Q", f"{order}HHQ", 8) if big else (f"{order}H", f"{order}HHI", 4)
    (count,) = _unpack(counts, data, at)
    if count > MAX_TAGS:
        raise ValueError("no end of tags")
    step = struct.calcsize(entries) + offsets
    at += struct.calcsize(counts)
    (following,) = _unpack(f"{order}{'Q' if big else 'I'}", data, at + count * step)
    size = {_WIDTH: 0, _HEIGHT: 0}
    value_bytes = 0
    for entry in range(at, at + count * step, step):
        tag, kind, number = _unpack(entries, data, entry)
        length = _TYPE_BYTES.get(kind, 0) * number
        value_bytes += length if length > offsets else 0
        if tag in size:
            layout = {1: "B", 3: "H", 4: "I", 16: "Q"}[kind] if kind in (1, 3, 4, 16) else "H"
            (size[tag],) = _unpack(order + layout, data, entry + step - offsets)
    return _Directory(size[_WIDTH], size[_HEIGHT], value_bytes, following)


# ── HEIF: boxes in boxes ─────────────────────────────────────────────────────────────────────────


def _heif(data: Data, _most_frames: int) -> _Size:
    """The largest of all spatial extents: of a picture made of tiles, that of the whole."""
    places = [(0, len(data))]
    # `meta` begins with four bytes of version and flags.
    for name, skip in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0), (b"ispe", 4)):
        inner = [_boxes(data, start, end, name) for start, end in places]
        places = [(start + skip, end) for boxes in inner for start, end in boxes]
    sizes = [_Size(*_unpack(">II", data, start)) for start, _ in places]
    return max(sizes, key=lambda size: size.width * size.height, default=_Size(0, 0))


def _boxes(data: Data, at: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes of one kind begin and end, between two places."""
    steps = WorkLimit(MAX_PARTS)
    while at + 8 <= end:
        steps.spend()
        length, kind = _unpack(">I4s", data, at)
        content = at + 8
        if length == 1:
            (length,) = _unpack(">Q", data, content)
            content += 8
        after = end if length == 0 else at + length
        if after < content or after > len(data):
            return
        if kind == wanted:
            yield content, after
        at = after


Parser = Callable[[Data, int], _Size]
PDF = FileType(None, "application/pdf", "pdf")
_HEIC_BRANDS = rb"heic|heix|heim|heis|hevc|hevx|mif1|msf1"
_KINDS: list[tuple[re.Pattern[bytes], FileType, Parser | None]] = [
    (re.compile(rb"\x89PNG\r\n\x1a\n"), FileType("PNG", "image/png", "png"), _png),
    (re.compile(rb"\xff\xd8\xff"), FileType("JPEG", "image/jpeg", "jpg"), _jpeg),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), FileType("WEBP", "image/webp", "webp"), _webp),
    (re.compile(rb"GIF8[79]a"), FileType("GIF", "image/gif", "gif"), _gif),
    (re.compile(rb"BM"), FileType("BMP", "image/bmp", "bmp"), _bmp),
    (
        re.compile(rb"....ftyp(?:" + _HEIC_BRANDS + rb")", re.DOTALL),
        FileType("HEIF", "image/heic", "heic"),
        _heif,
    ),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), FileType("TIFF", "image/tiff", "tif"), _tiff),
    (re.compile(rb".{0,%d}%%PDF-" % PDF_MAGIC_WITHIN_BYTES, re.DOTALL), PDF, None),
]
