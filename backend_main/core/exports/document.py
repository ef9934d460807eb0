"""Document to export: what it is called, its pages one by one, and a way to open the original file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ...reading.documents.page_jpeg import Area
from ...reading.errors import UnreadableFile
from ...reading.searchable_pdf import PdfParts, PdfPicture
from ...reading.types import Block, FurnitureOption, Line, Options, PageWarning
from ..errors import RequestError

ImagesOption = Literal["none", "link", "embed"]
"""Pictures of figures: left out, named by an address, or contained in the file."""


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export."""

    furniture: FurnitureOption | None = None
    """Page furniture in the text; None: as it was read."""
    images: ImagesOption = "none"
    """Pictures of the figures."""
    has_page_breaks: bool = False
    """Whether Markdown and plain text mark the places where a page begins."""
    table: int | None = None
    """Number of the only table of a CSV export, from 1; None: all tables."""


@dataclass(frozen=True)
class ExportPage:
    """Finished page. Its texts and lines have a person's correction; `as_read` is without it."""

    number: int
    width: int
    height: int
    markdown: str
    text: str
    lines: Sequence[Line] = ()
    blocks: Sequence[Block] = ()
    """Blocks in reading order. Their `lines` are places in `lines`; their `span` is for `as_read`."""
    correction: str | None = None
    """Plain text of the page as a person corrected it; None: it is not corrected."""
    warnings: Sequence[PageWarning] = ()
    confidence: float | None = None
    uncertain_share: float | None = None
    corrected_by: str | None = None
    corrected_at: dt.datetime | None = None
    as_read: ExportPage | None = None
    """The page before the correction and the option `furniture`; None: it has not changed."""


class OriginalParts(Protocol):
    """Parts of the original file, which only a confined child process decodes."""

    def figure(self, number: int, area: Area) -> bytes:
        """Return an area of a page as a JPEG. Raises PageImageError."""

    def fetch(self, options: Options) -> PdfParts | PdfPicture:
        """Return what a searchable PDF needs: see `searchable_pdf.FetchParts`. Raises ReadingError."""


class NoOriginalParts:
    """Stands for an original that cannot be used."""

    def figure(self, number: int, area: Area) -> bytes:
        raise RequestError({"images": "Pictures cannot be contained in this export. Use none or link."})

    def fetch(self, options: Options) -> PdfParts | PdfPicture:
        raise UnreadableFile("The original of this document cannot be read.")


@dataclass(frozen=True)
class ExportDocument:
    """Document with finished pages."""

    filename: str
    """Name that the owner gave the file."""
    content_type: str
    page_count: int
    """Number of pages of the file, also of those that are left out."""
    page_numbers: tuple[int, ...]
    """Numbers of the pages in order."""
    pages: Callable[[], Iterator[ExportPage]]
    """Return a new iterator of the pages in order. It reads a few pages at a time."""
    open_original: Callable[[], AbstractContextManager[Path]]
    """Return a context manager with the path of the original file."""
    parts: OriginalParts
    options: ExportOptions = field(default_factory=ExportOptions)
    is_selection: bool = False
    """Whether pages are left out."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the expected languages."""
    engine: str = ""
    correction: str | None = None
    """Plain text of the whole document as a person corrected it; None: it is not corrected as a whole."""
    figure_address: Callable[[int, int], str] = lambda page, number: ""
    """Return the address of the picture of a figure by page number and place in the page, from 1."""

    @property
    def stem(self) -> str:
        """Name of the file without its extension."""
        return Path(self.filename).stem or "document"
