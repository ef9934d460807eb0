"""Searchable PDF: the original pages with their text, invisible, at its places.

A PDF keeps its bytes: they are the beginning of the output, and the text is an update after them. A picture
becomes a page of its size.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import BinaryIO, NamedTuple

import msgspec

from ..errors import UnreadableFile
from ..types import Line, Options
from .invisible_font import TextCodes, write_font
from .original_parts import FetchParts, PageStructure, PdfParts
from .page_geometry import EMPTY_PAGE_POINTS, Point, image_matrix, page_size, to_user_space
from .pdf_writer import HEADER, PdfWriter, pdf_number
from .picture_copies import PdfPicture
from .text_content import FONT_NAME, text_content

COPY_BYTES = 1 << 20


class TextPage(NamedTuple):
    """Text of a page: its number from 1, the size of the page image in pixels, and its lines."""

    number: int
    width: int
    height: int
    lines: Sequence[Line]


class Original(NamedTuple):
    """An original file: how to open it, and how to fetch its parts."""

    open: Callable[[], AbstractContextManager[BinaryIO]]
    fetch_parts: FetchParts
    is_pdf: bool


def write_searchable_pdf(original: Original, pages: Iterable[TextPage], options: Options) -> Iterator[bytes]:
    """Yield a file as a searchable PDF.

    Args:
        original: the file.
        pages: texts in ascending order; of an image file, these pages alone are written.
        options: limits, and `pages`: the pages of a PDF to write; empty: all, as they are.

    Raises:
        ReadingError: UnreadableFile, or an error of the process that fetches the parts.
    """
    return (_update if original.is_pdf else _picture_pages)(original, pages, options)


def _update(original: Original, pages: Iterable[TextPage], options: Options) -> Iterator[bytes]:
    """Yield the bytes of a PDF, and after them the pages that get text."""
    parts = original.fetch_parts(options)
    if not isinstance(parts, PdfParts):
        raise UnreadableFile("The file is a picture, not a PDF.")
    with parts.copy or original.open() as base:
        yield from iter(partial(base.read, COPY_BYTES), b"")
        size = base.tell()
    writer = PdfWriter(next_number=parts.structure.next_number, offset=size)
    font, codes = 0, TextCodes()
    for page, content in _text_layers(pages, parts, codes):
        if not font:
            writer.write(b"\n")
            font = writer.new_number()
        _write_page_update(writer, parts.pages[page.number], content, font)
        yield writer.take()
    if font:
        write_font(writer, font, codes)
        writer.finish(parts.structure.trailer, is_stream=parts.structure.is_stream)
        yield writer.take()


def _text_layers(
    pages: Iterable[TextPage], parts: PdfParts, codes: TextCodes
) -> Iterator[tuple[TextPage, bytes]]:
    """Yield the pages that lack text in the file, each with the content stream of it."""
    for page in pages:
        place = parts.pages.get(page.number)
        if place is None:
            continue
        lines = [line for line in page.lines if not (place.may_have_text and _is_from_file(line))]
        transformation = to_user_space(page.width, page.height, place.box, place.rotation)
        if content := text_content(lines, page.width, page.height, transformation, codes):
            yield page, content


def _is_from_file(line: Line) -> bool:
    """Return whether a line is from the text layer: only engines have a confidence, or lack boxes."""
    return line.confidence is None and line.box is not None


def _write_page_update(writer: PdfWriter, page: PageStructure, content: bytes, font: int) -> None:
    """Write a page object again, with text before its own contents, where the graphics state is the first."""
    number = writer.new_number()
    writer.write_compressed(number, content)
    writer.write_object(
        page.object_number,
        b"<<%b/Contents[%d 0 R %b]/Resources<<%b/Font<<%b/%b %d 0 R>>>>>>"
        % (page.entries, number, page.contents, page.resources, page.fonts, FONT_NAME, font),
        page.generation,
    )


def _picture_pages(original: Original, pages: Iterable[TextPage], options: Options) -> Iterator[bytes]:
    """Yield a new PDF with a page for each picture."""
    writer, codes = PdfWriter(), TextCodes()
    writer.write(HEADER)
    catalog, tree, font = writer.new_number(), writer.new_number(), writer.new_number()
    numbers = []
    for page in pages:
        image = _write_image(writer, original, msgspec.structs.replace(options, first_page=page.number))
        numbers.append(_write_picture_page(writer, page, image, codes, _Shared(tree, font)))
        yield writer.take()
    write_font(writer, font, codes)
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    writer.write_object(tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(numbers), kids))
    writer.write_object(catalog, b"<</Type/Catalog/Pages %d 0 R>>" % tree)
    writer.finish(b"/Root %d 0 R" % catalog)
    yield writer.take()


class _Shared(NamedTuple):
    """Numbers of the objects that all pages refer to."""

    tree: int
    font: int


class _Image(NamedTuple):
    """A written picture: the size of its page, the content that draws it, and the resources with it."""

    page_size: Point
    content: bytes
    resources: bytes


def _write_picture_page(
    writer: PdfWriter, page: TextPage, image: _Image, codes: TextCodes, shared: _Shared
) -> int:
    width, height = image.page_size
    transformation = to_user_space(page.width, page.height, (0, 0, width, height))
    text = text_content(page.lines, page.width, page.height, transformation, codes)
    content, number = writer.new_number(), writer.new_number()
    writer.write_compressed(content, text + image.content)
    writer.write_object(
        number,
        b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %b %b]/Contents %d 0 R"
        b"/Resources<<%b/Font<</%b %d 0 R>>>>>>"
        % (
            *(shared.tree, pdf_number(width), pdf_number(height), content),
            *(image.resources, FONT_NAME, shared.font),
        ),
    )
    return number


def _write_image(writer: PdfWriter, original: Original, options: Options) -> _Image:
    """Write the picture of a page, which stays empty if the picture cannot be decoded."""
    try:
        picture = original.fetch_parts(options)
    except UnreadableFile:
        return _Image(EMPTY_PAGE_POINTS, b"", b"")
    if not isinstance(picture, PdfPicture):
        raise UnreadableFile("The file is a PDF, not a picture.")
    size, image = page_size(picture), writer.new_number()
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d" % (picture.width, picture.height)
    writer.write_stream(image, head + picture.entries, picture.data)
    matrix = b" ".join(map(pdf_number, image_matrix(picture.orientation, *size)))
    return _Image(size, b"q %b cm /Page Do Q\n" % matrix, b"/XObject<</Page %d 0 R>>" % image)
