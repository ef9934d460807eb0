"""Documents as page images: PDF, TIFF and single images, opened by their content and within limits."""

import contextlib
import logging
import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pi_heif
from PIL import ExifTags, Image, TiffImagePlugin

from ..errors import ReadingError, UnreadableFile
from ..page_ranges import PageRanges
from ..types import Options
from . import image_headers, rejections
from .image_headers import Header
from .pdf_objects import page_objects, text_objects
from .pdf_pages import PdfPages
from .pdf_rendering import POINTS_PER_INCH, render_page, text_not_drawn
from .pdf_text_layer import PageNote, TextLayer, extract_text_layer, page_notes
from .pixels import Pixels, to_upright_bgr

# `Options.max_pixels` is checked before any decoding. Pillow's limit warns at one size, raises at another.
Image.MAX_IMAGE_PIXELS = None
pi_heif.register_heif_opener()

PDF_DPI = 200
PDF_MAX_SIDE_PIXELS = 4000
TEXT_LAYER_FAILED_WARNING = (
    "The text of page {number} in the file could not be read, so the page was recognized from its picture."
)
_log = logging.getLogger("scanrill.reading")
MAX_CACHED_TEXT_LAYERS = 24
"""Text layers of pages are read for their neighbours too; each takes up to a few megabytes."""


@dataclass(frozen=True)
class PageImage:
    """An upright page; `number` counts from 1.

    `pixels` is (height, width, 3) uint8 in BGR order, as OpenCV expects. `info` holds the text chunks of a
    PNG, and the description of a TIFF.
    """

    number: int
    pixels: Pixels
    width: int
    height: int
    info: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Document(ABC):
    """An open file. Iteration decodes the selected pages one by one."""

    page_count: int

    def __init__(self, options: Options) -> None:
        self._options = options

    def __iter__(self) -> Iterator[PageImage]:
        for number in self.selected_pages(self._options):
            yield self.page(number)

    def selected_pages(self, options: Options) -> list[int]:
        """Return the numbers of the pages that the options select and the document has."""
        last = min(options.last_page or self.page_count, self.page_count)
        selected = PageRanges(options.pages)
        return [number for number in range(options.first_page, last + 1) if number in selected]

    def page(self, number: int) -> PageImage:
        """Decode a page. Raises UnreadableFile."""
        try:
            return self._decode_page(number)
        except ReadingError:
            raise
        except Exception as error:  # decoders raise any exception on broken data
            raise UnreadableFile(f"Page {number} of the file is broken or truncated.") from error

    def text_layer(self, number: int) -> TextLayer | None:
        """Return the text layer of a page; None if there is none that can be trusted. Raises nothing."""
        return None

    def page_without_text(self, number: int) -> PageImage:
        """Return the image of a page without the text of its text layer. Raises UnreadableFile."""
        return self.page(number)

    def notes(self, number: int) -> tuple[PageNote, ...]:
        """Return the notes that are attached to a page. Raises nothing."""
        return ()

    def bookmarks(self) -> list[tuple[str, int]]:
        """Return the titles of the bookmarks with their depths, from 0. Raises nothing."""
        return []

    @abstractmethod
    def _decode_page(self, number: int) -> PageImage: ...

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def open_document(path: Path | str, options: Options) -> Document:
    """Open a file as the type that its content shows, whatever its name.

    Limits of `options` are checked before anything is decoded. Raises UnreadableFile.
    """
    header = _checked_header(path, options)
    document: Document
    if header.file_type.pillow_format is None:
        document = PdfDocument(Path(path), options)
    else:
        document = ImageDocument(Path(path), header, header.file_type.pillow_format, options)
    if document.page_count > options.max_pages:
        document.close()
        raise UnreadableFile(rejections.too_many_pages(options.max_pages))
    return document


def _checked_header(path: Path | str, options: Options) -> Header:
    try:
        header = image_headers.read_header(path, max_frames=options.max_pages)
    except image_headers.UnsupportedFormat as error:
        raise UnreadableFile(rejections.UNSUPPORTED_FORMAT) from error
    except image_headers.MalformedHeader as error:
        raise UnreadableFile(rejections.malformed_header(error.pillow_format)) from error
    except OSError as error:
        raise UnreadableFile("The file could not be opened.") from error
    if header is None:
        raise UnreadableFile(rejections.EMPTY_FILE)
    if header.frames > options.max_pages:
        raise UnreadableFile(rejections.too_many_pages(options.max_pages))
    _check_size((header.width, header.height), options)
    return header


def _check_size(size: tuple[int, int], options: Options) -> None:
    width, height = size
    if width * height > options.max_pixels:
        raise UnreadableFile(rejections.too_many_pixels(width, height, options.max_pixels))


