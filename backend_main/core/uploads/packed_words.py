"""Words of a page as bytes, for the database: columns of whole numbers in msgpack, compressed by zlib.

As JSON, the words of a page take four times the bytes of its lines; packed, less than half of them
(docs/decisions/0140-words.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Container, Iterable, Sequence
from typing import Final

import msgspec

from ...reading.types import Box, Line, Word

FORMAT: Final = 1
"""First byte of the packed words: the version of the format."""
STEPS_PER_PIXEL: Final = 10
STEPS_OF_CONFIDENCE: Final = 100
NO_CONFIDENCE: Final = -1
NO_BOX, LEVEL_BOX, QUAD = 0, 1, 2
"""Kinds of boxes: none, a level rectangle, four corners."""
NUMBERS_OF_LEVEL_BOX, NUMBERS_OF_QUAD = 4, 8


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


def unpack_words(
    packed: bytes, texts: Sequence[str], only: Container[int] | None = None
) -> list[tuple[Word, ...]]:
    """Return the words of each line of a page.

    Args:
        packed: bytes of `pack_words`.
        texts: texts of the lines.
        only: indices of the lines whose words are needed, the others get none; None: all.

    Raises:
        ValueError: the bytes are of an unknown format.
    """
    if packed[0] != FORMAT:
        raise ValueError(f"packed words of format {packed[0]}")
    columns = _decoder.decode(zlib.decompress(packed[1:]))
    reader = _Reader(columns)
    words: list[tuple[Word, ...]] = []
    for number, (text, count) in enumerate(zip(texts, columns.counts, strict=True)):
        if only is None or number in only:
            words.append(reader.words(text, count))
        else:
            reader.skip(count)
            words.append(())
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


class _Reader:
    """Reader of the columns, line by line."""

    def __init__(self, columns: _Columns) -> None:
        self._columns = columns
        self._word = self._coordinate = 0
        self._x = self._y = 0

    def words(self, text: str, count: int) -> tuple[Word, ...]:
        """Return the words of the next line."""
        columns, words, end = self._columns, list[Word](), 0
        for at in range(self._word, self._word + count):
            start = end + columns.gaps[at]
            end = start + columns.lengths[at]
            confidence = columns.confidences[at]
            share = None if confidence == NO_CONFIDENCE else confidence / STEPS_OF_CONFIDENCE
            words.append(Word(text[start:end], self._box(columns.box_kinds[at]), share, start))
        self._word += count
        return tuple(words)

    def skip(self, count: int) -> None:
        """Skip the words of the next line. Ten times faster than `words`."""
        kinds = self._columns.box_kinds[self._word : self._word + count]
        self._word += count
        if QUAD in kinds:
            for kind in kinds:
                self._box(kind)
            return
        numbers = self._take(NUMBERS_OF_LEVEL_BOX * kinds.count(LEVEL_BOX))
        self._x += sum(numbers[0::4]) + sum(numbers[2::4])
        self._y += sum(numbers[1::4])

    def _take(self, count: int) -> list[int]:
        self._coordinate += count
        return self._columns.coordinates[self._coordinate - count : self._coordinate]

    def _box(self, kind: int) -> Box | None:
        if kind == NO_BOX:
            return None
        if kind == LEVEL_BOX:
            left, top, width, height = self._take(NUMBERS_OF_LEVEL_BOX)
            x0, y0 = self._x + left, self._y + top
            x1, y1, x2, y2, x3, y3 = x0 + width, y0, x0 + width, y0 + height, x0, y0 + height
        else:
            left, top, *sides = self._take(NUMBERS_OF_QUAD)
            x0, y0 = self._x + left, self._y + top
            x1, y1 = x0 + sides[0], y0 + sides[1]
            x2, y2 = x1 + sides[2], y1 + sides[3]
            x3, y3 = x0 + x2 - x1 + sides[4], y0 + y2 - y1 + sides[5]
        self._x, self._y = x1, y1
        return _point(x0, y0), _point(x1, y1), _point(x2, y2), _point(x3, y3)


def _point(x: int, y: int) -> tuple[float, float]:
    return x / STEPS_PER_PIXEL, y / STEPS_PER_PIXEL
