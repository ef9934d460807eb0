"""Pictures in a searchable PDF: they look as they are read, and stay compressed as they are where PDF can."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.searchable_pdf import TextPage, original_parts, receive_parts
from backend_main.reading.searchable_pdf.picture_copies import PdfPicture
from backend_main.reading.types import Options
from tests.support.searchable_pdfs import problems, searchable_pdf

SIZE = (240, 160)
MAX_DIFFERENCE = 3.0
"""Mean difference of rendered pixels of 8 bits: two decoders of one JPEG differ by up to 1."""
MAX_INK_DIFFERENCE = 12.0
"""For inks: pdfium renders those of a press, Pillow ideal ones. An inverted picture differs by 200."""
STRIPS = {"compression": "group4", "tiffinfo": {278: 40}}
ONE_STRIP = {"compression": "group4", "tiffinfo": {278: 160}}
ORIENTATION_TAG = 0x0112


def _drawing(mode: str) -> Image.Image:
    """Return a picture without symmetry, so that each orientation of it looks different."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 120, 60), fill="red" if mode not in ("1", "L", "LA") else "black")
    draw.ellipse((140, 90, 220, 140), fill="blue" if mode not in ("1", "L", "LA") else "black")
    return image.convert(mode)


def _saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def _sixteen_bits(path: Path) -> Path:
    pixels = np.asarray(_drawing("L"), np.uint16) * 257
    return _saved(path.with_suffix(".png"), Image.fromarray(pixels))


FILES: dict[str, Callable[[Path], Path]] = {
    "jpeg_color": lambda path: _saved(path.with_suffix(".jpg"), _drawing("RGB"), quality=95),
    "jpeg_gray": lambda path: _saved(path.with_suffix(".jpg"), _drawing("L"), quality=95),
    "jpeg_cmyk": lambda path: _saved(path.with_suffix(".jpg"), _drawing("CMYK"), quality=95),
    "jpeg_progressive": lambda path: _saved(path.with_suffix(".jpg"), _drawing("RGB"), progressive=True),
    "png_bilevel": lambda path: _saved(path.with_suffix(".png"), _drawing("1")),
    "png_gray": lambda path: _saved(path.with_suffix(".png"), _drawing("L")),
    "png_16_bits": _sixteen_bits,
    "png_color": lambda path: _saved(path.with_suffix(".png"), _drawing("RGB")),
    "png_palette": lambda path: _saved(path.with_suffix(".png"), _drawing("P")),
    "tiff_one_strip": lambda path: _saved(path.with_suffix(".tif"), _drawing("1"), **ONE_STRIP),
    "png_alpha": lambda path: _saved(path.with_suffix(".png"), _drawing("RGBA")),
    "png_gray_alpha": lambda path: _saved(path.with_suffix(".png"), _drawing("LA")),
    "tiff_strips": lambda path: _saved(path.with_suffix(".tif"), _drawing("1"), **STRIPS),
    "tiff_lzw": lambda path: _saved(path.with_suffix(".tif"), _drawing("RGB"), compression="tiff_lzw"),
    "bmp": lambda path: _saved(path.with_suffix(".bmp"), _drawing("RGB")),
    "gif": lambda path: _saved(path.with_suffix(".gif"), _drawing("P")),
    "webp": lambda path: _saved(path.with_suffix(".webp"), _drawing("RGB"), quality=95),
}
COPIED = [*FILES][:10]


def _decoded(path: Path, number: int = 1) -> Pixels:
    document = open_document(path, Options())
    pixels = document.page(number).pixels
    document.close()
    return pixels


def _rendered(pdf: bytes, number: int, size: tuple[int, int]) -> Pixels:
    page = pypdfium2.PdfDocument(pdf)[number - 1]
    pixels = page.render(scale=size[0] / page.get_width(), rev_byteorder=False).to_numpy()
    return np.asarray(pixels[: size[1], : size[0], :3], np.uint8)


def _assert_looks_as_it_is_read(path: Path, pdf: bytes, number: int = 1) -> None:
    decoded = _decoded(path, number)
    height, width = decoded.shape[:2]
    rendered = _rendered(pdf, number, (width, height))
    assert rendered.shape[:2] == (height, width)
    difference = np.abs(rendered.astype(int) - decoded.astype(int)).mean()
    with Image.open(path) as image:
        assert difference <= (MAX_INK_DIFFERENCE if image.mode == "CMYK" else MAX_DIFFERENCE)


