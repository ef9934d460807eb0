"""Faults of the blocks and spans of a finished page, by what every page must fulfil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from backend_main.reading import Block, Line, PageDone
from backend_main.reading.page_structure.markdown_letters import letters_of, shown_text


def structure_faults(page: PageDone, *, min_located: float = 1.0) -> list[str]:
    """Return what is wrong with the blocks of a page, and with the places of its lines.

    Args:
        page: the page.
        min_located: share of its body lines that have a place in the Markdown.
    """
    return [
        *_block_faults(page),
        *_line_faults(page),
        *(fault for block in page.blocks for fault in _cell_faults(block, page.lines)),
        *_missing_faults(page, min_located),
    ]


def _block_faults(page: PageDone) -> Iterator[str]:
    spans = [block.span for block in page.blocks if block.span]
    for above, below in pairwise(spans):
        if above[1] > below[0]:
            yield f"blocks overlap: {above}, {below}"
    places = [0, *(place for span in spans for place in span), len(page.markdown)]
    outside = [page.markdown[start:end] for start, end in zip(places[::2], places[1::2], strict=True)]
    # A thematic break is in no block.
    yield from (f"text outside of blocks: {text!r}" for text in outside if text.strip(" \n-*_"))
    for block in page.blocks:
        if block.span and not page.markdown[slice(*block.span)].strip():
            yield f"a block without text: {block}"
    counts = Counter(index for block in page.blocks for index in block.lines)
    yield from (f"line {index} is in {count} blocks" for index, count in counts.items() if count > 1)


def _line_faults(page: PageDone) -> Iterator[str]:
    for block in page.blocks:
        located = [
            (span, page.lines[index]) for index in block.lines if (span := page.lines[index].span) is not None
        ]
        if located and block.span is None:
            yield f"a line of a block that is left out has a place: {block}"
            continue
        for (above, _), (below, line) in pairwise(located):
            if above[0] > below[0] or above[1] > below[1]:
                yield f"lines in another order than their places: {line.text!r}"
        for span, line in located:
            assert block.span is not None
            if not block.span[0] <= span[0] < span[1] <= block.span[1]:
                yield f"line {line.text!r} at {span} is outside of its block {block.span}"
            elif block.type != "formula" and (fault := _letter_fault(page.markdown, span, line, block)):
                yield fault
    inside = {index for block in page.blocks for index in block.lines}
    for index, line in enumerate(page.lines):
        if index not in inside and line.span is not None:
            yield f"line {line.text!r} has a place, and no block"


def _letter_fault(markdown: str, span: tuple[int, int], line: Line, block: Block) -> str | None:
    assert block.span is not None
    own = markdown[slice(*span)]
    whole = markdown[: block.span[1]]
    shown = letters_of((whole if block.type == "code" else shown_text(whole))[slice(*span)])
    # A table may divide a line: its place is that of the longest part.
    is_same = shown in letters_of(line.text) if block.type == "table" else shown == letters_of(line.text)
    if is_same or "$" in own or "\\" in own:  # a formula changes letters
        return None
    return f"line {line.text!r} is at {own!r}"


def _cell_faults(block: Block, lines: list[Line]) -> Iterator[str]:
    if block.type != "table":
        return
    places = Counter(
        (row, column)
        for cell in block.cells
        for row in range(cell.row, cell.row + cell.row_span)
        for column in range(cell.column, cell.column + cell.column_span)
    )
    assert block.rows is not None
    assert block.columns is not None
    grid = {(row, column) for row in range(block.rows) for column in range(block.columns)}
    if set(places) != grid or places.total() != len(grid):
        yield f"the cells of a table are not a grid of {block.rows} × {block.columns}: {block.cells}"
    for cell in filter(lambda cell: cell.lines, block.cells):
        letters = letters_of("".join(lines[index].text for index in cell.lines))
        if lost := Counter(letters_of(cell.text)) - Counter(letters):
            yield f"cell {cell.text!r} has letters {lost} that its lines have not"


def _missing_faults(page: PageDone, min_located: float) -> Iterator[str]:
    body = [line for line in page.lines if line.role == "body" and letters_of(line.text)]
    missing = [line.text for line in body if line.span is None]
    if len(missing) > (1 - min_located) * len(body):
        yield f"lines without a place: {missing}"
