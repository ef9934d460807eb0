"""Images in every supported format and color mode; all show the same drawing."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import AppendingTiffWriter

from .corpus_file import SIZE, CorpusFile, Processed
from .tiff import TiffPage, tiff

PNG, JPEG, WEBP, GIF = "image/png", "image/jpeg", "image/webp", "image/gif"
BMP, TIFF, HEIC, AVIF = "image/bmp", "image/tiff", "image/heic", "image/avif"
FIRST_ONLY = "only the first was read"
ORIENTATION = 0x0112
INVERSE_TRANSFORMS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
# pi-heif only decodes. This is a white image of 64 × 48 pixels with a black patch from (4, 4) to (27, 15),
# drawn with Pillow and saved once with pillow-heif 1.8.1 (quality 60, 4:2:0).
HEIC_BYTES = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAEEAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAEltZGF0AAAAPSgBrwngDtPgkQb2gFybsTkge7a9xS+sFiT/KqNR"
    "p4NR0Ic4dB205U1z61KHdtO8eUNqtdzRkbhQpglsfiA="
)


def sample_image(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a white image with a black patch at the top left."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 3 - 1, size[1] // 4 - 1), fill="black")
    return image if mode == "RGB" else image.convert(mode)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def grayscale(dtype: str, white: float) -> Image.Image:
    """Return the drawing in numbers from 0 to `white`."""
    return Image.fromarray((np.asarray(sample_image("L"), np.float64) * (white / 255)).astype(dtype))


def transparent(mode: str) -> Image.Image:
    """Return black ink on a transparent ground whose color is black too."""
    ink = Image.eval(sample_image("L"), lambda value: 255 - value)
    image = Image.new("LA" if mode == "LA" else "RGBA", SIZE, 0)
    image.putalpha(ink)
    return image.convert(mode)


def transparent_palette(format: str, transparency: bytes | int) -> bytes:
    """Return an image with two black colors; the second, transparent one is the ground."""
    image = sample_image("L").point(lambda value: value > 0).convert("P")
    image.putpalette([0, 0, 0] * 2)
    return saved(image, format, transparency=transparency)


def sixteen_bit_png() -> bytes:
    """Return RGB with 16 bits a sample, which Pillow reads but does not write."""
    samples = (np.asarray(sample_image(), np.uint16) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    return png(struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0), zlib.compress(rows))


def png(header: bytes, *data: bytes, before: bytes = b"") -> bytes:
    """Return a PNG; `before` stands between the header and the data."""
    parts = [png_chunk(b"IHDR", header), before, *(png_chunk(b"IDAT", piece) for piece in data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_exif_orientation(orientation: int, format: str) -> bytes:
    image = sample_image()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(
        image.transpose(INVERSE_TRANSFORMS[orientation]) if orientation > 1 else image,
        format,
        exif=exif,
        quality=95,
    )


def animated(format: str, **options: Any) -> bytes:
    frames = [Image.new("RGB", SIZE, color) for color in ("red", "green")]
    return saved(sample_image(), format, save_all=True, append_images=frames, **options)


def mixed_tiff(*compressions: tuple[str, str]) -> bytes:
    """Return a TIFF with a page for each (mode, compression)."""
    file = io.BytesIO()
    with AppendingTiffWriter(file, new=True) as writer:
        for mode, compression in compressions:
            sample_image(mode).save(writer, "TIFF", compression=compression)
            writer.newFrame()
    return file.getvalue()


def raw_samples(layout: str) -> bytes:
    """Return the raw samples of the drawing: RGB of 16 bits, or a tile of 64 × 64."""
    if layout == "tile":
        tile = np.full((64, 64), 255, np.uint8)
        tile[: SIZE[1], : SIZE[0]] = np.asarray(sample_image("L"))
        return tile.tobytes()
    return (np.asarray(sample_image(), np.uint16) * 257).astype("<u2").tobytes()


def _all_of(content_type: str, rows: dict[str, Callable[[], bytes]]) -> Iterator[CorpusFile]:
    for name, make in rows.items():
        yield CorpusFile(name, make, Processed(content_type))


def _pngs() -> Iterator[CorpusFile]:
    modes = ("1", "L", "P", "RGB")
    yield from _all_of(
        PNG, {f"png {mode}": lambda mode=mode: saved(sample_image(mode), "PNG") for mode in modes}
    )
    clear = ("LA", "RGBA")
    yield from _all_of(PNG, {f"png {m} transparent": lambda m=m: saved(transparent(m), "PNG") for m in clear})
    yield from _all_of(
        PNG,
        {
            "png P transparent": partial(transparent_palette, "PNG", b"\xff\x00"),
            "png I;16": lambda: saved(grayscale("uint16", 65535), "PNG"),
            "png RGB of 16 bits": sixteen_bit_png,
            "png called .pdf": lambda: saved(sample_image(), "PNG", compress_level=1),
        },
    )
    yield CorpusFile("png animated", partial(animated, "PNG"), Processed(PNG, warnings=(FIRST_ONLY,)))
    yield CorpusFile(
        "png of one pixel",
        lambda: saved(Image.new("1", (1, 1)), "PNG"),
        Processed(PNG, (1, 1), shows_patch=False),
    )
    yield CorpusFile(
        "png of 10,000 pixels a side",
        lambda: saved(sample_image("1", (10_000, 10_000)), "PNG"),
        Processed(PNG, (8_750, 8_750)),  # reduced to 80 megapixels
        slow=True,
    )


def _jpegs() -> Iterator[CorpusFile]:
    modes = ("L", "RGB", "CMYK")
    yield from _all_of(
        JPEG,
        {f"jpeg {mode}": lambda mode=mode: saved(sample_image(mode), "JPEG", quality=95) for mode in modes},
    )
    broken = b"Exif\0\0II*\0\xff\xff\xff\xff"
    yield from _all_of(
        JPEG,
        {
            "jpeg progressive": lambda: saved(sample_image(), "JPEG", progressive=True, quality=95),
            "jpeg 4:2:0": lambda: saved(sample_image(), "JPEG", subsampling=2, quality=90),
            "jpeg with broken exif": lambda: saved(sample_image(), "JPEG", exif=broken, quality=95),
            "jpeg beside another": lambda: saved(
                sample_image(), "MPO", save_all=True, append_images=[sample_image()]
            ),
        },
    )
    yield from _all_of(
        JPEG,
        {
            f"jpeg with orientation {turn}": lambda turn=turn: with_exif_orientation(turn, "JPEG")
            for turn in range(1, 9)
        },
    )
    yield CorpusFile(
        "jpeg 10,000 pixels high",
        lambda: saved(sample_image("L", (300, 10_000)), "JPEG"),
        Processed(JPEG, (300, 10_000)),
    )


def _others() -> Iterator[CorpusFile]:
    yield from _all_of(
        WEBP,
        {
            "webp": lambda: saved(sample_image(), "WEBP", quality=95),
            "webp lossless transparent": lambda: saved(transparent("RGBA"), "WEBP", lossless=True),
            "webp with orientation": lambda: with_exif_orientation(6, "WEBP"),
        },
    )
    yield CorpusFile("webp animated", partial(animated, "WEBP"), Processed(WEBP, warnings=(FIRST_ONLY,)))
    modes = ("1", "L", "P", "RGB")
    yield from _all_of(
        BMP, {f"bmp {mode}": lambda mode=mode: saved(sample_image(mode), "BMP") for mode in modes}
    )
    yield from _all_of(
        GIF,
        {
            "gif": lambda: saved(sample_image("P"), "GIF"),
            "gif transparent": partial(transparent_palette, "GIF", 1),
        },
    )
    yield CorpusFile("gif animated", partial(animated, "GIF"), Processed(GIF, warnings=(FIRST_ONLY,)))
    yield from _all_of(
        AVIF,
        {
            "avif": lambda: saved(sample_image(), "AVIF"),
            "avif with the brand of heif": lambda: saved(sample_image("L"), "AVIF").replace(
                b"ftypavif", b"ftypmif1"
            ),
            "avif transparent": lambda: saved(transparent("RGBA"), "AVIF"),
        },
    )
    yield CorpusFile("heic", lambda: HEIC_BYTES, Processed(HEIC, (64, 48)))


def _tiffs() -> Iterator[CorpusFile]:
    packed = (
        ("1", "group4"),
        ("1", "group3"),
        ("L", "tiff_lzw"),
        ("RGB", "tiff_adobe_deflate"),
        ("RGB", "jpeg"),
        ("L", "packbits"),
        ("P", "raw"),
        ("RGBA", "tiff_lzw"),
        ("CMYK", "raw"),
        ("YCbCr", "raw"),
        ("LAB", "raw"),
    )
    rows: dict[str, Callable[[], bytes]] = {
        f"tiff {mode} {how}": lambda mode=mode, how=how: _tiff(mode, how) for mode, how in packed
    }
    rows |= {
        "tiff I;16": lambda: saved(grayscale("uint16", 65535), "TIFF"),
        "tiff I": lambda: saved(grayscale("int32", 65535), "TIFF"),
        "tiff F": lambda: saved(grayscale("float32", 1.0), "TIFF"),
        "tiff big": lambda: saved(sample_image(), "TIFF", big_tiff=True),
        "tiff big-endian": lambda: tiff(TiffPage(*SIZE, sample_image("L").tobytes()), order=">"),
        "tiff RGB of 16 bits": lambda: tiff(TiffPage(*SIZE, raw_samples("16"), depths=(16, 16, 16))),
        "tiff tiled": lambda: tiff(TiffPage(*SIZE, raw_samples("tile"), tile=64)),
        "tiff with orientation": lambda: with_exif_orientation(6, "TIFF"),
    }
    yield from _all_of(TIFF, rows)
    compressions = (("1", "group4"), ("L", "tiff_lzw"), ("RGB", "tiff_adobe_deflate"), ("RGB", "jpeg"))
    yield CorpusFile(
        "tiff with four compressions", lambda: mixed_tiff(*compressions), Processed(TIFF, pages=4)
    )


def _tiff(mode: str, how: str) -> bytes:
    if mode == "LAB":
        lightness = np.zeros((*SIZE[::-1], 3), np.uint8)
        lightness[..., 0] = np.asarray(sample_image("L"))
        return saved(Image.frombytes("LAB", SIZE, lightness.tobytes()), "TIFF")
    return saved(sample_image(mode), "TIFF", compression=how)


CORPUS_FILES = [*_pngs(), *_jpegs(), *_others(), *_tiffs()]
