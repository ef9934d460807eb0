"""Step 10 - a file → its page images one by one, within limits, decided by content and never by name.

Risks accepted: Pillow, libtiff and pdfium decode hostile bytes here; that is why a server calls this only in
the engine's child process.
"""

import contextlib
import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pi_heif
from PIL import ExifTags, Image, TiffImagePlugin

from ..errors import ReadingError, UnreadableFile
from ..page_ranges import PageRanges
from ..types import Options
from . import image_headers, rejections
from .image_headers import Header
from .pdf_text_layer import TextLayer, text_layer
from .pixels import Pixels, to_upright_bgr

# Our own check against `Options.max_pixels` comes before any decoding, and has one sentence for the person;
# Pillow's warns at one size and raises at another.
Image.MAX_IMAGE_PIXELS = None
pi_heif.register_heif_opener()

PDF_DPI = 200
PDF_MAX_SIDE_PIXELS = 4000
POINTS_PER_INCH = 72


@dataclass(frozen=True)
class PageImage:
    """One upright page: `pixels` is (height, width, 3) uint8 in BGR order, as OpenCV takes it."""

    number: int
    pixels: Pixels
    width: int
    height: int
    info: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Document(ABC):
    """An open file. Iterating decodes its pages lazily, from `Options.first_page` to the end."""

    page_count: int

    def __init__(self, options: Options) -> None:
        self._options = options

    def __iter__(self) -> Iterator[PageImage]:
        for number in self.selected_pages(self._options):
            yield self.page(number)

    def selected_pages(self, options: Options) -> list[int]:
        """The pages that the options ask for and the document has."""
        last = min(options.last_page or self.page_count, self.page_count)
        wanted = PageRanges(options.pages)
        return [number for number in range(options.first_page, last + 1) if number in wanted]

    def page(self, number: int) -> PageImage:
        """One page, decoded now. Raises UnreadableFile."""
        try:
            return self._page(number)
        except ReadingError:
            raise
        except Exception as error:  # decoders raise whatever they like at broken data
            raise UnreadableFile(f"Page {number} of the file is broken or cut short.") from error

    def text_layer(self, number: int) -> TextLayer | None:
        """The text that a page brings with it, where it has one that can be trusted. Raises nothing."""
        return None

    @abstractmethod
    def _page(self, number: int) -> PageImage: ...

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def open_document(path: Path | str, options: Options) -> Document:
    """Open a file by its content. Raises UnreadableFile; limits are checked before anything is decoded."""
    header = _header(path, options)
    document = ImageDocument(Path(path), header, options) if header.kind.pillow else _pdf(path, options)
    if document.page_count > options.max_pages:
        document.close()
        raise UnreadableFile(rejections.too_many_pages(options.max_pages))
    return document


def _header(path: Path | str, options: Options) -> Header:
    try:
        header = image_headers.read_header(path, most_frames=options.max_pages)
    except image_headers.UnsupportedFormat as error:
        raise UnreadableFile(rejections.UNSUPPORTED_FORMAT) from error
    except image_headers.MalformedHeader as error:
        raise UnreadableFile(rejections.malformed_header(error.pillow)) from error
    except OSError as error:
        raise UnreadableFile("The file could not be opened.") from error
    if header is None:
        raise UnreadableFile(rejections.EMPTY_FILE)
    if header.frames > options.max_pages:
        raise UnreadableFile(rejections.too_many_pages(options.max_pages))
    _check_size((header.width, header.height), options)
    return header


def _pdf(path: Path | str, options: Options) -> "PdfDocument":
    return PdfDocument(Path(path), options)


def _check_size(size: tuple[int, int], options: Options) -> None:
    width, height = size
    if width * height > options.max_pixels:
        raise UnreadableFile(rejections.too_many_pixels(width, height, options.max_pixels))


