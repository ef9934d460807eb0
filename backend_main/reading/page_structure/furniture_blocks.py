"""Blocks of the page furniture that the Markdown of a page leaves out."""

from collections.abc import Mapping, Sequence

from ..types import Block, BlockType, Line, LineRole
from .boxes import is_in_upper_half

BLOCK_TYPES: Mapping[LineRole, BlockType] = {
    "header": "page_header",
    "footer": "page_footer",
    "page_number": "page_number",
    "margin": "other_furniture",
    "watermark": "other_furniture",
    "line_number": "other_furniture",
}


def with_furniture(blocks: Sequence[Block], lines: Sequence[Line], height: int) -> list[Block]:
    """Return the blocks of a page with one for each kind of furniture that its Markdown leaves out.

    Furniture in the upper half of the page comes first; margins, watermarks and numbers of lines come last.

    Args:
        blocks: those of the Markdown.
        lines: of the page.
        height: of the page in pixels.
    """
    placed = {index for block in blocks for index in block.lines}
    groups: dict[tuple[BlockType, bool], list[int]] = {}
    for index, line in enumerate(lines):
        if line.role == "body" or index in placed:
            continue
        kind = BLOCK_TYPES[line.role]
        is_first = kind != "other_furniture" and is_in_upper_half(line.box, height)
        groups.setdefault((kind, is_first), []).append(index)
    first = [Block(kind, lines=tuple(indices)) for (kind, is_first), indices in groups.items() if is_first]
    last = [Block(kind, lines=tuple(indices)) for (kind, is_first), indices in groups.items() if not is_first]
    last.sort(key=lambda block: block.type == "other_furniture")
    return [*first, *blocks, *last]


def furniture_type(lines: Sequence[Line], indices: Sequence[int]) -> BlockType | None:
    """Return the type of a block all of whose lines are page furniture of one kind; else None."""
    types = {BLOCK_TYPES.get(lines[index].role) for index in indices}
    return types.pop() if len(types) == 1 else None
