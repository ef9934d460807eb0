"""Damaged image files: they are read as far as they go, and damage beside the picture changes nothing."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from backend_main.reading import Options, UnreadableFile
from backend_main.reading.documents.base import PageImage
from backend_main.reading.documents.document import open_document
from tests.file_corpus.images import SIZE, png, png_chunk, sample_image, saved
from tests.file_corpus.tiff import TiffPage, tiff
from tests.support.page_warnings import messages_of

HEIGHT = 200
MISSING = "of the rows of page 1 are missing. Send the whole file again."


def page_of(tmp_path: Path, content: bytes) -> PageImage:
    (tmp_path / "file").write_bytes(content)
    with open_document(tmp_path / "file", Options()) as document:
        return document.page(1)


def noise(mode: str = "RGB") -> Image.Image:
    """Return an image whose rows all take about as many bytes, and none of which is white."""
    values = np.random.default_rng(1).integers(0, 180, (HEIGHT, 160, 3), np.uint8)
    return Image.fromarray(values).convert(mode)


def tiff_with_pixels_at_end(compression: str) -> bytes:
    """Return a TIFF whose directory stands before the pixels, so that a cut leaves it."""
    with Image.open(io.BytesIO(saved(noise("L"), "TIFF", compression=compression, strip_size=2000))) as image:
        tags: dict[int, Any] = dict(image.tag_v2)  # type: ignore[attr-defined]
    content = saved(noise("L"), "TIFF", compression=compression, strip_size=2000)
    strips = [content[at : at + size] for at, size in zip(tags[273], tags[279], strict=True)]
    data_at = 4000
    places = [data_at + sum(map(len, strips[:index])) for index in range(len(strips))]
    own = {273: (4, places), 279: (4, [len(strip) for strip in strips]), 278: (4, [tags[278]])}
    empty = tiff(TiffPage(160, HEIGHT, b"", tags=own | {259: (3, [tags[259]])}))
    assert len(empty) < data_at
    return empty.ljust(data_at, b"\0") + b"".join(strips)


CUT_FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved(noise(), "JPEG", quality=90),
    "jpeg gray": lambda: saved(noise("L"), "JPEG", quality=90),
    "jpeg CMYK": lambda: saved(noise("CMYK"), "JPEG", quality=90),
    "jpeg with restarts": lambda: saved(noise(), "JPEG", quality=90, restart_marker_rows=1),
    "png": lambda: saved(noise(), "PNG"),
    "png RGBA": lambda: saved(noise("RGBA"), "PNG"),
    "png P": lambda: saved(noise("P"), "PNG"),
    "gif": lambda: saved(noise("P"), "GIF", interlace=False),
    "bmp": lambda: saved(noise(), "BMP"),
    "webp lossy": lambda: saved(noise(), "WEBP", quality=90),
    "webp lossless": lambda: saved(noise(), "WEBP", lossless=True),
    "tiff raw": lambda: saved(noise(), "TIFF"),
} | {
    f"tiff {compression}": lambda compression=compression: tiff_with_pixels_at_end(compression)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd")
}


@pytest.mark.parametrize("name", CUT_FILES)
def test_page_of_file_cut_short_has_rows_up_to_there_and_warning(tmp_path: Path, name: str) -> None:
    whole = CUT_FILES[name]()
    expected = page_of(tmp_path, whole).pixels
    page = page_of(tmp_path, whole[: len(whole) * 6 // 10])
    (warning,) = messages_of(page)
    assert warning.endswith(MISSING)
    share = int(warning.split(" %")[0].split()[-1])
    assert 30 < share < 50
    is_same = np.abs(page.pixels.astype(int) - expected).mean(axis=(1, 2)) < 6
    assert 0.45 < is_same.mean() < 0.7
    is_white = page.pixels.min(axis=(1, 2)) == 255
    assert abs(is_white.mean() * 100 - share) <= 1


@pytest.mark.parametrize("color_type", [0, 6])
def test_page_of_png_whose_data_end_early_warns(tmp_path: Path, color_type: int) -> None:
    row = b"\0" + b"\x80" * (100 if color_type == 0 else 400)
    header = struct.pack(">IIBBBBB", 100, 80, 8, color_type, 0, 0, 0)
    page = page_of(tmp_path, png(header, zlib.compress(row * 60)))
    assert page.warnings[0].message.startswith("The file is damaged or cut short: 25 %")
    assert page.pixels[60:].min() == 255


def test_page_of_interlaced_png_cut_short_has_text_in_all_rows(tmp_path: Path) -> None:
    rows = np.asarray(sample_image("L", (64, 64)))
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    parts = [rows[top::down, left::right] for left, top, right, down in passes]
    data = zlib.compress(b"".join(b"\0" + bytes(row) for part in parts[:-1] for row in part))
    page = page_of(tmp_path, png(struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 1), data))
    assert page.warnings[0].message.startswith("The file is damaged or cut short: 50 %")
    assert np.abs(page.pixels[:, :, 0].astype(int) - rows).mean() < 3


@pytest.mark.parametrize("progressive", [False, True])
def test_page_of_jpeg_without_its_last_bytes_is_complete(tmp_path: Path, *, progressive: bool) -> None:
    content = saved(sample_image(), "JPEG", quality=95, progressive=progressive)
    page = page_of(tmp_path, content[:-2])
    assert_drawn(page)
    assert page.warnings == () or "may lack detail" in page.warnings[0].message


def test_page_of_progressive_jpeg_cut_short_warns_of_lost_detail(tmp_path: Path) -> None:
    content = saved(sample_image("RGB", (600, 400)), "JPEG", quality=95, progressive=True)
    page = page_of(tmp_path, content[: len(content) * 8 // 10])
    assert "may lack detail" in page.warnings[0].message
    assert page.pixels[20:80, 20:180].max() < 90


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_page_of_file_without_any_pixels_is_unreadable(tmp_path: Path, format: str) -> None:
    whole = saved(noise(), format)
    at = {"PNG": whole.find(b"IDAT") + 5, "JPEG": whole.find(b"\xff\xda") + 14, "GIF": 800, "TIFF": 200}
    with pytest.raises(UnreadableFile, match=r"broken or truncated\. Send the whole file again") as caught:
        page_of(tmp_path, whole[: at.get(format, 60)])
    assert str(tmp_path) not in str(caught.value)


def test_page_of_damaged_file_leaves_switch_of_pillow_off(tmp_path: Path) -> None:
    page_of(tmp_path, CUT_FILES["png"]()[:-3000])
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_page_of_group4_tiff_with_damaged_line_warns(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    drawing = sample_image("1", (800, 800))
    content = bytearray(saved(drawing, "TIFF", compression="group4"))
    with Image.open(io.BytesIO(content)) as image:
        at, size = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]
    content[at + size // 2 : at + size] = b"\xaa" * (size - size // 2)
    page = page_of(tmp_path, bytes(content))
    assert page.warnings
    assert "page 1" in page.warnings[0].message
    assert capfd.readouterr().err == ""


def with_chunk(kind: bytes, content: bytes) -> bytes:
    file = saved(sample_image(), "PNG")
    at = file.index(b"IDAT") - 4
    return file[:at] + png_chunk(kind, content) + file[at:]


def color_profile(extra: int) -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(extra))
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)


def with_wrong_checksum(kind: bytes, content: bytes) -> bytes:
    file = bytearray(with_chunk(kind, content))
    file[file.index(kind) + 4 + len(content)] ^= 1
    return bytes(file)


def jpeg_with_exif(orientation: int) -> bytes:
    tags = struct.pack("<HHII", 0x10F, 2, 60_000, 500) + struct.pack("<HHII", 0x112, 3, 1, orientation)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + tags + bytes(4)
    return saved(sample_image(), "JPEG", exif=exif, quality=95)


RANDOM_TEXT = zlib.compress(bytes(random.Random(1).choices(b"abcdefghij <>/=", k=1_500_000)))
BOMB = zlib.compress(bytes(200_000_000), 9)
DAMAGE_BESIDE: dict[str, Callable[[], bytes]] = {
    "zTXt of 1.5 MB": lambda: with_chunk(b"zTXt", b"mxfile\0\0" + RANDOM_TEXT),
    "zTXt that inflates to 200 MB": lambda: with_chunk(b"zTXt", b"x\0\0" + BOMB),
    "iTXt that inflates to 200 MB": lambda: with_chunk(b"iTXt", b"x\0\1\0\0\0" + BOMB),
    "broken zTXt": lambda: with_chunk(b"zTXt", b"x\0\0broken"),
    "iCCP of 1.3 MB": lambda: with_chunk(b"iCCP", b"scanner\0\0" + zlib.compress(color_profile(1_300_000))),
    "iCCP of an unknown method": lambda: with_chunk(b"iCCP", b"scanner\0\7xx"),
    "acTL of 100,000": lambda: with_chunk(b"acTL", struct.pack(">II", 100_000, 0)),
    "acTL that is short": lambda: with_chunk(b"acTL", b"\0"),
    "pHYs that is short": lambda: with_chunk(b"pHYs", b"\0\0"),
    "pHYs with a wrong checksum": lambda: with_wrong_checksum(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
    "gAMA with a wrong checksum": lambda: with_wrong_checksum(b"gAMA", b"\0\0\0"),
    "eXIf that is broken": lambda: with_chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
    "jpeg with a broken profile": lambda: saved(
        sample_image(), "JPEG", icc_profile=b"x" * 500_000, quality=95
    ),
    "jpeg with exif beyond its block": lambda: jpeg_with_exif(1),
    "tiff with a tag beyond the file": lambda: tiff(
        TiffPage(*SIZE, sample_image("L").tobytes(), tags={34_675: (1, [1] * 50)})
    ).replace(struct.pack("<HHI", 34_675, 1, 50), struct.pack("<HHI", 34_675, 1, 900_000_000)),
    "webp with broken exif": lambda: saved(sample_image(), "WEBP", exif=b"II*\0\xff\xff\xff\xff", quality=95),
}


@pytest.mark.parametrize("name", DAMAGE_BESIDE)
def test_page_of_file_with_damage_beside_the_picture_is_complete(tmp_path: Path, name: str) -> None:
    page = page_of(tmp_path, DAMAGE_BESIDE[name]())
    assert page.warnings == ()
    assert_drawn(page)


def test_page_of_jpeg_with_broken_exif_keeps_its_orientation(tmp_path: Path) -> None:
    page = page_of(tmp_path, jpeg_with_exif(6))
    assert (page.width, page.height) == SIZE[::-1]
    assert page.pixels[2:17, -7:-2].max() < 60


def test_page_of_png_keeps_its_text(tmp_path: Path) -> None:
    assert page_of(tmp_path, with_chunk(b"tEXt", b"Title\0a text")).info == {"Title": "a text"}


def assert_drawn(page: PageImage) -> None:
    assert page.pixels.shape == (SIZE[1], SIZE[0], 3)
    assert page.pixels[2:7, 2:17].max() < 60
    assert page.pixels[15:, 25:].min() > 195


@pytest.mark.parametrize(
    ("marker", "precision", "kind"), [(0xC3, 8, "lossless coding"), (0xC1, 12, "12 bits a color")]
)
def test_page_of_jpeg_of_unsupported_kind_names_it(
    tmp_path: Path, marker: int, precision: int, kind: str
) -> None:
    content = bytearray(saved(sample_image(), "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = marker, precision
    with pytest.raises(UnreadableFile, match=f"The JPEG has {kind}, which is not supported"):
        page_of(tmp_path, bytes(content))


def test_page_of_bmp_with_an_unknown_layout_names_it(tmp_path: Path) -> None:
    """Four bits a color: the file is whole."""
    masks = (0x0F00, 0x00F0, 0x000F, 0xF000)
    header = struct.pack("<IiiHHIIiiII4I", 56, 8, 8, 1, 16, 3, 128, 0, 0, 0, 0, *masks)
    content = b"BM" + struct.pack("<IHHI", 14 + 56 + 128, 0, 0, 14 + 56) + header + bytes(128)
    with pytest.raises(UnreadableFile, match="layout of BMP that is not supported"):
        page_of(tmp_path, content)


def test_page_of_heif_without_a_codec_names_it(tmp_path: Path) -> None:
    """The item with the picture has a name after its type."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    item = box(b"infe", b"\2\0\0\0\0\1\0\0unciImage\0")
    size = box(b"ispe", struct.pack(">III", 0, 8, 8))
    meta = bytes(4) + box(b"iinf", bytes(4) + b"\0\1" + item) + box(b"iprp", box(b"ipco", size))
    content = box(b"ftyp", b"mif1\0\0\0\0mif1heic") + box(b"meta", meta)
    with pytest.raises(UnreadableFile, match="picture with no codec, which is not supported"):
        page_of(tmp_path, content)
