"""Markdown of the blocks of a born-digital page."""

from collections.abc import Sequence

from ..output.formatted_page import BlockMarkdown
from ..output.markdown import HARD_BREAK, INDENT
from ..types import BlockType, level_box
from .blocks import DigitalBlock
from .inline import InlineOptions, inline_markdown

HEADING = InlineOptions(ignores_bold=True, ignores_italic=True)


def blocks_markdown(blocks: Sequence[DigitalBlock]) -> list[BlockMarkdown]:
    """Return the blocks of a page with their Markdown."""
    return [_block_markdown(block) for block in blocks]


def _block_markdown(block: DigitalBlock) -> BlockMarkdown:
    # A marker such as "(a)" is none for Markdown.
    is_item = block.kind == "list_item" and bool(block.marker)
    kind: BlockType = "paragraph" if block.kind == "labels" else block.kind
    box = level_box(*block.rect) if block.kind == "figure" else None
    return BlockMarkdown(kind, _markdown(block), block.boxes, box, is_item, block.cells)


def _markdown(block: DigitalBlock) -> str:
    if block.markdown:
        return block.markdown
    match block.kind:
        case "heading":
            return "#" * block.level + " " + inline_markdown(block.lines[0], HEADING, at_line_start=False)
        case "list_item":
            marker = f"{block.marker} " if block.marker else ""
            text = HARD_BREAK.join(map(inline_markdown, block.lines))
            return f"{INDENT * block.level}{marker}{text}"
        case "quote":
            # A hard break, or else the lines of a quote would run together.
            return HARD_BREAK.join(f"> {inline_markdown(line)}" for line in block.lines)
        case "figure":
            return f"![{' '.join(inline_markdown(line, at_line_start=False) for line in block.lines)}]()"
        case _:
            return INDENT * block.level + HARD_BREAK.join(map(inline_markdown, block.lines))
