"""Content of stored pages: lines with their words. What reads pages, reads them through this module."""

from __future__ import annotations

import msgspec

from ...reading.types import Line
from ..models import Page
from .packed_words import unpack_words


def page_lines(page: Page, *, with_words: bool = False) -> list[Line]:
    """Return the lines of a page. Those of a page of an earlier version have no words."""
    lines = msgspec.convert(page.lines, list[Line])
    if not with_words or page.words is None:
        return lines
    words = unpack_words(bytes(page.words), [line.text for line in lines])
    return [msgspec.structs.replace(line, words=own) for line, own in zip(lines, words, strict=True)]
