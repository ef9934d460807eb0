"""Pages of a TIFF: upright in every mode and compression, without thumbnails and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend_main.reading import Options, UnreadableFile
from backend_main.reading.documents.base import PageImage
from backend_main.reading.documents.document import open_document
from tests.file_corpus.images import INVERSE_TRANSFORMS, ORIENTATION, SIZE, sample_image, saved
from tests.file_corpus.tiff import TiffPage, tiff

MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I", "F", "LAB")
COMPRESSIONS = dict.fromkeys(MODES, ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"))
COMPRESSIONS["1"] += ("group4", "group3", "tiff_ccitt")
for _mode in ("L", "RGB", "YCbCr", "CMYK"):
    COMPRESSIONS[_mode] += ("jpeg",)


def pages_of(tmp_path: Path, content: bytes) -> list[PageImage]:
    (tmp_path / "file").write_bytes(content)
    with open_document(tmp_path / "file", Options()) as document:
        return list(document)


def stored(orientation: int) -> Image.Image:
    """Return the drawing as a TIFF with an orientation stores it."""
    image = sample_image("L")
    return image.transpose(INVERSE_TRANSFORMS[orientation]) if orientation > 1 else image


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    values = np.asarray(image)
    if mode == "LAB":
        lightness = np.zeros((*values.shape, 3), np.uint8)
        lightness[..., 0] = values
        return Image.frombytes("LAB", image.size, lightness.tobytes())
    numbers = {"I;16": values.astype(np.uint16) * 257, "I": values.astype(np.int32) * 257}
    numbers["F"] = (values / 255).astype(np.float32)
    return Image.fromarray(numbers[mode]) if mode in numbers else image.convert(mode)


def assert_upright(page: PageImage) -> None:
    assert page.warnings == ()
    assert page.pixels.shape == (SIZE[1], SIZE[0], 3)
    assert page.pixels[2:7, 2:17].max() < 70
    assert page.pixels[15:, 25:].min() > 190


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", MODES)
def test_page_of_tiff_with_orientation_is_upright(tmp_path: Path, mode: str, orientation: int) -> None:
    image = in_mode(stored(orientation), mode)
    for compression in COMPRESSIONS[mode]:
        options = {"quality": 95} if compression == "jpeg" else {}
        content = saved(
            image, "TIFF", compression=compression, tiffinfo={ORIENTATION: orientation}, **options
        )
        (page,) = pages_of(tmp_path, content)
        assert_upright(page)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_page_of_uncompressed_tiff_in_one_strip_is_upright(
    tmp_path: Path, orientation: int, order: str
) -> None:
    image = stored(orientation)
    gray = np.asarray(image)
    samples = {
        (8,): gray.tobytes(),
        (16,): (gray.astype(np.uint16) * 257).astype(f"{order}u2").tobytes(),
        (32,): (gray.astype(np.uint32) * 0x01010101).astype(f"{order}u4").tobytes(),
        (8, 8, 8, 8): np.dstack([gray] * 3 + [np.full_like(gray, 255)]).tobytes(),
    }
    for depths, data in samples.items():
        tags = {ORIENTATION: (3, [orientation])} | ({338: (3, [2])} if len(depths) > 1 else {})
        (page,) = pages_of(tmp_path, tiff(TiffPage(*image.size, data, depths=depths, tags=tags), order=order))
        assert_upright(page)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 8, 16, 32])
def test_page_of_tiff_whose_zero_is_white_is_upright(tmp_path: Path, bits: int, order: str) -> None:
    gray = 255 - np.asarray(sample_image("L")).astype(np.uint32)
    data = {
        1: np.packbits(gray > 127, axis=1).tobytes(),
        8: gray.astype(np.uint8).tobytes(),
        16: (gray * 257).astype(f"{order}u2").tobytes(),
        32: (gray * 0x01010101).astype(f"{order}u4").tobytes(),
    }
    content = tiff(TiffPage(*SIZE, data[bits], depths=(bits,), tags={262: (3, [0])}), order=order)
    assert_upright(pages_of(tmp_path, content)[0])


PAGE = TiffPage(*SIZE, sample_image("L").tobytes())
SMALL = (SIZE[0] // 4, SIZE[1] // 4)


def reduced(tags: dict[int, tuple[int, list[int]]], size: tuple[int, int] = SMALL) -> TiffPage:
    return TiffPage(*size, sample_image("L", size).tobytes(), tags=tags)


@pytest.mark.parametrize(
    "other",
    [
        reduced({254: (4, [1])}),
        reduced({254: (4, [3])}),
        reduced({255: (3, [2])}),
        reduced({254: (4, [4])}, SIZE),
        reduced({254: (4, [5])}),
    ],
    ids=["thumbnail", "thumbnail of a page", "old thumbnail", "mask", "thumbnail of a mask"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_document_of_tiff_has_no_page_for_thumbnail_or_mask(
    tmp_path: Path, other: TiffPage, *, is_first: bool
) -> None:
    pages = pages_of(tmp_path, tiff(other, PAGE, PAGE) if is_first else tiff(PAGE, other, PAGE, other))
    assert [page.number for page in pages] == [1, 2]
    for page in pages:
        assert_upright(page)


def test_document_of_tiff_of_one_page_marked_as_thumbnail_has_it(tmp_path: Path) -> None:
    (page,) = pages_of(tmp_path, tiff(reduced({254: (4, [1])})))
    assert (page.width, page.height) == SMALL


def test_document_of_tiff_keeps_pages_of_full_size_marked_as_thumbnails(tmp_path: Path) -> None:
    assert len(pages_of(tmp_path, tiff(PAGE, reduced({254: (4, [1])}, SIZE)))) == 2


@pytest.mark.parametrize(
    ("compression", "name"),
    [
        (34661, "JBIG"),
        (34712, "JPEG 2000"),
        (34887, "LERC"),
        (50002, "JPEG XL"),
        (12345, "an unknown method"),
    ],
)
def test_page_of_tiff_with_missing_compression_names_it(tmp_path: Path, compression: int, name: str) -> None:
    page = TiffPage(*SIZE, bytes(100), tags={259: (3, [compression])})
    with pytest.raises(UnreadableFile, match=rf"compressed with {name} \(TIFF compression {compression}\)"):
        pages_of(tmp_path, tiff(page))
    (tmp_path / "file").write_bytes(tiff(page, PAGE))
    with open_document(tmp_path / "file", Options()) as document:
        assert_upright(document.page(2))


@pytest.mark.parametrize(("depths", "kind"), [((64,), 3), ((32, 32, 32), 1), ((16,), 3)])
def test_page_of_tiff_with_unknown_samples_names_them(
    tmp_path: Path, depths: tuple[int, ...], kind: int
) -> None:
    data = bytes(SIZE[0] * SIZE[1] * sum(depths) // 8)
    page = TiffPage(*SIZE, data, depths=depths, tags={339: (3, [kind] * len(depths))})
    with pytest.raises(UnreadableFile, match=r"pixels of .* in a combination that is not supported"):
        pages_of(tmp_path, tiff(page))


@pytest.mark.parametrize("columns", [1, 2])
def test_page_of_uncompressed_tiff_with_chroma_for_several_pixels_is_whole(
    tmp_path: Path, columns: int
) -> None:
    width, height = 32, 16
    luma = np.arange(width * height, dtype=np.uint16).reshape(height, width // columns, columns) % 200 + 20
    gray = np.full((height, width // columns, 2), 128)
    data = np.concatenate([luma, gray], axis=2).astype(np.uint8).tobytes()
    tags = {262: (3, [6]), 530: (3, [columns, 1])}
    (page,) = pages_of(tmp_path, tiff(TiffPage(width, height, data, depths=(8, 8, 8), tags=tags)))
    assert np.abs(page.pixels[:, :, 0].astype(int) - luma.reshape(height, width)).max() <= 2
