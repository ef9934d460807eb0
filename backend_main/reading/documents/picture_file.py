"""Image files: the pictures in them, decoded by Pillow as far as the file goes."""

import logging
import mmap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, cast

import pi_heif
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError, features

from ..errors import UnreadableFile
from ..types import PageWarning
from . import rejections
from .image_headers import EXIF_PREFIX, exif_orientation, heif, jpeg, tiff
from .large_pictures import large_strips
from .library_messages import native_messages
from .picture_parts import PictureParts, parts_of
from .picture_recovery import RecoveredImage, recover_image
from .pixels import NumberFormat, PillowStrips, Pixels, to_upright_bgr
from .source_file import SourceFile, open_source
from .spliced_file import Piece, SplicedFile

# `max_pixels` is checked before any decoding. Pillow's limit warns at one size, raises at another.
Image.MAX_IMAGE_PIXELS = None
pi_heif.register_heif_opener()

FORMATS_THAT_END_EARLY = ("PNG", "GIF")
BAD_FAX_LINE = "Bad code word"
"""Message of libtiff about a damaged line of Group 4; it goes on with the next line."""
UNSUPPORTED_BMP, UNKNOWN_MODE = "Unsupported BMP", "unknown raw mode"
"""Starts of Pillow's messages about pixels that it does not know."""
PNG_BIT_DEPTH_OFFSET = 24
"""Ninth byte of the content of IHDR, which follows the signature."""
_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class Picture:
    """A decoded picture: upright, on an opaque ground. `warnings` say what the file lacks."""

    pixels: Pixels
    info: dict[str, str] = field(default_factory=dict)
    warnings: tuple[PageWarning, ...] = ()
    frames: int = 1
    """Images that the file contains, of which this is the first. A TIFF contains one for each page."""


