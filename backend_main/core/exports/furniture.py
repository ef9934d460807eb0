"""Page furniture in the Markdown of a page, or out of it, whichever way the page was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...reading.output.escaping import escape
from ...reading.output.markdown import PAGE_BREAK
from ...reading.output.plain_text import to_plain_text
from ...reading.types import Block, FurnitureOption
from .document import ExportPage

FURNITURE_TYPES = frozenset(("page_header", "page_footer", "page_number", "other_furniture"))


def with_furniture(page: ExportPage, option: FurnitureOption | None) -> ExportPage:
    """Return a page whose Markdown and text have its furniture, or leave it out; None: as it was read."""
    furniture = [block for block in page.blocks if block.type in FURNITURE_TYPES]
    if option is None or not furniture:
        return page
    markdown = _with(page) if option == "keep" else _without(page.markdown, furniture)
    if markdown == page.markdown:
        return page
    return replace(page, markdown=markdown, text=to_plain_text(markdown), as_read=page.as_read or page)


def _without(markdown: str, furniture: Sequence[Block]) -> str:
    for block in sorted((block for block in furniture if block.span), key=_start, reverse=True):
        start, end = block.span or (0, 0)
        above, below = markdown[:start].rstrip("\n"), markdown[end:].lstrip("\n")
        markdown = above + PAGE_BREAK + below if above and below else above + below
    return markdown


def _with(page: ExportPage) -> str:
    """Put each dropped block before the next one, in reading order, that the Markdown has."""
    markdown, at = page.markdown, len(page.markdown)
    for block in reversed(page.blocks):
        if block.span is not None:
            at = min(at, block.span[0])
        elif block.type in FURNITURE_TYPES and block.text.strip():
            text = "\n".join(escape(line) for line in block.text.strip().split("\n"))
            above, below = markdown[:at].rstrip("\n"), markdown[at:].lstrip("\n")
            parts = (part for part in (above, text, below) if part)
            markdown, at = PAGE_BREAK.join(parts), len(above) + (len(PAGE_BREAK) if above else 0)
    return markdown


def _start(block: Block) -> int:
    return block.span[0] if block.span else 0
