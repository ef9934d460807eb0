"""Large pictures in color, decoded without a full copy in the form of Pillow.

Pillow has 4 bytes for each pixel in color: 800 MB for the largest picture allowed.
"""

import io
import math
import mmap
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import IO, cast

import numpy as np
import pi_heif
from PIL import Image, ImageFile, TiffImagePlugin, TiffTags

from .image_headers import png
from .image_headers.tiff import BITS_PER_SAMPLE, COMPRESSION, IMAGE_LENGTH, IMAGE_WIDTH, PHOTOMETRIC
from .pixels import STRIP_ROWS, Pixels, Strips

LARGE_PIXELS = 50_000_000
"""A smaller picture has at most 200 MB in the form of Pillow."""
COLOR_SCALE = 4
"""Reduction of the colors of a JPEG, whose brightness is not reduced. Cameras reduce colors by 2."""
PNG_PIXEL_BYTES, PNG_NO_FILTER = 3, b"\0"
"""Bytes of a pixel, and the filter type of a row that is stored as it is."""
PNG_PLAIN_RGB = bytes([8, png.RGB, 0, 0, 0])
"""IHDR after the size: bits, color type, compression, filters, not interlaced."""
LITTLE_ENDIAN_TIFF = b"II*\0\x08\0\0\0"
"""Header whose first directory follows."""
STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_BYTES = 273, 277, 278, 279
PLANAR_CONFIGURATION, PREDICTOR = 284, 317
COPIED_TIFF_TAGS = (
    IMAGE_WIDTH,
    BITS_PER_SAMPLE,
    COMPRESSION,
    PHOTOMETRIC,
    SAMPLES_PER_PIXEL,
    ROWS_PER_STRIP,
    PREDICTOR,
)
RGB_TIFF = 2
"""Photometric interpretation of red, green and blue (TIFF 6.0)."""
STRIP_COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd")
"""Pillow's names of the compressions whose strips do not depend on other parts of the file."""
OpenImage = Callable[[], ImageFile.ImageFile]


def large_strips(
    pillow_format: str, data: mmap.mmap, open_image: OpenImage, open_file: Callable[[], IO[bytes]]
) -> Strips | None:
    """Return a large picture in color; None if Pillow can decode it as a whole.

    Raises OSError if the file is damaged, as `Strips.rgb` does.
    """
    image = open_image()
    is_large = image.width * image.height >= LARGE_PIXELS
    if not is_large or image.mode != "RGB" or image.has_transparency_data:
        return None
    if pillow_format == "JPEG":
        return JpegStrips(open_image)
    if pillow_format == "TIFF":
        is_in_strips = TiffStrips.can_decode(image)
        return TiffStrips(cast("TiffImagePlugin.TiffImageFile", image), data) if is_in_strips else None
    if pillow_format == "HEIF":
        return HeifStrips(open_file())
    if pillow_format == "PNG":
        chunks = list(png.chunks(data))
        header = data[chunks[0].content + 8 : chunks[0].end - 4]
        if header == PNG_PLAIN_RGB:
            parts = (data[chunk.content : chunk.end - 4] for chunk in chunks if chunk.kind == b"IDAT")
            return PngStrips(image.width, image.height, parts)
    return None


