"""Compressed pictures that PDF knows, copied from the file as they are: JPEG, PNG, and Group 4 in TIFF."""

import zlib
from collections.abc import Callable

import msgspec

from ..documents.image_headers import jpeg, png, tiff
from ..documents.image_headers.header import Data, unpack

COLORS = {1: b"/DeviceGray", 3: b"/DeviceRGB", 4: b"/DeviceCMYK"}
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
"""Markers of the kinds of JPEG with Huffman codes, which PDF has (ISO 32000-1, 7.4.8)."""
ADOBE_MARKER = 0xEE
INVERTED_CMYK = b"/Decode[1 0 1 0 1 0 1 0]"
"""Adobe's programs store inks inverted, which their marker says (Adobe Technical Note 5116, section 18)."""
PALETTE = 3
PNG_SAMPLES = {0: 1, 2: 3, PALETTE: 1}
"""Samples of a pixel by color type, without those with alpha (PNG specification, 11.2.2)."""
PREDICTOR = 15
"""PNG's filters (ISO 32000-1, 7.4.4.4)."""
CHECKED_BYTES = 1 << 20
"""Bytes of a picture that are decompressed at a time."""
GROUP_4, LOW_BIT_FIRST = 4, 2
FILL_ORDER, STRIP_OFFSETS, STRIP_BYTES, T6_OPTIONS = 266, 273, 279, 293
"""Tags (TIFF 6.0, sections 8 and 11)."""
REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class PdfPicture(msgspec.Struct, frozen=True, tag=True):
    """An image of a PDF. `width` and `height` are those of the stored picture."""

    width: int
    height: int
    entries: bytes
    """Entries of its dictionary about colors and compression."""
    data: bytes
    orientation: int = 1
    """Orientation of the stored picture (CIPA DC-008, 4.6.5.1.6)."""
    dpi: tuple[float, float] = (0.0, 0.0)
    """Pixels per inch of the upright picture, across and down."""


def jpeg_copy(data: Data, _at: int = 0) -> PdfPicture | None:
    """Return a JPEG as it is; None for a kind that PDF does not have."""
    has_adobe_marker = False
    for segment in jpeg.segments(data):
        has_adobe_marker |= segment.marker == ADOBE_MARKER
        if segment.marker in jpeg.START_OF_FRAME:
            bits, height, width, components = unpack(">BHHB", data, segment.content)
            if (
                segment.marker not in (BASELINE, EXTENDED, PROGRESSIVE)
                or components not in COLORS
                or bits != 8
            ):
                return None
            decode = INVERTED_CMYK if components == 4 and has_adobe_marker else b""
            entries = b"/ColorSpace%b/BitsPerComponent 8/Filter/DCTDecode%b" % (COLORS[components], decode)
            return PdfPicture(width, height, entries, data[:])
    return None


def png_copy(data: Data, _at: int = 0) -> PdfPicture | None:
    """Return the pixels of a PNG as they are; None with transparency, interlacing or damage."""
    palette, parts = b"", []
    for chunk in png.chunks(data):
        content = data[chunk.content : chunk.end - 4]
        if chunk.kind == b"tRNS":
            return None
        if chunk.kind == b"PLTE":
            palette = content
        elif chunk.kind == b"IDAT":
            parts.append(content)
    width, height, bits, color, _, _, interlaced = unpack(">IIBBBBB", data, len(png.SIGNATURE) + 8)
    samples = PNG_SAMPLES.get(color)
    pixels = b"".join(parts)
    if samples is None or interlaced or (color == PALETTE and not palette):
        return None
    if not _is_intact(pixels, height * (1 + (width * samples * bits + 7) // 8)):
        return None
    space = COLORS[samples]
    if color == PALETTE:
        space = b"[/Indexed/DeviceRGB %d<%b>]" % (len(palette) // 3 - 1, palette.hex().encode())
    entries = (
        b"/ColorSpace%b/BitsPerComponent %d/Filter/FlateDecode"
        b"/DecodeParms<</Predictor %d/Colors %d/BitsPerComponent %d/Columns %d>>"
    ) % (space, bits, PREDICTOR, samples, bits, width)
    return PdfPicture(width, height, entries, pixels)


def _is_intact(compressed: bytes, size: int) -> bool:
    """Return whether compressed pixels have their size and their checksum."""
    stream, pending, count = zlib.decompressobj(), compressed, 0
    try:
        while count <= size and not stream.eof:
            part = stream.decompress(pending, CHECKED_BYTES)
            pending = stream.unconsumed_tail
            if not part and not pending:
                break
            count += len(part)
    except zlib.error:
        return False
    return stream.eof and count == size


def group_4_copy(data: Data, at: int) -> PdfPicture | None:
    """Return the page of a TIFF as it is; None unless it is Group 4 in one strip."""

    def value(tag: int, default: int) -> int:
        return tiff.tag_value(data, at, tag, default)

    places, lengths = tiff.tag_values(data, at, STRIP_OFFSETS), tiff.tag_values(data, at, STRIP_BYTES)
    is_simple = (value(tiff.COMPRESSION, 1), value(tiff.BITS_PER_SAMPLE, 1), value(T6_OPTIONS, 0)) == (
        GROUP_4,
        1,
        0,
    )
    if not is_simple or len(places) != 1 or len(lengths) != 1 or places[0] + lengths[0] > len(data):
        return None
    strip = data[places[0] : places[0] + lengths[0]]
    if value(FILL_ORDER, 1) == LOW_BIT_FIRST:
        strip = strip.translate(REVERSED_BITS)
    width, height = value(tiff.IMAGE_WIDTH, 0), value(tiff.IMAGE_LENGTH, 0)
    is_inverted = value(tiff.PHOTOMETRIC, tiff.WHITE_IS_ZERO) == tiff.BLACK_IS_ZERO
    entries = (
        b"/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/CCITTFaxDecode"
        b"/DecodeParms<</K -1/Columns %d/Rows %d/BlackIs1 %b>>"
    ) % (width, height, b"true" if is_inverted else b"false")
    return PdfPicture(width, height, entries, strip)


COPIES: dict[str, Callable[[Data, int], PdfPicture | None]] = {
    "JPEG": jpeg_copy,
    "PNG": png_copy,
    "TIFF": group_4_copy,
}
"""By Pillow's name of the format. The number is the offset of the page's directory in a TIFF."""
