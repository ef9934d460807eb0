"""What other pages of a document tell about one: the style of running text, and the styles of headings.

A sample of pages is enough. It is taken once for each open document, when the first page is assembled.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

from ..documents.document import Document
from ..documents.pdf_text_layer import TextLayer
from .page import StyleKey, main_style, style_key

_CONTEXTS: WeakKeyDictionary[Document, "DocumentContext"] = WeakKeyDictionary()

MAX_SAMPLED_PAGES = 8
MIN_HEADING_SIZE = 1.08
"""In sizes of running text: larger text is a heading, if it is short."""
MAX_STYLE_SHARE = 0.3
"""A style with more of the document's letters is not one of headings."""
MAX_LEVEL = 6


@dataclass(frozen=True)
class DocumentProfile:
    """Style of running text, and the heading levels of larger or bolder styles, from 1."""

    body: StyleKey = (0.0, False)
    levels: Mapping[StyleKey, int] = field(default_factory=dict)

    def level(self, key: StyleKey) -> int:
        """Return the heading level of a style, 0 for one that is not a heading's."""
        return self.levels.get(key, 0)


class DocumentContext:
    """Facts about a document, computed from a sample of its pages when they are first needed."""

    def __init__(self, page_count: int, text_layer: Callable[[int], TextLayer | None]) -> None:
        """Args: `text_layer` returns the text layer of a page, from 1."""
        self._page_count = page_count
        self._text_layer = text_layer

    @cached_property
    def profile(self) -> DocumentProfile:
        letters: Counter[StyleKey] = Counter()
        for number in self._sampled_pages():
            if layer := self._text_layer(number):
                for run in layer.runs:
                    letters[style_key(main_style(run.pieces))] += len(run.text)
        return _profile(letters)

    def _sampled_pages(self) -> list[int]:
        count = min(self._page_count, MAX_SAMPLED_PAGES)
        return [1 + index * self._page_count // count for index in range(count)]


def context_of(document: Document) -> DocumentContext:
    """Return the context of an open document, which lives as long as the document."""
    if (context := _CONTEXTS.get(document)) is None:
        context = _CONTEXTS[document] = DocumentContext(document.page_count, document.text_layer)
    return context


def _profile(letters: Counter[StyleKey]) -> DocumentProfile:
    if not letters:
        return DocumentProfile()
    sizes: Counter[float] = Counter()
    for (size, _), count in letters.items():
        sizes[size] += count
    body_size = sizes.most_common(1)[0][0]
    is_bold = letters[body_size, True] > letters[body_size, False]
    total = sum(letters.values())
    larger = [
        key
        for key, count in letters.items()
        if key[0] > MIN_HEADING_SIZE * body_size and count < MAX_STYLE_SHARE * total
    ]
    sizes_of_headings = sorted({size for size, _ in larger}, reverse=True)
    levels = {key: min(MAX_LEVEL, 1 + sizes_of_headings.index(key[0])) for key in larger}
    if not is_bold and letters[body_size, True] < MAX_STYLE_SHARE * total:
        levels[body_size, True] = min(MAX_LEVEL, 1 + len(sizes_of_headings))
    return DocumentProfile((body_size, is_bold), levels)
