"""Documents: files of every type become upright pages on white, broken ones an error message."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from backend_main.reading import Options, UnreadableFile
from backend_main.reading.documents.document import PageImage, open_document
from backend_main.reading.documents.pixels import downscale_by_halves

SIZE = (60, 40)


def pages(path: Path, options: Options | None = None) -> list[PageImage]:
    with open_document(path, options or Options()) as document:
        return list(document)


def page(path: Path) -> PageImage:
    (only,) = pages(path)
    return only


def sample_image(mode: str = "RGB") -> Image.Image:
    """Return a white image with a black patch at the top left."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).rectangle((0, 0, 19, 9), fill="black")
    return image.convert(mode)


def assert_upright(read: PageImage) -> None:
    assert read.pixels.dtype == np.uint8
    assert read.pixels.flags.c_contiguous
    assert read.pixels.shape == (read.height, read.width, 3) == (40, 60, 3)
    assert read.pixels[2:7, 2:17].max() < 60
    assert read.pixels[15:, 25:].min() > 195


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_page_of_lossless_image_in_any_mode_is_upright_bgr(tmp_path: Path, mode: str, suffix: str) -> None:
    image = (
        sample_image("I").point(lambda value: value * 257).convert("I;16")
        if mode == "I;16"
        else sample_image(mode)
    )
    image.save(tmp_path / f"x.{suffix}")
    assert_upright(page(tmp_path / f"x.{suffix}"))


@pytest.mark.parametrize("mode", ["CMYK", "F", "I", "LAB", "YCbCr"])
def test_page_of_tiff_in_print_colors_or_numbers_is_upright_bgr(tmp_path: Path, mode: str) -> None:
    if mode == "LAB":
        pixels = np.zeros((40, 60, 3), np.uint8)
        pixels[..., 0] = np.asarray(sample_image("L"))
        image = Image.frombytes("LAB", SIZE, pixels.tobytes())
    else:
        image = sample_image("L").convert(mode) if mode in ("F", "I") else sample_image(mode)
    image.save(tmp_path / "x.tiff")
    assert_upright(page(tmp_path / "x.tiff"))


@pytest.mark.parametrize(("mode", "white"), [("I", 65535), ("F", 1.0), ("F", 255.0), ("I", 255)])
def test_page_of_numeric_tiff_is_scaled_to_its_white_level(tmp_path: Path, mode: str, white: float) -> None:
    values = np.asarray(sample_image("L"), np.float32) * (white / 255)
    Image.fromarray(values.astype(np.float32 if mode == "F" else np.int32)).save(tmp_path / "x.tiff")
    read = page(tmp_path / "x.tiff")
    assert_upright(read)
    assert read.pixels.max() == 255


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_page_of_jpeg_in_any_mode_is_upright_bgr(tmp_path: Path, mode: str) -> None:
    sample_image(mode).save(tmp_path / "x.jpg", quality=95)
    assert_upright(page(tmp_path / "x.jpg"))


@pytest.mark.parametrize("suffix", ["webp", "bmp", "gif"])
def test_page_of_webp_bmp_and_gif_is_upright_bgr(tmp_path: Path, suffix: str) -> None:
    sample_image().save(tmp_path / f"x.{suffix}", lossless=True)
    assert_upright(page(tmp_path / f"x.{suffix}"))


def test_open_document_detects_format_by_content_not_by_name(tmp_path: Path) -> None:
    sample_image().save(tmp_path / "x.pdf", format="PNG")
    assert_upright(page(tmp_path / "x.pdf"))


def test_page_colors_are_in_bgr_order(tmp_path: Path) -> None:
    Image.new("RGB", SIZE, (255, 0, 10)).save(tmp_path / "x.png")
    assert page(tmp_path / "x.png").pixels[0, 0].tolist() == [10, 0, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_page_of_transparent_image_is_white(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, SIZE, 0)
    image.save(tmp_path / "x.png")
    assert page(tmp_path / "x.png").pixels.min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
def test_page_with_exif_orientation_is_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = sample_image().transpose(inverse[orientation]) if orientation in inverse else sample_image()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / f"x.{suffix}", exif=exif)
    assert_upright(page(tmp_path / f"x.{suffix}"))


