"""Document: the interface of an open file with pages, and the image of a page."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ..errors import ReadingError, UnreadableFile
from ..page_ranges import PageRanges
from ..types import Options, PageWarning
from . import rejections
from .pdf_text_layer import PageNote, TextLayer
from .pixels import Pixels


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
    warnings: tuple[PageWarning, ...] = ()


class Document(ABC):
    """An open file. Iteration decodes the selected pages one by one."""

    page_count: int

    def __init__(self, options: Options) -> None:
        self.options = options

    def __iter__(self) -> Iterator[PageImage]:
        for number in self.selected_pages(self.options):
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
            raise UnreadableFile(rejections.broken_page(number)) from error

    def text_layer(self, number: int) -> TextLayer | None:
        """Return the text layer of a page; None if there is none that can be trusted. Raises nothing."""
        return None

    def layer_letters(self, number: int) -> int:
        """Return the number of letters in the text layer of a page, usable or not. Raises nothing."""
        return 0

    def page_without_text(self, number: int) -> PageImage:
        """Return the image of a page without the text of its text layer. Raises UnreadableFile."""
        return self.page(number)

    def notes(self, number: int) -> tuple[PageNote, ...]:
        """Return the notes that are attached to a page. Raises nothing."""
        return ()

    def bookmarks(self) -> list[tuple[str, int]]:
        """Return the titles of the bookmarks with their depths, from 0. Raises nothing."""
        return []

    def page_warnings(self, number: int) -> tuple[PageWarning, ...]:
        """Return warnings about the document that belong to a page. They hold for its text layer too."""
        return ()

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
