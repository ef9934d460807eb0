"""Step 10 - a file → its page images one by one, within limits, decided by content and never by name.

Risks accepted: Pillow, libtiff and pdfium decode hostile bytes here; that is why a server calls this only in
the engine's child process.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import ReadingError, UnreadableFile
from .types import Options

Pixels = npt.NDArray[np.uint8]

# Our own check against `Options.max_pixels` comes before any decoding, and has one sentence for the person;
# Pillow's warns at one size and raises at another.
Image.MAX_IMAGE_PIXELS = None

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
PDF_MAGIC = b"%PDF-"
PDF_MAGIC_WITHIN_BYTES = (
    1024  # ISO 32000-1, annex H.3.4.1: readers accept a header within the first 1024 bytes
)
PDF_DPI = 200
PDF_MAX_SIDE_PIXELS = 4000
POINTS_PER_INCH = 72

_UNSUPPORTED = "This is not a PNG, JPEG, WebP, BMP, GIF, TIFF or PDF file."


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
        for number in range(self._options.first_page, self.page_count + 1):
            try:
                yield self._page(number)
            except ReadingError:
                raise
            except Exception as error:  # decoders raise whatever they like at broken data
                raise UnreadableFile(f"Page {number} of the file is broken or cut short.") from error

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
    try:
        with open(path, "rb") as file:
            head = file.read(PDF_MAGIC_WITHIN_BYTES + len(PDF_MAGIC))
    except OSError as error:
        raise UnreadableFile("The file could not be opened.") from error
    if not head:
        raise UnreadableFile("The file is empty.")
    document = _open_by_head(Path(path), head, options)
    if document.page_count > options.max_pages:
        document.close()
        raise UnreadableFile(f"The file has more than {options.max_pages} pages.")
    return document


def _open_by_head(path: Path, head: bytes, options: Options) -> Document:
    # Images first: an image may carry "%PDF-" in a comment, but no PDF begins with an image's magic.
    with contextlib.suppress(_NotAnImage):
        return ImageDocument(path, options)
    if PDF_MAGIC in head:
        return PdfDocument(path, options)
    raise UnreadableFile(_UNSUPPORTED)


class _NotAnImage(Exception):
    pass


class ImageDocument(Document):
    """PNG, JPEG, WebP, BMP, the first frame of a GIF or an animation; TIFF with all its pages."""

    def __init__(self, path: Path, options: Options) -> None:
        super().__init__(options)
        try:
            self._image = Image.open(path, formats=IMAGE_FORMATS)
        except UnidentifiedImageError as error:
            raise _NotAnImage from error
        except Exception as error:
            raise UnreadableFile("The image is broken.") from error
        try:
            self._check_size()
            self.page_count = self._count_pages()
        except BaseException:
            self._image.close()
            raise

    def _count_pages(self) -> int:
        if self._image.format != "TIFF":
            return 1
        # Step by step, and one beyond the limit at most: Pillow's `n_frames` follows a hostile file to its
        # end, and is wrong after a longer jump.
        count = 1
        try:
            while count <= self._options.max_pages:
                self._image.seek(count)
                count += 1
        except EOFError:
            pass
        except Exception as error:
            raise UnreadableFile("The image is broken.") from error
        return count

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > self._options.max_pixels:
            raise UnreadableFile(
                f"A page has more than {self._options.max_pixels} pixels ({width} × {height})."
            )

    def _page(self, number: int) -> PageImage:
        if self._image.format == "TIFF":
            self._image.seek(number - 1)
            self._check_size()
        self._image.load()
        info = {str(key): value for key, value in self._image.info.items() if isinstance(value, str)}
        pixels = _bgr_on_white(ImageOps.exif_transpose(self._image))
        height, width = pixels.shape[:2]
        return PageImage(number, pixels, width, height, info)

    def close(self) -> None:
        self._image.close()


def _bgr_on_white(image: Image.Image) -> Pixels:
    if image.mode[0] in "IF":
        image = _eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        # Paper is white: text on a transparent ground must not turn black on black.
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    rgb = np.asarray(image.convert("RGB"))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floats, scaled: Pillow's own conversion clips, to a white page."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    top = 65535.0 if image.mode.startswith("I;16") else _white_level(float(values.max(initial=0.0)))
    return Image.fromarray((values * (255.0 / top)).clip(0, 255).astype(np.uint8))


def _white_level(highest: float) -> float:
    for level in (1.0, 255.0, 65535.0):
        if highest <= level:
            return level
    return highest


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
            locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD and b"/Encrypt" in path.read_bytes()
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

    def _scale(self, page: Any) -> float:
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise UnreadableFile("A page of the PDF has no size.")
        by_side = PDF_MAX_SIDE_PIXELS / max(width, height)
        by_pixels = (self._options.max_pixels / (width * height)) ** 0.5
        return float(min(PDF_DPI / POINTS_PER_INCH, by_side, by_pixels))

    def close(self) -> None:
        self._pdf.close()


def _as_bgr(rendered: Pixels) -> Pixels:
    # A copy: the array pdfium gives is a view of memory that goes with the bitmap.
    if rendered.ndim == 2:
        rendered = rendered[:, :, np.newaxis]
    if rendered.shape[2] == 1:
        return np.repeat(rendered, 3, axis=2)
    return np.array(rendered[:, :, :3], order="C", copy=True)
