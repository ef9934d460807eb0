"""Files that are unsupported, broken, of two types at once, or made to exhaust resources."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial

from PIL import Image

from .corpus_file import (
    SIZE,
    CorpusFile,
    Failed,
    Processed,
    Rejected,
)
from .images import (
    BMP,
    GIF,
    HEIC_BYTES,
    JPEG,
    PNG,
    TIFF,
    WEBP,
    mixed_tiff,
    png,
    png_chunk,
    sample_image,
    saved,
)
from .tiff import TiffPage, tiff

UNSUPPORTED_WORDS, HEADER_WORDS, BROKEN_WORDS = (
    "Unsupported file format",
    " header. The file may be damaged",
    "broken",
)
MANY_FRAMES = 100_000
HTML = b"<!doctype html><script>alert(1)</script>"
ZIP_END = b"PK\x05\x06" + bytes(18)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return file.getvalue()


def incompressible_image(format: str) -> bytes:
    """Return an image that does not compress, so a truncated file lacks a part of the image."""
    image = Image.effect_noise((64, 64), 90).convert("RGB")
    return saved(image, format)


def many_gif_frames(count: int = MANY_FRAMES) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame * count + b";"


def many_tiff_pages(count: int = MANY_FRAMES) -> bytes:
    """Return a TIFF whose directories, of 66 bytes each, share one pixel."""
    file = bytearray(b"II*\0" + struct.pack("<I", 10) + b"\xff\0")
    for _ in range(count):
        tags = ((256, 3, 1), (257, 3, 1), (258, 3, 8), (262, 3, 1), (273, 4, 8))
        file += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags)
        file += struct.pack("<I", len(file) + 4)
    file[-4:] = bytes(4)
    return bytes(file)


def many_webp_frames(count: int = MANY_FRAMES) -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + bytes(6)
    return b"RIFF" + struct.pack("<I", 4) + b"WEBP" + canvas + (b"ANMF" + struct.pack("<I", 0)) * count


def many_png_frames(count: int = MANY_FRAMES) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return png(header, zlib.compress(b"\0\0"), before=png_chunk(b"acTL", struct.pack(">II", count, 0)))


def gigapixel_image(format: str, side: int = 200_000) -> bytes:
    """Return an image of 40 gigapixels by its header, or of the most that the format allows."""
    short = min(side, 65_500)
    if format == "png":
        return png(struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0), zlib.compress(bytes(100)))
    if format == "gif":
        return b"GIF89a" + struct.pack("<HHBBB", short, short, 0, 0, 0) + many_gif_frames(1)[19:]
    if format == "gif frame":
        frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, short, short, 0) + b"\x02\x02\x44\x01\x00;"
        return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame
    if format == "bmp":
        return b"BM" + struct.pack("<IIIIiiHHI", 1000, 0, 54, 40, side, -side, 1, 24, 0) + bytes(1000)
    if format == "tiff":
        return tiff(TiffPage(side, side, b"\0\0"))
    if format == "webp":
        edge = (side - 1).to_bytes(3, "little")
        return b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + edge * 2
    if format == "heic":
        return HEIC_BYTES.replace(
            b"ispe" + struct.pack(">III", 0, 64, 64), b"ispe" + struct.pack(">III", 0, side, side)
        )
    if format == "avif":
        small, large = (b"ispe" + struct.pack(">III", 0, *size) for size in (SIZE, (side, side)))
        return saved(sample_image(), "AVIF").replace(small, large)
    at = (jpeg := saved(sample_image(), "JPEG")).index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", short, short) + jpeg[at + 4 :]


def overlapping_tags(count: int = 300, size: int = 1_000_000) -> bytes:
    """Return a TIFF whose tags all point at one megabyte: a decoder that loads them has it `count` times."""
    page = TiffPage(*SIZE, sample_image("L").tobytes())
    file = bytearray(tiff(page))
    at = len(file)
    file += bytes(size)
    pixels = (
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 4, SIZE[1]),
        (279, 4, SIZE[0] * SIZE[1]),
    )
    own = [
        (256, 3, 1, SIZE[0]),
        (257, 3, 1, SIZE[1]),
        *((tag, kind, 1, value) for tag, kind, value in pixels),
    ]
    tags = own + [(1000 + n, 1, size, at) for n in range(count)]
    struct.pack_into("<I", file, 4, len(file))
    file += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return bytes(file)


def overlapping_exif() -> bytes:
    """Return a JPEG whose EXIF tags all point at one place."""
    tags = b"".join(struct.pack("<HHII", 1000 + n, 1, 50_000, 8) for n in range(400))
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 400) + tags + bytes(4)
    return saved(sample_image(), "JPEG", exif=exif.ljust(60_000, b"\0"))


def damaged_page(*, page: int) -> bytes:
    """Return a TIFF of three pages, of which one has other bytes for its compressed pixels."""
    file = bytearray(mixed_tiff(*[("RGB", "tiff_adobe_deflate")] * 3))
    with Image.open(io.BytesIO(file)) as image:
        image.seek(page - 1)
        (at, *_), (size, *_) = image.tag_v2[273], image.tag_v2[279]  # type: ignore[attr-defined]
    file[at : at + size] = b"\xaa" * size
    return bytes(file)


def jpeg_with_comment(comment: bytes) -> bytes:
    return saved(sample_image(), "JPEG", comment=comment, quality=95)


def _unsupported_files() -> Iterator[CorpusFile]:
    unknown = {
        "text": b"Dear Sir or Madam, this is not a scan.",
        "html": HTML,
        "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "zip": ZIP_END,
        "docx": zipped(),
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "photoshop": b"8BPS\0\x01" + bytes(40),
        "mp4": b"\0\0\0\x18ftypisom\0\0\0\0isomavc1",
        "jpeg xl": b"\0\0\0\x0cJXL \r\n\x87\n",
        "djvu": b"AT&TFORM\0\0\0\0DJVM",
        "icon": saved(sample_image(), "ICO"),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(60),
        "one byte": b"\x89",
        "zeros": bytes(5000),
    }
    for name, content in unknown.items():
        yield CorpusFile(name, partial(bytes, content), Rejected(UNSUPPORTED_WORDS), filename=f"{name}.png")
    yield CorpusFile("empty", bytes, Rejected("empty"))


def _broken_headers() -> Iterator[CorpusFile]:
    headers = {
        "png of its signature": b"\x89PNG\r\n\x1a\n",
        "png without a width": png(struct.pack(">IIBBBBB", 0, 5, 8, 0, 0, 0, 0)),
        "png with html behind its signature": b"\x89PNG\r\n\x1a\n" + HTML,
        "jpeg of its marker": b"\xff\xd8\xff",
        "jpeg with html behind its marker": b"\xff\xd8\xff" + HTML,
        "webp of its name": b"RIFF\x04\0\0\0WEBP",
        "gif of its name": b"GIF89a",
        "bmp of letters": b"BMW, the car, is no BMP" + bytes(20),
        "tiff that points behind itself": b"II*\0\xff\xff\0\0",
        "tiff without a size": tiff(TiffPage(0, 0, b"")),
        "heic of its name": HEIC_BYTES[:28],
    }
    for name, content in headers.items():
        yield CorpusFile(name, partial(bytes, content), Rejected(HEADER_WORDS))


def _broken_inside() -> Iterator[CorpusFile]:
    types = {"png": PNG, "jpeg": JPEG, "webp": WEBP, "bmp": BMP, "gif": GIF, "tiff": TIFF}
    for name, content_type in types.items():
        end = Processed(
            content_type, (64, 64), warnings=("of the rows of page 1 are missing",), shows_patch=False
        )
        yield CorpusFile(f"{name} truncated", lambda name=name: incompressible_image(name)[:-1500], end)
    yield CorpusFile("heic truncated", lambda: HEIC_BYTES[:-40], Failed(BROKEN_WORDS))
    wrong = png(struct.pack(">IIBBBBB", *SIZE, 8, 0, 0, 0, 0), b"\xaa" * 500)
    yield CorpusFile("png with other bytes for pixels", lambda: wrong, Failed(BROKEN_WORDS))
    for page in (1, 2, 3):
        end = Processed(TIFF, None, pages=3, warnings=(f"Page {page}",), shows_patch=False)
        yield CorpusFile(f"tiff with page {page} damaged", partial(damaged_page, page=page), end)
    pages = [TiffPage(*SIZE, sample_image("L").tobytes())] * 2
    end = Processed(TIFF, pages=2, warnings=("truncated after page 2",))
    yield CorpusFile("tiff with a page beyond its end", lambda: tiff(*pages, last=10**6), end)
    yield CorpusFile("tiff with circular directories", lambda: _circular(*pages), Processed(TIFF, pages=2))
    too_large = TiffPage(60_000, 60_000, b"\0\0")
    end = Processed(TIFF, pages=3, warnings=("more than 200000000 pixels",))
    yield CorpusFile("tiff with one page too large", lambda: tiff(pages[0], too_large, pages[0]), end)


def _circular(*pages: TiffPage) -> bytes:
    """Return a TIFF whose last directory points at the first."""
    (first,) = struct.unpack_from("<I", tiff(*pages), 4)
    return tiff(*pages[:-1], pages[-1], last=first)


def _polyglots() -> Iterator[CorpusFile]:
    gifar = saved(sample_image("P"), "GIF") + zipped()
    yield CorpusFile("gif and jar", lambda: gifar, Processed(GIF), filename="gifar.jar")
    yield CorpusFile("jpeg with html", partial(jpeg_with_comment, HTML), Processed(JPEG), filename="x.html")
    yield CorpusFile("jpeg with a pdf's header", partial(jpeg_with_comment, b"%PDF-1.7"), Processed(JPEG))
    yield CorpusFile(
        "png and php", lambda: saved(sample_image(), "PNG") + b"<?php system($_GET[0]); ?>", Processed(PNG)
    )


def _bombs() -> Iterator[CorpusFile]:
    for name in ("png", "jpeg", "gif", "gif frame", "bmp", "tiff", "webp", "heic", "avif"):
        yield CorpusFile(
            f"{name} of gigapixels", partial(gigapixel_image, name), Rejected("pixels, the maximum")
        )
    yield CorpusFile("tiff of 100,000 pages", many_tiff_pages, Rejected("more than 5000 pages"))
    # Only the first frame of an animation is decoded.
    one = Processed(GIF, (1, 1), warnings=("more than 5000 images; only the first",), shows_patch=False)
    yield CorpusFile("gif of 100,000 frames", many_gif_frames, one)
    yield CorpusFile("webp of 100,000 empty frames", many_webp_frames, Failed(BROKEN_WORDS))
    one = Processed(PNG, (1, 1), shows_patch=False)
    yield CorpusFile("png that claims 100,000 frames", many_png_frames, one)
    yield CorpusFile("tiff with overlapping tags", overlapping_tags, Processed(TIFF))
    yield CorpusFile("jpeg with overlapping exif", overlapping_exif, Processed(JPEG))


CORPUS_FILES = [*_unsupported_files(), *_broken_headers(), *_broken_inside(), *_polyglots(), *_bombs()]