class JpegStrips(Strips):
    """A JPEG in color: its brightness in full size, and its colors in a quarter of it.

    Raises OSError if the file is damaged.
    """

    def __init__(self, open_image: OpenImage) -> None:
        self._brightness = open_image()
        self.width, self.height = self._brightness.size
        self._brightness.draft("L", self._brightness.size)
        self._brightness.load()
        self._color = open_image()
        self._color.draft("RGB", (self.width // COLOR_SCALE, self.height // COLOR_SCALE))
        self._color.load()

    def rgb(self, top: int, bottom: int) -> Pixels:
        import cv2

        first, last = top // COLOR_SCALE, -(-bottom // COLOR_SCALE)
        color = np.asarray(self._color.crop((0, first, self._color.width, last)))
        size = (color.shape[1] * COLOR_SCALE, color.shape[0] * COLOR_SCALE)
        strip = cv2.cvtColor(cv2.resize(color, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_RGB2YCrCb)
        strip = np.ascontiguousarray(strip[: bottom - top, : self.width])
        strip[:, :, 0] = np.asarray(self._brightness.crop((0, top, self.width, bottom)))
        return np.asarray(cv2.cvtColor(strip, cv2.COLOR_YCrCb2RGB), np.uint8)


class PngStrips(Strips):
    """A PNG in color, without transparency: each strip is decoded as a PNG of its own.

    The filters of a row refer to the row above it, which is therefore the first row of each of these PNGs
    (W3C, PNG, section 9).
    """

    def __init__(self, width: int, height: int, parts: Iterator[bytes]) -> None:
        """Args: `parts` of the compressed data, which the IDAT chunks contain."""
        self.width, self.height = width, height
        self._parts = parts
        self._inflater = zlib.decompressobj()
        self._row_bytes = 1 + PNG_PIXEL_BYTES * width
        self._above = bytes(self._row_bytes)  # a row of zeros is above the first one

    def rgb(self, top: int, bottom: int) -> Pixels:
        rows = self._inflate((bottom - top) * self._row_bytes)
        image = Image.open(io.BytesIO(_png(self.width, self._above + rows)), formats=["PNG"])
        pixels = np.asarray(image)[1:]
        self._above = PNG_NO_FILTER + pixels[-1].tobytes()
        return pixels

    def _inflate(self, size: int) -> bytes:
        """Return the next bytes of the rows. Raises OSError if the data end before."""
        rows = bytearray()
        while len(rows) < size:
            part = self._inflater.unconsumed_tail or next(self._parts, b"")
            found = self._inflater.decompress(part, size - len(rows))
            if not part and not found:
                raise OSError("The data of the PNG end early.")
            rows += found
        return bytes(rows)


class TiffStrips(Strips):
    """A TIFF in red, green and blue, stored in strips, some of which are decoded as a TIFF of their own."""

    def __init__(self, image: TiffImagePlugin.TiffImageFile, data: mmap.mmap) -> None:
        self.width, self.height = image.size
        self._data = data
        tags = image.tag_v2
        self._copied = {tag: tags[tag] for tag in COPIED_TIFF_TAGS if tag in tags}
        self._rows = int(tags.get(ROWS_PER_STRIP, self.height))
        self._stored = list(zip(tags[STRIP_OFFSETS], tags[STRIP_BYTES], strict=True))
        self._is_raw = image.info["compression"] == "raw"
        self.row_step = STRIP_ROWS if self._is_raw else math.lcm(self._rows, STRIP_ROWS)

    @staticmethod
    def can_decode(image: ImageFile.ImageFile) -> bool:
        """Return whether the samples of a pixel are together, in several strips that are not JPEGs."""
        if not isinstance(image, TiffImagePlugin.TiffImageFile):
            return False
        tags = image.tag_v2
        is_plain = tags.get(PHOTOMETRIC) == RGB_TIFF and tags.get(PLANAR_CONFIGURATION, 1) == 1
        compression = image.info.get("compression")
        rows = 1 if compression == "raw" else tags.get(ROWS_PER_STRIP, image.height)
        is_in_strips = STRIP_OFFSETS in tags and 2 * math.lcm(rows, STRIP_ROWS) < image.height
        return is_plain and is_in_strips and compression in STRIP_COMPRESSIONS

    def rgb(self, top: int, bottom: int) -> Pixels:
        if self._is_raw:
            self._copied[ROWS_PER_STRIP] = bottom - top
            strips = [b"".join(self._raw_rows(top, bottom))]
        else:
            stored = self._stored[top // self._rows : -(-bottom // self._rows)]
            strips = [self._data[at : at + size] for at, size in stored]
        file = io.BytesIO(self._tiff(bottom - top, strips))
        self._data.madvise(mmap.MADV_DONTNEED)  # mapped parts of the file count as memory of the process
        return np.asarray(Image.open(file, formats=["TIFF"]))

    def _raw_rows(self, top: int, bottom: int) -> Iterator[bytes]:
        """Yield the rows of a picture that is not compressed, by strip: programs write it as one strip."""
        size = 3 * self.width
        for number in range(top // self._rows, -(-bottom // self._rows)):
            at, first = self._stored[number][0], number * self._rows
            start, end = max(top - first, 0), min(bottom - first, self._rows)
            yield self._data[at + start * size : at + end * size]

    def _tiff(self, height: int, strips: Sequence[bytes]) -> bytes:
        directory = TiffImagePlugin.ImageFileDirectory_v2(LITTLE_ENDIAN_TIFF)
        directory.tagtype[STRIP_OFFSETS] = TiffTags.LONG
        for tag, value in self._copied.items():
            directory[tag] = value
        directory[IMAGE_LENGTH] = height
        directory[STRIP_BYTES] = tuple(map(len, strips))
        # `tobytes` adds the end of the directory, where the strips follow.
        directory[STRIP_OFFSETS] = tuple(accumulate(map(len, strips[:-1]), initial=0))
        return b"".join([LITTLE_ENDIAN_TIFF, directory.tobytes(len(LITTLE_ENDIAN_TIFF)), *strips])


class HeifStrips(Strips):
    """The primary image of a HEIF file, in the memory of libheif."""

    def __init__(self, file: IO[bytes]) -> None:
        images = pi_heif.open_heif(file, convert_hdr_to_8bit=True, remove_stride=False)
        self._image = images[images.primary_index]
        self._data = np.frombuffer(self._image.data, np.uint8)
        if self._image.mode != "RGB":
            raise OSError("The HEIF image is not in color.")
        self.width, self.height = self._image.size  # known for certain once it is decoded

    def rgb(self, top: int, bottom: int) -> Pixels:
        row_bytes = self._image.stride
        rows = self._data[top * row_bytes : bottom * row_bytes].reshape(-1, row_bytes)
        return rows[:, : 3 * self.width].reshape(-1, self.width, 3)


def _png(width: int, rows: bytes) -> bytes:
    height = len(rows) // (1 + PNG_PIXEL_BYTES * width)
    header = struct.pack(">II", width, height) + PNG_PLAIN_RGB
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return png.SIGNATURE + b"".join(png.packed_chunk(kind, content) for kind, content in chunks)
