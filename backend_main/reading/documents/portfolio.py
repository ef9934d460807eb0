"""Portfolio: a document of several files."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from ..errors import UnreadableFile
from ..types import PageWarning
from . import rejections
from .base import Document, PageImage
from .pdf_portfolio import Part
from .pdf_text_layer import PageNote, TextLayer
from .source_file import SourceFile, memory_file

OpenPart = Callable[[SourceFile], Document]
"""Opens a file of the portfolio. Raises UnreadableFile."""


class Portfolio(Document):
    """A PDF portfolio: its own pages, which are a cover, and then the pages of its files."""

    def __init__(self, cover: Document, parts: Iterable[Part], open_part: OpenPart) -> None:
        super().__init__(cover.options)
        self._files: list[int] = []
        self._documents: list[tuple[int, str, Document]] = [(0, "", cover)]
        self.page_count = cover.page_count
        self._contents: list[str] = []
        try:
            for part in parts:
                self._add(part, open_part)
        except BaseException:
            self.close()
            raise

    def _add(self, part: Part, open_part: OpenPart) -> None:
        try:
            if part.content is None:
                raise UnreadableFile("It could not be extracted.")
            self._files.append(memory_file(part.content))
            document = open_part(self._files[-1])
        except (UnreadableFile, OSError) as error:
            reason = error if isinstance(error, UnreadableFile) else "It could not be stored."
            self._contents.append(f"“{part.name}” is not read. {reason}")
            return
        first = self.page_count + 1
        self._documents.append((self.page_count, part.name, document))
        self.page_count += document.page_count
        pages = f"page {first}" if document.page_count == 1 else f"pages {first} to {self.page_count}"
        self._contents.append(f"“{part.name}” is {pages}.")

    def _part_of(self, number: int) -> tuple[int, str, Document]:
        """Return the number of the page in its file, the name of the file, and the file."""
        before, name, document = next(part for part in reversed(self._documents) if part[0] < number)
        return number - before, name, document

    def page_warnings(self, number: int) -> tuple[PageWarning, ...]:
        own, name, document = self._part_of(number)
        warnings = _with_name(name, document.page_warnings(own))
        return (rejections.portfolio(self._contents), *warnings) if number == 1 else warnings

    def _decode_page(self, number: int) -> PageImage:
        return self._renumbered(number, Document.page)

    def page_without_text(self, number: int) -> PageImage:
        return self._renumbered(number, Document.page_without_text)

    def _renumbered(self, number: int, decode: Callable[[Document, int], PageImage]) -> PageImage:
        own, name, document = self._part_of(number)
        page = decode(document, own)
        return replace(page, number=number, warnings=_with_name(name, page.warnings))

    def text_layer(self, number: int) -> TextLayer | None:
        own, _, document = self._part_of(number)
        return document.text_layer(own)

    def layer_letters(self, number: int) -> int:
        own, _, document = self._part_of(number)
        return document.layer_letters(own)

    def notes(self, number: int) -> tuple[PageNote, ...]:
        own, _, document = self._part_of(number)
        return document.notes(own)

    def close(self) -> None:
        for _, _, document in self._documents:
            document.close()
        while self._files:
            os.close(self._files.pop())


def _with_name(name: str, warnings: tuple[PageWarning, ...]) -> tuple[PageWarning, ...]:
    """Return warnings that name the file, since they number its own pages."""
    if not name:
        return warnings
    return tuple(
        msgspec.structs.replace(warning, message=f"“{name}”: {warning.message}") for warning in warnings
    )
