"""Recovery of the picture in a file that is cut short or damaged, as far as it goes.

The image is decoded twice: into memory with different contents, or with different bytes in place of the
missing ones. Rows that differ are not in the file. A JPEG is decoded once, because libjpeg draws what it
lacks in gray.
"""

import contextlib
import mmap
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from ..errors import UnreadableFile
from .image_headers import webp
from .pixels import STRIP_PIXELS
from .spliced_file import Piece, overlay

RowMask = npt.NDArray[np.bool_]
OpenImage = Callable[[list[Piece]], ImageFile.ImageFile]
"""Opens an image file of these pieces, and checks the image's size."""

END_OF_JPEG = b"\xff\xd9"
MISSING_JPEG_LEVELS = (127, 129)
"""Least and greatest level of blocks that the file lacks: libjpeg draws them in middle gray, 128."""
JPEG_BLOCK_PIXELS = 8
WEBP_PADDINGS, WEBP_PADDING_SECONDS = 512, 3.0
"""Paddings that are tried until two of them give an image, and the time for it.

Every other one repeats a single byte, so that long runs do not lead beyond the end of a lossless image.
"""
RANDOM_PATTERN_BYTES = 4096
WEBP_PADDING_FACTOR, MIN_WEBP_PADDING_BYTES = 3, 65_536
MAX_MISSING_WEBP_BYTES = 16 * 1024 * 1024
_lenient_lock = threading.Lock()
"""Held while Pillow's switch for truncated files is on, because the switch is global."""


@dataclass(frozen=True)
class RecoveredImage:
    """An image as far as it was decoded. `missing_rows` are rows as they are stored, before any turn."""

    image: Image.Image
    missing_rows: RowMask
    lacks_detail: bool = False
    """More may be wrong than the missing rows, such as later scans of a progressive JPEG."""


def recover_image(
    pillow_format: str, data: mmap.mmap, pieces: list[Piece], open_image: OpenImage
) -> RecoveredImage | None:
    """Decode an image as far as it goes; None if nothing can be decoded. Raises UnreadableFile.

    Args:
        pillow_format: Pillow's name of the format.
        data: the whole file.
        pieces: the parts of the file that draw the picture.
        open_image: opens an image file of other pieces.
    """
    try:
        if pillow_format == "JPEG":
            return _recover_jpeg(pieces, open_image)
        if pillow_format == "WEBP":
            # Two paddings may agree in rows that are missing, so these are not all that may be wrong.
            return _compare(_padded_webps(data, open_image), lacks_detail=True)
        return _compare(_load_leniently(open_image(pieces), fill) for fill in (0, 255))
    except UnreadableFile:
        raise
    except Exception:  # decoders raise any exception on broken data
        return None


def _recover_jpeg(pieces: list[Piece], open_image: OpenImage) -> RecoveredImage | None:
    image = open_image([*pieces, END_OF_JPEG])
    image.load()
    is_progressive = bool(image.info.get("progressive"))
    return _recovered(image, _gray_rows_at_end(image), lacks_detail=is_progressive)


def _compare(decoded: Iterator[Image.Image], *, lacks_detail: bool = False) -> RecoveredImage | None:
    first = next(decoded, None)
    if first is None:
        return None
    digests = _row_digests(first)
    del first  # two pages of the maximum size would be more than an engine process may have
    second = next(decoded, None)
    if second is None:
        return None
    return _recovered(second, digests != _row_digests(second), lacks_detail=lacks_detail)


def _recovered(
    image: Image.Image, missing_rows: RowMask, *, lacks_detail: bool = False
) -> RecoveredImage | None:
    return None if missing_rows.all() else RecoveredImage(image, missing_rows, lacks_detail)


def _load_leniently(image: ImageFile.ImageFile, fill: int) -> Image.Image:
    """Load an image by a decoder that accepts the end of the file, into memory that contains `fill`."""
    prepare = image.load_prepare
    frame = image.tile[0][1] if image.tile else None

    def prepare_with_fill() -> None:
        prepare()
        image.im.paste(_ink(image.im, fill), frame or (0, 0, *image.im.size))

    image.load_prepare = prepare_with_fill  # type: ignore[method-assign]
    with _lenient_lock, _lenient_decoders():
        try:
            image.load()
        except Exception:  # what was decoded until then stays in the image
            image.tile = []
    # Without the reference to itself, the image is freed as soon as it is not needed.
    del image.load_prepare
    return image


def _ink(memory: Any, fill: int) -> float | tuple[int, ...]:
    return (fill,) * memory.bands if memory.bands > 1 else fill


@contextlib.contextmanager
def _lenient_decoders() -> Iterator[None]:
    previous = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = previous


def _padded_webps(data: mmap.mmap, open_image: OpenImage) -> Iterator[Image.Image]:
    """Yield the image with each padding that gives one.

    Some paddings are not valid codes, so there are several. The image chunk is made longer, because bytes in
    place of the missing ones can describe less of the picture.
    """
    chunk_at, chunk_bytes = webp.last_chunk(data)
    missing_bytes = chunk_at + webp.CHUNK_HEADER_BYTES + chunk_bytes - len(data)
    if not 0 < missing_bytes <= MAX_MISSING_WEBP_BYTES:
        return
    length = len(data) + WEBP_PADDING_FACTOR * missing_bytes + MIN_WEBP_PADDING_BYTES
    length += length % 2  # chunks have an even length
    patches = {
        4: (length - webp.CHUNK_HEADER_BYTES).to_bytes(4, "little"),
        chunk_at + 4: (length - chunk_at - webp.CHUNK_HEADER_BYTES).to_bytes(4, "little"),
    }
    deadline = time.monotonic() + WEBP_PADDING_SECONDS
    for seed in range(WEBP_PADDINGS):
        pattern = np.random.default_rng(seed).bytes(RANDOM_PATTERN_BYTES) if seed % 2 else bytes([seed // 2])
        padding = (pattern * (length // len(pattern) + 1))[: length - len(data)]
        if time.monotonic() > deadline:
            return
        with contextlib.suppress(OSError, ValueError, EOFError):
            image = open_image([*overlay(len(data), patches), padding])
            image.load()
            yield image


def _row_digests(image: Image.Image) -> npt.NDArray[np.uint32]:
    width, height = image.size
    digests = np.empty(height, np.uint32)
    for top in range(0, height, rows := max(1, STRIP_PIXELS // width)):
        strip = np.ascontiguousarray(np.asarray(image.crop((0, top, width, min(height, top + rows)))))
        digests[top : top + rows] = [zlib.crc32(row) for row in strip]
    return digests


def _gray_rows_at_end(image: Image.Image) -> RowMask:
    """Return the rows at the end whose last block is middle gray."""
    width, height = image.size
    last_block = np.asarray(image.crop((max(0, width - JPEG_BLOCK_PIXELS), 0, width, height)))
    low, high = MISSING_JPEG_LEVELS
    is_gray = ((last_block >= low) & (last_block <= high)).reshape(height, -1)
    rows_from_end = is_gray.min(axis=1)[::-1]
    return np.asarray(np.minimum.accumulate(rows_from_end)[::-1], np.bool_)
