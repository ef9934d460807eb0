"""What the writer needs of an original file, as messages: only a confined process parses the file itself.

`original_parts` runs in that process. `receive_parts` joins its messages in the process that writes.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import msgspec

from ..documents.image_headers import read_header_of_file
from ..documents.source_file import SourceFile, open_source
from ..types import Options
from .picture_copies import PdfPicture

CHUNK_BYTES = 1 << 20
MAX_SPOOLED_BYTES = 1 << 24
"""Bytes of a PDF that are in memory; the rest is in a temporary file."""


class PdfStructure(msgspec.Struct, frozen=True, tag=True):
    """Facts about a PDF that an update needs."""

    next_number: int
    """Number of the first new object."""
    trailer: bytes
    """Entries of the trailer."""
    is_stream: bool
    """The table of objects is a stream."""
    page_count: int
    is_copy: bool
    """The facts are about a copy of the file, which follows them."""


class PageStructure(msgspec.Struct, frozen=True):
    """A page object, without its contents and resources. Bytes are serialized PDF objects."""

    number: int
    """Number of the page in the original file, from 1."""
    object_number: int
    generation: int
    entries: bytes
    contents: bytes
    resources: bytes
    """Resources without fonts."""
    fonts: bytes
    may_have_text: bool
    """The page has fonts, or forms that may have some."""
    box: tuple[float, float, float, float]
    """Left, lower, right and upper side of the visible part, in user space."""
    rotation: int
    """Degrees clockwise: 0, 90, 180 or 270."""


@dataclass(frozen=True)
class PdfParts:
    """Structure of a PDF, and the PDF itself where the original file cannot be updated."""

    structure: PdfStructure
    pages: dict[int, PageStructure]
    copy: BinaryIO | None


FetchParts = Callable[[Options], PdfParts | PdfPicture]
"""Fetch the parts of an original: of a PDF all of them, of an image file those of `options.first_page`."""

_decoder = msgspec.msgpack.Decoder(PdfStructure | PdfPicture)
_page_decoder = msgspec.msgpack.Decoder(PageStructure)
_encode = msgspec.msgpack.Encoder().encode


def original_parts(source: SourceFile, options: Options) -> Iterator[bytes]:
    """Yield the parts of a file as messages. Raises UnreadableFile."""
    # Imported here, since it loads qpdf or decoders, which the server process never needs.
    from .pdf_structure import PdfReader
    from .picture import read_picture

    with open_source(source) as file:
        header = read_header_of_file(file, options.max_pages)
    if header is not None and header.file_type.pillow_format is None:
        with contextlib.closing(PdfReader(source, options)) as reader:
            yield _encode(reader.structure())
            yield from map(_encode, reader.pages())
            yield from _chunks(reader.copy())
    else:
        picture = read_picture(source, options.first_page, options)
        yield _encode(msgspec.structs.replace(picture, data=b""))
        yield from _chunks(memoryview(picture.data))


def receive_parts(messages: Iterable[bytes]) -> PdfParts | PdfPicture:
    """Join the messages of `original_parts`. Raises ValueError if they are not valid."""
    received = iter(messages)
    first = _decoder.decode(next(received, b""))
    if isinstance(first, PdfPicture):
        return msgspec.structs.replace(first, data=b"".join(received))
    pages = [_page_decoder.decode(next(received, b"")) for _ in range(first.page_count)]
    copy = None
    if not first.is_copy and next(received, None) is not None:
        raise ValueError("a PDF that is not announced")
    if first.is_copy:
        copy = cast("BinaryIO", tempfile.SpooledTemporaryFile(MAX_SPOOLED_BYTES))  # noqa: SIM115 - the writer closes it
        copy.writelines(received)
        copy.seek(0)
    return PdfParts(first, {page.number: page for page in pages}, copy)


def _chunks(data: memoryview) -> Iterator[bytes]:
    return (bytes(data[at : at + CHUNK_BYTES]) for at in range(0, len(data), CHUNK_BYTES))
