"""Content of stored pages: their lines and blocks. What reads pages, reads them through this module."""

from __future__ import annotations

import msgspec

from ...control_characters import remove_controls
from ...reading.output.formatted_page import FormattedPage
from ...reading.page_structure.structured_page import complete_blocks, structured_page
from ...reading.types import Block, Box, Line
from ..models import PageContent
from .packed_words import unpack_words


def page_lines(page: PageContent, *, with_words: bool = False) -> list[Line]:
    """Return the lines of a page. Those of a page of an earlier version have no words."""
    return (
        page_structure(page, with_words=with_words)[0]
        if page.blocks is None
        else stored_lines(page, with_words=with_words)
    )


def page_blocks(page: PageContent) -> list[Block]:
    """Return the blocks of a page in reading order, for a page of an earlier version by its Markdown."""
    return page_structure(page)[1]


def page_structure(page: PageContent, *, with_words: bool = False) -> tuple[list[Line], list[Block]]:
    """Return the lines and the blocks of a page."""
    lines = stored_lines(page, with_words=with_words)
    if page.blocks is not None:
        blocks = msgspec.convert(page.blocks, list[Block])
        return lines, complete_blocks(page.markdown, blocks, lines)
    derived, lines = structured_page(FormattedPage(page.markdown, page.text), lines, page.height)
    return lines, derived


class LineText(msgspec.Struct):
    """Text and box of a stored line."""

    text: str
    box: Box | None = None


_line_texts = msgspec.json.Decoder(list[LineText])


def line_texts(stored: str) -> list[LineText]:
    """Return texts and boxes of the lines in the JSON of `PageContent.lines`; ten times faster than them."""
    lines = _line_texts.decode(stored)
    for line in lines:
        if not line.text.isprintable():  # as `Line`
            line.text = remove_controls(line.text)
    return lines


def stored_lines(page: PageContent, *, with_words: bool = False) -> list[Line]:
    """Return the lines as they are stored: those of a page of an earlier version have no `span`."""
    lines = msgspec.convert(page.lines, list[Line])
    if not with_words or page.words is None:
        return lines
    words = unpack_words(bytes(page.words), [line.text for line in lines])
    return [msgspec.structs.replace(line, words=own) for line, own in zip(lines, words, strict=True)]