class ImageDocument(Document):
    """An image that Pillow decodes: all pages of a TIFF, the first frame of other formats."""

    def __init__(self, path: Path, header: Header, pillow_format: str, options: Options) -> None:
        super().__init__(options)
        self._header = header
        self._is_tiff = pillow_format == "TIFF"
        try:
            self._image = Image.open(path, formats=[pillow_format])
        except Exception as error:  # decoders raise any exception on broken data
            message = f"The {pillow_format} file is broken, or of an unsupported variant."
            raise UnreadableFile(message) from error
        self.page_count = header.frames if self._is_tiff else 1

    def _decode_page(self, number: int) -> PageImage:
        if self._is_tiff:
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
        """Return a warning if the file contains more than its pages show."""
        frames = 1 if self._is_tiff else self._header.frames
        if self._header.file_type.pillow_format == "HEIF":
            frames = getattr(self._image, "n_frames", 1)
        if frames > 1:
            return (f"The file contains {frames} images; only the first was read.",)
        if self._header.truncated and number == self.page_count:
            return (f"The file is truncated after page {number}; the pages after it are lost.",)
        return ()

    def close(self) -> None:
        self._image.close()


class PdfDocument(Document):
    """A PDF whose pages are rendered at 200 dpi, or with a longer side of 4000 pixels if that is less."""

    def __init__(self, path: Path, options: Options) -> None:
        super().__init__(options)
        self._text_layers: dict[int, TextLayer | None] = {}
        self._broken_text_layers: set[int] = set()
        # Imported here because it loads pdfium, which the server process never needs.
        import pypdfium2

        try:
            self._pages = PdfPages(path)
        except pypdfium2.PdfiumError as error:
            # pdfium's error code alone may be left over from the file before this one.
            is_locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD and _file_contains(
                path, b"/Encrypt"
            )
            message = (
                "The PDF is encrypted and needs a password."
                if is_locked
                else "The PDF is broken, or has no pages."
            )
            raise UnreadableFile(message) from error
        self.page_count = len(self._pages)
        if not self.page_count:
            self._pages.close()
            raise UnreadableFile("The PDF has no pages.")

    def _decode_page(self, number: int) -> PageImage:
        return self._render(number, has_text=True)

    def page_without_text(self, number: int) -> PageImage:
        return self._render(number, has_text=False)

    def _render(self, number: int, *, has_text: bool) -> PageImage:
        page = self._pages.drawn_page(number)
        try:
            with contextlib.nullcontext() if has_text else text_not_drawn(text_objects(page_objects(page))):
                pixels = render_page(page, self._scale(page))
        finally:
            page.close()
        height, width = pixels.shape[:2]
        return PageImage(number, pixels, width, height, warnings=tuple(self._text_layer_warnings(number)))

    def notes(self, number: int) -> tuple[PageNote, ...]:
        try:
            annotations = self._pages.annotations(number)
            if not annotations.notes:
                return ()
            page = self._pages.page(number)
            try:
                return page_notes(page, self._scale(page), annotations)
            finally:
                page.close()
        except Exception:  # pdfium raises any exception on broken data
            _log.exception("The notes of page %d could not be read.", number)
            return ()

    def _text_layer_warnings(self, number: int) -> Iterator[str]:
        if number in self._broken_text_layers:
            yield TEXT_LAYER_FAILED_WARNING.format(number=number)

    def bookmarks(self) -> list[tuple[str, int]]:
        try:
            return self._pages.bookmarks()
        except Exception:  # pdfium raises any exception on broken data
            _log.exception("The bookmarks could not be read.")
            return []

    def text_layer(self, number: int) -> TextLayer | None:
        if number not in self._text_layers:
            if len(self._text_layers) >= MAX_CACHED_TEXT_LAYERS:
                del self._text_layers[next(iter(self._text_layers))]
            self._text_layers[number] = self._read_text_layer(number)
        return self._text_layers[number]

    def _read_text_layer(self, number: int) -> TextLayer | None:
        try:
            page = self._pages.drawn_page(number)
            try:
                return extract_text_layer(page, self._scale(page), self._pages.annotations(number))
            finally:
                page.close()
        except Exception:  # pdfium raises any exception on broken data
            _log.exception("The text layer of page %d could not be read; the page is recognized.", number)
            self._broken_text_layers.add(number)
            return None

    def _scale(self, page: Any) -> float:
        """Return the pixels per point at which the page is rendered."""
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise UnreadableFile("A page of the PDF has no size.")
        by_side = PDF_MAX_SIDE_PIXELS / max(width, height)
        by_pixels = (self._options.max_pixels / (width * height)) ** 0.5
        return float(min(PDF_DPI / POINTS_PER_INCH, by_side, by_pixels))

    def close(self) -> None:
        self._pages.close()


def _file_contains(path: Path, word: bytes) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0
