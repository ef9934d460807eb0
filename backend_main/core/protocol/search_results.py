"""Response of the search as types; pure, as `messages`."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...reading.types import Box
from .messages import Instance

SearchField = Literal["page", "filename", "correction"]
"""What a search found: the text of a page, the name of a file, or the correction of an upload."""


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a text around the words of a search; `marks` are their places in it, in code points."""

    text: str
    marks: list[tuple[int, int]]


class SearchLine(msgspec.Struct, frozen=True, kw_only=True):
    """Line of a page with words of a search. `boxes`: of these words, or of the line if it has no words."""

    line: int
    text: str
    marks: list[tuple[int, int]]
    boxes: list[Box]


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """Page, file name or correction of an upload that a search found."""

    upload: Instance
    field: SearchField
    snippet: Snippet
    page: int | None = None
    width: int | None = None
    height: int | None = None
    lines: list[SearchLine] = []


class SearchResults(msgspec.Struct, frozen=True, kw_only=True):
    """Hits of a search, best first. `complete` is false while an upgrade indexes the texts of the user."""

    hits: list[SearchHit]
    next: str | None
    complete: bool
