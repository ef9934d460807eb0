"""Decoded pixels as a PDF image: Group 4, Flate or JPEG."""

import io

import numpy as np
from PIL import Image

from ..documents.image_headers import tiff
from ..documents.pixels import Pixels
from .picture_copies import PdfPicture, group_4_copy, jpeg_copy, png_copy

JPEG_QUALITY = 92
ROWS_PER_STRIP = 278
"""Tag (TIFF 6.0, section 8). PDF has no strips."""
BLACK, WHITE = 0, 255


def encode_pixels(pixels: Pixels, *, is_lossy: bool) -> PdfPicture:
    """Return pixels in the smallest of the fitting compressions.

    Args:
        pixels: upright pixels in BGR.
        is_lossy: whether the file that they are from is lossy, so that JPEG is good enough.
    """
    gray = pixels[:, :, 0]
    if not all(np.array_equal(gray, pixels[:, :, channel]) for channel in (1, 2)):
        image = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    else:
        image = Image.fromarray(np.ascontiguousarray(gray))
    if image.mode == "L" and not np.any((gray != BLACK) & (gray != WHITE)):
        return _encode_bilevel(image.convert("1", dither=Image.Dither.NONE))
    if is_lossy:
        return _required(jpeg_copy(_saved(image, "JPEG", quality=JPEG_QUALITY)))
    return _required(png_copy(_saved(image, "PNG")))


def _encode_bilevel(image: Image.Image) -> PdfPicture:
    """Return Group 4, or Flate for dots, which Group 4 enlarges."""
    file = _saved(image, "TIFF", compression="group4", tiffinfo={ROWS_PER_STRIP: image.height})
    directories, _ = tiff.read_chain(file, 1)
    fax, flate = _required(group_4_copy(file, directories[0].at)), _required(png_copy(_saved(image, "PNG")))
    return min(fax, flate, key=lambda picture: len(picture.data))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _required(picture: PdfPicture | None) -> PdfPicture:
    if picture is None:
        raise ValueError("Pillow has written a picture that PDF does not have.")
    return picture