def test_document_has_all_pages_of_tiff_and_first_frame_of_gif(tmp_path: Path) -> None:
    frames = [Image.new("L", (10 + number, 10), 255) for number in range(3)]
    frames[0].save(tmp_path / "x.tiff", save_all=True, append_images=frames[1:])
    assert [(read.number, read.width) for read in pages(tmp_path / "x.tiff")] == [(1, 10), (2, 11), (3, 12)]
    assert [read.number for read in pages(tmp_path / "x.tiff", Options(first_page=3))] == [3]
    colored = [Image.new("RGB", (10, 10), color) for color in ("red", "blue")]
    colored[0].save(tmp_path / "x.gif", save_all=True, append_images=colored[1:])
    assert page(tmp_path / "x.gif").pixels[0, 0].tolist() == [0, 0, 255]


def write_pdf(path: Path, sizes: list[tuple[float, float]]) -> Path:
    pdf = pypdfium2.PdfDocument.new()
    for size in sizes:
        pdf.new_page(*size).close()
    pdf.save(path)
    pdf.close()
    return path


def test_pdf_page_is_rendered_at_200_dpi_within_bounds(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "x", [(595, 842), (14400, 7200)])
    first, second = pages(path)
    assert (first.width, first.height) == (1653, 2339)
    assert (second.width, second.height) == (4000, 2000)
    assert first.pixels.min() == 255
    assert [read.number for read in pages(path, Options(first_page=2))] == [2]


def test_pdf_page_shows_image_in_it(tmp_path: Path) -> None:
    sample_image().save(tmp_path / "x.pdf", resolution=200)
    pixels = page(tmp_path / "x.pdf").pixels
    assert pixels[2:7, 2:17].max() < 60
    assert pixels[15:38, 25:58].min() > 195


def test_page_over_pixel_limit_is_rejected_before_decoding(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(
        png + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    )
    with pytest.raises(UnreadableFile, match="more than 200000000 pixels"):
        pages(tmp_path / "bomb.png")


def test_tiff_page_over_pixel_limit_is_rejected(tmp_path: Path) -> None:
    small, big = Image.new("L", (10, 10)), Image.new("L", (100, 100))
    small.save(tmp_path / "x.tiff", save_all=True, append_images=[big])
    with open_document(tmp_path / "x.tiff", Options(max_pixels=5000)) as document:
        read = iter(document)
        assert next(read).number == 1
        with pytest.raises(UnreadableFile, match="pixels"):
            next(read)


def test_open_document_with_too_many_pages_raises(tmp_path: Path) -> None:
    frame = Image.new("L", (10, 10))
    frame.save(tmp_path / "x.tiff", save_all=True, append_images=[frame] * 4)
    assert len(pages(tmp_path / "x.tiff", Options(max_pages=5))) == 5
    for path in (tmp_path / "x.tiff", write_pdf(tmp_path / "x.pdf", [(10, 10)] * 5)):
        with pytest.raises(UnreadableFile, match="more than 4 pages"):
            pages(path, Options(max_pages=4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"just some text", "Unsupported file format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Unsupported file format"),
        (b"%PDF-1.7\nnothing more", "The PDF is broken"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "Unsupported file format"),
    ],
)
def test_open_document_of_other_file_raises_with_reason(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(UnreadableFile, match=message):
        pages(tmp_path / "x.png")


ENCRYPTED = b"""%%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj
4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>endobj
trailer<</Root 1 0 R/Size 5/Encrypt 4 0 R/ID[<%s><%s>]>>
"""


def test_open_document_of_encrypted_pdf_raises(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(ENCRYPTED % (b"ab" * 32, b"cd" * 32, b"ef" * 16, b"ef" * 16))
    with pytest.raises(UnreadableFile, match="encrypted"):
        pages(tmp_path / "x.pdf")


def test_open_document_of_pdf_without_pages_raises(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no pages"):
        pages(write_pdf(tmp_path / "x.pdf", []))


def test_open_document_of_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="could not be opened"):
        pages(tmp_path / "gone.png")


@pytest.mark.parametrize(
    ("size", "side", "halves"),
    [
        ((40, 60), 60, (40, 60)),
        ((40, 60), 31, (40, 60)),
        ((40, 60), 30, (20, 30)),
        ((41, 121), 30, (10, 30)),
        ((1, 5000), 1000, (1, 1250)),
    ],
)
def test_downscale_by_halves_while_image_is_twice_too_large(
    size: tuple[int, int], side: int, halves: tuple[int, int]
) -> None:
    striped = np.zeros((*size, 3), np.uint8)
    striped[:, ::2] = 200
    smaller = downscale_by_halves(striped, side)
    assert smaller.shape == (*halves, 3)
    assert halves == size or (smaller == 100).all()
