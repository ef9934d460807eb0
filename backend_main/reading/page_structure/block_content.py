"""What the Markdown of a block says of it: its level, marker, check box, cells and text."""

import re
from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from ..output.plain_text import html_text, inline_text, to_plain_text
from ..types import Block, Line, TableCell
from .boxes import bounding_box
from .table_cells import MarkdownCell, is_html_table, markdown_cells

ITEM_INDENT = 4
"""Spaces before a nested item, as our own Markdown has them."""
_HEADING = re.compile(r"\s*(#{1,6})(?:\s|$)")
_ITEM = re.compile(r"(\s*)([-+*]|\d{1,9}[.)])\s+")
_CHECK_BOX = re.compile(r"\s*\[([ xX])\](?:\s|$)")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})[^\n]*\n?")
_CLOSING_FENCE = re.compile(r"\n?\s*(?:`{3,}|~{3,})\s*\Z")
_FIGURE = re.compile(r"\s*!\[(.*)\]\([^()]*\)\s*\Z", re.DOTALL)
_FOOTNOTE = re.compile(r"\s*\[\^([^\[\]\s]{1,30})\]:\s*")


def with_content(block: Block, markdown: str, lines: Sequence[Line]) -> Block:
    """Return a block with the fields that its Markdown and its lines have. A known level or box stays.

    Args:
        block: with its type, and its span or its lines.
        markdown: of the page.
        lines: of the page, with their spans.
    """
    if block.box is None:
        box = bounding_box(lines[index].box for index in block.lines)
        block = msgspec.structs.replace(block, box=box)
    if block.span is None:
        text = block.text or "\n".join(lines[index].text for index in block.lines)
        return msgspec.structs.replace(block, text=text)
    own = markdown[slice(*block.span)]
    match block.type:
        case "heading":
            found = _HEADING.match(own)
            level = block.level or (len(found[1]) if found else 1)
            return msgspec.structs.replace(block, level=level, text=to_plain_text(own))
        case "list_item":
            return _list_item(block, own)
        case "table":
            return _table(block, markdown, lines)
        case "code":
            return msgspec.structs.replace(block, text=_CLOSING_FENCE.sub("", _FENCE.sub("", own, count=1)))
        case "figure":
            found = _FIGURE.match(own)
            return msgspec.structs.replace(block, text=inline_text(found[1]) if found else "")
        case "footnote":
            return msgspec.structs.replace(block, text=to_plain_text(_FOOTNOTE.sub("", own, count=1)))
    return _text_block(block, own)


def _list_item(block: Block, own: str) -> Block:
    found = _ITEM.match(own)
    indent = len(own) - len(own.lstrip(" "))
    level = indent // ITEM_INDENT if block.level is None else block.level
    if found is None:  # such as "(a)"
        return msgspec.structs.replace(_text_block(block, own), level=level)
    marker = "-" if found[2] in "-+*" else found[2]
    rest = _text_block(block, own[found.end() :])
    return msgspec.structs.replace(rest, level=level, marker=marker)


def _text_block(block: Block, own: str) -> Block:
    checked = _CHECK_BOX.match(own)
    is_checked = checked[1] in "xX" if checked else None
    text = to_plain_text(own[checked.end() :] if checked else own)
    return msgspec.structs.replace(block, text=text, is_checked=is_checked)


def _table(block: Block, markdown: str, lines: Sequence[Line]) -> Block:
    cells = derived_cells(block, markdown, lines)
    return msgspec.structs.replace(
        block,
        text="\n".join(_rows(cells)),
        rows=max((cell.row + cell.row_span for cell in cells), default=0),
        columns=max((cell.column + cell.column_span for cell in cells), default=0),
        cells=cells,
    )


def derived_cells(block: Block, markdown: str, lines: Sequence[Line]) -> tuple[TableCell, ...]:
    """Return the cells of a table by its Markdown, each with the lines that have a place in it.

    The cells that the block has already name their lines: parts of a line may be in several cells.
    """
    assert block.span is not None
    known = {(cell.row, cell.column): cell.lines for cell in block.cells}
    text_of = html_text if is_html_table(markdown, block.span[0]) else inline_text
    by_place = _LinesByPlace(block.lines, lines)
    cells = []
    for cell in markdown_cells(markdown, *block.span):
        own = by_place.within(cell.start, cell.end)
        named = known.get((cell.row, cell.column), own)
        own = own if set(own) == set(named) else named
        cells.append(_cell(cell, text_of(markdown[cell.start : cell.end]), own, lines))
    return tuple(cells)


def _cell(cell: MarkdownCell, text: str, own: tuple[int, ...], lines: Sequence[Line]) -> TableCell:
    return TableCell(
        cell.row,
        cell.column,
        cell.row_span,
        cell.column_span,
        text,
        cell.is_header,
        bounding_box(lines[index].box for index in own),
        own,
    )


class _LinesByPlace:
    """Lines of a block by their places in the Markdown, which do not overlap."""

    def __init__(self, indices: Sequence[int], lines: Sequence[Line]) -> None:
        self._places = sorted((*span, index) for index in indices if (span := lines[index].span) is not None)
        self._starts = [start for start, _, _ in self._places]

    def within(self, start: int, end: int) -> tuple[int, ...]:
        """Return the lines with a part between two places."""
        last = bisect_left(self._starts, end)
        first = last
        while first and self._places[first - 1][1] > start:
            first -= 1
        return tuple(index for _, _, index in self._places[first:last])


def _rows(cells: Sequence[TableCell]) -> list[str]:
    """Return the text of a table by rows."""
    rows: dict[int, list[str]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell.text)
    return [" ".join(filter(None, texts)) for texts in rows.values()]
