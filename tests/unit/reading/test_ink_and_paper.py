"""Ink and paper: told apart from the picture, whatever its container and its number format."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from backend_main.reading import Options
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.ink_levels import find_levels
from tests.file_corpus.images import png, png_chunk, saved
from tests.file_corpus.tiff import TiffPage, tiff

SIZE = (120, 80)
MIN_CONTRAST = 60


def drawing() -> Image.Image:
    """Return lines of black strokes on white."""
    image = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(image)
    for left in range(20, 100, 8):
        draw.rectangle((left, 20, left + 3, 60), fill=0)
    return image


INK = np.asarray(drawing()) < 128


def transparent(color: tuple[int, int, int], opacity: int = 255) -> Image.Image:
    pixels = np.zeros((*INK.shape, 4), np.uint8)
    pixels[..., :3] = color
    pixels[..., 3] = np.where(INK, opacity, 0)
    return Image.fromarray(pixels)


def palette(format: str, transparency: bytes | int) -> bytes:
    image = Image.fromarray(np.where(INK, 0, 1).astype(np.uint8)).convert("P")
    image.putpalette([255, 255, 255] * 2)
    return saved(image, format, transparency=transparency)


def keyed_png(depth: int, color_type: int, rows: list[bytes], key: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", *SIZE, depth, color_type, 0, 0, 0)
    return png(header, zlib.compress(b"".join(b"\0" + row for row in rows)), before=png_chunk(b"tRNS", key))


def gray_of_4_bits() -> list[bytes]:
    values = np.where(INK, 15, 3).astype(np.uint8)
    return [(row[::2] << 4 | row[1::2]).tobytes() for row in values]


def rgb_of_16_bits() -> list[bytes]:
    values = np.where(INK[..., None], 65_535, np.array([65_535, 65_535, 255])).astype(">u2")
    return [row.tobytes() for row in values]


def shallow(bits: int, container: str) -> bytes:
    """Return numbers of a few bits in 16."""
    values = np.where(INK, 0, 2**bits - 1)
    if container == "TIFF":
        return tiff(TiffPage(*SIZE, values.astype("<u2").tobytes(), depths=(16,)))
    rows = b"".join(b"\0" + row.tobytes() for row in values.astype(">u2"))
    return png(struct.pack(">IIBBBBB", *SIZE, 16, 0, 0, 0, 0), zlib.compress(rows))


def floats(ink: float, paper: float, **spots: float) -> bytes:
    values = np.where(INK, ink, paper).astype(np.float32)
    for index, spot in enumerate(spots.values()):
        values[2, 2 + index] = spot
    return saved(Image.fromarray(values), "TIFF")


def integers(ink: int, paper: int, outlier: int | None = None) -> bytes:
    values = np.where(INK, ink, paper).astype(np.int32)
    if outlier is not None:
        values[2, 2] = outlier
    return saved(Image.fromarray(values), "TIFF")


def lab(ink: int, paper: int) -> bytes:
    values = np.zeros((*INK.shape, 3), np.uint8)
    values[..., 0] = np.where(INK, ink, paper)
    return saved(Image.frombytes("LAB", SIZE, values.tobytes()), "TIFF")


def cmyk(format: str, *, is_inverted: bool, has_marker: bool = True) -> bytes:
    inks = np.zeros((*INK.shape, 4), np.uint8)
    inks[..., 3] = np.where(INK, 255, 0)
    image = Image.frombytes("CMYK", SIZE, (255 - inks if is_inverted else inks).tobytes())
    content = saved(image, format, **({"quality": 95} if format == "JPEG" else {}))
    if has_marker:
        return content
    at = content.index(b"\xff\xee")
    return content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4], "big") :]


def bits(*, white_is_zero: bool) -> bytes:
    packed = np.packbits(INK if white_is_zero else ~INK, axis=1).tobytes()
    return tiff(TiffPage(*SIZE, packed, depths=(1,), tags={262: (3, [0 if white_is_zero else 1])}))


WHITE, NAN, INF = (255, 255, 255), float("nan"), float("inf")
FILES: dict[str, Callable[[], bytes]] = {
    **{
        f"{color} on transparent {name}": lambda color=color, name=name: saved(
            transparent(color), name, **({"lossless": True} if name == "WEBP" else {})
        )
        for color in (WHITE, (0, 0, 0), (255, 240, 90), (128, 128, 128))
        for name in ("PNG", "WEBP", "TIFF", "AVIF")
    },
    "white LA": lambda: saved(transparent(WHITE).convert("LA"), "PNG"),
    "white LA tiff": lambda: saved(transparent(WHITE).convert("LA"), "TIFF"),
    "faint white": lambda: saved(transparent(WHITE, 50), "PNG"),
    "white palette png": lambda: palette("PNG", b"\xff\x00"),
    "white palette gif": lambda: palette("GIF", 1),
    "holes in white": lambda: saved(Image.merge("LA", (Image.new("L", SIZE, 255), drawing())), "PNG"),
    "key in gray of 1 bit": lambda: keyed_png(1, 0, [np.packbits(row).tobytes() for row in INK], b"\0\0"),
    "key in white of 1 bit": lambda: keyed_png(1, 0, [np.packbits(~row).tobytes() for row in INK], b"\0\1"),
    "key in gray of 4 bits": lambda: keyed_png(4, 0, gray_of_4_bits(), b"\0\3"),
    "key in gray of 8 bits": lambda: keyed_png(
        8, 0, [row.tobytes() for row in np.where(INK, 255, 254).astype(np.uint8)], b"\0\xfe"
    ),
    "key in gray of 16 bits": lambda: keyed_png(16, 0, [row.tobytes() for row in INK.astype(">u2")], b"\0\0"),
    "key in RGB of 16 bits": lambda: keyed_png(16, 2, rgb_of_16_bits(), b"\xff\xff\xff\xff\0\xff"),
    **{
        f"{count} bits in 16 {container}": lambda count=count, container=container: shallow(count, container)
        for count in (10, 12, 14)
        for container in ("TIFF", "PNG")
    },
    "floats": lambda: floats(0.0, 1.0),
    "floats from white to black": lambda: floats(1.0, 0.0),
    "floats with an outlier": lambda: floats(0.0, 1.0, outlier=1e30),
    "floats with a negative outlier": lambda: floats(0.0, 1.0, outlier=-1e30),
    "floats with NaN": lambda: floats(0.0, 1.0, spot=NAN),
    "floats with infinities": lambda: floats(0.0, 1.0, high=INF, low=-INF),
    "floats in a narrow range": lambda: floats(0.50, 0.51),
    "floats below zero": lambda: floats(-5.0, -1.0),
    "floats of millions": lambda: floats(1e6, 9e6),
    "ink of NaN": lambda: floats(NAN, 0.5),
    "paper of NaN": lambda: floats(1.0, NAN),
    "ink of infinity": lambda: floats(INF, 0.5),
    "integers of 31 bits": lambda: integers(0, 2_000_000_000),
    "integers below zero": lambda: integers(-128_000, 127_000),
    "integers with a near outlier": lambda: integers(0, 50_000, 5_000_000),
    "integers with an outlier": lambda: integers(0, 50_000, 2**31 - 1),
    "unsigned integers of 32 bits": lambda: tiff(
        TiffPage(*SIZE, np.where(INK, 0, 2**32 - 1).astype("<u4").tobytes(), depths=(32,))
    ),
    "LAB": lambda: lab(0, 255),
    "LAB, white on black": lambda: lab(255, 0),
    "1 bit, black is zero": lambda: bits(white_is_zero=False),
    "1 bit, white is zero": lambda: bits(white_is_zero=True),
    **{
        f"CMYK {name}, inverted: {is_inverted}": lambda name=name, is_inverted=is_inverted: cmyk(
            name, is_inverted=is_inverted
        )
        for name in ("JPEG", "TIFF")
        for is_inverted in (False, True)
    },
    "CMYK without marker": lambda: cmyk("JPEG", is_inverted=False, has_marker=False),
    "inverted CMYK without marker": lambda: cmyk("JPEG", is_inverted=True, has_marker=False),
}


@pytest.mark.parametrize("name", FILES)
def test_page_of_any_number_format_shows_its_ink(tmp_path: Path, name: str) -> None:
    gray = page_gray(tmp_path, FILES[name]())
    contrast = gray[INK].mean() - gray[~INK].mean()
    assert abs(contrast) > MIN_CONTRAST
    threshold = (gray[INK].mean() + gray[~INK].mean()) / 2
    is_ink = gray > threshold if contrast > 0 else gray < threshold
    assert (is_ink == INK).mean() > 0.97


@pytest.mark.parametrize("name", [name for name in FILES if "CMYK" in name or name.startswith("1 bit")])
def test_page_in_inks_is_dark_on_white(tmp_path: Path, name: str) -> None:
    gray = page_gray(tmp_path, FILES[name]())
    assert gray[INK].mean() < 60
    assert gray[~INK].mean() > 195


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_page_with_white_ink_on_black_of_three_inks_shows_it(tmp_path: Path, format: str) -> None:
    picture = Image.fromarray(np.where(INK, 255, 0).astype(np.uint8)).convert("RGB").convert("CMYK")
    gray = page_gray(tmp_path, saved(picture, format, **({"quality": 95} if format == "JPEG" else {})))
    assert gray[INK].mean() - gray[~INK].mean() > MIN_CONTRAST


@pytest.mark.parametrize("color", [(0, 0, 0), (200, 0, 0)])
def test_page_with_dark_ink_on_transparent_is_on_white(tmp_path: Path, color: tuple[int, int, int]) -> None:
    gray = page_gray(tmp_path, saved(transparent(color), "PNG"))
    assert gray[~INK].min() == 255


def test_page_of_opaque_paper_on_transparent_is_not_on_black(tmp_path: Path) -> None:
    image = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    image.paste(drawing().resize((360, 260)).convert("RGBA"), (20, 20))
    assert page_gray(tmp_path, saved(image, "PNG"))[0, 0] > 100


def test_find_levels_of_blank_noise_does_not_stretch_it() -> None:
    values = np.random.default_rng(1).integers(58_000, 65_000, (200, 200))
    gray = find_levels([values]).to_gray(values)
    assert gray.min() > 200


def page_gray(tmp_path: Path, content: bytes) -> npt.NDArray[np.float64]:
    (tmp_path / "file").write_bytes(content)
    with open_document(tmp_path / "file", Options()) as document:
        page = document.page(1)
    assert page.warnings == ()
    return np.asarray(page.pixels.mean(axis=2), np.float64)
