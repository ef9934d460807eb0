"""Response of the search as types; pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from .messages import Instance, Point

SearchField = Literal["page", "filename", "correction"]
"""What the search found: the text of a page, the name of a file, or the correction of an upload."""


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a text around the words of the search. `marks` are their places in it: `text[start:end]`."""

    text: str
    marks: tuple[tuple[int, int], ...]


class SearchLine(msgspec.Struct, frozen=True, kw_only=True):
    """Line of a page with words of the search.

    line    number of the line in the lines of the page, from 0
    boxes   corners of each of these words, or of the line if the places of its words are not known
    """

    line: int
    text: str
    marks: tuple[tuple[int, int], ...]
    boxes: tuple[tuple[Point, Point, Point, Point], ...]


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """Page, file name or correction that the search found. Only a page has number, size and lines."""

    upload: Instance
    field: SearchField
    snippet: Snippet
    page: int | None = None
    width: int | None = None
    height: int | None = None
    lines: tuple[SearchLine, ...] = ()


class SearchResults(msgspec.Struct, frozen=True, kw_only=True):
    """Hits of a search, best first. `next` is the cursor of the next hits, or None.

    complete   False while the server still indexes texts of the user after an upgrade
    """

    hits: tuple[SearchHit, ...]
    next: str | None = None
    complete: bool = True