class ImageDocument(Document):
    """PNG, JPEG, WebP, BMP, HEIC, GIF: the first picture; TIFF with all its pages."""

    def __init__(self, path: Path, header: Header, options: Options) -> None:
        super().__init__(options)
        self._header = header
        try:
            self._image = Image.open(path, formats=[str(header.kind.pillow)])
        except Exception as error:  # decoders raise whatever they like at broken data
            raise UnreadableFile(f"This {header.kind.pillow} is broken, or of a rare kind.") from error
        self.page_count = header.frames if self._paged else 1

    @property
    def _paged(self) -> bool:
        return self._header.kind.pillow == "TIFF"

    def _page(self, number: int) -> PageImage:
        if self._paged:
            self._image.seek(number - 1)
        _check_size(self._image.size, self._options)
        self._image.load()
        info = {str(key): value for key, value in self._image.info.items() if isinstance(value, str)}
        if isinstance(self._image, TiffImagePlugin.TiffImageFile):
            info["description"] = str(self._image.tag_v2.get(ExifTags.Base.ImageDescription, ""))
        pixels = to_upright_bgr(self._image)
        height, width = pixels.shape[:2]
        return PageImage(number, pixels, width, height, info, self._warnings(number))

    def _warnings(self, number: int) -> tuple[str, ...]:
        """What of the file is not in its pages: nothing is left out without saying so."""
        frames = self._header.frames if not self._paged else 1
        if self._header.kind.pillow == "HEIF":
            frames = getattr(self._image, "n_frames", 1)
        if frames > 1:
            return (f"The file holds {frames} pictures; only the first was read.",)
        if self._header.truncated and number == self.page_count:
            return (f"The file breaks off after page {number}; what came behind it is lost.",)
        return ()

    def close(self) -> None:
        self._image.close()


class PdfDocument(Document):
    """Pages rendered at 200 dpi, smaller where a side would pass 4000 pixels."""

    def __init__(self, path: Path, options: Options) -> None:
        super().__init__(options)
        # Imported late: it loads pdfium, which a process that only hosts a child never needs.
        import pypdfium2

        try:
            self._pdf = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            # pdfium's code alone may be left over from the file before this one.
            locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD and _file_contains(path, b"/Encrypt")
            sentence = (
                "The PDF is encrypted and needs a password."
                if locked
                else "The PDF is broken, or has no pages."
            )
            raise UnreadableFile(sentence) from error
        self.page_count = len(self._pdf)
        if not self.page_count:
            self._pdf.close()
            raise UnreadableFile("The PDF has no pages.")
        with contextlib.suppress(pypdfium2.PdfiumError):
            self._pdf.init_forms()  # filled-in form fields are text on the page too

    def _page(self, number: int) -> PageImage:
        page = self._pdf[number - 1]
        try:
            bitmap = page.render(scale=self._scale(page))
            pixels = _as_bgr(bitmap.to_numpy())
            bitmap.close()
        finally:
            page.close()
        height, width = pixels.shape[:2]
        return PageImage(number, pixels, width, height)

    def text_layer(self, number: int) -> TextLayer | None:
        try:
            page = self._pdf[number - 1]
            try:
                return text_layer(page, self._scale(page))
            finally:
                page.close()
        except Exception:  # what is wrong with it shows when the page is drawn
            return None

    def _scale(self, page: Any) -> float:
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise UnreadableFile("A page of the PDF has no size.")
        by_side = PDF_MAX_SIDE_PIXELS / max(width, height)
        by_pixels = (self._options.max_pixels / (width * height)) ** 0.5
        return float(min(PDF_DPI / POINTS_PER_INCH, by_side, by_pixels))

    def close(self) -> None:
        self._pdf.close()


def _file_contains(path: Path, word: bytes) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0


def _as_bgr(rendered: Pixels) -> Pixels:
    # A copy: the array pdfium gives is a view of memory that goes with the bitmap.
    if rendered.ndim == 2:
        rendered = rendered[:, :, np.newaxis]
    if rendered.shape[2] == 1:
        return np.repeat(rendered, 3, axis=2)
    return np.array(rendered[:, :, :3], order="C", copy=True)