class PictureFile:
    """An open image file, whose pictures are numbered from 1."""

    def __init__(self, path: SourceFile, pillow_format: str, *, max_pictures: int, max_pixels: int) -> None:
        """Open a file whose header has been checked."""
        self._format = pillow_format
        self._max_pixels = max_pixels
        self._tiff_pages: list[tiff.Directory] = []
        self._file = open_source(path)
        try:
            self._data = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            if pillow_format == "TIFF":
                directories, _ = tiff.read_chain(self._data, tiff.DIRECTORIES_PER_PAGE * max_pictures)
                self._tiff_pages = tiff.pages(directories)
        except BaseException:
            self._file.close()
            raise

    def decode(self, number: int) -> Picture:
        """Decode a picture as far as the file goes. Raises UnreadableFile."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's warnings are for developers
            parts = self._parts(number)
            if self._format != "TIFF":
                return self._decode(number, parts)
            with native_messages("libtiff") as messages:
                picture = self._decode(number, parts)
        if not picture.warnings and any(BAD_FAX_LINE in message for message in messages):
            return replace(picture, warnings=(rejections.damaged_inside(number),))
        return picture

    def _parts(self, number: int) -> PictureParts:
        page_at = self._tiff_pages[number - 1].at if self._tiff_pages else 0
        return parts_of(self._data, self._format, page_at)

    def _decode(self, number: int, parts: PictureParts) -> Picture:
        if large := self._decode_large(number, parts):
            return large
        image, recovered = self._load(number, parts)
        strips = PillowStrips(image, self._number_format(number, image))
        missing_rows = recovered.missing_rows if recovered else None
        orientation = self._orientation(number, parts, image)
        pixels = to_upright_bgr(strips, orientation, missing_rows=missing_rows)
        frames = getattr(image, "n_frames", 1) if self._format in ("HEIF", "AVIF") else 1
        return Picture(pixels, _texts_of(image), tuple(_damage_warnings(number, recovered)), frames)

    def _decode_large(self, number: int, parts: PictureParts) -> Picture | None:
        """Decode a large picture that is not damaged; return None for any other."""
        open_image = partial(self._open_image, parts.pieces)
        open_file = partial(self._spliced_file, parts.pieces)
        try:
            strips = large_strips(self._format, self._data, open_image, open_file)
            if strips is None:
                return None
            header = open_image()
            orientation = self._orientation(number, parts, header)
            frames = getattr(header, "n_frames", 1) if self._format == "HEIF" else 1
            return Picture(to_upright_bgr(strips, orientation), _texts_of(header), frames=frames)
        except UnreadableFile:
            raise
        except Exception as error:  # decoders raise any exception on broken data
            _log.debug("A large picture could not be decoded in strips.", exc_info=error)
            return None

    def _load(self, number: int, parts: PictureParts) -> tuple[Image.Image, RecoveredImage | None]:
        loaded = self._try_to_load(parts.pieces)
        if isinstance(loaded, Image.Image) and not self._may_end_early(loaded):
            return loaded, None
        error = loaded if isinstance(loaded, Exception) else None
        del loaded
        recovered = recover_image(self._format, self._data, parts.pieces, self._open_image)
        if recovered is None:
            raise UnreadableFile(self._reason(number, error)) from error
        return recovered.image, recovered

    def _may_end_early(self, image: Image.Image) -> bool:
        """Return whether the last row may be memory that nothing was decoded into.

        Pillow accepts compressed data that ends before the last row without an error.
        """
        if self._format not in FORMATS_THAT_END_EARLY:
            return False
        return image.crop((0, image.height - 1, image.width, image.height)).getbbox() is None

    def _try_to_load(self, pieces: list[Piece]) -> Image.Image | Exception:
        """Return the image, or the decoder's error without its traceback, which would keep the image."""
        try:
            image = self._open_image(pieces)
            image.load()
            return image
        except UnreadableFile:
            raise
        except Exception as error:  # decoders raise any exception on broken data
            return error.with_traceback(None)

    def _open_image(self, pieces: list[Piece]) -> ImageFile.ImageFile:
        file = self._spliced_file(pieces)
        image = Image.open(file, formats=[self._format])
        if isinstance(image, TiffImagePlugin.TiffImageFile) and image.mode == "YCbCr":
            image = _open_with_libtiff(file)
        width, height = image.size
        if width * height > self._max_pixels:
            raise UnreadableFile(rejections.too_many_pixels(width, height, self._max_pixels))
        if self._format == "PNG":
            _scale_transparency(image, self._data[PNG_BIT_DEPTH_OFFSET])
        return image

    def _spliced_file(self, pieces: list[Piece]) -> IO[bytes]:
        # libtiff reads by offsets, which are the same in the file itself.
        descriptor = self._file.fileno() if self._format == "TIFF" else None
        return cast("IO[bytes]", SplicedFile(self._data, pieces, descriptor))

    def _orientation(self, number: int, parts: PictureParts, image: Image.Image) -> int:
        if self._tiff_pages:
            return self._tag(number, tiff.ORIENTATION, default=1)
        exif = parts.exif or image.info.get("exif") or b""
        return exif_orientation(exif.removeprefix(EXIF_PREFIX))

    def _number_format(self, number: int, image: Image.Image) -> NumberFormat | None:
        if not self._tiff_pages or image.mode[0] not in "IF":
            return None
        photometric = self._tag(number, tiff.PHOTOMETRIC, default=tiff.WHITE_IS_ZERO)
        sample_format = self._tag(number, tiff.SAMPLE_FORMAT, default=tiff.UNSIGNED)
        return NumberFormat(photometric == tiff.WHITE_IS_ZERO, sample_format == tiff.UNSIGNED)

    def _tag(self, number: int, tag: int, *, default: int) -> int:
        return tiff.tag_value(self._data, self._tiff_pages[number - 1].at, tag, default)

    def _reason(self, number: int, error: Exception | None) -> str:
        """Return the message for a picture that cannot be decoded at all."""
        reason: str | None = None
        if self._tiff_pages:
            reason = rejections.unsupported_compression(
                number, self._tag(number, tiff.COMPRESSION, default=1)
            )
            if reason is None and (
                isinstance(error, UnidentifiedImageError) or _starts_with(error, UNKNOWN_MODE)
            ):
                reason = self._unsupported_samples(number)
        elif self._format == "BMP" and _starts_with(error, UNSUPPORTED_BMP):
            reason = rejections.unsupported_bmp(number)
        elif self._format == "JPEG" and (kind := jpeg.find_unsupported_kind(self._data)):
            reason = rejections.unsupported_jpeg(kind)
        elif self._format == "HEIF" and (codec := heif.find_codec(self._data)):
            reason = rejections.unsupported_codec(codec)
        elif self._format == "AVIF" and not features.check("avif"):
            reason = rejections.AVIF_NOT_INSTALLED
        return reason or rejections.broken_page(number)

    def _unsupported_samples(self, number: int) -> str | None:
        page_at = self._tiff_pages[number - 1].at
        bits = tiff.tag_values(self._data, page_at, tiff.BITS_PER_SAMPLE)
        kind = self._tag(number, tiff.SAMPLE_FORMAT, default=tiff.UNSIGNED)
        return rejections.unsupported_samples(number, bits, kind) if bits else None

    def close(self) -> None:
        """Close the file."""
        self._data.close()
        self._file.close()


def _open_with_libtiff(file: IO[bytes]) -> ImageFile.ImageFile:
    """Open an uncompressed TIFF of luma and chroma.

    Pillow's own decoder takes the chroma, of which there is one for several pixels, for further pixels.
    """
    TiffImagePlugin.READ_LIBTIFF = True
    try:
        file.seek(0)
        return Image.open(file, formats=["TIFF"])
    finally:
        TiffImagePlugin.READ_LIBTIFF = False


def _starts_with(error: Exception | None, start: str) -> bool:
    """Return whether the message of an error begins with a text."""
    return str(error).startswith(start)


def _scale_transparency(image: Image.Image, bit_depth: int) -> None:
    """Scale the transparent color of a PNG as Pillow scales the pixels, but not that color."""
    key = image.info.get("transparency")
    if image.mode in ("1", "L") and isinstance(key, int):
        image.info["transparency"] = key * 255 // (2**bit_depth - 1)
    elif image.mode == "RGB" and isinstance(key, tuple) and bit_depth == 16:
        image.info["transparency"] = tuple(sample >> 8 for sample in key)


def _texts_of(image: Image.Image) -> dict[str, str]:
    texts = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        texts["description"] = str(image.tag_v2.get(ExifTags.Base.ImageDescription, ""))
    return texts


def _damage_warnings(number: int, recovered: RecoveredImage | None) -> Iterator[PageWarning]:
    if recovered is None:
        return
    if recovered.missing_rows.any():
        yield rejections.rows_missing(number, float(recovered.missing_rows.mean()))
    elif recovered.lacks_detail:
        yield rejections.detail_missing(number)
