"""Structure tree of a tagged PDF page: the places of its headings and quotes.

Programs such as Word and browsers write down which text is a heading, and of which level. The text of a tag
is found by its marked content: the tag names numbers, and each text object of the page has one.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .pdf_graphics import Mapping, Rect, pixel_rect

TAGS = frozenset({"H", "H1", "H2", "H3", "H4", "H5", "H6", "Title", "BlockQuote"})
"""Standard structure types that are used (ISO 32000-2:2020, 14.8.4)."""
MAX_ELEMENTS = 20_000
"""Elements of a page that are visited; a table of a page may have thousands."""
MAX_DEPTH = 40
MAX_TYPE_BYTES = 64


@dataclass(frozen=True, slots=True)
class TaggedArea:
    """The place of a tag's text, in pixels of the rendered page; `tag` is a structure type such as "H2"."""

    tag: str
    rect: Rect


@dataclass(frozen=True, slots=True)
class PageTags:
    """Tags of a page; none for a page without a structure tree."""

    areas: tuple[TaggedArea, ...] = ()


NO_TAGS = PageTags()


def read_tags(page: Any, to_pixels: Mapping) -> PageTags:
    """Return the tags of a pypdfium2 page; none if its tree is broken."""
    import pypdfium2.raw as pdfium

    tree = pdfium.FPDF_StructTree_GetForPage(page.raw)
    if not tree:
        return NO_TAGS
    try:
        contents = _Reader().contents_by_element(tree)
    finally:
        pdfium.FPDF_StructTree_Close(tree)
    if not contents:
        return NO_TAGS
    places = _places(page, {number for _, numbers in contents for number in numbers}, to_pixels)
    areas = [
        TaggedArea(tag, _union([places[number] for number in numbers if number in places]))
        for tag, numbers in contents
        if tag in TAGS and any(number in places for number in numbers)
    ]
    return PageTags(tuple(areas))


class _Reader:
    def __init__(self) -> None:
        self._visited = 0

    def contents_by_element(self, tree: Any) -> list[tuple[str, list[int]]]:
        """Return the tags in `TAGS` with their content numbers; other tags stand with an empty list."""
        import pypdfium2.raw as pdfium

        found: list[tuple[str, list[int]]] = []
        for index in range(max(0, pdfium.FPDF_StructTree_CountChildren(tree))):
            if element := pdfium.FPDF_StructTree_GetChildAtIndex(tree, index):
                found += self._elements(element, 0)
        return found

    def _elements(self, element: Any, depth: int) -> Iterator[tuple[str, list[int]]]:
        import pypdfium2.raw as pdfium

        self._visited += 1
        if depth > MAX_DEPTH or self._visited > MAX_ELEMENTS:
            return
        tag = _type(element)
        if tag in TAGS:
            yield tag, list(self._numbers(element, depth))
            return
        yield tag, []
        for index in range(max(0, pdfium.FPDF_StructElement_CountChildren(element))):
            if child := pdfium.FPDF_StructElement_GetChildAtIndex(element, index):
                yield from self._elements(child, depth + 1)

    def _numbers(self, element: Any, depth: int) -> Iterator[int]:
        """Yield the numbers of the marked content in an element and in those below it."""
        import pypdfium2.raw as pdfium

        self._visited += 1
        if depth > MAX_DEPTH or self._visited > MAX_ELEMENTS:
            return
        for index in range(max(0, pdfium.FPDF_StructElement_CountChildren(element))):
            number = pdfium.FPDF_StructElement_GetChildMarkedContentID(element, index)
            if number >= 0:
                yield number
            elif child := pdfium.FPDF_StructElement_GetChildAtIndex(element, index):
                yield from self._numbers(child, depth + 1)


def _type(element: Any) -> str:
    import pypdfium2.raw as pdfium

    buffer = ctypes.create_string_buffer(MAX_TYPE_BYTES)
    length = pdfium.FPDF_StructElement_GetType(element, buffer, MAX_TYPE_BYTES)
    return buffer.raw[: max(0, min(length, MAX_TYPE_BYTES) - 2)].decode("utf-16-le", "replace")


def _places(page: Any, numbers: set[int], to_pixels: Mapping) -> dict[int, Rect]:
    """Return the bounds of the text of each marked content."""
    import pypdfium2.raw as pdfium

    places: dict[int, Rect] = {}
    if not numbers:
        return places
    for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=1):
        number = pdfium.FPDFPageObj_GetMarkedContentID(item.raw)
        if number not in numbers:
            continue
        rect = pixel_rect(item.get_bounds(), to_pixels)
        places[number] = _union([rect, places[number]]) if number in places else rect
    return places


def _union(rects: list[Rect]) -> Rect:
    lefts, tops, rights, bottoms = zip(*rects, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
