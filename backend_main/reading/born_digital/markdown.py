"""Markdown of the blocks of a born-digital page."""

from collections.abc import Sequence
from dataclasses import replace

from ..documents.styled_text import TextPiece
from ..output.markdown import HARD_BREAK, INDENT
from .blocks import DigitalBlock
from .inline import InlineOptions, inline_markdown

HEADING = InlineOptions(ignores_bold=True, ignores_italic=True)


def blocks_markdown(blocks: Sequence[DigitalBlock]) -> str:
    """Return the Markdown of a page: blank lines between blocks, single newlines between list items."""
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            is_same_list = block.kind == "list_item" and blocks[number - 1].kind == "list_item"
            parts.append("\n" if is_same_list else "\n\n")
        parts.append(_block(block))
    return "".join(parts)


def _block(block: DigitalBlock) -> str:
    if block.markdown:
        return block.markdown
    match block.kind:
        case "heading":
            return "#" * block.level + " " + inline_markdown(block.lines[0], HEADING, at_line_start=False)
        case "list_item":
            marker = block.marker if block.marker[0].isdigit() else "-"
            lines = [_without_marker(block.lines[0], block.marker), *block.lines[1:]]
            text = HARD_BREAK.join(map(inline_markdown, lines))
            return f"{INDENT * block.level}{marker} {text}"
        case "quote":
            # A hard break, or else the lines of a quote would run together.
            return HARD_BREAK.join(f"> {inline_markdown(line)}" for line in block.lines)
        case "figure":
            return f"![{' '.join(inline_markdown(line, at_line_start=False) for line in block.lines)}]()"
        case _:
            return HARD_BREAK.join(map(inline_markdown, block.lines))


def _without_marker(pieces: Sequence[TextPiece], marker: str) -> list[TextPiece]:
    """Return a list item's pieces without its marker, which may be the start of a piece."""
    rest = list(pieces)
    while marker and rest:
        first = rest[0]
        if len(first.text) <= len(marker):
            marker = marker[len(first.text) :].strip()
            del rest[0]
        else:
            rest[0] = replace(first, text=first.text[len(marker) :])
            marker = ""
    return rest
