"""Step 10 - which pages of a document: “3”, “2-5”, “1-3,7,9-”; "" is all of them."""

import re
from collections.abc import Iterable
from typing import Self

_RANGE = re.compile(r"([0-9]{1,7})(-([0-9]{1,7})?)?")
MAX_CHARACTERS = 200


class PageRanges:
    """Raises ValueError with a sentence where the text is none."""

    def __init__(self, text: str = "") -> None:
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"At most {MAX_CHARACTERS} characters are expected.")
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        self._ranges = _merged(map(_range, parts)) or [(1, _NO_END)]

    def __or__(self, other: Self) -> Self:
        """The pages of both."""
        joined = type(self)()
        joined._ranges = _merged([*self._ranges, *other._ranges])
        return joined

    def __str__(self) -> str:
        return "" if self._ranges == [(1, _NO_END)] else ",".join(map(_text, self._ranges))

    def next_page(self, number: int) -> int | None:
        """The first page behind this one; None where there is none, in any document."""
        return next((max(first, number + 1) for first, last in self._ranges if last > number), None)

    def last_page(self, page_count: int) -> int:
        """The last of them in a document of so many pages; 0 where it has none of them."""
        return max((min(last, page_count) for first, last in self._ranges if first <= page_count), default=0)

    def missing_pages(self, page_count: int) -> str:
        """What is named behind a document's end, "" for nothing; the end of “2-” is wherever that is."""
        behind = [pages for pages in self._ranges if pages[1] > page_count]
        named = [pages for pages in behind if pages[1] < _NO_END or pages[0] > page_count]
        return ",".join(_text((max(first, page_count + 1), last)) for first, last in named)

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._ranges)


def no_such_pages_message(pages: str, page_count: int) -> str:
    """A sentence on a document that has none of these pages."""
    verb = "are" if _are_many(pages) else "is"
    return f"The file has {_count(page_count)}; {_named(pages)} {verb} none of them."


def pages_beyond_end_message(pages: str, page_count: int) -> str:
    """A sentence on those that a document does not have."""
    verb = "were" if _are_many(pages) else "was"
    named = _named(pages)
    return f"{named[0].upper()}{named[1:]} {verb} asked for; the file has {_count(page_count)}."


_NO_END = 10**9
_Range = tuple[int, int]


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    """In order, and apart from each other."""
    merged: list[_Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _text(pages: _Range) -> str:
    first, last = pages
    return f"{first}" if first == last else f"{first}-" if last == _NO_END else f"{first}-{last}"


def _are_many(pages: str) -> bool:
    return not pages.isdecimal()


def _named(pages: str) -> str:
    return f"page{'s' if _are_many(pages) else ''} {pages}"


def _count(pages: int) -> str:
    return "one page" if pages == 1 else f"{pages} pages"


def _range(part: str) -> _Range:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError("Pages are expected as in “3”, “2-5” or “1-3,7,9-”.")
    first = int(found[1])
    last = first if found[2] is None else int(found[3]) if found[3] else _NO_END
    if first < 1 or last < first:
        raise ValueError("Pages count from 1, and a range begins with the smaller number.")
    return first, last
