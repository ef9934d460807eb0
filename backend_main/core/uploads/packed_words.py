"""Words of a page as bytes, for the database: columns of whole numbers in msgpack, compressed by zlib.

As JSON, the words of a page take four times the bytes of its lines; packed, less than half of them
(docs/decisions/0140-words.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from ...reading.types import Box, Line, Word

FORMAT: Final = 1
"""First byte of the packed words: the version of the format."""
STEPS_PER_PIXEL: Final = 10
STEPS_OF_CONFIDENCE: Final = 100
NO_CONFIDENCE: Final = -1
NO_BOX, LEVEL_BOX, QUAD = 0, 1, 2
"""Kinds of boxes: none, a level rectangle of 4 numbers, four corners of 8 numbers."""


class _Columns(msgspec.Struct, array_like=True):
    """Columns of all words of a page, line after line. Places are differences to the word before."""

    counts: list[int] = []
    """Words of each line."""
    gaps: list[int] = []
    """Characters from the end of the word before in its line, or from the start of the line."""
    lengths: list[int] = []
    confidences: list[int] = []
    box_kinds: list[int] = []
    coordinates: list[int] = []


_decoder = msgspec.msgpack.Decoder(_Columns)


def pack_words(lines: Iterable[Line]) -> bytes:
    """Return the words of the lines of a page as bytes."""
    columns = _Columns()
    pen = (0, 0)
    for line in lines:
        columns.counts.append(len(line.words))
        end = 0
        for word in line.words:
            columns.gaps.append(word.start - end)
            columns.lengths.append(len(word.text))
            end = word.start + len(word.text)
            confidence = word.confidence
            columns.confidences.append(
                NO_CONFIDENCE if confidence is None else round(confidence * STEPS_OF_CONFIDENCE)
            )
            pen = _add_box(columns, word.box, pen)
    return bytes([FORMAT]) + zlib.compress(msgspec.msgpack.encode(columns))


def unpack_words(packed: bytes, texts: Sequence[str]) -> list[tuple[Word, ...]]:
    """Return the words of each line of a page.

    Args:
        packed: bytes of `pack_words`.
        texts: texts of the lines.

    Raises:
        ValueError: the bytes are of an unknown format.
    """
    if packed[0] != FORMAT:
        raise ValueError(f"packed words of format {packed[0]}")
    columns = _decoder.decode(zlib.decompress(packed[1:]))
    boxes = _boxes(columns)
    places = zip(columns.gaps, columns.lengths, columns.confidences, strict=True)
    words: list[tuple[Word, ...]] = []
    for text, count in zip(texts, columns.counts, strict=True):
        of_line, end = list[Word](), 0
        for _ in range(count):
            gap, length, confidence = next(places)
            start, end = end + gap, end + gap + length
            share = None if confidence == NO_CONFIDENCE else confidence / STEPS_OF_CONFIDENCE
            of_line.append(Word(text[start:end], next(boxes), share, start))
        words.append(tuple(of_line))
    return words


def _add_box(columns: _Columns, box: Box | None, pen: tuple[int, int]) -> tuple[int, int]:
    """Add a box to the columns; return the corner from which the next box is counted."""
    if box is None:
        columns.box_kinds.append(NO_BOX)
        return pen
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (
        (round(x * STEPS_PER_PIXEL), round(y * STEPS_PER_PIXEL)) for x, y in box
    )
    columns.coordinates += (x0 - pen[0], y0 - pen[1])
    if (x3, y1, x2, y3) == (x0, y0, x1, y2):
        columns.box_kinds.append(LEVEL_BOX)
        columns.coordinates += (x1 - x0, y2 - y1)
    else:
        columns.box_kinds.append(QUAD)
        # The last corner is counted from that of a parallelogram, which most boxes are.
        columns.coordinates += (x1 - x0, y1 - y0, x2 - x1, y2 - y1, x3 - x0 - x2 + x1, y3 - y0 - y2 + y1)
    return x1, y1


def _boxes(columns: _Columns) -> Iterator[Box | None]:
    numbers = iter(columns.coordinates)
    x1 = y1 = 0
    for kind in columns.box_kinds:
        if kind == NO_BOX:
            yield None
            continue
        x0, y0 = x1 + next(numbers), y1 + next(numbers)
        if kind == LEVEL_BOX:
            x1, y1 = x0 + next(numbers), y0
            x2, y2 = x1, y1 + next(numbers)
            x3, y3 = x0, y2
        else:
            x1, y1 = x0 + next(numbers), y0 + next(numbers)
            x2, y2 = x1 + next(numbers), y1 + next(numbers)
            x3, y3 = x0 + x2 - x1 + next(numbers), y0 + y2 - y1 + next(numbers)
        yield _point(x0, y0), _point(x1, y1), _point(x2, y2), _point(x3, y3)


def _point(x: int, y: int) -> tuple[float, float]:
    return x / STEPS_PER_PIXEL, y / STEPS_PER_PIXEL
