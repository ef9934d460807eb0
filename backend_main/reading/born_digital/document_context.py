"""What other pages of a document tell about one: the style of running text, and the styles of headings.

A sample of pages is enough. It is taken once for each open document, when the first page is assembled.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from weakref import WeakKeyDictionary

from ..documents.document import Document
from ..documents.pdf_text_layer import TextLayer
from ..documents.turned_page import upright_layer
from ..layout.furniture_page import FurniturePage
from .document_profile import DocumentProfile, profile_of, title_key
from .page import DigitalPage

_CONTEXTS: WeakKeyDictionary[Document, "DocumentContext"] = WeakKeyDictionary()

MAX_SAMPLED_PAGES = 9
PAGES_BEFORE, PAGES_AFTER = 4, 2
"""Pages that a page is compared with. Those before it have been read already, if all pages are read."""
MIN_PAGES_NEAR = 5
"""The first page has none before it."""


class DocumentContext:
    """Facts about a document, computed from a sample of its pages when they are first needed."""

    def __init__(
        self,
        page_count: int,
        text_layer: Callable[[int], TextLayer | None],
        bookmarks: Callable[[], Iterable[tuple[str, int]]] = tuple,
    ) -> None:
        """Args: `text_layer` returns the text layer of a page, from 1; `bookmarks` titles and depths."""
        self._bookmarks = bookmarks
        self._page_count = page_count
        self._text_layer = text_layer
        self._furniture_pages: dict[int, FurniturePage | None] = {}

    @property
    def is_ready(self) -> bool:
        """Whether the sample is taken, or is a single page."""
        return "profile" in self.__dict__ or self._page_count == 1

    @cached_property
    def profile(self) -> DocumentProfile:
        """Profile of the document, from a sample of its pages."""
        layers = {number: layer for number in self._sampled_pages() if (layer := self._upright_layer(number))}
        titles = frozenset(title_key(title) for title, _ in self._bookmarks())
        return profile_of(layers, titles)

    def pages_near(self, number: int) -> list[FurniturePage]:
        """Return the pages around a page that have a text layer, as the detection of furniture needs them."""
        last = min(max(number + PAGES_AFTER, MIN_PAGES_NEAR), self._page_count)
        numbers = [each for each in range(max(1, number - PAGES_BEFORE), last + 1) if each != number]
        for each in numbers:
            if each not in self._furniture_pages:
                layer = self._upright_layer(each)
                page = DigitalPage(each, layer).furniture_page if layer else None
                self._furniture_pages[each] = page
        for old in [each for each in self._furniture_pages if each < number - PAGES_BEFORE]:
            del self._furniture_pages[old]
        return [page for each in numbers if (page := self._furniture_pages[each])]

    def _upright_layer(self, number: int) -> TextLayer | None:
        layer = self._text_layer(number)
        return upright_layer(layer) if layer and not layer.is_too_dense else None

    def _sampled_pages(self) -> list[int]:
        """Return the first pages, which are read for page furniture too, and pages from the rest."""
        first = list(range(1, min(MIN_PAGES_NEAR, self._page_count) + 1))
        rest = self._page_count - len(first)
        count = min(rest, MAX_SAMPLED_PAGES - len(first))
        return first + [len(first) + rest * (2 * index + 1) // (2 * count) + 1 for index in range(count)]


def context_of(document: Document) -> DocumentContext:
    """Return the context of an open document, which lives as long as the document."""
    if (context := _CONTEXTS.get(document)) is None:
        context = _CONTEXTS[document] = DocumentContext(
            document.page_count, document.text_layer, document.bookmarks
        )
    return context
