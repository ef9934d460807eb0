"""Large pictures: decoded in strips, with bounded memory, and reduced to the size of a page."""

import io
import mmap
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, TiffImagePlugin

from backend_main.reading import Options
from backend_main.reading.documents import large_pictures, pixels
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pixels import Pixels, Strips, to_upright_bgr
from tests.file_corpus.images import HEIC_BYTES

SIZE = (203, 151)
"""No multiple of the rows of a strip, nor of the reduction of colors."""
MAX_PEAK_BYTES = 1200 << 20
LARGE_SIDES = (14_000, 14_280)


@pytest.fixture
def picture() -> Image.Image:
    """A picture with soft changes of color, and a dark and a colored square."""
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    rows = np.stack([x % 256, y % 256, (x + y) % 256], axis=2).astype(np.uint8)
    image = Image.fromarray(rows)
    ImageDraw.Draw(image).rectangle((20, 30, 60, 70), fill="black")
    ImageDraw.Draw(image).rectangle((100, 90, 140, 130), fill=(0, 0, 160))
    return image


@pytest.fixture
def small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture is large, and has several strips."""
    monkeypatch.setattr(large_pictures, "LARGE_PIXELS", 1)
    monkeypatch.setattr(pixels, "STRIP_PIXELS", 40 * SIZE[0])


def page_of(data: bytes, folder: Path) -> Pixels:
    path = folder / "picture"
    path.write_bytes(data)
    with open_document(path, Options()) as document:
        return document.page(1).pixels


def saved(image: Image.Image, picture_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_page_of_png_in_strips_is_that_of_the_whole(
    orientation: int,
    picture: Image.Image,
    small_strips: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    data = saved(picture, "PNG", exif=exif)
    in_strips = page_of(data, tmp_path)
    monkeypatch.setattr(large_pictures, "LARGE_PIXELS", 1 << 40)
    assert np.array_equal(in_strips, page_of(data, tmp_path))


def test_page_of_jpeg_in_strips_has_its_brightness_and_colors(
    picture: Image.Image, small_strips: None, tmp_path: Path
) -> None:
    page = page_of(saved(picture, "JPEG", quality=95), tmp_path)
    expected = np.asarray(picture)[:, :, ::-1]
    gray = [np.asarray(Image.fromarray(one[:, :, ::-1]).convert("L"), float) for one in (page, expected)]
    assert np.abs(gray[0] - gray[1]).mean() < 2
    assert np.abs(page[95:125, 105:135].astype(int) - (160, 0, 0)).mean() < 12
    assert np.abs(page[35:65, 25:55].astype(int)).mean() < 4


def test_page_of_heic_in_strips_is_that_of_the_whole(
    small_strips: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_strips = page_of(HEIC_BYTES, tmp_path)
    monkeypatch.setattr(large_pictures, "LARGE_PIXELS", 1 << 40)
    assert np.array_equal(in_strips, page_of(HEIC_BYTES, tmp_path))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("rows", [1, 7, 16, 250])
def test_page_of_tiff_in_strips_is_that_of_the_whole(
    compression: str,
    rows: int,
    picture: Image.Image,
    small_strips: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if rows == 7:  # a group of strips is 112 rows
        picture = picture.resize((SIZE[0], 250))
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", rows * 3 * SIZE[0])
    data = saved(picture, "TIFF", compression=compression, tiffinfo={278: rows, 317: 1})
    decoded: list[int] = []
    rgb = large_pictures.TiffStrips.rgb
    monkeypatch.setattr(
        large_pictures.TiffStrips,
        "rgb",
        lambda self, top, bottom: decoded.append(top) or rgb(self, top, bottom),
    )
    in_strips = page_of(data, tmp_path)
    assert len(decoded) > 1 or (rows == 250 and compression != "raw")
    monkeypatch.setattr(large_pictures, "LARGE_PIXELS", 1 << 40)
    assert np.array_equal(in_strips, page_of(data, tmp_path))


def test_tiff_strips_of_a_narrow_picture_have_no_list_of_its_rows(small_strips: None, tmp_path: Path) -> None:
    """A file of 200 bytes can have a strip of a billion rows of one pixel."""
    path = tmp_path / "picture.tif"
    path.write_bytes(saved(Image.new("RGB", (1, 1000)), "TIFF", compression="raw"))
    with path.open("rb") as file, Image.open(path) as image:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        image.tag_v2[278], image.tag_v2[279] = 1 << 30, (3 << 30,)
        tracemalloc.start()
        try:
            strips = large_pictures.TiffStrips(image, data)
            assert strips.rgb(0, 500).shape == (500, 1, 3)
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG"])
def test_page_of_large_picture_cut_short_has_warning(
    picture_format: str, picture: Image.Image, small_strips: None, tmp_path: Path
) -> None:
    data = saved(picture, picture_format)
    path = tmp_path / "picture"
    path.write_bytes(data[: len(data) * 2 // 3])
    with open_document(path, Options()) as document:
        page = document.page(1)
    assert page.pixels.shape == (SIZE[1], SIZE[0], 3)
    assert [warning.code for warning in page.warnings] == ["missing-rows"]


class White(Strips):
    """White paper with one black row."""

    def __init__(self, width: int, height: int, black: int) -> None:
        self.width, self.height, self._black = width, height, black

    def rgb(self, top: int, bottom: int) -> Pixels:
        strip = np.full((bottom - top, self.width, 3), 255, np.uint8)
        strip[max(0, self._black - top) : max(0, self._black - top + 1)] = 0
        return strip


@pytest.mark.parametrize("orientation", [1, 6])
def test_image_above_the_size_of_a_page_is_reduced_evenly(
    orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "MAX_PAGE_PIXELS", 250 * 400 // 2)
    monkeypatch.setattr(pixels, "STRIP_PIXELS", 250 * 32)
    page = to_upright_bgr(White(250, 400, black=200), orientation)
    rows = page if orientation == 1 else np.rot90(page)
    assert rows.shape[0] * rows.shape[1] <= 250 * 400 // 2 * 1.02
    assert abs(rows.shape[0] / rows.shape[1] - 400 / 250) < 0.02
    assert abs(int(rows.sum(axis=(1, 2)).argmin()) / rows.shape[0] - 0.5) < 0.01


# ── the largest picture allowed ──


def large_picture() -> Image.Image:
    image = Image.new("RGB", LARGE_SIDES, "white")
    draw = ImageDraw.Draw(image)
    draw.text((1500, 900), "A very big plan with little text", fill="black", font=ImageFont.load_default(44))
    draw.text((9500, 12900), "Scale one to fifty", fill=(0, 0, 160), font=ImageFont.load_default(44))
    return image


READ = """
import sys
from pathlib import Path
from backend_main.reading import Options, PageDone, load_engine, read
engine = load_engine("rapid", 1)
for event in read(sys.argv[1], Options(threads=1), engine):
    if isinstance(event, PageDone):
        print(*event.text.split())
# Not getrusage: the maximum of its process includes the memory of the parent before `exec`.
status = Path("/proc/self/status").read_text()
print(status.split("VmHWM:")[1].split()[0])
"""


@pytest.fixture(scope="module")
def large_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("large")
    image = large_picture()

    def write(name: str) -> Path:
        path = folder / name
        exif = Image.Exif()
        exif[0x112] = 6 if name.startswith("turned") else 1
        image.save(path, exif=exif, **({"compress_level": 1} if name.endswith("png") else {}))
        return path

    return write


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plan.jpg", "plan.png", "plan.tif", "turned.jpg"])
def test_memory_of_the_largest_picture_is_bounded(name: str, large_files: Callable[[str], Path]) -> None:
    assert LARGE_SIDES[0] * LARGE_SIDES[1] > 0.99 * Options().max_pixels
    run = subprocess.run(
        [sys.executable, "-c", READ, str(large_files(name))], check=True, capture_output=True, text=True
    )
    *text, peak = run.stdout.splitlines()
    assert int(peak) * 1024 < MAX_PEAK_BYTES
    if name.startswith("plan"):
        assert text == ["A very big plan with little text Scale one to fifty"]
