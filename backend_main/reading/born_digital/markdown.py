"""Markdown of the blocks of a born-digital page."""

from collections.abc import Sequence

from ..output.markdown import HARD_BREAK, INDENT
from .blocks import DigitalBlock
from .inline import InlineOptions, inline_markdown

HEADING = InlineOptions(ignores_bold=True, ignores_italic=True)


def blocks_markdown(blocks: Sequence[DigitalBlock]) -> str:
    """Return the Markdown of a page: blank lines between blocks, single newlines between list items."""
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            is_same_list = _is_item(block) and _is_item(blocks[number - 1])
            parts.append("\n" if is_same_list else "\n\n")
        parts.append(_block(block))
    return "".join(parts)


def _is_item(block: DigitalBlock) -> bool:
    """Return whether a block is a list item for Markdown too, and not one with a marker such as "(a)"."""
    return block.kind == "list_item" and bool(block.marker)


def _block(block: DigitalBlock) -> str:
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
