"""Structure of a PDF that gets a text layer: the page objects with places for the new parts.

The file stays as it is, and the new objects are appended to it (ISO 32000-1, 7.5.6). A file that is damaged
or encrypted, or of which only some pages are wanted, is written again by qpdf first, with the streams of its
pages and pictures as they are.
"""

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, BinaryIO, NamedTuple

import pikepdf

from ..documents import rejections
from ..documents.source_file import SourceFile, open_source
from ..errors import UnreadableFile
from ..page_ranges import PageRanges
from ..types import Options
from .original_parts import PageStructure, PdfStructure

END_BYTES = 2048
"""Bytes at the end of a file in which `startxref` is. Readers search 1024 (ISO 32000-1, annex H.3)."""
MAX_DEPTH = 64
"""Levels of the page tree that are searched for what a page inherits."""
LETTER = (0.0, 0.0, 612.0, 792.0)
"""Box of a page without one, as pdfium has it."""
_STARTXREF = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_TABLE, _OBJECT = re.compile(rb"\s*xref\b"), re.compile(rb"\s*\d+\s+\d+\s+obj\b")
TABLE_HEAD_BYTES = 64
MAGIC = b"%PDF-"
BROKEN = "The PDF is broken, so that no text layer can be added to it."


class PdfReader:
    """An open PDF, as the parts that the writer needs."""

    def __init__(self, source: SourceFile, options: Options) -> None:
        """Open the PDF; write it again where it cannot be updated. Raises UnreadableFile."""
        self._copy = b""
        self._opened = contextlib.ExitStack()
        try:
            file = self._opened.enter_context(open_source(source))
            self._table = _find_table(file)
            file.seek(0)
            self._pdf = self._open(file)
            self._numbers = self._selected_pages(options)
            if self._needs_copy(options):
                self._write_copy()
        except (pikepdf.PdfError, pikepdf.PasswordError) as error:
            self.close()
            raise UnreadableFile(BROKEN) from error
        except BaseException:
            self.close()
            raise

    def _open(self, file: BinaryIO) -> pikepdf.Pdf:
        # qpdf moves inherited attributes into the page objects, as new objects that the file does not have.
        opened = pikepdf.open(file, suppress_warnings=True, inherit_page_attributes=False)
        return self._opened.enter_context(opened)

    def close(self) -> None:
        """Close the PDF and its file."""
        self._opened.close()

    def structure(self) -> PdfStructure:
        """Return the facts about the file."""
        trailer = self._pdf.trailer
        kept = {key: trailer[key] for key in ("/Root", "/Info", "/ID") if key in trailer}
        if self._table is None:
            raise UnreadableFile(BROKEN)
        return PdfStructure(
            next_number=max(int(trailer.get("/Size", 0)), 1 + max(self._objects())),
            trailer=_inner(kept) + b"/Prev %d" % self._table.at,
            is_stream=self._table.is_stream,
            page_count=len(self._pdf.pages),
            is_copy=bool(self._copy),
        )

    def pages(self) -> Iterator[PageStructure]:
        """Yield the pages of the output."""
        for number, page in zip(self._numbers, self._pdf.pages, strict=True):
            yield _page_structure(number, page.obj)

    def copy(self) -> memoryview:
        """Return the PDF that was written again; empty for the original file."""
        return memoryview(self._copy)

    def _selected_pages(self, options: Options) -> Sequence[int]:
        count = len(self._pdf.pages)
        if count > options.max_pages:
            raise UnreadableFile(rejections.too_many_pages(options.max_pages))
        ranges = PageRanges(options.pages)
        return [number for number in range(1, count + 1) if number in ranges]

    def _needs_copy(self, options: Options) -> bool:
        return (
            self._table is None
            or bool(options.pages)
            or self._pdf.is_encrypted
            or bool(self._pdf.get_warnings())
            or self._has_changed_pages()
        )

    def _write_copy(self) -> None:
        selected = set(self._numbers)
        for index in range(len(self._pdf.pages) - 1, -1, -1):
            if index + 1 not in selected:
                del self._pdf.pages[index]
        buffer = io.BytesIO()
        self._pdf.save(
            buffer,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            deterministic_id=True,
        )
        self._copy = buffer.getvalue()
        self._pdf = self._open(io.BytesIO(self._copy))
        self._table = _find_table(io.BytesIO(self._copy))

    def _objects(self) -> Iterator[int]:
        return (number for number, _ in self._pdf.get_xref_table())

    def _has_changed_pages(self) -> bool:
        """Return whether qpdf has made a page an object of its own, since two places of the tree share it."""
        table = self._pdf.get_xref_table()
        return any(page.obj.objgen not in table for page in self._pdf.pages)


