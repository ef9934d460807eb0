"""Documents as page images: PDF, TIFF and single images, opened by their content and within limits."""

import contextlib
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import PasswordNeeded, UnreadableFile
from ..types import Options, PageWarning
from ..warning_codes import WarningCode
from . import image_headers, rejections
from .base import Document, PageImage
from .image_headers import Header
from .pdf_characters import count_letters
from .pdf_encryption import find_encryption
from .pdf_objects import page_objects, text_objects
from .pdf_pages import PdfPages
from .pdf_portfolio import Part
from .pdf_rendering import POINTS_PER_INCH, render_page, text_not_drawn
from .pdf_text_layer import PageNote, TextLayer, extract_text_layer, page_notes
from .picture_file import PictureFile
from .portfolio import Portfolio
from .source_file import SourceFile, open_source

__all__ = ["Document", "ImageDocument", "PageImage", "PdfDocument", "open_document"]

PDF_DPI = 200
PDF_MAX_SIDE_PIXELS = 4000
TEXT_LAYER_FAILED_WARNING = (
    "The text of page {number} in the file could not be read, so the page was recognized from its picture."
)
_log = logging.getLogger("scanrill.reading")
MAX_CACHED_TEXT_LAYERS = 24
"""Text layers of pages are read for their neighbours too; each takes up to a few megabytes."""


def open_document(path: SourceFile | str, options: Options) -> Document:
    """Open a file as the type that its content shows, whatever its name; of a portfolio, its files too.

    Limits of `options` are checked before anything is decoded. Raises UnreadableFile.
    """
    document = _open_file(Path(path) if isinstance(path, str) else path, options)
    if isinstance(document, PdfDocument) and document.is_portfolio():
        document = Portfolio(document, document.parts(), partial(_open_file, options=options))
    if document.page_count > options.max_pages:
        document.close()
        raise UnreadableFile(rejections.too_many_pages(options.max_pages))
    return document


def _open_file(path: SourceFile, options: Options) -> Document:
    header = _checked_header(path, options)
    if header.file_type.pillow_format is None:
        return PdfDocument(path, options)
    return ImageDocument(path, header, header.file_type.pillow_format, options)


def _checked_header(path: SourceFile, options: Options) -> Header:
    try:
        with open_source(path) as file:
            header = image_headers.read_header_of_file(file, max_frames=options.max_pages)
    except image_headers.UnsupportedFormat as error:
        raise UnreadableFile(rejections.unsupported_format(error)) from error
    except image_headers.MalformedHeader as error:
        raise UnreadableFile(rejections.malformed_header(error.pillow_format)) from error
    except OSError as error:
        raise UnreadableFile("The file could not be opened.") from error
    if header is None:
        raise UnreadableFile(rejections.EMPTY_FILE)
    if header.page_count > options.max_pages:
        raise UnreadableFile(rejections.too_many_pages(options.max_pages))
    if header.width * header.height > options.max_pixels:
        raise UnreadableFile(rejections.too_many_pixels(header.width, header.height, options.max_pixels))
    return header


class ImageDocument(Document):
    """An image file: all pages of a TIFF, the first frame of other formats."""

    def __init__(self, path: SourceFile, header: Header, pillow_format: str, options: Options) -> None:
        super().__init__(options)
        self._header = header
        self._is_tiff = pillow_format == "TIFF"
        self._pictures = PictureFile(
            path, pillow_format, max_pictures=options.max_pages, max_pixels=options.max_pixels
        )
        self.page_count = header.page_count

    def _decode_page(self, number: int) -> PageImage:
        picture = self._pictures.decode(number)
        height, width = picture.pixels.shape[:2]
        warnings = (*picture.warnings, *self._warnings(number, picture.frames))
        return PageImage(number, picture.pixels, width, height, picture.info, warnings)

    def _warnings(self, number: int, decoder_frames: int) -> Iterator[PageWarning]:
        """Yield a warning if the file contains more than its pages show."""
        frames = 1 if self._is_tiff else max(self._header.frames, decoder_frames)
        if frames > self.options.max_pages:
            yield rejections.other_images(f"more than {self.options.max_pages}")
        elif frames > 1:
            yield rejections.other_images(f"{frames}")
        elif self._header.truncated and number == self.page_count:
            yield rejections.truncated_after(number)

    def close(self) -> None:
        self._pictures.close()


class PdfDocument(Document):
    """A PDF whose pages are rendered at 200 dpi, or with a longer side of 4000 pixels if that is less."""

    def __init__(self, path: SourceFile, options: Options) -> None:
        super().__init__(options)
        self._text_layers: dict[int, TextLayer | None] = {}
        self._broken_text_layers: set[int] = set()
        # Imported here because it loads pdfium, which the server process never needs.
        import pypdfium2

        try:
            self._pages = PdfPages(path)
        except pypdfium2.PdfiumError as error:
            # pdfium's error code may be left over from the file before this one.
            is_locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
            encryption = find_encryption(path)
            message = rejections.unreadable_pdf(encryption, needs_password=is_locked)
            is_password_needed = is_locked and encryption is not None and encryption.needs_password
            raise (PasswordNeeded if is_password_needed else UnreadableFile)(message) from error
        self.page_count = len(self._pages)
        if not self.page_count:
            self._pages.close()
            raise UnreadableFile("The PDF has no pages.")
        self._is_xfa_placeholder = self._pages.shows_xfa_placeholder()

    def page_warnings(self, number: int) -> tuple[PageWarning, ...]:
        return (rejections.XFA_PLACEHOLDER,) if self._is_xfa_placeholder else ()

    def is_portfolio(self) -> bool:
        """Return whether the PDF is a cover for the files that are attached to it."""
        return self._pages.is_portfolio()

    def parts(self) -> Iterator[Part]:
        """Yield the attached files."""
        return self._pages.parts()

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

    def _text_layer_warnings(self, number: int) -> Iterator[PageWarning]:
        if number in self._broken_text_layers:
            message = TEXT_LAYER_FAILED_WARNING.format(number=number)
            yield PageWarning(WarningCode.BROKEN_TEXT_LAYER, message)

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

    def layer_letters(self, number: int) -> int:
        try:
            page = self._pages.drawn_page(number)
            try:
                return count_letters(page)
            finally:
                page.close()
        except Exception:  # pdfium raises any exception on broken data
            _log.exception("The letters of page %d could not be counted.", number)
            return 0

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
        by_pixels = (self.options.max_pixels / (width * height)) ** 0.5
        return float(min(PDF_DPI / POINTS_PER_INCH, by_side, by_pixels))

    def close(self) -> None:
        self._pages.close()
