"""Pictures as PDF images, without recoding where PDF knows the compression of the file.

A JPEG, the pixels of most PNGs, and Group 4 of one strip go into the PDF as they are. Other pictures are
decoded, which makes them upright. Black and white becomes Group 4, and the rest Flate: both lose nothing. The
picture of a file that is lossy itself becomes JPEG.
"""

import contextlib
import mmap
import warnings

import msgspec

from ..documents.document import open_document
from ..documents.image_headers import EXIF_PREFIX, exif_orientation, read_header_of_file, tiff
from ..documents.picture_parts import parts_of
from ..documents.source_file import SourceFile, open_source
from ..types import Options
from .encoded_picture import encode_pixels
from .picture_copies import COPIES, PdfPicture

MIN_DPI, MAX_DPI = 72.0, 1200.0
"""A resolution outside of it is a placeholder of a program, such as 1 or 65535."""
DEFAULT_DPI = 150.0
LOSSY_FORMATS = ("WEBP", "HEIF", "AVIF")
JPEG_IN_TIFF = (6, 7)
"""Compressions (TIFF 6.0, section 22, and Technical Note 2)."""
FIRST_TURNED = 5
"""From this orientation on, width and height are exchanged."""


def read_picture(source: SourceFile, number: int, options: Options) -> PdfPicture:
    """Return a page of an image file as a PDF image. Raises UnreadableFile, NoSuchPage."""
    with (
        contextlib.closing(open_document(source, options)) as document,
        contextlib.closing(_PicturePage(source, number, options)) as page,
    ):
        if (copied := page.copy()) is not None:
            return msgspec.structs.replace(copied, orientation=page.orientation, dpi=page.dpi())
        pixels = document.page(number).pixels
        return msgspec.structs.replace(encode_pixels(pixels, is_lossy=page.is_lossy), dpi=page.dpi())


class _PicturePage:
    """A page of a mapped image file, whose header is known to be good."""

    def __init__(self, source: SourceFile, number: int, options: Options) -> None:
        with open_source(source) as file:
            header = read_header_of_file(file, options.max_pages)
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._format = (header.file_type.pillow_format if header else None) or ""
        self._frame, self._at = _tiff_page(self._data, number, options) if self._format == "TIFF" else (0, 0)
        self.orientation = self._orientation()

    def close(self) -> None:
        """Close the file."""
        self._data.close()

    @property
    def is_lossy(self) -> bool:
        """The compression of the file has changed the pixels already."""
        if self._format == "TIFF":
            return tiff.tag_value(self._data, self._at, tiff.COMPRESSION, 1) in JPEG_IN_TIFF
        return self._format in LOSSY_FORMATS

    def copy(self) -> PdfPicture | None:
        """Return the compressed picture as it is in the file; None if PDF does not know its format."""
        copy = COPIES.get(self._format)
        return copy(self._data, self._at) if copy else None

    def dpi(self) -> tuple[float, float]:
        """Return the resolution of the upright picture."""
        x, y = self._stated_dpi()
        if not (MIN_DPI <= x <= MAX_DPI and MIN_DPI <= y <= MAX_DPI):
            x = y = DEFAULT_DPI
        return (y, x) if self.orientation >= FIRST_TURNED else (x, y)

    def _stated_dpi(self) -> tuple[float, float]:
        from PIL import Image

        try:
            with warnings.catch_warnings(), Image.open(self._data, formats=[self._format]) as image:  # type: ignore[arg-type]
                warnings.simplefilter("ignore")  # Pillow's warnings are for developers
                image.seek(self._frame)
                x, y = image.info["dpi"]
                return float(x), float(y)
        except Exception:  # Pillow raises any exception on broken data
            return DEFAULT_DPI, DEFAULT_DPI

    def _orientation(self) -> int:
        if self._format == "TIFF":
            found = tiff.tag_value(self._data, self._at, tiff.ORIENTATION, 1)
            return found if found in range(1, 9) else 1
        exif = parts_of(self._data, self._format).exif
        return exif_orientation(exif.removeprefix(EXIF_PREFIX))


def _tiff_page(data: mmap.mmap, number: int, options: Options) -> tuple[int, int]:
    """Return the number of the frame of a page, from 0, and the offset of its directory."""
    directories, _ = tiff.read_chain(data, tiff.DIRECTORIES_PER_PAGE * options.max_pages)
    page = tiff.pages(directories)[number - 1]
    return directories.index(page), page.at
