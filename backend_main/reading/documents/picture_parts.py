"""The parts of an image file that draw the picture: what a decoder gets to see of a PNG, JPEG or TIFF.

Color profiles, texts, thumbnails and other information stay outside. They may be damaged, or far larger than
the picture, and a decoder that reads them refuses the file.
"""

import mmap
import struct
from dataclasses import dataclass

from .image_headers import avif, jpeg, png, tiff
from .image_headers.png import packed_chunk
from .spliced_file import Piece, overlay

MAX_TEXT_BYTES = 1024 * 1024
"""Bytes of all tEXt chunks that are kept; the engine `dummy` reads them."""
MAX_EXIF_BYTES = 16 * 1024 * 1024
UNCHECKED_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS"}
"""Chunks that the pixels depend on. Their checksums are computed again: pixels may be right anyway."""
JFIF, ADOBE = 0xE0, 0xEE
"""APP0 and APP14. The latter says whether inks are inverted (Adobe Technical Note 5116, section 18)."""
JPEG_INFORMATION = ({*range(0xE0, 0xF0)} - {JFIF, ADOBE}) | {0xFE}
"""APPn and COM."""
SMALL, LARGE = 1024 * 1024, 16 * 1024 * 1024
TIFF_TAGS = (
    dict.fromkeys((254, 255, 256, 257, 258, 259, 262, 266, 270, 277, 278, 282, 283, 284, 292, 293), SMALL)
    | dict.fromkeys((296, 317, 320, 322, 323, 332, 333, 334, 338, 339, 347, 512, 513, 514, 515), SMALL)
    | dict.fromkeys((519, 520, 521, 529, 530, 531, 532), SMALL)
    | dict.fromkeys((273, 279, 324, 325), LARGE)
)
"""Tags that decoders need (TIFF 6.0), with a limit for the bytes of their values.

270 is ImageDescription. 273, 279, 324 and 325 list offsets and lengths: LARGE is 4 million strips or tiles.
"""


@dataclass(frozen=True)
class PictureParts:
    """Pieces for a `SplicedFile`, and the EXIF data, which the decoder does not get."""

    pieces: list[Piece]
    exif: bytes = b""


def parts_of(data: mmap.mmap, pillow_format: str, tiff_page_at: int = 0) -> PictureParts:
    """Return the parts of a mapped file; of a TIFF, those of the page whose directory begins at an offset."""
    if pillow_format == "TIFF":
        replaced = _plain_number_format(data, tiff_page_at)
        return PictureParts(overlay(len(data), tiff.single_page(data, tiff_page_at, TIFF_TAGS, replaced)))
    if pillow_format == "AVIF" and data[avif.BRAND_OFFSET : avif.BRAND_OFFSET + 4] not in avif.BRANDS:
        return PictureParts(overlay(len(data), {avif.BRAND_OFFSET: avif.BRANDS[0]}))
    try:
        if pillow_format == "PNG":
            return _png_parts(data)
        if pillow_format == "JPEG":
            return _jpeg_parts(data)
    except (ValueError, struct.error):
        pass
    return PictureParts([range(len(data))])


def _plain_number_format(data: mmap.mmap, page_at: int) -> dict[int, int]:
    """Return tags that make of a number format one that Pillow knows in both byte orders.

    Pillow ignores in these formats that 0 is white, and has no integers above 2**31. `NumberFormat` has both.
    """
    bits = tiff.tag_values(data, page_at, tiff.BITS_PER_SAMPLE)
    if bits not in ((16,), (32,)):
        return {}
    replaced = {tiff.PHOTOMETRIC: tiff.BLACK_IS_ZERO}
    if bits == (32,) and tiff.tag_value(data, page_at, tiff.SAMPLE_FORMAT, tiff.UNSIGNED) == tiff.UNSIGNED:
        replaced[tiff.SAMPLE_FORMAT] = tiff.SIGNED
    is_gray = tiff.tag_value(data, page_at, tiff.PHOTOMETRIC, 0) in (tiff.WHITE_IS_ZERO, tiff.BLACK_IS_ZERO)
    return replaced if is_gray else {}


def _png_parts(data: mmap.mmap) -> PictureParts:
    pieces: list[Piece] = [png.SIGNATURE]
    exif, text_bytes, end = b"", 0, len(png.SIGNATURE)
    for chunk in png.chunks(data):
        end = chunk.end
        length = chunk.end - 4 - chunk.content
        if chunk.kind in UNCHECKED_PNG_CHUNKS or (
            chunk.kind == b"tEXt" and (text_bytes := text_bytes + length) <= MAX_TEXT_BYTES
        ):
            pieces.append(packed_chunk(chunk.kind, data[chunk.content : chunk.end - 4]))
        elif chunk.kind in (b"IDAT", b"IEND"):
            pieces.append(range(chunk.at, min(chunk.end, len(data))))
        elif chunk.kind == b"eXIf" and length <= MAX_EXIF_BYTES:
            exif = data[chunk.content : chunk.end - 4]
    if end < len(data) and data[end - 8 : end - 4] != b"IEND":
        pieces.append(range(end, len(data)))
    return PictureParts(pieces, exif)


def _jpeg_parts(data: mmap.mmap) -> PictureParts:
    pieces: list[Piece] = []
    exif = bytearray()
    at = 0
    for segment in jpeg.segments(data):
        is_exif = data[segment.content : segment.content + len(jpeg.EXIF_PREFIX)] == jpeg.EXIF_PREFIX
        if segment.marker == jpeg.APP1 and is_exif and len(exif) < MAX_EXIF_BYTES:
            exif += data[segment.content + len(jpeg.EXIF_PREFIX) : segment.end]
        if segment.marker in JPEG_INFORMATION:
            pieces.append(range(at, segment.at))
            at = segment.end
    return PictureParts([*pieces, range(at, len(data))], bytes(exif))
