"""Selections of a document's pages: “3”, “2-5”, “1-3,7,9-”."""

import re
from collections.abc import Iterable
from typing import Self

from .types import PageWarning
from .warning_codes import WarningCode

MAX_CHARACTERS = 200
_RANGE = re.compile(r"([0-9]{1,7})(-([0-9]{1,7})?)?")
_NO_END = 10**9
_Range = tuple[int, int]
"""First and last page; `_NO_END` for a range without an end."""


class PageRanges:
    """A selection of pages, normalized: ascending ranges that do not touch. Page numbers count from 1."""

    def __init__(self, text: str | None = None) -> None:
        """Parse a selection. None, or the blank text of an option, selects all pages. Raises ValueError."""
        if text is not None and len(text) > MAX_CHARACTERS:
            raise ValueError(f"A page selection may have at most {MAX_CHARACTERS} characters.")
        if text is None or not text.strip():
            self._ranges = [(1, _NO_END)]
        else:
            self._ranges = _merge(_parse(part.strip()) for part in text.split(","))

    def __or__(self, other: Self) -> Self:
        """Return the pages of both."""
        union = type(self)()
        union._ranges = _merge([*self._ranges, *other._ranges])
        return union

    def __str__(self) -> str:
        """Return the text of the option, "" for all pages."""
        return "" if self._ranges == [(1, _NO_END)] else ",".join(map(_text, self._ranges))

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._ranges)

    def next_page(self, number: int) -> int | None:
        """Return the first selected page after `number`; None if there is none, in any document."""
        return next((max(first, number + 1) for first, last in self._ranges if last > number), None)

    def last_page(self, page_count: int) -> int:
        """Return the last selected page of a document, 0 if it has none of them."""
        return max((min(last, page_count) for first, last in self._ranges if first <= page_count), default=0)

    def missing_pages(self, page_count: int) -> str | None:
        """Return the selected pages beyond the end of a document, None if there are none.

        A range without an end ends with the document, if it begins there.
        """
        missing = [
            (max(first, page_count + 1), last)
            for first, last in self._ranges
            if last > page_count and (last < _NO_END or first > page_count)
        ]
        return ",".join(map(_text, missing)) or None


def no_such_pages_message(pages: str, page_count: int) -> str:
    """Return the error message for a document that has none of these pages."""
    verb = "are" if _is_plural(pages) else "is"
    return f"The file has {_count(page_count)}; {_named(pages)} {verb} not among them."


def pages_beyond_end(pages: str, page_count: int) -> PageWarning:
    """Return the warning for selected pages that a document does not have."""
    verb = "were" if _is_plural(pages) else "was"
    message = f"{_named(pages).capitalize()} {verb} requested; the file has {_count(page_count)}."
    return PageWarning(WarningCode.PAGES_BEYOND_END, message)


def _merge(ranges: Iterable[_Range]) -> list[_Range]:
    merged: list[_Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _parse(part: str) -> _Range:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError("Invalid page selection. Examples: “3”, “2-5”, “1-3,7,9-”.")
    first = int(found[1])
    last = first if found[2] is None else int(found[3]) if found[3] else _NO_END
    if first < 1 or last < first:
        raise ValueError("Pages count from 1, and a range begins with the smaller number.")
    return first, last


def _text(pages: _Range) -> str:
    first, last = pages
    return f"{first}" if first == last else f"{first}-" if last == _NO_END else f"{first}-{last}"


def _is_plural(pages: str) -> bool:
    return not pages.isdecimal()


def _named(pages: str) -> str:
    return f"page{'s' if _is_plural(pages) else ''} {pages}"


def _count(pages: int) -> str:
    return "one page" if pages == 1 else f"{pages} pages"
