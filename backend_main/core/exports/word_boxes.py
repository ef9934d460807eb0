"""Lines of a page as OCR formats need them: in blocks, with upright boxes of lines and words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...reading.types import Box, Line, Word
from ...reading.words import even_words
from .document import ExportDocument, ExportPage

_PARAGRAPH = "paragraph"


class LineGroup(NamedTuple):
    """Lines of a block."""

    type: str
    lines: Sequence[Line]


class Rectangle(NamedTuple):
    """Upright rectangle in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def line_groups(page: ExportPage, document: ExportDocument) -> Iterator[LineGroup]:
    """Yield the lines with text by blocks, in reading order. A line outside all blocks is one of its own."""
    keeps_furniture = document.options.furniture != "drop"
    grouped: set[int] = set()
    for block in page.blocks:
        own = [index for index in block.lines if index < len(page.lines) and index not in grouped]
        grouped.update(own)
        yield from _group(block.type, [page.lines[index] for index in own], keeps_furniture=keeps_furniture)
    for index, line in enumerate(page.lines):
        if index not in grouped:
            yield from _group(_PARAGRAPH, [line], keeps_furniture=keeps_furniture)


def _group(kind: str, lines: Sequence[Line], *, keeps_furniture: bool) -> Iterator[LineGroup]:
    shown = [line for line in lines if line.text.strip() and (keeps_furniture or line.role == "body")]
    if shown:
        yield LineGroup(kind, shown)


def line_words(line: Line) -> Sequence[Word]:
    """Return the words of a line. Without words of the engine, its box is divided by the characters."""
    if line.words:
        return line.words
    if line.box is None:
        found = re.finditer(r"\S+", line.text)
        return [Word(match[0], None, line.confidence, match.start()) for match in found]
    return even_words(line.text, line.box, line.confidence)


def words_with_spaces(line: Line) -> Iterator[tuple[Word, bool]]:
    """Yield the words of a line, and whether a space is before each: not between words of Chinese."""
    end = None
    for word in line_words(line):
        yield word, end is not None and word.start > end
        end = word.start + len(word.text)


def rectangle(boxes: Sequence[Box | None], page: ExportPage) -> Rectangle:
    """Return the rectangle around boxes, inside the page; without any box, the page."""
    corners = [corner for box in boxes if box is not None for corner in box]
    if not corners:
        return Rectangle(0, 0, page.width, page.height)
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    return Rectangle(
        _within(math.floor(left), page.width),
        _within(math.floor(top), page.height),
        _within(math.ceil(right), page.width),
        _within(math.ceil(bottom), page.height),
    )


def angle(box: Box) -> float:
    """Return the direction of the text of a box in degrees, counterclockwise from the right."""
    (left, top), (right, right_top), *_ = box
    return -math.degrees(math.atan2(right_top - top, right - left))


def _within(value: int, size: int) -> int:
    return min(max(value, 0), size)