def _page(path: Path, number: int = 1) -> TextPage:
    height, width = _decoded(path, number).shape[:2]
    return TextPage(number, width, height, [])


def _picture(path: Path) -> PdfPicture:
    picture = receive_parts(original_parts(path, Options()))
    assert isinstance(picture, PdfPicture)
    return picture


@pytest.mark.parametrize("kind", FILES)
def test_picture_looks_as_it_is_read(kind: str, tmp_path: Path) -> None:
    path = FILES[kind](tmp_path / "picture")
    pdf = searchable_pdf(path, [_page(path)])
    _assert_looks_as_it_is_read(path, pdf)
    assert not problems(pdf)


@pytest.mark.parametrize("kind", COPIED)
def test_compressed_picture_stays_as_it_is_in_the_file(kind: str, tmp_path: Path) -> None:
    path = FILES[kind](tmp_path / "picture")
    data = _picture(path).data
    assert data in path.read_bytes()
    with pikepdf.open(io.BytesIO(searchable_pdf(path, [_page(path)]))) as pdf:
        assert pdf.pages[0].Resources.XObject.Page.read_raw_bytes() == data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_with_orientation_is_upright_and_not_recoded(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    path = _saved(tmp_path / "turned.jpg", _drawing("RGB"), quality=95, exif=exif)
    pdf = searchable_pdf(path, [_page(path)])
    assert path.read_bytes() in pdf
    _assert_looks_as_it_is_read(path, pdf)


@pytest.mark.parametrize("orientation", [1, 6])
def test_page_has_the_size_that_the_resolution_gives(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    path = _saved(tmp_path / "page.jpg", _drawing("RGB"), exif=exif, dpi=(100, 200))
    page = pypdfium2.PdfDocument(searchable_pdf(path, [_page(path)]))[0]
    size = (SIZE[0] * 72 / 100, SIZE[1] * 72 / 200)
    assert page.get_size() == pytest.approx(size if orientation == 1 else size[::-1], abs=0.01)


@pytest.mark.parametrize("dpi", [(1, 1), (5000, 5000)])
def test_resolution_that_no_scanner_has_is_150_dpi(dpi: tuple[int, int], tmp_path: Path) -> None:
    path = _saved(tmp_path / "page.jpg", _drawing("RGB"), dpi=dpi)
    assert _picture(path).dpi == (150, 150)


def test_fax_with_reversed_bits_is_read_in_the_order_of_pdf(tmp_path: Path) -> None:
    path = _saved(tmp_path / "fax.tif", _drawing("1"), compression="group4", tiffinfo={278: 160, 266: 2})
    pdf = searchable_pdf(path, [_page(path)])
    _assert_looks_as_it_is_read(path, pdf)


def test_pages_of_a_tiff_are_pages_of_the_pdf(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    second = _drawing("1").transpose(Image.Transpose.ROTATE_90)
    _drawing("1").save(path, save_all=True, append_images=[second], **ONE_STRIP)
    pdf = searchable_pdf(path, [_page(path, 1), _page(path, 2)])
    _assert_looks_as_it_is_read(path, pdf, 1)
    _assert_looks_as_it_is_read(path, pdf, 2)
    assert len(pypdfium2.PdfDocument(pdf)) == 2


def test_damaged_png_is_decoded_as_far_as_it_goes(tmp_path: Path) -> None:
    path = FILES["png_color"](tmp_path / "picture")
    content = bytearray(path.read_bytes())
    content[-40:-12] = bytes(28)  # the end of the pixels
    path.write_bytes(content)
    pdf = searchable_pdf(path, [_page(path)])
    _assert_looks_as_it_is_read(path, pdf)


def test_page_that_cannot_be_decoded_is_an_empty_page(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    _drawing("RGB").save(path, save_all=True, append_images=[_drawing("RGB")], compression="tiff_lzw")
    broken = bytearray(path.read_bytes())
    broken[8 : 8 + 200] = bytes(200)  # the pixels of the first page
    path.write_bytes(broken)
    pdf = searchable_pdf(path, [TextPage(1, 0, 0, []), _page(path, 2)])
    assert len(pypdfium2.PdfDocument(pdf)) == 2
    _assert_looks_as_it_is_read(path, pdf, 2)
    assert not problems(pdf)
