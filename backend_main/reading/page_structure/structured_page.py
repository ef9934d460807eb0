"""Blocks of a finished page with their lines and boxes, and its lines with their places in the Markdown.

An assembly knows which lines each block has. Other pages have their Markdown alone: it is parsed, and the
lines are searched in it. The level and the cells of a block are read from its Markdown in both cases, so that
blocks are stored without them (`bare_block`) and completed when they are loaded.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from ..layout.text_joining import CAPTION
from ..output.formatted_page import FormattedBlock, FormattedPage
from ..types import Block, BlockType, Line, PageDone, TableCell
from .block_content import derived_cells, with_content
from .boxes import bounding_box, contains_center
from .furniture_blocks import furniture_type, with_furniture
from .line_spans import BlockText, Span, without_line_numbers
from .markdown_blocks import markdown_blocks
from .markdown_letters import ShownLetters, shown_text

_WITH_OWN_BOX: frozenset[BlockType] = frozenset({"figure", "barcode"})


def structured_page(
    page: FormattedPage, lines: Sequence[Line], height: int
) -> tuple[list[Block], list[Line]]:
    """Return the blocks of a page in reading order, and its lines with their spans.

    Args:
        page: the finished page.
        lines: its lines, with their roles.
        height: of the page in pixels.
    """
    if page.blocks is None:
        blocks, spans = _by_markdown(page.markdown, lines)
    else:
        blocks, spans = _by_assembly(page.markdown, page.blocks, lines)
    located = [
        line if span is None else msgspec.structs.replace(line, span=span)
        for line, span in zip(lines, spans, strict=True)
    ]
    blocks = with_furniture(_with_captions(page.markdown, blocks), located, height)
    return complete_blocks(page.markdown, blocks, located), located


def complete_blocks(markdown: str, blocks: Sequence[Block], lines: Sequence[Line]) -> list[Block]:
    """Return bare blocks with everything that the Markdown and the lines of their page say of them."""
    return [with_content(block, markdown, lines) for block in blocks]


def bare_blocks(page: PageDone) -> list[Block]:
    """Return the blocks of a page without what `complete_blocks` adds."""
    return [_bare_block(block, page) for block in page.blocks]


def _bare_block(block: Block, page: PageDone) -> Block:
    is_item = block.type == "list_item" and bool(block.level)
    has_own_text = block.span is None and not block.lines
    return Block(
        block.type,
        box=block.box if block.type in _WITH_OWN_BOX else None,
        span=block.span,
        lines=block.lines,
        text=block.text if has_own_text else "",
        level=block.level if is_item else None,
        cells=_divided_cells(block, page) if block.type == "table" else (),
        value=block.value,
        format=block.format,
    )


def _divided_cells(block: Block, page: PageDone) -> tuple[TableCell, ...]:
    """Return the cells with a part of a line whose place is in another cell, with their lines alone."""
    derived = derived_cells(msgspec.structs.replace(block, cells=()), page.markdown, page.lines)
    return tuple(
        TableCell(cell.row, cell.column, lines=cell.lines)
        for cell, other in zip(block.cells, derived, strict=True)
        if cell.lines != other.lines
    )


# --- pages of an assembly ----------------------------------------------------------------------------------


def _by_assembly(
    markdown: str, formatted: Sequence[FormattedBlock], lines: Sequence[Line]
) -> tuple[list[Block], list[Span | None]]:
    spans: list[Span | None] = [None] * len(lines)
    blocks: list[Block] = []
    known = {index for block in formatted for index in block.lines}
    others = [index for index, line in enumerate(lines) if line.role == "body" and index not in known]
    for block in formatted:
        if block.start == block.end:
            continue
        span = (block.start, block.end)
        text = _block_text(markdown, [(span, block.type)], span, is_table=block.type == "table")
        # A block without known lines, such as a note of the file, may have those that no block has.
        own = block.lines or others
        texts = [lines[index].text for index in own]
        if block.type == "code":
            texts = without_line_numbers(texts, markdown[slice(*span)])
        found = text.spans(texts, is_sure=bool(block.lines))
        if not block.lines:
            own = [index for index, place in zip(own, found, strict=True) if place]
            found = [place for place in found if place]
            others = [index for index in others if index not in own]
        for index, place in zip(own, found, strict=True):
            spans[index] = place
        kind = furniture_type(lines, own) or block.type
        cells = tuple(TableCell(row, column, lines=inside) for (row, column), inside in block.cells.items())
        blocks.append(Block(kind, block.box, span, _in_order(own, found), cells=cells))
    return _with_parts(blocks, lines, others), spans


def _with_parts(blocks: Sequence[Block], lines: Sequence[Line], others: Sequence[int]) -> list[Block]:
    """Add the lines that no block has to the block around them: the parts of a fraction in another line."""
    found = list(blocks)
    boxes = [block.box or bounding_box(lines[index].box for index in block.lines) for block in blocks]
    for index in others:
        for number, box in enumerate(boxes):
            if contains_center(box, lines[index].box):
                own = (*found[number].lines, index)
                found[number] = msgspec.structs.replace(found[number], lines=own)
                break
    return found


def _in_order(indices: Sequence[int], spans: Sequence[Span | None]) -> tuple[int, ...]:
    """Return lines in the order of their places; one without a place follows the line before it."""
    placed: list[tuple[int, int, int]] = []
    start = 0
    for number, (index, span) in enumerate(zip(indices, spans, strict=True)):
        start = span[0] if span else start
        placed.append((start, number, index))
    return tuple(index for _, _, index in sorted(placed))


def _block_text(
    markdown: str, parts: Sequence[tuple[Span, BlockType]], span: Span, *, is_table: bool = False
) -> BlockText:
    texts = (
        (start, own if kind == "code" else shown_text(own))
        for (start, end), kind in parts
        if (own := markdown[start:end])
    )
    return BlockText(markdown, ShownLetters(texts), span, is_table=is_table)


# --- pages of which the Markdown is known ------------------------------------------------------------------


def _by_markdown(markdown: str, lines: Sequence[Line]) -> tuple[list[Block], list[Span | None]]:
    parsed = markdown_blocks(markdown)
    spans = _streamed_spans(markdown, lines)
    if spans is None:
        parts: list[tuple[Span, BlockType]] = [((block.start, block.end), block.type) for block in parsed]
        spans = _block_text(markdown, parts, (0, len(markdown))).spans([line.text for line in lines])
    starts = [block.start for block in parsed]
    inside: list[list[tuple[int, int]]] = [[] for _ in parsed]
    for index, span in enumerate(spans):
        if span is not None and starts:
            inside[max(0, bisect_right(starts, span[0]) - 1)].append((span[0], index))
    blocks = [
        Block(
            block.type,
            span=(block.start, block.end),
            lines=tuple(index for _, index in sorted(own)),
            level=block.depth,
        )
        for block, own in zip(parsed, inside, strict=True)
    ]
    return blocks, spans


def _streamed_spans(markdown: str, lines: Sequence[Line]) -> list[Span | None] | None:
    """Return the spans of lines whose own Markdown is that of the page; None if it is not."""
    if "".join(line.markdown for line in lines) != markdown:
        return None
    spans: list[Span | None] = []
    start = 0
    for line in lines:
        end = start + len(line.markdown)
        own = line.markdown.strip()
        first = end - len(line.markdown.lstrip())
        spans.append((first, first + len(own)) if own else None)
        start = end
    return spans


def _with_captions(markdown: str, blocks: Sequence[Block]) -> list[Block]:
    """Mark the paragraphs beside tables and figures that begin like their caption."""
    found = list(blocks)
    for number, block in enumerate(blocks):
        own = markdown[slice(*block.span)] if block.span else ""
        if block.type == "paragraph" and CAPTION.match(own.lstrip(" *_")):
            beside = {each.type for each in (*blocks[max(0, number - 1) : number], *blocks[number + 1 :][:1])}
            if beside & {"table", "figure"}:
                found[number] = msgspec.structs.replace(block, type="caption")
    return found