class _Table(NamedTuple):
    """Table of the objects of a file: its offset, and its kind."""

    at: int
    is_stream: bool


def _find_table(file: BinaryIO) -> _Table | None:
    """Return the last table of a file; None if it is not where it should be."""
    if file.read(len(MAGIC)) != MAGIC:
        return None
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - END_BYTES))
    found = _STARTXREF.search(file.read())
    if found is None or int(found[1]) >= end:
        return None
    file.seek(int(found[1]))
    head = file.read(TABLE_HEAD_BYTES)
    if _TABLE.match(head):
        return _Table(int(found[1]), is_stream=False)
    return _Table(int(found[1]), is_stream=True) if _OBJECT.match(head) else None


def _page_structure(number: int, page: pikepdf.Object) -> PageStructure:
    resources = _inherited(page, "/Resources")
    resources = dict(resources.items()) if isinstance(resources, pikepdf.Dictionary) else {}
    fonts = resources.pop("/Font", None)
    fonts = dict(fonts.items()) if isinstance(fonts, pikepdf.Dictionary) else {}
    own = {key: value for key, value in page.items() if key not in ("/Contents", "/Resources")}
    turn = _inherited(page, "/Rotate")
    return PageStructure(
        number=number,
        object_number=page.objgen[0],
        generation=page.objgen[1],
        entries=_inner(own),
        contents=_contents(page),
        resources=_inner(resources),
        fonts=_inner(fonts),
        may_have_text=bool(fonts) or _has_forms(resources.get("/XObject")),
        box=_visible_box(page),
        rotation=int(turn) // 90 * 90 % 360 if isinstance(turn, (int, Decimal)) else 0,
    )


def _inherited(page: pikepdf.Object, key: str) -> Any:
    """Return an attribute of a page, which may be inherited (ISO 32000-1, 7.7.3.4)."""
    node: pikepdf.Object | None = page
    for _ in range(MAX_DEPTH):
        if not isinstance(node, pikepdf.Dictionary) or key in node:
            break
        node = node.get("/Parent")
    return node.get(key) if isinstance(node, pikepdf.Dictionary) else None


def _inner(entries: dict[str, Any]) -> bytes:
    """Return the serialized entries of a dictionary, without its brackets."""
    return bytes(pikepdf.Dictionary(entries).unparse()).strip()[2:-2]


def _contents(page: pikepdf.Object) -> bytes:
    contents = page.get("/Contents")
    if isinstance(contents, pikepdf.Array):
        return b" ".join(part.unparse() for part in contents if isinstance(part, pikepdf.Stream))
    return bytes(contents.unparse()) if isinstance(contents, pikepdf.Stream) else b""


def _has_forms(pictures: Any) -> bool:
    if not isinstance(pictures, pikepdf.Dictionary):
        return False
    return any(
        isinstance(item, pikepdf.Stream) and item.get("/Subtype") == pikepdf.Name.Form
        for _, item in pictures.items()
    )


def _visible_box(page: pikepdf.Object) -> tuple[float, float, float, float]:
    """Return the crop box inside the media box, as pdfium has it."""
    media = _box(_inherited(page, "/MediaBox")) or LETTER
    crop = _box(_inherited(page, "/CropBox")) or media
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return box if box[0] < box[2] and box[1] < box[3] else media


def _box(value: Any) -> tuple[float, float, float, float] | None:
    try:
        x0, y0, x1, y1 = (float(side) for side in value)
    except (TypeError, ValueError):
        return None
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return box if box[0] < box[2] and box[1] < box[3] else None
